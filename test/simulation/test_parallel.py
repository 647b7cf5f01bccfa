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

import threading
import time

import cv2
from posenet_ros.simulation.parallel import in_order, opencv_threads
import pytest


def test_results_come_in_order_whoever_is_first():
    def slow_at_first(item):
        time.sleep(0.02 if item == 0 else 0)
        return item * item

    assert list(in_order(slow_at_first, range(20), 4)) == [item * item for item in range(20)]


def test_work_runs_only_a_little_ahead():
    begun = []
    results = in_order(lambda item: begun.append(item), range(1000), 2)
    next(results)
    results.close()
    assert len(begun) < 10


def test_a_failure_reaches_the_consumer():
    with pytest.raises(ZeroDivisionError):
        list(in_order(lambda item: 1 // item, [2, 1, 0, 1], 2))


def test_no_thread_is_left_behind():
    before = threading.active_count()
    list(in_order(str, range(10), 3))
    assert threading.active_count() == before


def test_opencv_gets_its_threads_back():
    before = cv2.getNumThreads()
    with opencv_threads(1):
        assert cv2.getNumThreads() == 1
    assert cv2.getNumThreads() == before
