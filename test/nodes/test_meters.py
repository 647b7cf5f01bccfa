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

from posenet_ros.geometry import NS_PER_S
from posenet_ros.nodes.meters import Meter, Traffic
import pytest

TENTH = NS_PER_S // 10


def test_rate_of_steady_events():
    meter = Meter(window_s=5.0)
    for index in range(100):
        meter.add(index * TENTH)
    assert meter.rate_hz(99 * TENTH) == pytest.approx(10.0)


def test_rate_is_not_diluted_at_the_start():
    meter = Meter(window_s=5.0)
    for index in range(3):
        meter.add(index * TENTH)
    assert meter.rate_hz(2 * TENTH) == pytest.approx(10.0)


def test_rate_falls_to_zero_when_events_stop():
    meter = Meter(window_s=5.0)
    for index in range(10):
        meter.add(index * TENTH)
    assert 0 < meter.rate_hz(3 * NS_PER_S) < 10
    assert meter.rate_hz(20 * NS_PER_S) == 0


def test_percentiles_are_of_the_window_only():
    meter = Meter(window_s=1.0)
    meter.add(0, duration_ns=9_000_000_000)
    for index in range(101):
        meter.add(2 * NS_PER_S, duration_ns=index * 1_000_000)
    assert meter.percentiles_ms(50, 99) == pytest.approx((50.0, 99.0))


def test_nothing_measured_is_nan_and_not_zero():
    meter = Meter()
    assert all(map(math.isnan, meter.percentiles_ms(50, 99)))
    assert meter.rate_hz(0) == 0


def test_events_of_the_window_are_counted():
    meter = Meter(window_s=1.0)
    for index in range(20):
        meter.add(index * TENTH)
    assert meter.count(19 * TENTH) == 11
    assert meter.count(99 * NS_PER_S) == 0


def test_clear_forgets():
    meter = Meter()
    meter.add(0, 5)
    meter.add(1, 5)
    meter.clear()
    assert meter.rate_hz(1) == 0


def test_what_is_not_the_network_s_own_time_is_beyond_it():
    traffic = Traffic()
    for stages_ns in ({'decode': 1_000_000, 'network': 7_000_000}, {'network': 9_000_000}):
        traffic.answered(0, latency_ns=12_000_000, age_ns=0, stages_ns=stages_ns)
    assert traffic.beyond.percentiles_ms(0, 100) == pytest.approx((3.0, 5.0))
    assert traffic.stages_ms() == pytest.approx({'decode': 1.0, 'network': 8.0})
    traffic.clear()
    assert math.isnan(traffic.beyond.percentiles_ms(50)[0])
    assert all(map(math.isnan, traffic.stages_ms().values()))
