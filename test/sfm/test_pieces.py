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

"""Parts of a map at the wrong place, and odometry that errs without harm."""

from dataclasses import replace

import numpy as np
from posenet_ros.geometry import NS_PER_S, Pose, Trajectory
from posenet_ros.sfm.clock import reference_at
from posenet_ros.sfm.pieces import jumps, misplaced_pieces
import pytest
from scipy.spatial.transform import Rotation

HELD = 100
START_NS = 1_700_000_000_000_000_000
# Looks ahead, from the middle of the base.
BASE_FROM_CAMERA = Pose(
    Rotation.from_euler('xyz', [-np.pi / 2, 0, -np.pi / 2]), np.zeros(3), 'base', 'camera'
)


def check(camera, odom, shared):
    told = reference_at(camera.stamps_ns, odom, 0.0)
    return misplaced_pieces(camera, told, odom, shared, drift_rad_per_m=np.radians(0.5))


def moved(poses, which, by):
    places = poses.translations.copy()
    places[which] += by
    return replace(poses, translations=places)


@pytest.mark.parametrize(
    'fault', [{}, {'yaw_per_m': 4.0}, {'slip_m': 0.3}, {'noise': 0.1, 'yaw_per_m': 1.0}], ids=str
)
def test_what_images_hold_together_is_in_place_whatever_odometry_says(loop, fault):
    camera = loop.camera()
    assert check(camera, loop.odom(**fault), np.full(len(camera), HELD)) == []


@pytest.mark.parametrize(
    'fault', [{}, {'yaw_per_m': 1.0}, {'slip_m': 0.3}, {'bias': 0.03, 'noise': 0.05}], ids=str
)
def test_pieces_that_are_in_place_stay_though_nothing_holds_them(loop, fault):
    camera = loop.camera()
    shared = np.full(len(camera), HELD)
    shared[[60, 100, 101, 150]] = 0
    assert check(camera, loop.odom(**fault), shared) == []


@pytest.mark.parametrize('piece', [slice(0, 30), slice(60, 75), slice(170, 200)])
def test_a_piece_at_another_place_is_found_with_its_figures(loop, piece):
    camera = moved(loop.camera(), piece, [4.0, 2.0, 0.0])
    shared = np.full(len(camera), HELD)
    shared[[edge for edge in (piece.start, piece.stop) if 0 < edge < 200]] = 3
    (wrong,) = check(camera, loop.odom(yaw_per_m=1.0), shared)
    np.testing.assert_array_equal(wrong.frames, np.arange(200)[piece])
    assert wrong.off.metres == pytest.approx(np.hypot(4, 2), abs=0.3)
    assert wrong.off.most_metres < 1.0
    assert wrong.off.degrees < 5
    # Odometry leads to where the piece belongs.
    off = np.linalg.norm(wrong.expected - loop.camera().translations[wrong.frames], axis=1)
    assert (off < wrong.reach).all()
    assert off.max() < 0.5


def test_pieces_after_a_pause_are_compared_over_the_way_between(loop):
    # Ten seconds of the drive show nothing; after them the map goes on where it should not.
    camera = loop.camera()
    seen = np.r_[0:50, 100:200]
    parts = camera.select(seen)
    shared = np.full(len(parts), HELD)
    assert check(parts, loop.odom(yaw_per_m=1.0), shared) == []
    there = moved(parts, slice(0, 50), [0.0, 6.0, 0.0])
    (wrong,) = check(there, loop.odom(yaw_per_m=1.0), shared)
    assert len(wrong.frames) == 50
    assert 1.0 < wrong.off.most_metres < 3.5


def test_one_after_another_is_compared_with_what_is_in_place(loop):
    camera = moved(loop.camera(), slice(100, 130), [5.0, 0.0, 0.0])
    camera = moved(camera, slice(130, 150), [5.0, 0.0, 0.0])
    shared = np.full(len(camera), HELD)
    shared[[100, 130, 150]] = 0
    wrong = check(camera, loop.odom(), shared)
    assert [int(each.frames[0]) for each in wrong] == [100, 130]


def crossing(turned_deg, lost):
    """
    Return odometry, the camera, and a map that goes on at another arm of a crossing.

    The robot turns a quarter on the spot after 25 m; the `lost` frames of the turn are gone.
    """
    seconds = np.arange(0, 120, 0.05)
    x = np.minimum(0.5 * seconds, 25.0)
    y = np.maximum(0.5 * (seconds - 53), 0.0)
    heading = np.clip((seconds - 50) / 3, 0, 1) * np.pi / 2
    base = Trajectory(
        START_NS + np.round(seconds * NS_PER_S).astype(np.int64),
        Rotation.from_rotvec(np.outer(heading, [0.0, 0.0, 1.0])),
        np.stack([x, y, 0 * x], axis=1),
        'map',
        'base',
    )
    camera = base.of_body(BASE_FROM_CAMERA)
    corner = 53 * 20
    turn = Rotation.from_euler('z', -turned_deg, degrees=True)
    places, rotations = camera.translations.copy(), camera.rotations.as_matrix()
    places[corner:] = places[corner] + turn.apply(places[corner:] - places[corner])
    rotations[corner:] = turn.as_matrix() @ rotations[corner:]
    wrong = replace(camera, translations=places, rotations=Rotation.from_matrix(rotations))
    frames = np.arange(0, len(seconds), 10)
    frames = frames[(frames >= corner) | (frames < corner - 10 * lost)]
    shared = np.full(len(frames), HELD)
    shared[np.searchsorted(frames, corner)] = 0
    return camera, camera.select(frames), wrong.select(frames), shared


@pytest.mark.parametrize('lost', [0, 4])
@pytest.mark.parametrize('turned_deg', [30, 90, 180])
def test_a_map_that_goes_on_at_another_arm_of_a_crossing_is_found(turned_deg, lost):
    odom, right, wrong, shared = crossing(turned_deg, lost)
    assert check(right, odom, shared) == []
    (piece,) = check(wrong, odom, shared)
    assert len(piece.frames) in range(90, 140)
    assert piece.off.degrees == pytest.approx(turned_deg, abs=1)
    if lost == 0:
        assert 'deg turned' in str(piece.off)


def test_nothing_is_compared_across_the_beginning_of_another_recording(loop):
    camera, odom = loop.camera(), loop.odom()
    begin_ns = int(camera.stamps_ns[100])
    late = odom.stamps_ns >= begin_ns
    anew = replace(odom, translations=odom.translations - [[30.0, 5.0, 0.0]] * late[:, None])
    shared = np.full(len(camera), HELD)
    shared[100] = 0
    told = reference_at(camera.stamps_ns, anew, 0.0)
    how = {'drift_rad_per_m': 0.0}
    assert misplaced_pieces(camera, told, anew, shared, restarts_ns=[begin_ns], **how) == []
    # The jump tells of a restart by itself, too.
    assert misplaced_pieces(camera, told, anew, shared, **how) == []
    # Within a recording, pieces are compared as ever.
    there = moved(camera, slice(150, 200), [4.0, 0.0, 0.0])
    shared[150] = 0
    (wrong,) = misplaced_pieces(there, told, anew, shared, restarts_ns=[begin_ns], **how)
    assert wrong.frames[0] == 150


def test_what_moves_fast_does_not_jump(loop):
    odom = loop.odom(noise=0.1)
    assert jumps(odom).tolist() == []
    reset = replace(odom, translations=odom.translations.copy())
    reset.translations[400:] -= [2.0, 1.0, 0.0]
    assert jumps(reset).tolist() == [odom.stamps_ns[400]]
