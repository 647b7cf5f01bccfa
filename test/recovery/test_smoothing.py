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
from posenet_ros.errors import ConfigError
from posenet_ros.geometry import Pose
from posenet_ros.recovery.drift import Reading
from posenet_ros.recovery.fix import Fix
from posenet_ros.recovery.observation import Kind
from posenet_ros.recovery.smoothing import map_from_odom, Smoother, SmoothingOptions
import pytest
from scipy.spatial.transform import Rotation

OFF = SmoothingOptions(on=False)
RATES = SmoothingOptions(m_per_s=0.2, rad_per_s=math.radians(10))


@pytest.fixture
def fixed(ns):
    """Return a function that makes a fix of two poses at a stamp."""

    def of(seconds, map_from_base, odom_from_base):
        reading = Reading(ns(seconds), odom_from_base, 0.0, 0.0, 0)
        return Fix(
            ns(seconds), map_from_base, np.eye(6), Kind.VERIFIED, 3, 3, 2, 0, 0.0, 0.0, 1, reading
        )

    return of


def anywhere(seed, target):
    rng = np.random.default_rng(seed)
    return Pose(Rotation.random(random_state=seed), rng.normal(0, 9, 3), target, 'base')


@pytest.mark.parametrize('seed', range(5))
def test_without_smoothing_it_is_the_fix_exactly(fixed, ns, seed):
    """At the stamp of the image: map <- odom times odom <- base is the fix to the last digits."""
    smoother = Smoother(OFF)
    for second in range(3):
        here, odom = anywhere(seed + 10 * second, 'map'), anywhere(seed + 5, 'odom')
        smoother.take(fixed(second, here, odom))
        told = smoother.step(ns(second + 0.1), anywhere(seed + 7, 'odom'))
        metres, radians = (told @ odom).distance(here)
        assert metres < 1e-12
        assert radians < 1e-7
        np.testing.assert_allclose(told.matrix(), map_from_odom(fixed(0, here, odom)).matrix())


def test_the_first_fix_holds_at_once_and_before_there_is_nothing(fixed, ns, pose):
    smoother = Smoother(RATES)
    assert smoother.step(ns(0), pose(target='odom')) is None
    smoother.take(fixed(0, pose(5, 1, 30), pose(2, target='odom')))
    there = smoother.step(ns(0.1), pose(2, target='odom')) @ pose(2, target='odom')
    assert there.distance(pose(5, 1, 30))[0] < 1e-12


def test_the_robot_is_moved_by_bounded_steps_and_arrives_in_time(fixed, ns, pose):
    smoother = Smoother(RATES)
    # Far from the origin of odom, where a small turn of odom is a long way.
    odom = pose(30, 0, 0, target='odom')
    smoother.take(fixed(0, pose(30, 0, 0), odom))
    smoother.step(ns(0), odom)
    smoother.take(fixed(0.1, pose(30, 0.5, 12), odom))
    before = pose(30, 0, 0)
    for tick in range(1, 26):
        here = smoother.step(ns(tick / 10), odom) @ odom
        metres, radians = here.distance(before)
        assert metres <= 0.02 + 1e-9
        assert radians <= math.radians(1) + 1e-9
        before = here
    # max(0.5 m / 0.2 m/s, 12 deg / 10 deg/s) is 2.5 s.
    assert before.distance(pose(30, 0.5, 12))[0] < 1e-9
    assert before.distance(pose(30, 0.5, 12))[1] < 1e-7


def test_a_recovery_jumps(fixed, ns, pose):
    smoother = Smoother(RATES)
    odom = pose(1, target='odom')
    smoother.take(fixed(0, pose(1), odom))
    smoother.take(fixed(1, pose(9, 3, 90), odom), jump=True)
    assert (smoother.step(ns(1.1), odom) @ odom).distance(pose(9, 3, 90))[0] < 1e-12


@pytest.mark.parametrize('seconds', [1000.0, -1000.0])
def test_a_pause_or_a_clock_that_was_set_back_makes_no_jump(fixed, ns, pose, seconds):
    smoother = Smoother(RATES)
    odom = pose(target='odom')
    smoother.take(fixed(0, pose(), odom))
    smoother.step(ns(0), odom)
    smoother.take(fixed(1, pose(4), odom))
    moved = (smoother.step(ns(seconds), odom) @ odom).translation[0]
    assert 0 <= moved <= 0.2 * 0.5 + 1e-9


def test_cleared_it_starts_anew(fixed, ns, pose):
    smoother = Smoother(RATES)
    smoother.take(fixed(0, pose(), pose(target='odom')))
    smoother.clear()
    assert smoother.step(ns(1), pose(target='odom')) is None


@pytest.mark.parametrize('values', [{'m_per_s': 0.0}, {'rad_per_s': math.nan}, {'longest_s': -1}])
def test_what_never_follows_is_refused(values):
    with pytest.raises(ConfigError):
        SmoothingOptions(**values)
