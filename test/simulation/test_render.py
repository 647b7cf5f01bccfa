# Copyright 2026 The posenet_ros authors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

from dataclasses import replace

import cv2
import numpy as np
from posenet_ros.errors import GeometryError
from posenet_ros.geometry import Camera, Pose
from posenet_ros.simulation.render import NOTHING, render, visible
from posenet_ros.simulation.surfaces import Box, facing, Quad
from posenet_ros.simulation.textures import plain
from posenet_ros.simulation.world import Lane, World
import pytest
from scipy.spatial.transform import Rotation


def world_of(*quads):
    return World((8.0, 6.0, 3.0), quads, (), Lane(np.zeros((0, 2)), 0.0))


def spot(centre, normal, size=0.2):
    """Return a quad with a white disc in the middle of black."""
    texture = np.zeros((201, 201, 3), np.uint8)
    cv2.circle(texture, (100, 100), 60, (255, 255, 255), -1, cv2.LINE_AA)
    return facing(centre, normal, size, size, texture)


def random_boxes(seed, count=12):
    rng = np.random.default_rng(seed)
    boxes = [
        Box(tuple(rng.uniform(0.2, 1.2, 3)), plain((90, 90, 90)), tuple(spot), rng.uniform(0, 6))
        for spot in rng.uniform((0.5, 0.5, 0), (8, 6, 1.5), (count, 3))
    ]
    return [quad for box in boxes for quad in box.quads(rng)]


def floor_and_wall():
    grey = np.full((8, 8, 3), 128, np.uint8)
    floor = facing([4, 3, 0], [0, 0, 1], 8, 6, grey, right=[1, 0, 0])
    wall = facing([8, 3, 1.5], [-1, 0, 0], 6, 3, grey)
    return [floor, wall]


def cast(quads, camera, pose):
    """Find the nearest facing quad along each pixel's ray, one quad after the other."""
    x, y = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
    own = np.stack(
        [(x - camera.cx) / camera.fx, (y - camera.cy) / camera.fy, np.ones(x.shape)], -1
    )
    rays = own.reshape(-1, 3) @ pose.rotation.as_matrix().T
    best, found = np.full(len(rays), np.inf), np.full(len(rays), NOTHING)
    for index, quad in enumerate(quads):
        slope = rays @ quad.normal
        with np.errstate(divide='ignore', invalid='ignore'):
            depth = (quad.corner - pose.translation) @ quad.normal / slope
            hit = pose.translation + depth[:, None] * rays - quad.corner
            s = hit @ quad.edge_u / (quad.edge_u @ quad.edge_u)
            t = hit @ quad.edge_v / (quad.edge_v @ quad.edge_v)
        hits = (slope < 0) & (depth > 0.02) & (s >= 0) & (s <= 1) & (t >= 0) & (t <= 1)
        hits &= depth < best
        best[hits], found[hits] = depth[hits], index
    return found.reshape(x.shape), best.reshape(x.shape)


@pytest.mark.parametrize('point', [(6.0, 3.1, 1.2), (5.4, 3.3, 0.8), (7.5, 4.0, 1.9)])
def test_a_known_point_appears_where_the_camera_projects_it(camera, pose, point):
    fine = camera.resized(1280, 960)
    towards = pose.translation - point
    image = render(world_of(spot(np.array(point), [towards[0], towards[1], 0])), fine, pose)
    weight = image[..., 0].astype(float)
    ys, xs = np.mgrid[: fine.height, : fine.width]
    centroid = np.array([(weight * xs).sum(), (weight * ys).sum()]) / weight.sum()
    expected = fine.project(pose.inverse() @ np.array([point]))[0]
    assert weight.sum() > 255 * 100
    # A disc's centroid is not its centre's image, by perspective; small discs keep that small.
    assert np.abs(centroid - expected).max() < 0.35


def test_texture_corners_land_on_projected_points_to_a_tenth_of_a_pixel(camera, pose):
    board = np.zeros((600, 800, 3), np.uint8)
    board[:300, :400] = board[300:, 400:] = 255
    quad = facing([6.0, 3.4, 1.2], [-1, -0.4, 0.2], 1.6, 1.2, board)
    image = cv2.cvtColor(render(world_of(quad), camera, pose), cv2.COLOR_RGB2GRAY)
    middle = quad.corner + quad.edge_u / 2 + quad.edge_v / 2
    expected = camera.project(pose.inverse() @ middle[None])[0]
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 50, 1e-3)
    start = expected.astype(np.float32).reshape(1, 1, 2).copy()
    found = cv2.cornerSubPix(image, start, (7, 7), (-1, -1), criteria)[0, 0]
    assert np.abs(found - expected).max() < 0.1


@pytest.mark.parametrize('seed', range(4))
def test_every_pixel_sees_what_a_ray_hits_first(pose, seed):
    camera = Camera(96, 72, 60.0, 60.0, 47.5, 35.5)
    quads = floor_and_wall() + random_boxes(seed)
    seen = visible(world_of(*quads), camera, pose)
    found, depth = cast(quads, camera, pose)
    assert len(np.unique(found)) > 8
    agree = seen.quads == found
    # Rays along an edge that two faces share may go either way.
    assert agree.mean() > 0.999
    hit = agree & (found != NOTHING)
    np.testing.assert_allclose(seen.inverse_depth[hit], 1 / depth[hit], rtol=1e-4)


def test_a_room_around_the_camera_is_cut_off_behind_it(camera):
    """Floor and walls reach behind the camera; what is behind must not show up in front."""
    level = Rotation.from_matrix([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])
    pose = Pose(level, np.array([4.0, 3.0, 0.8]), 'map', 'camera')
    seen = visible(world_of(*floor_and_wall()), camera, pose)
    found, _ = cast(floor_and_wall(), camera, pose)
    assert (seen.quads == found).mean() > 0.999
    assert set(np.unique(seen.quads)) == {NOTHING, 0, 1}


def test_quads_are_seen_from_their_front_alone(camera, pose):
    ahead = pose @ np.array([0.0, 0.0, 2.0])
    towards = pose.translation - ahead
    grey = np.full((8, 8, 3), 128, np.uint8)
    front, back = (facing(ahead, sign * towards, 1, 1, grey) for sign in (1, -1))
    assert (visible(world_of(front), camera, pose).quads == 0).any()
    assert (visible(world_of(back), camera, pose).quads == NOTHING).all()


def test_textures_stand_upright_and_are_not_mirrored():
    texture = np.zeros((100, 100, 3), np.uint8)
    texture[:50, :50] = (255, 0, 0)
    texture[:50, 50:] = (0, 255, 0)
    texture[50:, :50] = (0, 0, 255)
    level = Rotation.from_matrix([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])
    pose = Pose(level, np.array([0.0, 0.0, 1.0]), 'map', 'camera')
    camera = Camera(100, 100, 50.0, 50.0, 49.5, 49.5)
    image = render(world_of(facing([1, 0, 1], [-1, 0, 0], 1, 1, texture)), camera, pose)
    assert image[35, 35].tolist() == [255, 0, 0]
    assert image[35, 65].tolist() == [0, 255, 0]
    assert image[65, 35].tolist() == [0, 0, 255]
    assert image[5, 5].tolist() == [0, 0, 0]


def test_fine_patterns_far_away_blur_instead_of_flickering():
    checks = (np.indices((512, 512)).sum(axis=0) % 2 * 255).astype(np.uint8)
    wall = facing([6, 0, 1], [-1, 0, 0], 2, 2, np.repeat(checks[..., None], 3, axis=2))
    level = Rotation.from_matrix([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])
    pose = Pose(level, np.array([0.0, 0.3, 1.0]), 'map', 'camera')
    image = render(world_of(wall), Camera(64, 64, 120.0, 120.0, 31.5, 31.5), pose)
    inside = image[20:44, 20:44, 0].astype(float)
    assert abs(inside.mean() - 127.5) < 4
    assert inside.std() < 4


def test_a_floor_far_ahead_keeps_detail_near_by():
    """Bands of a floor take their own levels: near rows are sharp, far ones even."""
    checks = (np.indices((1600, 160)).sum(axis=0) // 8 % 2 * 255).astype(np.uint8)
    floor = facing(
        [20, 0, 0], [0, 0, 1], 4, 40, np.repeat(checks[..., None], 3, 2), right=[0, -1, 0]
    )
    level = Rotation.from_matrix([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])
    pose = Pose(level, np.array([0.0, 0.0, 0.8]), 'map', 'camera')
    image = render(world_of(floor), Camera(320, 240, 200.0, 200.0, 159.5, 119.5), pose)
    rows = image[:, 150:170, 0].astype(float).std(axis=1)
    assert rows[230:].mean() > 60
    assert rows[121:126].mean() < 30


def test_supersampling_smooths_edges_in_place(camera, pose):
    world = world_of(*random_boxes(0))
    once = render(world, camera, pose, background=(255, 255, 255)).astype(float)
    twice = render(world, camera, pose, supersample=2, background=(255, 255, 255)).astype(float)
    assert once.shape == twice.shape
    assert np.abs(once - twice).mean() < 4
    assert len(np.unique(twice)) > len(np.unique(once))


def test_an_image_is_contiguous_rgb_and_black_where_nothing_is(camera, pose):
    red = np.full((4, 4, 3), (255, 0, 0), np.uint8)
    ahead = pose @ np.array([0.0, 0.0, 2.0])
    quad = facing(ahead, pose.translation - ahead, 0.5, 0.5, red)
    image = render(world_of(quad), camera, pose)
    assert image.shape == (240, 320, 3) and image.dtype == np.uint8
    assert image.flags.c_contiguous
    assert {tuple(pixel) for pixel in image.reshape(-1, 3)} == {(0, 0, 0), (255, 0, 0)}


def test_an_empty_world_is_black(camera, pose):
    assert not render(world_of(), camera, pose).any()


def test_lens_distortion_is_refused(camera, pose):
    bent = replace(camera, distortion='plumb_bob', coefficients=(0.1, 0, 0, 0, 0))
    with pytest.raises(GeometryError, match='plumb_bob'):
        render(world_of(*floor_and_wall()), bent, pose)


def test_a_quad_in_the_plane_of_the_camera_is_not_seen(camera, pose):
    edge_u, edge_v = pose.rotation.apply([[1.0, 0, 0], [0, 0, 1.0]])
    quad = Quad(pose @ np.array([0, 0, 0.5]), edge_u, edge_v, np.zeros((4, 4, 3), np.uint8))
    assert (visible(world_of(quad), camera, pose).quads == NOTHING).all()
