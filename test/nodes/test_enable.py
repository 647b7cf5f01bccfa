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

"""Pausing and going on without a transition, over real DDS."""

from __future__ import annotations

import threading

from diagnostic_msgs.msg import DiagnosticStatus
from lifecycle_msgs.msg import Transition
from posenet_ros.geometry import NS_PER_S
import pytest

START_NS = 1_700_000_000 * NS_PER_S


def test_what_is_paused_hears_no_image_and_goes_on_where_it_was(make_bench):
    bench = make_bench().until_active()
    bench.answer(START_NS)
    assert bench.enable(False) == 'paused: no image is answered'
    # Not even taken from the network.
    bench.graph.until(lambda: bench.camera.get_subscription_count() == 0)
    bench.until_diagnosed(state='active', enabled='false')
    assert bench.until_problem('paused by ~/enable') == DiagnosticStatus.WARN
    assert bench.enable(False) == 'paused: no image is answered'
    assert bench.enable(True) == 'images are answered'
    bench.until_active().answer(START_NS + 1)
    bench.until_diagnosed(state='active', enabled='true', received='2', published='2')
    bench.graph.until(lambda: 'paused' not in bench.values()[1])


def test_what_is_in_work_is_dropped(make_bench):
    bench = make_bench().until_active()
    bench.localizer.gate = threading.Event()
    bench.send(START_NS)
    bench.until_diagnosed(received='1', pending='1')
    bench.enable(False)
    bench.localizer.gate.set()
    bench.until_diagnosed(received='1', dropped='1', published='0', pending='0')
    assert bench.poses == []


def test_going_on_twice_subscribes_once(make_bench):
    bench = make_bench().until_active()
    assert bench.enable(True) == 'images are answered'
    bench.answer(START_NS)
    assert bench.node.count_subscribers('/image') == 1


@pytest.mark.parametrize('activated_by', ['transition', 'enable'])
def test_a_node_that_is_not_active_remembers_what_it_was_told(make_bench, activated_by):
    bench = make_bench(autostart=False)
    said = bench.enable(False)
    assert said == 'paused: no image is answered, once the node is active: unconfigured'
    assert bench.change(Transition.TRANSITION_CONFIGURE)
    if activated_by == 'transition':
        assert bench.enable(True).startswith('images are answered, once')
    assert bench.change(Transition.TRANSITION_ACTIVATE)
    if activated_by == 'enable':
        bench.until_problem('paused by ~/enable')
        assert bench.node.count_subscribers('/image') == 0
        assert bench.enable(True) == 'images are answered'
    bench.until_active().answer(START_NS)


def test_a_paused_node_can_be_deactivated_and_cleaned_up(make_bench):
    bench = make_bench().until_active()
    bench.enable(False)
    assert bench.change(Transition.TRANSITION_DEACTIVATE)
    assert bench.change(Transition.TRANSITION_CLEANUP)
    bench.until_diagnosed(state='unconfigured', enabled='false')
    bench.graph.until(lambda: 'paused' not in bench.values()[1])
