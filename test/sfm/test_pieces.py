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
from posenet_ros.sfm.clock import reference_at
from posenet_ros.sfm.pieces import misplaced_pieces
import pytest

HELD = 100


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
    assert wrong.metres_off == pytest.approx(np.hypot(4, 2), abs=0.3)
    assert wrong.metres_allowed < 1.0
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
    assert 1.0 < wrong.metres_allowed < 3.5


def test_one_after_another_is_compared_with_what_is_in_place(loop):
    camera = moved(loop.camera(), slice(100, 130), [5.0, 0.0, 0.0])
    camera = moved(camera, slice(130, 150), [5.0, 0.0, 0.0])
    shared = np.full(len(camera), HELD)
    shared[[100, 130, 150]] = 0
    wrong = check(camera, loop.odom(), shared)
    assert [int(each.frames[0]) for each in wrong] == [100, 130]
