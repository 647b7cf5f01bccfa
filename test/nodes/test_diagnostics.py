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

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticStatus
from posenet_ros.nodes.diagnostics import (
    diagnostic_array,
    ERROR,
    Problem,
    ProblemLog,
    Report,
    Verified,
    WARNING,
)
from posenet_ros.nodes.worker import Counts
from rclpy.logging import get_logger


def make(**values):
    array = diagnostic_array(Report('active', **values), name='posenet: x', stamp=Time(sec=3))
    assert array.header.stamp.sec == 3
    (status,) = array.status
    return status, {each.key: each.value for each in status.values}


def test_all_is_well():
    status, _ = make()
    assert status.level == DiagnosticStatus.OK
    assert (status.name, status.message) == ('posenet: x', 'active')


def test_the_worst_problem_gives_the_level_and_all_are_told():
    problems = (Problem(WARNING, 'other camera'), Problem(ERROR, 'silent'))
    status, _ = make(problems=problems)
    assert status.level == DiagnosticStatus.ERROR
    assert status.message == 'other camera; silent'


def test_counts_and_latency():
    counts = Counts(received=10, published=5, dropped=3, refused=1, pending=1)
    _, values = make(counts=counts, published_hz=12.34, latency_ms=(8.04, 20.0))
    for name in ('received', 'published', 'dropped', 'refused', 'pending'):
        assert values[name] == str(getattr(counts, name))
    assert values['published [Hz]'] == '12.3'
    assert values['latency, image received to pose sent, median [ms]'] == '8.0'
    assert values['age, image stamp to pose sent, median [ms]'] == 'nan'


def test_what_became_of_verification():
    counts = Counts(received=9, published=4, dropped=2, refused=2, pending=1)
    verified = Verified('by x', counts, 4.04, 2 / 3, (50.0, 90.04), 'not verified: fog')
    _, values = make(verified=verified)
    told = {key: value for key, value in values.items() if key.startswith('verification')}
    assert told == {
        'verification': 'by x',
        'verification, received': '9',
        'verification, verified': '4',
        'verification, dropped': '2',
        'verification, not verified': '2',
        'verification, pending': '1',
        'verification, last reason why not': 'not verified: fog',
        'verification, verified [Hz]': '4.0',
        'verification, verified of those looked for [%]': '67',
    }
    assert values['latency, image received to verified pose sent, p99 [ms]'] == '90.0'
    # The counts of the answers are their own.
    assert values['received'] == '0'


class Ear:
    """A logger that remembers."""

    def __init__(self):
        self.said = []

    def error(self, text):
        self.said.append(('error', text))

    def warning(self, text):
        self.said.append(('warning', text))


def test_a_problem_is_logged_once_while_it_lasts_and_again_when_it_returns():
    ear = Ear()
    log = ProblemLog(ear)
    log.tell([Problem(ERROR, 'silent for 5 s')])
    log.tell([Problem(ERROR, 'silent for 6 s'), Problem(WARNING, 'other camera')])
    assert ear.said == [('error', 'silent for 5 s'), ('warning', 'other camera')]
    log.tell([])
    log.tell([Problem(ERROR, 'silent for 5 s')])
    assert ear.said[2:] == [('error', 'silent for 5 s')]


def test_a_warning_and_an_error_from_the_logger_of_a_real_node():
    log = ProblemLog(get_logger('problems'))
    log.tell([Problem(WARNING, 'the camera is another')])
    log.tell([Problem(ERROR, 'no images')])
