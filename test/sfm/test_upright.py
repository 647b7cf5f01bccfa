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

"""Up, and the beginning of the map."""

import numpy as np
from numpy.testing import assert_allclose
from posenet_ros.sfm.clock import reference_at
from posenet_ros.sfm.upright import (
    average_direction,
    map_from_sfm,
    spread,
    unscaled_map,
    up_directions,
)
import pytest

UP = np.array([0, 0, 1.0])


def placed(sfm, odom):
    told = reference_at(sfm.stamps_ns, odom, 0.0)
    up = average_direction(up_directions(sfm, told))
    return map_from_sfm(sfm, told, scale=2.5, up=up), told


@pytest.mark.parametrize('tilt_deg', [0.0, 15.0, 180.0])
def test_the_map_coincides_with_exact_odometry(make_drive, tilt_deg):
    ramp = make_drive(tilt_deg=tilt_deg)
    sfm = ramp.sfm()
    similarity, told = placed(sfm, ramp.odom())
    labels = similarity.apply_to(sfm)
    assert_allclose(labels.translations, told.translations, atol=1e-6)
    assert_allclose((labels.rotations.inv() * told.rotations).magnitude(), 0, atol=1e-6)


def test_drift_in_heading_leaves_the_map_upright_and_begun_at_odom(loop):
    sfm = loop.sfm()
    similarity, told = placed(sfm, loop.odom(yaw_per_m=6.0))
    labels = similarity.apply_to(sfm)
    true_up = (labels.rotations * loop.camera().rotations.inv()).apply(UP)
    assert np.degrees(np.arccos(true_up @ UP)).max() < 0.5
    begin, end = (
        np.linalg.norm(labels.translations - told.translations, axis=1)[i] for i in (3, -1)
    )
    assert begin < 0.1
    # The shape is that of the images: it is not bent to the odometry's end.
    assert end > 1.0


def test_some_frames_that_lie_do_not_move_up():
    directions = np.tile(UP, (20, 1))
    directions[:6] = [1, 0, 0]
    mean = average_direction(directions)
    assert np.degrees(np.arccos(mean @ UP)) < 1.0


def test_a_tenth_of_the_frames_may_lie_before_the_spread_tells():
    directions = np.tile(UP, (20, 1))
    directions[:1] = [1, 0, 0]
    assert spread(directions, UP) < np.radians(1.0)
    # A quarter of the way on a ramp that odometry knows nothing of.
    directions[:5] = [np.sin(0.2), 0, np.cos(0.2)]
    assert spread(directions, UP) == pytest.approx(0.2)


def test_without_a_reference_the_cameras_stand_upright_at_the_first(loop):
    sfm = loop.sfm()
    labels = unscaled_map(sfm).apply_to(sfm)
    assert_allclose(labels.translations[0], 0, atol=1e-9)
    forward = labels.rotations[0].apply(UP)
    assert forward[0] > 0.99
    assert abs(forward[1]) < 1e-6
    down = labels.rotations.apply([0, 1.0, 0])
    assert (down[:, 2] < -0.99).all()
    # No metres: a unit is the reconstruction's.
    path, units = (
        np.linalg.norm(np.diff(each.translations, axis=0), axis=1).sum() for each in (labels, sfm)
    )
    assert path == pytest.approx(units)
