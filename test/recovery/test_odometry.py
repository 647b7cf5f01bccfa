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


from __future__ import annotations

import math

import numpy as np
from posenet_ros.errors import ConfigError, GeometryError
from posenet_ros.geometry import Pose
from posenet_ros.recovery.drift import angle_between
from posenet_ros.recovery.odometry import Missing, OdometryBuffer, OdometryOptions
import pytest
from scipy.spatial.transform import Rotation


@pytest.fixture
def buffer(pose, ns):
    """One metre and 90 degrees a second, at 10 Hz for two seconds from 5 s on."""
    filled = OdometryBuffer()
    for tenth in range(21):
        second = tenth / 10
        assert filled.add(ns(5 + second), pose(second, 0, 90 * second, target='odom')) is None
    return filled


def test_it_interpolates_between_two_neighbours(buffer, pose, ns):
    reading = buffer.at(ns(5.74))
    metres, radians = reading.odom_from_base.distance(pose(0.74, 0, 66.6, target='odom'))
    assert (metres, radians) == (pytest.approx(0, abs=1e-9), pytest.approx(0, abs=1e-9))
    assert reading.way_m == pytest.approx(0.74)
    assert reading.turn_rad == pytest.approx(math.radians(66.6))
    assert buffer.at(ns(6)).odom_from_base.translation[0] == 1.0


def test_way_and_turn_count_forth_and_back(pose, ns):
    buffer = OdometryBuffer()
    for tenth, x in enumerate((0.0, 0.3, 0.0, 0.3)):
        buffer.add(ns(tenth / 10), pose(x, 0, 100 * x, target='odom'))
    assert buffer.newest.way_m == pytest.approx(0.9)
    assert buffer.newest.turn_rad == pytest.approx(math.radians(90))


@pytest.mark.parametrize(
    ('seconds', 'reason'),
    [(4.9, 'begins 0.10 s later'), (7.06, 'ends 0.06 s before'), (100, 'ends 93.00 s before')],
)
def test_outside_its_time_it_tells_nothing(buffer, ns, seconds, reason):
    missing = buffer.at(ns(seconds))
    assert isinstance(missing, Missing)
    assert reason in missing.reason


def test_just_after_the_newest_the_motion_goes_on(buffer, ns):
    assert buffer.at(ns(7.04)).odom_from_base.translation[0] == pytest.approx(2.04)


def test_the_motion_goes_on_no_longer_than_it_was_seen(buffer, pose, ns):
    # Two messages a millisecond apart, as of a bus that was busy: their noise is no speed.
    buffer.add(ns(7.001), pose(2.04, 0, 180, target='odom'))
    assert buffer.at(ns(7.0015)).odom_from_base.translation[0] < 2.07
    assert 'ends 0.04 s before' in buffer.at(ns(7.041)).reason


def test_what_is_no_number_is_left_out(buffer, ns):
    spun = Pose(Rotation.from_rotvec([np.nan, 0, 0]), np.zeros(3), 'odom', 'base')
    before = len(buffer)
    assert 'not finite' in buffer.add(ns(7.1), spun)
    assert len(buffer) == before


def test_nothing_is_told_across_a_gap_or_of_one_message(pose, ns):
    buffer = OdometryBuffer()
    assert 'there is no odometry' in buffer.at(0).reason
    buffer.add(ns(1), pose(target='odom'))
    assert buffer.at(ns(1)).way_m == 0
    assert 'ends 0.01 s before' in buffer.at(ns(1.01)).reason
    buffer.add(ns(2), pose(0.5, target='odom'))
    assert 'gap of 1.0 s' in buffer.at(ns(1.5)).reason
    assert buffer.at(ns(2)).way_m == 0.5


def test_what_comes_late_or_twice_is_left_out(buffer, pose, ns):
    before = len(buffer)
    for seconds in (7, 6.95, 6.6):
        assert 'late' in buffer.add(ns(seconds), pose(50, target='odom'))
    assert len(buffer) == before
    assert buffer.at(ns(7)).odom_from_base.translation[0] == 2.0


def test_a_clock_that_jumps_back_clears_it(buffer, pose, ns):
    epoch = buffer.epoch
    assert 'jumped back by 6.0 s' in buffer.add(ns(1), pose(9, target='odom'))
    assert len(buffer) == 1
    assert buffer.epoch == epoch + 1
    assert isinstance(buffer.at(ns(6)), Missing)


@pytest.mark.parametrize(('x', 'yaw_deg'), [(3.0, 180.0), (2.0, 250.0)])
def test_odometry_that_begins_anew_clears_it(buffer, pose, ns, x, yaw_deg):
    said = buffer.add(ns(7.1), pose(x, 0, yaw_deg, target='odom'))
    assert 'odometry jumped' in said
    assert len(buffer) == 1


def test_readings_of_two_epochs_cannot_be_compared(buffer, pose, ns):
    before = buffer.at(ns(6))
    buffer.clear()
    buffer.add(ns(8), pose(target='odom'))
    with pytest.raises(GeometryError, match='began anew'):
        before.moves_to(buffer.at(ns(8)))


def test_it_is_bounded_in_number_and_in_time(pose, ns):
    buffer = OdometryBuffer(OdometryOptions(keep_s=10.0, most=50))
    for tenth in range(1000):
        buffer.add(ns(tenth / 10), pose(target='odom'))
        assert len(buffer) <= 60
    assert isinstance(buffer.at(ns(80)), Missing)
    buffer = OdometryBuffer(OdometryOptions(keep_s=10.0))
    for tenth in range(1000):
        buffer.add(ns(tenth / 10), pose(target='odom'))
        assert len(buffer) <= 122
    assert buffer.at(ns(90)).stamp_ns == ns(90)


def test_only_odometry_of_the_base_is_taken(buffer, pose, ns):
    with pytest.raises(GeometryError, match='odom_from_base'):
        buffer.add(ns(8), pose())


@pytest.mark.parametrize(
    'values', [{'keep_s': 0.0}, {'most': 1}, {'beyond_s': 2.0}, {'gap_s': np.nan}]
)
def test_a_buffer_that_is_none_is_refused(values):
    with pytest.raises(ConfigError, match=next(iter(values))):
        OdometryOptions(**values)


def test_small_angles_keep_their_digits():
    turned = Rotation.from_rotvec([[0, 0, 1e-7], [0, 1.0, 0], [np.pi, 0, 0]]).as_matrix()
    np.testing.assert_allclose(angle_between(np.eye(3), turned), [1e-7, 1, np.pi], rtol=1e-6)


def test_a_reset_in_a_gap_is_no_long_way_driven(pose, ns):
    buffer = OdometryBuffer()
    buffer.add(ns(1), pose(20.0, 5.0, target='odom'))
    epoch = buffer.epoch
    assert 'jumped' in buffer.add(ns(6), pose(target='odom'))
    assert buffer.epoch == epoch + 1
