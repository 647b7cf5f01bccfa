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

"""docs/nav2.md and the files that it uses name what there is, and nothing else."""

from __future__ import annotations

import argparse
import ast
from pathlib import Path
import re
import shlex
from xml.etree import ElementTree

from posenet_ros.cli import train
from posenet_ros.nodes.parameter_file import parameters_in_file
from posenet_ros.nodes.parameters import PARAMETERS
import pytest
import yaml

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / 'docs' / 'nav2.md').read_text(encoding='utf-8')
INTERFACE = (ROOT / 'docs' / 'interface.md').read_text(encoding='utf-8')
FILE = ROOT / 'config' / 'nav2' / 'posenet.yaml'
# Parameters of others that the page speaks of: AMCL, robot_localization, Nav2's manager.
OTHERS = {
    *('tf_broadcast', 'set_initial_pose', 'initialize_at_saved_pose', 'world_frame'),
    *('always_reset_initial_pose',),
}
MANAGER = {'autostart', 'node_names', 'bond_timeout'}


def blocks(language):
    """Return the code blocks of a language, '' for commands."""
    found = re.findall(r'^```(\w*)\n(.*?)^```$', PAGE, re.DOTALL | re.MULTILINE)
    return [text for kind, text in found if kind == language]


def commands(*start):
    """Return the words after the start of each command that starts so."""
    lines = [shlex.split(line, comments=True) for text in blocks('') for line in text.splitlines()]
    return [line[len(start) :] for line in lines if line[: len(start)] == list(start)]


def launch_arguments():
    """Read the table of arguments without importing launch."""
    for node in ast.walk(ast.parse((ROOT / 'launch' / 'relocalize.launch.py').read_text())):
        if isinstance(node, ast.Assign) and node.targets[0].id == 'ARGUMENTS':
            return set(ast.literal_eval(node.value))
    raise AssertionError('the launch file has no table ARGUMENTS')


def check(parameters):
    """See that parameters are there and take these values."""
    assert set(parameters) <= set(PARAMETERS)
    for name, value in parameters.items():
        assert isinstance(value, type(PARAMETERS[name].default))
        assert PARAMETERS[name].refusal(value) == ''


@pytest.fixture(params=blocks('yaml'), ids=lambda text: text.split('    ')[1].strip())
def parameter_file(request, tmp_path):
    path = tmp_path / 'posenet.yaml'
    path.write_text(request.param)
    return path


def test_parameters_in_its_blocks_are_ours(parameter_file):
    parameters = parameters_in_file(parameter_file, '/posenet')
    assert parameters
    check(parameters)


def test_what_is_for_the_manager_is_what_nav2_declares(parameter_file):
    sections = yaml.safe_load(parameter_file.read_text())
    del sections['/**/posenet']
    for name, section in sections.items():
        assert name == 'lifecycle_manager_posenet'
        assert set(section['ros__parameters']) == MANAGER
        assert section['ros__parameters']['node_names'] == ['posenet']
        # Nodes in Python make no bond.
        assert section['ros__parameters']['bond_timeout'] == 0.0


def test_the_file_for_nav2_has_what_differs_from_the_defaults():
    parameters = parameters_in_file(FILE, '/posenet')
    assert {'model', 'base_frame', 'recovery'} <= set(parameters)
    check(parameters)
    for name, value in parameters.items():
        assert value != PARAMETERS[name].default
    assert parameters['recovery'] == 'act'
    assert 'config/nav2/posenet.yaml' in PAGE


def test_parameters_in_its_text_are_there():
    named = set(re.findall(r'`(\w+):[= ][^`]*`', PAGE))
    assert {'recovery', 'publish_tf', 'tf_broadcast'} <= named
    assert named <= {*PARAMETERS, *OTHERS, 'use_sim_time'}
    for name, value in re.findall(r'`(recovery|publish_tf): (\w+)`', PAGE):
        assert PARAMETERS[name].refusal(value) == ''
    for name in commands('ros2', 'param', 'set', '/posenet'):
        assert name[0] in PARAMETERS


def test_names_of_topics_and_services_are_those_of_the_interface():
    named = set(re.findall(r'(?:/posenet|~)/(\w+)', PAGE)) - {'reinitialize_global_localization'}
    assert {'state', 'relocalize', 'fix'} <= named
    assert named <= set(re.findall(r'^\| `~/(\w+)` \|', INTERFACE, re.MULTILINE))


def test_its_launch_commands_give_arguments_that_are_there():
    given = commands('ros2', 'launch', 'posenet_ros', 'relocalize.launch.py')
    assert len(given) == 2
    for arguments in given:
        assert {argument.partition(':=')[0] for argument in arguments} <= launch_arguments()


def test_its_training_commands_are_understood():
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    (given,) = commands('ros2', 'run', 'posenet_ros', 'train')
    assert parser.parse_args(given).reference == 'tf:map'


def test_it_records_what_labels_in_the_map_need():
    (given,) = commands('ros2', 'bag', 'record')
    assert {'/camera/image_raw', '/camera/camera_info', '/tf', '/tf_static', '/map'} <= set(given)


def test_launch_files_in_it_include_ours_with_arguments_that_are_there():
    included = [each for text in blocks('xml') for each in ElementTree.fromstring(text).iter()]
    files = [each for each in included if each.tag == 'include']
    assert len(files) == 3
    for each in files:
        assert each.get('file').endswith('posenet_ros)/launch/relocalize.launch.py')
        assert {argument.get('name') for argument in each} <= launch_arguments()


def test_a_behaviour_tree_waits_longer_than_an_attempt():
    (node,) = [text for text in blocks('xml') if text.startswith('<Reinitialize')]
    milliseconds = int(ElementTree.fromstring(node).get('server_timeout'))
    assert milliseconds > 1000 * PARAMETERS['relocalize_timeout'].default
