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

"""Poses that a map confirms, and images that it must not confirm."""

from __future__ import annotations

from dataclasses import replace
import warnings

import numpy as np
from posenet_ros.geometry import Camera, Pose
from posenet_ros.landmarks.features import LocalFeatures
from posenet_ros.landmarks.gate import Gate
from posenet_ros.landmarks.verifier import Verifier
import pytest
from scipy.spatial.transform import Rotation

PINHOLE = Camera(640, 480, 525.0, 520.0, 321.0, 238.0)
LENSES = [
    Camera(640, 480, 300.0, 305.0, 318.0, 243.0, 'plumb_bob', (-0.2, 0.05, 1e-3, -1e-3, 0.0)),
    Camera(640, 480, 300.0, 300.0, 320.0, 240.0, 'equidistant', (0.01, -0.002, 0.0, 0.0)),
    # Sees half of all around it, and more in its corners.
    Camera(640, 480, 200.0, 200.0, 320.0, 240.0, 'equidistant', (0.0, 0.0, 0.0, 0.0)),
]


@pytest.fixture
def ask(told):
    """Return a function that asks a place about features of a pose, or as they are given."""

    def asked(
        place,
        features,
        *,
        look,
        guess=None,
        camera=None,
        gate=None,
        size=(640, 480),
        any_focal=False,
        **other,
    ):
        landmarks = place.map(told(features), **other)
        image = np.zeros((size[1], size[0], 3), dtype=np.uint8)
        verifier = Verifier(landmarks, gate)
        return verifier.verify(image, look, guess, camera, any_focal=any_focal)

    return asked


def moved(pose, *step):
    return Pose(pose.rotation, pose.translation + step, 'map', 'camera')


def only(features, some):
    return LocalFeatures(features.pixels[some], features.descriptors[some])


def test_a_pose_between_the_frames_is_found_and_verified(ask, room, query):
    verdict = ask(room, room.features(query), look=room.look(query))
    assert verdict.verified
    assert verdict.reasons == ()
    metres, radians = verdict.map_from_camera.distance(query)
    assert metres < 0.02
    assert radians < 0.005
    evidence = verdict.evidence
    # Half of what is in sight of the pose is in the image.
    assert 0.35 < evidence.share < 0.6
    assert evidence.cells > 30
    assert evidence.by_chance < 1
    assert evidence.elsewhere == 0


def test_the_same_image_has_the_same_verdict(ask, room, query):
    one, other = (ask(room, room.features(query), look=room.look(query)) for _ in range(2))
    assert one.map_from_camera.distance(other.map_from_camera) == (0, 0)
    np.testing.assert_array_equal(one.covariance, other.covariance)
    assert one.evidence == other.evidence


def test_a_guess_that_is_wrong_by_metres_does_no_harm(ask, room, query, look_at):
    features, look = room.features(query), room.look(query)
    without = ask(room, features, look=look)
    for wrong in (look_at([1, 1, 1], [0, 0, 1]), look_at([90, 90, 9], [0, 0, 1])):
        verdict = ask(room, features, look=look, guess=wrong)
        assert verdict.verified
        assert verdict.map_from_camera.distance(without.map_from_camera)[0] < 0.005


@pytest.mark.parametrize('look', ['another place', 'nan'])
def test_a_good_guess_makes_up_for_a_look_that_tells_nothing(ask, room, query, look_at, look):
    away = look_at([3, 3, 1], [0, 3, 1])
    place_K = room.look(away) if look == 'another place' else np.full(16, np.nan, np.float32)
    near = moved(query, 0.3, -0.2, 0.1)
    verdict = ask(room, room.features(query), look=place_K, guess=near)
    assert verdict.verified
    assert verdict.map_from_camera.distance(query)[0] < 0.02


@pytest.mark.parametrize('camera', LENSES, ids=['radial', 'fisheye', 'half of all'])
def test_another_lens_is_understood(ask, room, query, camera):
    features = room.features(query, camera)
    verdict = ask(room, features, look=room.look(query), camera=camera)
    assert verdict.verified
    assert verdict.map_from_camera.distance(query)[0] < 0.02
    # The plane ahead has no end; the image has.
    assert verdict.evidence.by_chance > 1e-3


@pytest.mark.parametrize('camera', LENSES, ids=['radial', 'fisheye', 'half of all'])
def test_a_map_may_be_of_a_lens_itself(ask, room, query, make_place, camera):
    place = make_place(room.points, room.looks, room.poses, camera)
    verdict = ask(place, place.features(query), look=place.look(query))
    assert verdict.verified
    assert verdict.map_from_camera.distance(query)[0] < 0.02


def test_an_image_of_another_size_has_the_pose_and_no_better_a_covariance(ask, room, query):
    usual = ask(room, room.features(query), look=room.look(query))
    for scale in (0.5, 3.0):
        size = round(640 * scale), round(480 * scale)
        camera = PINHOLE.resized(*size)
        features = room.features(query, camera, noise=0.5 * scale)
        verdict = ask(room, features, look=room.look(query), size=size)
        assert verdict.verified
        assert verdict.map_from_camera.distance(query)[0] < 0.02
        # The same features in more pixels are no more exact.
        assert np.trace(verdict.covariance) > 0.95 * np.trace(usual.covariance)


@pytest.mark.parametrize('height', [240, 360, 420])
def test_an_image_that_lacks_a_part_is_not_taken_for_a_squeezed_one(ask, room, query, height):
    features = room.features(query)
    top = (480 - height) / 2
    y = features.pixels[:, 1]
    part = only(features, (y >= top) & (y < top + height))
    part.pixels[:, 1] -= top
    verdict = ask(room, part, look=room.look(query), size=(640, height))
    assert not verdict.verified
    assert f'640x{height} is not all that a camera of 640x480' in verdict.reasons[0]
    # With the camera of that part it is.
    camera = replace(PINHOLE, height=height, cy=PINHOLE.cy - top)
    verdict = ask(room, part, look=room.look(query), size=(640, height), camera=camera)
    assert verdict.verified
    assert verdict.map_from_camera.distance(query)[0] < 0.03


def test_sizes_may_be_rounded(ask, room, query):
    camera = PINHOLE.resized(100, 75)
    features = room.features(query, camera, noise=0.05)
    verdict = ask(
        room, features, look=room.look(query), camera=replace(PINHOLE, height=481), size=(100, 75)
    )
    assert verdict.verified


@pytest.mark.parametrize('factor', [0.6, 0.9, 1.1, 1.3])
def test_a_focal_length_that_nobody_told_is_estimated(ask, room, query, factor):
    lens = replace(PINHOLE, fx=factor * PINHOLE.fx, fy=factor * PINHOLE.fy)
    features = room.features(query, lens)
    assert not ask(room, features, look=room.look(query)).verified
    verdict = ask(room, features, look=room.look(query), any_focal=True)
    assert verdict.verified
    # The fewer distances are in sight, the less tells the focal length from a step ahead.
    off = verdict.map_from_camera.translation - query.translation
    assert off @ np.linalg.solve(verdict.covariance[:3, :3], off) < 16
    assert np.linalg.norm(off) < 0.15
    assert verdict.map_from_camera.distance(query)[1] < 0.01
    assert verdict.focal_px == pytest.approx((lens.fx + lens.fy) / 2, rel=0.04)


def test_points_found_by_a_lens_that_is_a_little_wrong_do_not_speak_for_it(ask, room, query):
    lens = replace(PINHOLE, fx=1.06 * PINHOLE.fx, fy=1.06 * PINHOLE.fy)
    verdict = ask(room, room.features(query, lens), look=room.look(query))
    assert not verdict.verified
    assert verdict.evidence.zoom == pytest.approx(1.06, abs=0.02)


def test_a_focal_length_that_is_the_maps_is_not_estimated(ask, room, query):
    verdict = ask(room, room.features(query), look=room.look(query), any_focal=True)
    assert verdict.verified
    assert verdict.focal_px is None


def test_a_pose_is_known_less_well_where_nobody_tells_the_focal_length(ask, room, query):
    lens = replace(PINHOLE, fx=1.1 * PINHOLE.fx, fy=1.1 * PINHOLE.fy)
    features = room.features(query, lens)
    told = ask(room, features, look=room.look(query), camera=lens)
    found = ask(room, features, look=room.look(query), any_focal=True)
    more = found.covariance[:3, :3] - told.covariance[:3, :3]
    assert np.linalg.eigvalsh(more)[-1] > 1e-5
    assert np.linalg.eigvalsh(more)[0] > -1e-6


def test_a_wall_straight_ahead_does_not_tell_the_focal_length(ask, wall, before_wall):
    lens = replace(PINHOLE, fx=1.3 * PINHOLE.fx, fy=1.3 * PINHOLE.fy)
    features = wall.features(before_wall, lens)
    verdict = ask(wall, features, look=wall.look(before_wall), any_focal=True)
    assert verdict.reasons == ('nothing tells the focal length of its camera',)


@pytest.mark.parametrize('seed', range(3))
def test_no_focal_length_makes_an_image_of_elsewhere_verified(ask, room, query, seed):
    features = room.features(query)
    pixels = np.random.default_rng(seed).permutation(features.pixels)
    shuffled = LocalFeatures(pixels, features.descriptors)
    assert not ask(room, shuffled, look=room.look(query), any_focal=True).verified


@pytest.mark.parametrize('shape', [(0, 0, 3), (0, 640, 3), (480, 0, 3)])
def test_an_empty_image_is_told(room, told, query, shape):
    verifier = Verifier(room.map(told(room.features(query))))
    verdict = verifier.verify(np.zeros(shape, np.uint8), room.look(query))
    assert verdict.reasons == ('the image is empty',)
    assert not verdict.verified


@pytest.mark.parametrize('count', [0, 1, 14])
def test_few_features_tell_nothing(ask, room, query, count):
    features = only(room.features(query), slice(count))
    verdict = ask(room, features, look=room.look(query))
    assert not verdict.verified
    assert verdict.map_from_camera is verdict.covariance is verdict.evidence is None
    assert verdict.reasons == (f'the image has {count} features, too few to tell',)


def test_features_that_all_are_at_one_place_tell_nothing(ask, room, query):
    features = room.features(query)
    for axis in ([0, 1], [0], [1]):
        there = features.pixels.copy()
        there[:, axis] = 100
        verdict = ask(room, LocalFeatures(there, features.descriptors), look=room.look(query))
        assert not verdict.verified


@pytest.mark.parametrize('seed', range(3))
def test_an_image_of_elsewhere_is_not_verified(ask, room, query, seed):
    clutter = room.features(query, share=0, clutter=900, seed=seed)
    verdict = ask(room, clutter, look=room.look(query), guess=query)
    assert not verdict.verified


@pytest.mark.parametrize('seed', range(3))
def test_the_right_looks_at_the_wrong_places_are_not_verified(ask, room, query, seed):
    features = room.features(query, share=1.0)
    anywhere = np.random.default_rng(seed).permutation(features.pixels)
    verdict = ask(
        room, LocalFeatures(anywhere, features.descriptors), look=room.look(query), guess=query
    )
    assert not verdict.verified


@pytest.fixture
def wall(make_place, distinct, look_at):
    """Return a flat wall, 5 m ahead of those who drove along it."""
    rng = np.random.default_rng(3)
    points = np.column_stack([rng.uniform(-3, 3, 600), np.full(600, 5.0), rng.uniform(-2, 2, 600)])
    poses = [look_at([x, 0, 0], [x, 5, 0]) for x in np.linspace(-1.5, 1.5, 30)]
    return make_place(points, distinct(600, 4), poses)


@pytest.fixture
def before_wall(look_at):
    return look_at([0.3, 0.5, 0.1], [0.9, 5, 0.3], roll_deg=3)


def test_a_flat_wall_is_enough(ask, wall, before_wall):
    verdict = ask(wall, wall.features(before_wall), look=wall.look(before_wall))
    assert verdict.verified
    assert verdict.map_from_camera.distance(before_wall)[0] < 0.05


@pytest.mark.parametrize('axis', [0, 1])
def test_a_mirrored_image_is_not_verified(ask, room, query, wall, before_wall, axis):
    """A plane in a mirror is that plane from behind, through which nobody sees."""
    for place, pose in ((room, query), (wall, before_wall)):
        features = place.features(pose)
        features.pixels[:, axis] = [639, 479][axis] - features.pixels[:, axis]
        for guess in (None, pose):
            verdict = ask(place, features, look=place.look(pose), guess=guess)
            assert not verdict.verified


@pytest.mark.parametrize('off', [0.0, 1e-3])
@pytest.mark.parametrize('seed', range(3))
def test_points_on_one_line_leave_the_pose_open(
    ask, wall, before_wall, make_place, distinct, off, seed
):
    rng = np.random.default_rng(seed)
    points = np.column_stack([rng.uniform(-3, 3, 200), np.full(200, 5.0), np.full(200, 0.2)])
    points += rng.normal(0, off, points.shape) if off else 0
    line = make_place(points, distinct(200, 5), wall.poses)
    features = line.features(before_wall, share=0.8, clutter=40, seed=seed)
    verdict = ask(line, features, look=line.look(before_wall))
    assert not verdict.verified
    if verdict.evidence:
        # Anything else may be wrong with such a pose as well, as arithmetic has it.
        assert 'the points that are found leave the pose open' in verdict.reasons


def test_half_of_the_points_are_enough(ask, room, query, make_place):
    half = make_place(room.points[::2], room.looks[::2], room.poses)
    verdict = ask(half, room.features(query), look=room.look(query))
    assert verdict.verified
    assert verdict.map_from_camera.distance(query)[0] < 0.03


@pytest.mark.parametrize(
    ('gate', 'message'),
    [
        (Gate(found=500), 'points of the map are found, not 500'),
        (Gate(share=0.9), 'of the points that should be seen are, not 90 %'),
        (Gate(cells=49), 'parts of the image, not 49'),
        (Gate(over_chance=1e5), 'chance alone would give 0'),
    ],
)
def test_a_gate_that_is_not_passed_is_told(ask, room, query, gate, message):
    verdict = ask(room, room.features(query), look=room.look(query), gate=gate)
    assert not verdict.verified
    assert len(verdict.reasons) == 1
    assert message in verdict.reasons[0]
    # What was found is told all the same.
    assert verdict.map_from_camera.distance(query)[0] < 0.02


def test_the_gate_is_the_maps_own_unless_given(room, told, query):
    landmarks = room.map(told(room.features(query)), gate=Gate(found=500).to_dict())
    image = np.zeros((480, 640, 3), np.uint8)
    assert not Verifier(landmarks).verify(image, room.look(query)).verified
    assert Verifier(landmarks, Gate()).verify(image, room.look(query)).verified


def test_points_in_a_corner_of_the_image_are_not_enough(ask, room, query):
    features = room.features(query, share=1.0, clutter=0)
    corner = only(features, (features.pixels < [200, 200]).all(axis=1))
    verdict = ask(room, corner, look=room.look(query), gate=Gate(found=6, cells=10))
    assert not verdict.verified
    assert 'parts of the image, not 10' in verdict.reasons[0]


def twice(place, make_place, step):
    """Return a place and the same again a step away."""
    return make_place(
        np.concatenate([place.points, place.points + step]),
        np.concatenate([place.looks, place.looks]),
        [*place.poses, *(moved(pose, *step) for pose in place.poses)],
    )


@pytest.mark.parametrize('frames', [6, 30])
@pytest.mark.parametrize('alike', ['here', 'there'])
def test_where_two_places_look_the_same_neither_is_verified(
    ask, room, make_place, look_at, frames, alike
):
    """In a map of few frames too, and whichever of the two the network has in mind."""
    poses = [look_at([x, 3, 1.2], [x + 3, 3.2, 1.2]) for x in np.linspace(2, 4, frames)]
    step = np.array([0.0, 40.0, 0.0])
    halls = twice(make_place(room.points, room.looks, poses), make_place, step)
    pose = look_at([3.1, 3.1, 1.1], [6, 3.3, 1.3])
    there = moved(pose, *step)
    for guess in (None, pose, there):
        verdict = ask(
            halls,
            halls.features(pose),
            look=halls.look(pose if alike == 'here' else there),
            guess=guess,
        )
        assert not verdict.verified
        if verdict.evidence:
            assert 'another place of the map looks the same' in verdict.reasons[0]


@pytest.mark.parametrize('alone', [0, 50])
@pytest.mark.parametrize('door', [2, 3])
def test_doors_beside_each_other_are_not_taken_for_each_other(
    ask, make_place, distinct, look_at, alone, door
):
    """
    Six doors, three metres apart, with few points of which there is only one.

    The network takes the image of one door for that of the next, a few frames away.
    """
    rng = np.random.default_rng(0)
    one = np.column_stack([rng.uniform(-0.6, 0.6, 150), rng.uniform(3, 3.3, 150)])
    one = np.column_stack([one, rng.uniform(0, 2.2, 150)])
    wall = np.column_stack([rng.uniform(-2, 17, alone), np.full(alone, 3.0)])
    wall = np.column_stack([wall, rng.uniform(0, 2.5, alone)])
    corridor = make_place(
        np.concatenate([one + [3.0 * number, 0, 0] for number in range(6)] + [wall]),
        np.concatenate([distinct(150, 9)] * 6 + [distinct(alone, 11)]),
        [look_at([x, 0.5, 1.2], [x, 3, 1.2]) for x in np.linspace(-1, 16, 60)],
    )
    pose = look_at([6.1, 0.6, 1.15], [6.0, 3, 1.2])
    taken_for = look_at([3.0 * door + 0.1, 0.6, 1.15], [3.0 * door, 3, 1.2])
    verdict = ask(corridor, corridor.features(pose), look=corridor.look(taken_for))
    assert not verdict.verified


def test_what_there_is_only_one_of_tells_twins_apart(ask, room, make_place, look_at, distinct):
    step = np.array([0.0, 40.0, 0.0])
    poses = [look_at([x, 3, 1.2], [x + 3, 3.2, 1.2]) for x in np.linspace(2, 4, 20)]
    halls = twice(make_place(room.points, room.looks, poses), make_place, step)
    # Two thirds of the points of the second hall have a look of their own.
    halls.looks[1500:2500] = distinct(1000, 77)
    pose = moved(look_at([3.1, 3.1, 1.1], [6, 3.3, 1.3]), *step)
    verdict = ask(halls, halls.features(pose), look=halls.look(pose))
    assert verdict.verified
    assert verdict.map_from_camera.distance(pose)[0] < 0.03
    # Of the other hall a third goes with the pose there: too few to speak against this one.
    assert verdict.evidence.elsewhere == 0


def test_the_labelled_camera_may_be_beside_the_one_that_took_the_image(ask, room, query):
    """As a lever: what turns the image's camera moves the labelled one."""
    turn = Rotation.from_euler('xyz', [3, -2, 5], degrees=True)
    image_from_label = Pose(turn, np.array([0.6, -0.3, 0.9]), 'image', 'camera')
    features, look = room.features(query), room.look(query)
    gate = Gate(floor_rad=0.05)
    plain = ask(room, features, look=look, gate=gate)
    beside = ask(room, features, look=look, gate=gate, image_from_label=image_from_label)
    expected = plain.map_from_camera.renamed(source='image') @ image_from_label
    assert beside.map_from_camera.distance(expected) == pytest.approx((0, 0), abs=1e-7)
    assert (beside.map_from_camera.target, beside.map_from_camera.source) == ('map', 'camera')
    # Poses that scatter by the one covariance have labels that scatter by the other.
    rng = np.random.default_rng(0)
    steps = 1e-3 * rng.multivariate_normal(np.zeros(6), plain.covariance, 20_000)
    lever = plain.map_from_camera.rotation.apply(image_from_label.translation)
    turns = Rotation.from_rotvec(steps[:, 3:])
    labels = np.hstack([steps[:, :3] + turns.apply(lever) - lever, steps[:, 3:]])
    sd = np.sqrt(np.diag(beside.covariance))
    scattered = np.cov(labels.T) * 1e6 / np.outer(sd, sd)
    np.testing.assert_allclose(scattered, beside.covariance / np.outer(sd, sd), atol=0.04)
    assert sd[:3].max() > 1.5 * np.sqrt(np.diag(plain.covariance))[:3].max()


def test_a_guess_is_the_labelled_cameras(ask, room, query, look_at):
    image_from_label = Pose(
        Rotation.from_euler('y', 170, degrees=True), np.array([0.0, 0.0, -5.0]), 'image', 'camera'
    )
    away = look_at([3, 3, 1], [0, 3, 1])
    label = query.renamed(source='image') @ image_from_label
    verdict = ask(
        room,
        room.features(query),
        look=room.look(away),
        guess=label,
        image_from_label=image_from_label,
    )
    assert verdict.verified
    assert verdict.map_from_camera.distance(label)[0] < 0.05


def test_errors_are_within_the_covariance(ask, room, query):
    """Of noise of the width that the points are told to have, with no floor to hide behind."""
    gate = Gate(floor_m=1e-4, floor_rad=1e-4)
    distances = []
    for seed in range(30):
        features = room.features(query, noise=1.5, seed=seed)
        verdict = ask(room, features, look=room.look(query), gate=gate)
        between = verdict.map_from_camera.rotation * query.rotation.inv()
        error = np.concatenate(
            [verdict.map_from_camera.translation - query.translation, between.as_rotvec()]
        )
        distances.append(error @ np.linalg.solve(verdict.covariance, error))
    # A chi-square of 6; the mean of 30 of them is within a few tenths of its sd of 0.6.
    assert 2.5 < np.mean(distances) < 8


@pytest.mark.parametrize('count', [0, 1, 5])
def test_a_map_of_next_to_nothing_verifies_nothing(ask, room, query, make_place, count):
    few = make_place(room.points[:count], room.looks[:count], room.poses)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        verdict = ask(few, room.features(query), look=room.look(query))
    assert not verdict.verified
    assert verdict.reasons == ('no pose goes with what it shows of the map',)


def test_frames_that_look_like_nothing_are_no_reason_to_fail(ask, room, query):
    places = np.zeros((40, 16), dtype=np.float16)
    verdict = ask(room, room.features(query), look=room.look(query), guess=query, places_FK=places)
    assert verdict.verified


def test_a_map_without_metres_is_asked_the_same_way(ask, room, query, make_place):
    """Coordinates in units of 20 m: all that is near is nearer than a metre."""
    poses = [Pose(p.rotation, p.translation / 20, 'map', 'camera') for p in room.poses]
    small = make_place(room.points / 20, room.looks, poses)
    landmarks_pose = Pose(query.rotation, query.translation / 20, 'map', 'camera')
    features = room.features(query)
    gate = Gate(floor_m=0.001)
    seen = room.map()
    verdict = ask(
        small,
        features,
        look=room.look(query),
        gate=gate,
        first_seen=seen.first_seen,
        seen=seen.seen,
        places_FK=seen.places_FK,
    )
    assert verdict.verified
    assert verdict.map_from_camera.distance(landmarks_pose)[0] < 0.02 / 20
