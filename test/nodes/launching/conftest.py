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

"""Launch files, run by launch itself, on an installation in a folder of its own."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
import shutil
import subprocess
import sys

import pytest

# Without launch_ros nothing here can run; the header says that it is missing.
HAS_LAUNCH = importlib.util.find_spec('launch_ros') is not None

ROOT = Path(__file__).parents[3]

# What `ros2 launch` does with a file and its arguments.
SERVICE = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import AnyLaunchDescriptionSource

source = AnyLaunchDescriptionSource(sys.argv[1])
arguments = [argument.split(':=') for argument in sys.argv[2:]]
service = LaunchService()
service.include_launch_description(
    LaunchDescription([IncludeLaunchDescription(source, launch_arguments=arguments)])
)
sys.exit(service.run())
"""


def pytest_collection_modifyitems(items):
    """Skip by name what needs launch_ros, where that is missing."""
    if HAS_LAUNCH:
        return
    skip = pytest.mark.skip(reason='launch_ros is not installed; it comes with ROS 2')
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(skip)


@pytest.fixture(scope='session')
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
def installed(command, prefix):
    """Start Python in the test's own folder, where the package is installed."""
    prefixes = [str(prefix), *filter(None, [os.environ.get('AMENT_PREFIX_PATH')]), sys.prefix]
    paths = [str(Path(sys.executable).parent), os.environ['PATH']]

    def start(*arguments):
        return command(
            *arguments,
            AMENT_PREFIX_PATH=os.pathsep.join(prefixes),
            PATH=os.pathsep.join(paths),
            ROS_LOG_DIR=str(prefix / 'log'),
        )

    return start


@pytest.fixture
def launch_file(installed):
    """Launch any file with arguments."""
    return lambda file, *arguments: installed('-c', SERVICE, str(file), *arguments)


@pytest.fixture
def launch(launch_file, prefix):
    """Launch relocalize.launch.py with arguments."""
    file = prefix / 'share/posenet_ros/launch/relocalize.launch.py'
    return lambda *arguments: launch_file(file, *arguments)


@pytest.fixture
def values_of(graph):
    """Ask a node that runs for values of its parameters, by name."""
    from rcl_interfaces.msg import Parameter as Message
    from rcl_interfaces.srv import GetParameters
    from rclpy.parameter import Parameter

    def ask(node, *names):
        request = GetParameters.Request(names=list(names))
        values = graph.call(GetParameters, f'{node}/get_parameters', request).values
        return {
            name: Parameter.from_parameter_msg(Message(name=name, value=value)).value
            for name, value in zip(names, values, strict=True)
        }

    return ask
