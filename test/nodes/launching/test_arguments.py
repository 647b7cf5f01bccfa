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

"""relocalize.launch.py: what its arguments do, beside a file of parameters."""

from __future__ import annotations

import os
from pathlib import Path

from diagnostic_msgs.msg import DiagnosticArray
import pytest

LAUNCH = Path(__file__).parents[3] / 'launch' / 'relocalize.launch.py'


def make_run(folder, name, time_s):
    card = folder / name / 'model' / 'model.yaml'
    card.parent.mkdir(parents=True)
    card.write_text('kind: something else\n')
    os.utime(card, (time_s, time_s))


def test_the_arguments_that_were_agreed():
    from launch.launch_description_sources import get_launch_description_from_python_launch_file

    description = get_launch_description_from_python_launch_file(str(LAUNCH))
    arguments = {each.name: each for each in description.get_launch_arguments()}
    assert set(arguments) == {
        *('model', 'image', 'camera_info', 'image_transport', 'base_frame', 'recovery', 'rviz'),
        *('use_sim_time', 'params_file', 'namespace'),
    }
    for each in arguments.values():
        assert each.description
        assert each.default_value is not None


def test_without_a_model_it_stops_with_one_line(launch):
    launched = launch()
    assert launched.process.wait(30) == 1
    (line,) = [line for line in launched.output.splitlines() if 'ERROR' in line]
    assert 'no model given' in line
    assert 'process started' not in launched.output


def test_the_newest_run_is_taken_and_told_and_the_node_gets_its_arguments(launch, graph, tmp_path):
    make_run(tmp_path, 'old_posenet', 1_000)
    make_run(tmp_path, 'new_posenet', 2_000)
    diagnostics = graph.listen(DiagnosticArray, '/diagnostics')
    launched = launch('namespace:=robot1', 'image:=/robot1/front/image_raw')
    launched.until_says(f'model: {tmp_path / "new_posenet"}')
    status = graph.until(
        lambda: next(
            (each.status[0] for each in diagnostics if 'cannot load' in each.status[0].message),
            None,
        )
    )
    assert status.name == 'robot1/posenet: relocalization'
    assert 'new_posenet' in status.message
    assert launched.ctrl_c() == 0
    assert 'process has finished cleanly' in launched.output


FILE = """
/**/posenet:
  ros__parameters:
    model: {model}
    image_transport: compressed
    use_sim_time: true
    autostart: false
"""


@pytest.fixture
def parameters_of(launch, values_of):
    """Launch with arguments, and return what the node has for some of its parameters."""

    def ask(*arguments, namespace='', names=('model', 'image_transport', 'use_sim_time')):
        launched = launch(*arguments)
        parameters = values_of(f'{namespace}/posenet', *names)
        output = launched.output
        assert launched.ctrl_c() == 0
        return parameters, output

    return ask


def test_what_the_file_says_stands_where_no_argument_is_given(parameters_of, tmp_path):
    # A robot that is started in the folder of another building.
    make_run(tmp_path, 'other_posenet', 2_000)
    file = tmp_path / 'my.yaml'
    file.write_text(FILE.format(model='/models/home'))
    parameters, output = parameters_of(f'params_file:={file}')
    expected = {'model': '/models/home', 'image_transport': 'compressed', 'use_sim_time': True}
    assert parameters == expected
    assert f'model: /models/home ({file})' in output


def test_arguments_go_before_the_file(parameters_of, tmp_path):
    file = tmp_path / 'my.yaml'
    # To rcl a section that comes later goes before an earlier one, also before the arguments of
    # launch, which it takes for the node's own section.
    own = FILE.format(model='/models/home').replace('/**/posenet', '/robot1/posenet')
    file.write_text(own + '/**:\n  ros__parameters:\n    model: /models/elsewhere\n')
    parameters, _ = parameters_of(
        f'params_file:={file}',
        *('model:=given', 'image_transport:=raw', 'use_sim_time:=false', 'namespace:=robot1'),
        namespace='/robot1',
    )
    expected = {'model': str(tmp_path / 'given'), 'image_transport': 'raw', 'use_sim_time': False}
    assert parameters == expected


def test_what_a_recovering_robot_needs_can_be_given(parameters_of, tmp_path):
    file = tmp_path / 'my.yaml'
    file.write_text(FILE.format(model='/models/home') + '    recovery: act\n')
    # To YAML `off` is a truth value.
    parameters, _ = parameters_of(
        *(f'params_file:={file}', 'base_frame:=base_link', 'recovery:=off'),
        names=('base_frame', 'recovery'),
    )
    assert parameters == {'base_frame': 'base_link', 'recovery': 'off'}


def test_the_section_of_a_namespaced_node_is_found(parameters_of, tmp_path):
    file = tmp_path / 'my.yaml'
    file.write_text(FILE.format(model='/models/home').replace('/**', '/fleet/robot1'))
    # What PushRosNamespace sets.
    parameters, output = parameters_of(
        *(f'params_file:={file}', 'ros_namespace:=/fleet', 'namespace:=robot1'),
        namespace='/fleet/robot1',
    )
    assert parameters['model'] == '/models/home'
    assert f'model: /models/home ({file})' in output


def test_the_newest_run_is_taken_where_the_file_names_no_model(parameters_of, tmp_path):
    make_run(tmp_path, 'new_posenet', 2_000)
    file = tmp_path / 'my.yaml'
    file.write_text(FILE.format(model='""'))
    parameters, _ = parameters_of(f'params_file:={file}')
    assert parameters['model'] == str(tmp_path / 'new_posenet')
    assert parameters['image_transport'] == 'compressed'


def test_a_parameter_file_that_is_not_there_is_one_line(launch):
    launched = launch('params_file:=nowhere.yaml', 'model:=x')
    assert launched.process.wait(30) == 1
    (line,) = [line for line in launched.output.splitlines() if 'ERROR' in line]
    assert 'cannot read the parameter file nowhere.yaml' in line
