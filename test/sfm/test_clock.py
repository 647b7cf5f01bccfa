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

"""The offset between the clocks of camera and odometry."""

import numpy as np
from posenet_ros.geometry import NS_PER_S, Trajectory
from posenet_ros.sfm.clock import clock_offset, covered, reference_at
import pytest


@pytest.mark.parametrize('late_s', [0.05, -0.12, 0.3])
def test_a_late_clock_is_found(loop, late_s):
    found = clock_offset(loop.sfm(), loop.odom(late_s=late_s, yaw_per_m=4.0, noise=0.02))
    assert found == pytest.approx(late_s, abs=0.01)


def test_equal_clocks_stay_as_they_are(loop):
    assert clock_offset(loop.sfm(), loop.odom(yaw_per_m=4.0)) == pytest.approx(0.0, abs=0.008)


def test_a_straight_path_tells_nothing_about_the_clock(make_drive):
    straight = make_drive(straight=True)
    assert clock_offset(straight.sfm(), straight.odom(late_s=0.2)) == 0.0


@pytest.mark.parametrize('late_s', [0.52, -0.55, 0.8, 1.9])
def test_an_offset_of_more_than_half_a_second_is_found_too(loop, late_s):
    assert clock_offset(loop.sfm(), loop.odom(late_s=late_s)) == pytest.approx(late_s, abs=0.01)


def test_an_offset_beyond_the_range_is_not_guessed(loop):
    assert clock_offset(loop.sfm(), loop.odom(late_s=3.0)) == 0.0


def test_the_reference_is_read_at_the_shifted_time_and_keeps_the_stamps(loop):
    odom, stamps_ns = loop.odom(), loop.camera().stamps_ns[5:10]
    found = reference_at(stamps_ns, odom, 0.1)
    assert (found.stamps_ns == stamps_ns).all()
    np.testing.assert_allclose(
        found.translations, odom.at(stamps_ns + NS_PER_S // 10).translations
    )


def test_a_gap_in_the_reference_covers_nothing(loop):
    odom = loop.odom()
    seconds = (odom.stamps_ns - odom.stamps_ns[0]) / NS_PER_S
    holed = odom.select((seconds < 10) | (seconds > 12))
    camera_ns = loop.camera().stamps_ns
    at = (camera_ns - camera_ns[0]) / NS_PER_S
    known = covered(camera_ns, holed, 0.0)
    assert not known[(at > 10.1) & (at < 11.9)].any()
    assert known[(at < 9.9) | (at > 12.1)].all()


def test_a_slow_reference_is_interpolated_over_its_own_period(loop):
    odom = loop.odom()
    slow = odom.select(slice(None, None, 20))
    assert isinstance(slow, Trajectory)
    assert covered(loop.camera().stamps_ns[:-20], slow, 0.0).all()
