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

"""The launch files that docs/nav2.md shows, launched as they are there."""

from __future__ import annotations

import importlib.util
from pathlib import Path
import re
import shutil

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / 'docs' / 'nav2.md').read_text(encoding='utf-8')

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec('launch_xml') is None,
    reason='launch_xml is not installed; it comes with ROS 2',
)
needs_tf = pytest.mark.skipif(
    importlib.util.find_spec('tf2_msgs') is None,
    reason='tf2_msgs is missing: test/tools/build_tf2_msgs.py builds it',
)


@pytest.fixture
def launch_block(launch_file, tmp_path):
    """Launch the block of the page that has some words, beside a copy of the file for Nav2."""
    shutil.copy(ROOT / 'config/nav2/posenet.yaml', tmp_path)

    def start(words):
        found = re.findall(r'^```xml\n(<launch>.*?)^```', PAGE, re.DOTALL | re.MULTILINE)
        (text,) = [each for each in found if words in each]
        file = tmp_path / 'robot.launch.xml'
        file.write_text(text)
        launched = launch_file(file)
        launched.until_says('process started')
        return launched

    return start


def publishes(graph, name, namespace='/'):
    """Wait for a node, and return the topics that it publishes."""
    known = graph.node.get_node_names_and_namespaces
    graph.until(lambda: (name, namespace) in known())
    ask = graph.node.get_publisher_names_and_types_by_node
    graph.until(lambda: ask(name, namespace))
    return lambda: {topic for topic, _ in ask(name, namespace)}


def test_beside_robot_localization_it_sets_the_pose_of_the_filter(launch_block, graph):
    launched = launch_block('set_pose')
    topics = publishes(graph, 'posenet')
    graph.until(lambda: '/set_pose' in topics())
    assert '/initialpose' not in topics()
    assert launched.ctrl_c() == 0


def test_beside_amcl_its_file_is_read(launch_block, values_of):
    launched = launch_block('reinitialize_global_localization')
    values = values_of('/posenet', 'recovery', 'base_frame')
    assert values == {'recovery': 'act', 'base_frame': 'base_footprint'}
    assert launched.ctrl_c() == 0


@needs_tf
def test_two_robots_have_their_own_topics_and_tf(launch_block, graph, values_of):
    launched = launch_block('robot1')
    topics = publishes(graph, 'posenet', '/robot1')
    graph.until(lambda: {'/robot1/tf', '/robot1/posenet/pose'} <= topics())
    assert '/tf' not in topics()
    assert values_of('/robot1/posenet', 'base_frame') == {'base_frame': 'base_footprint'}
    assert launched.ctrl_c() == 0
