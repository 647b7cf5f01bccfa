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

"""Points of the map on images: at pixels by hand, and only of a map in the frame of the labels."""

from dataclasses import replace

import numpy as np
from posenet_ros.errors import ConfigError, DatasetError
from posenet_ros.explain.overlay import draw
from posenet_ros.explain.points import pixels, PointMap
from posenet_ros.geometry import Camera, Pose
import pytest
from scipy.spatial.transform import Rotation

pycolmap = pytest.importorskip('pycolmap')

WIDTH, HEIGHT, FOCAL = 64, 48, 50.0
STILL = Pose(Rotation.identity(), np.zeros(3), 'map', 'camera')
DEPTH = 2.0


def lens(model='PINHOLE', *more, **changes):
    params = [FOCAL, FOCAL, WIDTH / 2, HEIGHT / 2, *more]
    return pycolmap.Camera(model=model, width=WIDTH, height=HEIGHT, params=params, **changes)


def points_of(pose):
    """Return a grid of nine points on a wall before a camera, on pixels that are whole."""
    grid = [[x, y, DEPTH] for x in (-0.4, 0, 0.4) for y in (-0.3, 0, 0.3)]
    return pose @ np.array(grid)


def write(folder, frames, moved=(0.0, 0, 0), cameras=1, points=True):
    """Write a model of some frames, each of which observes points of its own before it."""
    made = pycolmap.Reconstruction()
    for number in range(1, cameras + 1):
        made.add_camera_with_trivial_rig(lens(camera_id=number))
    for number, frame in enumerate(frames, start=1):
        pose = frame.map_from_camera
        pose = Pose(pose.rotation, pose.translation + moved, 'map', 'camera')
        seen = points_of(pose) if points else np.zeros((0, 3))
        image = pycolmap.Image(
            name=frame.image.name,
            camera_id=min(number, cameras),
            image_id=number,
            points2D=[pycolmap.Point2D(np.zeros(2)) for _ in seen],
        )
        made.add_image_with_trivial_frame(image, pycolmap.Rigid3d(pose.inverse().matrix()[:3]))
        for index, point in enumerate(seen):
            track = pycolmap.Track()
            track.add_element(number, index)
            made.add_point3D(point, track, np.zeros(3, np.uint8))
    folder.mkdir()
    made.write(str(folder))
    return folder


@pytest.fixture
def model(subject, tmp_path):
    return write(tmp_path / 'sfm', subject.train)


def test_pixels_by_hand():
    points = np.array([[0.0, 0, 2], [0.4, 0, 2], [0, 0, -2], [5, 0, 2]])
    found = pixels(points, STILL, lens(), WIDTH, HEIGHT)
    # COLMAP's 32.0 is the edge between the pixels 31 and 32: 31.5 here.
    np.testing.assert_allclose(found[:2], [[31.5, 23.5], [41.5, 23.5]])
    assert np.isnan(found[2:]).all()


def test_pixels_of_a_camera_that_moved_and_of_a_larger_image():
    point = np.array([[0.0, 0, 2]])
    moved = Pose(Rotation.identity(), [0.4, 0, 0], 'map', 'camera')
    np.testing.assert_allclose(pixels(point, moved, lens(), WIDTH, HEIGHT), [[21.5, 23.5]])
    twice = pixels(point, moved, lens(), 2 * WIDTH, 2 * HEIGHT)
    np.testing.assert_allclose(twice, [[43.5, 47.5]])


def test_what_a_lens_would_fold_back_into_the_image_is_outside():
    # Distances from the middle are r (1 - 0.15 r^2), which is zero again at r = 2.58.
    barrel = lens('OPENCV', -0.15, 0, 0, 0)
    far = np.array([[2.5, 0, 1.0]])
    assert 0 < barrel.img_from_cam(far)[0, 0] < WIDTH
    assert np.isnan(pixels(far, STILL, barrel, WIDTH, HEIGHT)).all()
    near = pixels(np.array([[0.4, 0, 1.0]]), STILL, barrel, WIDTH, HEIGHT)
    np.testing.assert_allclose(near, [[31.5 + FOCAL * 0.4 * (1 - 0.15 * 0.16), 23.5]])


def test_a_lens_whose_polynomial_ends_before_the_corners():
    # At most 0.7 from the middle, at r = 1.05, where the corners of the image are at 0.8.
    strong = lens('OPENCV', -0.3, 0, 0, 0)
    points = np.array([[0.5, 0, 1.0], [1.8, 0, 1.0]])
    assert np.isfinite(strong.img_from_cam(points)).all()
    near, far = pixels(points, STILL, strong, WIDTH, HEIGHT)
    np.testing.assert_allclose(near, [31.5 + FOCAL * 0.5 * (1 - 0.3 * 0.25), 23.5])
    assert np.isnan(far).all()


def test_points_are_those_of_the_images_that_look_alike(subject, model):
    space = PointMap.open(model, subject.train)
    frame = subject.train[0]
    own = points_of(frame.map_from_camera)
    near = space.near(frame.map_from_camera)
    # Six images of nine points each: the first and those after it, not the last.
    assert len(near) == 54
    distances = np.linalg.norm(near[:, None] - own, axis=2).min(axis=0)
    assert distances.max() < 1e-9
    other = points_of(subject.train[-1].map_from_camera)
    assert np.linalg.norm(near[:, None] - other, axis=2).min() > 0.1


def test_points_move_by_as_many_pixels_as_the_pose_is_off(subject, answering, model):
    frame = subject.test[5]
    aside = frame.map_from_camera @ np.array([0.04, 0, 0])
    off = Pose(frame.map_from_camera.rotation, aside, 'map', 'camera')
    exhibit = draw(answering(off, test=(frame,)), model)
    assert [view['rank'] for view in exhibit.numbers['views']] == [
        '25th percentile', 'median', '90th percentile', 'worst',
    ]  # fmt: skip
    view = exhibit.numbers['views'][0]
    assert view['image'] == frame.image.name
    assert view['position_error'] == pytest.approx(0.04, abs=1e-5)
    # 50 pixels of focal length, 4 cm at 2 m.
    moved = np.array(view['true_px']) - np.array(view['found_px'])
    depth = FOCAL * 0.04 / moved[:, 0]
    assert np.median(depth) == pytest.approx(DEPTH, rel=0.1)
    assert view['moved_px'] == pytest.approx(1.0, rel=0.1)
    assert exhibit.caption.count('from the labels') == 0


def test_images_are_chosen_by_their_place_in_the_order_of_errors(answering, model):
    exhibit = draw(answering(Pose(Rotation.identity(), [0.0, 1, 2], 'map', 'camera')), model)
    told = [(view['rank'], view['position_error']) for view in exhibit.numbers['views']]
    # Errors are 0.8 to 1.1, 2.4 to 2.7 and 4.0 to 4.3.
    assert told == [
        ('25th percentile', pytest.approx(1.1)),
        ('median', pytest.approx(2.6)),
        ('90th percentile', pytest.approx(4.2)),
        ('worst', pytest.approx(4.3)),
    ]


def test_the_runs_own_map_is_taken_where_it_has_one(subject, answering, tmp_path):
    still = answering(STILL, run=tmp_path)
    with pytest.raises(ConfigError, match=r'no reconstruction of its own.*--points DIR'):
        draw(still, None)
    write(tmp_path / 'sfm', subject.train)
    assert draw(still, None).numbers['map_apart_from_labels'] == pytest.approx([0, 0], abs=1e-5)


def test_a_model_in_another_frame_is_refused(subject, answering, tmp_path):
    elsewhere = write(tmp_path / 'sfm', subject.train, moved=(0, 0.5, 0))
    with pytest.raises(ConfigError, match=r'not in the map of the labels.* 0\.5 and .*36 images'):
        draw(answering(STILL), elsewhere)


def test_labels_that_are_off_a_little_are_told_of(subject, answering, tmp_path):
    near = write(tmp_path / 'sfm', subject.train, moved=(0, 0.1, 0))
    assert draw(answering(STILL), near).numbers['map_apart_from_labels'][0] == pytest.approx(0.1)


def test_a_model_of_other_images_is_refused(subject, answering, tmp_path):
    frames = [
        replace(frame, image=frame.image.with_name(f'other-{frame.image.name}'))
        for frame in subject.train
    ]
    other = write(tmp_path / 'sfm', frames)
    with pytest.raises(ConfigError, match='0 of the 36 images'):
        draw(answering(STILL), other)


def test_names_that_two_sequences_have_tell_nothing(subject, model):
    again = [
        replace(frame, image=frame.image.parents[1] / 'seq-02' / frame.image.name)
        for frame in subject.train
    ]
    with pytest.raises(ConfigError, match='0 of the 36 images'):
        PointMap.open(model, [*subject.train, *again])


def test_a_model_without_points_and_a_folder_without_a_model(subject, answering, tmp_path):
    empty = write(tmp_path / 'sfm', subject.train, points=False)
    with pytest.raises(ConfigError, match='no points'):
        draw(answering(STILL), empty)
    with pytest.raises(DatasetError, match='holds no COLMAP model'):
        draw(answering(STILL), tmp_path / 'nothing')


def test_the_camera_is_the_models_or_the_one_that_took_the_frames(subject, model, tmp_path):
    known = Camera(WIDTH, HEIGHT, 60, 60, 31.5, 23.5)
    assert PointMap.open(model, subject.train).lens(known).focal_length_x == FOCAL
    several = PointMap.open(write(tmp_path / 'two', subject.train, cameras=2), subject.train)
    assert several.lens(known).focal_length == 60
    with pytest.raises(ConfigError, match='2 cameras'):
        several.lens(None)
