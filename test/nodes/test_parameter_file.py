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

"""The file as we read it, and as rcl gives it to a real node."""

from __future__ import annotations

from posenet_ros.errors import ConfigError
from posenet_ros.nodes.parameter_file import parameters_in_file
import pytest
import rclpy


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / 'my.yaml'
        path.write_text(text)
        return path

    return write


def section(name, model):
    return f'"{name}":\n  ros__parameters:\n    model: "{model}"\n'


NESTED = 'robot1:\n  posenet:\n    ros__parameters:\n      model: nested\n'


@pytest.mark.parametrize('namespace', ['', '/robot1', '/a/robot1'])
@pytest.mark.parametrize(
    'text',
    [
        *(
            section(name, 'x')
            for name in (
                *('/**', '**', '/**/posenet', 'posenet', '/posenet', '/*/posenet', '/*', '*/*'),
                *('/robot1/posenet', 'robot1/posenet', '/robot1/**', '/a/*/posenet', 'other'),
            )
        ),
        section('/**', 'first') + section('posenet', 'second'),
        section('/robot1/posenet', 'first') + section('/**', 'second'),
        section('/**', 'x') + '"/**/posenet":\n  ros__parameters:\n    device: cpu\n',
        section('/**', ''),
        NESTED,
        NESTED.replace('robot1:', '/robot1:'),
        'a:\n  robot1:\n    posenet:\n      ros__parameters:\n        model: deep\n',
        '# model: nothing\n',
    ],
)
def test_we_read_a_file_as_the_node_will(ros, write, text, namespace):
    path = write(text)
    node = rclpy.create_node(
        'posenet',
        namespace=namespace,
        cli_args=['--ros-args', '--params-file', str(path)],
        automatically_declare_parameters_from_overrides=True,
    )
    given = node.get_parameter('model').value if node.has_parameter('model') else None
    node.destroy_node()
    assert parameters_in_file(path, f'{namespace}/posenet').get('model') == given


def test_all_that_is_said_to_the_node_is_found(write):
    text = section('/**', 'x') + 'posenet:\n  ros__parameters: {use_sim_time: true, threads: 3}\n'
    expected = {'model': 'x', 'use_sim_time': True, 'threads': 3}
    assert parameters_in_file(write(text), '/posenet') == expected


@pytest.mark.parametrize(
    ('text', 'words'),
    [('a: [', 'not YAML'), ('- a\n- b\n', 'no mapping'), ('\x00', 'not YAML')],
)
def test_a_file_that_is_none_is_refused(write, refused, text, words):
    path = write(text)
    with refused(ConfigError, words, str(path)):
        parameters_in_file(path, '/posenet')


def test_a_file_that_is_not_there_is_refused(tmp_path, refused):
    with refused(ConfigError, 'nowhere.yaml', 'No such file'):
        parameters_in_file(tmp_path / 'nowhere.yaml', '/posenet')
