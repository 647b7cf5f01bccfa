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

"""The world of a simulation folder, and those that are not in its map."""

from __future__ import annotations

from posenet_ros.drill.site import Site
from posenet_ros.errors import ConfigError
from posenet_ros.files import read_yaml, write_yaml
import pytest


def test_the_options_are_those_that_the_folder_was_made_with(simulation, small):
    assert Site.read(simulation).options == small


def test_a_foreign_world_is_another_and_the_own_one_is_always_the_same(small):
    site = Site(small)
    assert site.world is site.world
    foreign = site.foreign(0)
    assert foreign is not site.world
    assert len(foreign.quads) != len(site.world.quads)


def test_a_folder_without_facts_is_no_simulation(tmp_path):
    with pytest.raises(ConfigError, match='no simulation') as raised:
        Site.read(tmp_path / 'nowhere')
    assert '\n' not in str(raised.value)


@pytest.mark.parametrize(
    ('change', 'word'),
    [
        ({'options': None}, 'damaged'),
        ({'options': {'world': 'room', 'weather': 'rain'}}, 'weather'),
        ({'options': {'world': 'room', 'robot': 7}}, 'damaged'),
        ({'options': {'world': 'moon'}}, 'moon'),
    ],
)
def test_damaged_facts_are_told(simulation, change, word):
    facts = simulation / 'simulation.yaml'
    write_yaml(facts, {**read_yaml(facts, ConfigError), **change})
    with pytest.raises(ConfigError, match=word):
        Site.read(simulation)
