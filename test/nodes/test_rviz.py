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

"""The RViz view looks at what the node publishes."""

from __future__ import annotations

from pathlib import Path

import yaml

VIEW = Path(__file__).parents[2] / 'rviz' / 'posenet.rviz'


def test_the_view_shows_map_poses_trail_and_images():
    manager = yaml.safe_load(VIEW.read_text())['Visualization Manager']
    displays = {each['Name']: each for each in manager['Displays']}
    topics = {name: each['Topic'] for name, each in displays.items() if 'Topic' in each}
    assert manager['Global Options']['Fixed Frame'] == 'map'
    assert {'Grid', 'TF'} <= set(displays)
    assert {name: topic['Value'] for name, topic in topics.items()} == {
        'Occupancy map': '/map',
        'Trail': '/posenet/trail',
        'Pose': '/posenet/pose',
        'Covariance': '/posenet/pose_with_covariance',
        'Verified': '/posenet/verified_pose_with_covariance',
        'Fix': '/posenet/fix',
        'Image': '/image',
        'Nearest training image': '/posenet/neighbour/compressed',
    }
    # What is latched is asked for as such, and cameras offer best effort.
    for name in ('Occupancy map', 'Trail'):
        assert topics[name]['Durability Policy'] == 'Transient Local'
    assert topics['Image']['Reliability Policy'] == 'Best Effort'
