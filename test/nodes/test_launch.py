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

"""The launch file, run by launch itself, on an installation in a folder of its own."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
import shutil
import subprocess
import sys

from diagnostic_msgs.msg import DiagnosticArray
import pytest
from rcl_interfaces.msg import Parameter as ParameterMessage
from rcl_interfaces.srv import GetParameters
from rclpy.parameter import Parameter

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec('launch_ros') is None,
    reason='launch_ros is not installed; it comes with ROS 2',
)

ROOT = Path(__file__).parents[2]
LAUNCH = ROOT / 'launch' / 'relocalize.launch.py'

SERVICE = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource

source = PythonLaunchDescriptionSource(sys.argv[1])
arguments = [argument.split(':=') for argument in sys.argv[2:]]
service = LaunchService()
service.include_launch_description(
    LaunchDescription([IncludeLaunchDescription(source, launch_arguments=arguments)])
)
sys.exit(service.run())
"""


@pytest.fixture(scope='module')
def prefix(tmp_path_factory):
    """Install what colcon would, but for the Python modules, and return the prefix."""
    copy = tmp_path_factory.mktemp('source')
    for name in ('launch', 'config', 'rviz', 'resource'):
        shutil.copytree(ROOT / name, copy / name)
    (copy / 'posenet_ros').mkdir()
    for name in ('setup.py', 'setup.cfg', 'package.xml', 'posenet_ros/__main__.py'):
        shutil.copy(ROOT / name, copy / name)
    prefix = tmp_path_factory.mktemp('prefix')
    subprocess.run(
        [sys.executable, 'setup.py', '-q', 'install_data', '--install-dir', str(prefix)],
        cwd=copy,
        check=True,
        capture_output=True,
    )
    return prefix


@pytest.fixture
def launch(command, prefix):
    """Launch the file with arguments, in the test's own folder."""
    prefixes = [str(prefix), *filter(None, [os.environ.get('AMENT_PREFIX_PATH')]), sys.prefix]
    paths = [str(Path(sys.executable).parent), os.environ['PATH']]

    def start(*arguments):
        return command(
            *('-c', SERVICE, str(prefix / 'share/posenet_ros/launch/relocalize.launch.py')),
            *arguments,
            AMENT_PREFIX_PATH=os.pathsep.join(prefixes),
            PATH=os.pathsep.join(paths),
            ROS_LOG_DIR=str(prefix / 'log'),
        )

    return start


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
        *('model', 'image', 'camera_info', 'image_transport', 'rviz', 'use_sim_time'),
        *('params_file', 'namespace'),
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
def parameters_of(launch, graph, tmp_path):
    """Launch with arguments, and return what the node has for three of its parameters."""
    names = ['model', 'image_transport', 'use_sim_time']

    def ask(*arguments, namespace=''):
        launched = launch(*arguments)
        request = GetParameters.Request(names=names)
        values = graph.call(GetParameters, f'{namespace}/posenet/get_parameters', request).values
        output = launched.output
        assert launched.ctrl_c() == 0
        messages = [
            ParameterMessage(name=name, value=value)
            for name, value in zip(names, values, strict=True)
        ]
        return {each.name: Parameter.from_parameter_msg(each).value for each in messages}, output

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
