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

"""What is asked of a drill, and what the node is told of it."""

from __future__ import annotations

from posenet_ros.drill.options import DrillOptions
from posenet_ros.errors import ConfigError
import pytest


@pytest.mark.parametrize(
    ('chosen', 'word'),
    [
        ({'scenario': 'flooded'}, 'flooded'),
        ({'trips': 0}, '--trips'),
        ({'seed': -1}, '--seed'),
        ({'odometry': float('nan')}, '--odometry-noise'),
        ({'spoilt': 0.95}, '--spoilt'),
        ({'rate_hz': 0.0}, '--rate'),
        ({'pace': 0.0}, '--pace'),
    ],
)
def test_what_cannot_be_driven_is_refused_by_its_name(chosen, word):
    with pytest.raises(ConfigError, match=word) as raised:
        DrillOptions(**chosen)
    assert '\n' not in str(raised.value)


def test_the_node_acts_in_the_time_of_the_drill():
    told = DrillOptions().node_parameters()
    assert told['recovery'] == 'act'
    assert told['base_frame'] == 'base_link'
    assert told['use_sim_time'] == 'true'
    # YAML would take six numbers without quotes for a string too, and one for a number.
    assert told['map_from_model'] == '"0 0 0 0 0 0"'
    assert 'refine' not in told


def test_what_is_asked_reaches_the_node():
    told = DrillOptions(
        verification=False, publish_tf_odom=True, parameters={'planar': 'false'}
    ).node_parameters()
    assert (told['refine'], told['unverified_resets']) == ('off', 'true')
    assert told['publish_tf'] == 'odom'
    assert told['planar'] == 'false'


def test_a_person_reads_what_is_worse_than_usual():
    assert DrillOptions().about.endswith('8 images a second')
    said = DrillOptions(odometry=2, spoilt=0.2, rate_hz=5, verification=False).about
    for words in ('5 images', '2 times', '20 %', 'no verification'):
        assert words in said
