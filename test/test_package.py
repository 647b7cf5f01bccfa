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

"""What an installation holds: the same by colcon and by pip, since both run setup.py."""

from __future__ import annotations

import ast
import os
from pathlib import Path
import re
import shutil
import subprocess
import sys
from xml.etree import ElementTree
import zipfile

from posenet_ros import __version__
from posenet_ros.__main__ import COMMANDS
from posenet_ros.training.recipes import recipe_names
import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    """Build a wheel from a copy of the checkout, as pip does, and return it open."""
    copy = tmp_path_factory.mktemp('checkout')
    for name in ('posenet_ros', 'launch', 'config', 'rviz', 'resource', 'test'):
        skip = shutil.ignore_patterns('__pycache__')
        shutil.copytree(ROOT / name, copy / name, ignore=skip)
    for name in ('setup.py', 'setup.cfg', 'package.xml'):
        shutil.copy(ROOT / name, copy / name)
    built = subprocess.run(
        [sys.executable, 'setup.py', '-q', 'bdist_wheel'],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    if "invalid command 'bdist_wheel'" in built.stderr:
        pytest.skip('this setuptools cannot make wheels (older than 70.1, without wheel)')
    assert built.returncode == 0, built.stderr
    (path,) = (copy / 'dist').glob('*.whl')
    with zipfile.ZipFile(path) as archive:
        yield archive


def data(wheel):
    """Return what goes below the prefix: path -> entry."""
    found = {}
    for entry in wheel.infolist():
        inside = re.match(r'[^/]+\.data/data/(.+)', entry.filename)
        if inside:
            found[inside[1]] = entry
    return found


def test_every_command_is_an_executable_for_ros2_run(wheel):
    folder = 'lib/posenet_ros/'
    executables = {
        name.removeprefix(folder): entry
        for name, entry in data(wheel).items()
        if name.startswith(folder)
    }
    assert set(executables) == set(COMMANDS)
    for name, entry in executables.items():
        text = wheel.read(entry).decode()
        # Not the path of an interpreter: a virtual environment beside ROS must be found.
        assert text.startswith('#!/usr/bin/env python3\n')
        assert f"'{name}'" in text
        assert entry.external_attr >> 16 & 0o111 == 0o111


def test_nothing_lands_on_the_path(wheel):
    names = wheel.namelist()
    assert not [name for name in names if '.data/scripts/' in name]
    assert not [name for name in names if name.endswith('entry_points.txt')]


def test_what_ros_looks_for_is_where_it_looks(wheel):
    found = set(data(wheel))
    assert {
        'share/ament_index/resource_index/packages/posenet_ros',
        'share/posenet_ros/package.xml',
        'share/posenet_ros/launch/relocalize.launch.py',
        'share/posenet_ros/config/relocalize.yaml',
        'share/posenet_ros/config/nav2/posenet.yaml',
        'share/posenet_ros/rviz/posenet.rviz',
        *(f'share/posenet_ros/config/recipes/{name}.yaml' for name in recipe_names()),
    } <= found


def test_every_module_and_template_is_in_and_no_test(wheel):
    names = set(wheel.namelist())
    package = ROOT / 'posenet_ros'
    expected = {
        str(path.relative_to(ROOT))
        for pattern in ('*.py', '*.j2')
        for path in package.rglob(pattern)
    }
    assert expected <= names
    assert not [name for name in names if name.startswith('test')]


@pytest.mark.parametrize('name', ['relocalize', 'replay'])
def test_an_executable_answers_for_help(wheel, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(wheel.read(data(wheel)[f'lib/posenet_ros/{name}']))
    answer = subprocess.run(
        [sys.executable, str(path), '--help'],
        cwd=ROOT,
        env={'PYTHONPATH': str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert f'usage: posenet_ros {name}' in answer.stdout


def test_an_executable_can_be_imported_by_the_processes_that_it_starts(wheel, tmp_path):
    path = tmp_path / 'simulate-rooms'
    path.write_bytes(wheel.read(data(wheel)['lib/posenet_ros/simulate-rooms']))
    output = tmp_path / 'rooms'
    words = ['--output', str(output), '--rooms', '2', '--views', '2', '--jobs', '2']
    answer = subprocess.run(
        [sys.executable, str(path), *words, '--width', '64', '--height', '48'],
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    assert len([*output.glob('0*')]) == 2


def test_package_xml_agrees_with_the_code_and_the_environment_of_ros():
    package = ElementTree.parse(ROOT / 'package.xml').getroot()
    assert package.get('format') == '3'
    assert package.findtext('name') == 'posenet_ros'
    assert package.findtext('version') == __version__
    assert package.findtext('license') == 'Apache-2.0'
    assert package.findtext('export/build_type') == 'ament_python'


def test_package_xml_declares_every_ros_package_that_the_nodes_import():
    package = ElementTree.parse(ROOT / 'package.xml').getroot()
    declared = {each.text for each in package.iter('exec_depend')}
    declared |= {each.text for each in package.iter('depend')}
    rooms = ('posenet_ros/nodes', 'posenet_ros/drill', 'launch')
    sources = [path for room in rooms for path in (ROOT / room).glob('*.py')]
    pattern = re.compile(
        r'^\s*(?:from|import)\s+(\w*(?:_msgs|_interfaces|_srvs)|rclpy|launch|launch_ros)\b'
        r"|(?:import_module|find_spec)\('(\w+)",
        re.MULTILINE,
    )
    imported = {
        name for path in sources for found in pattern.findall(path.read_text()) for name in found
    } - {''}
    assert {'rclpy', 'sensor_msgs', 'cv_bridge', 'tf2_msgs', 'launch_ros'} <= imported
    assert imported <= declared


def declared_to_pip():
    """Return the names that setup.py requires wherever it is installed."""
    for node in ast.walk(ast.parse((ROOT / 'setup.py').read_text())):
        if isinstance(node, ast.keyword) and node.arg == 'install_requires':
            return {re.match(r'[\w.-]+', each.value)[0] for each in node.value.elts}
    raise AssertionError('setup.py has no install_requires')


def extra(name):
    """Return the names that setup.py requires where an extra is asked for."""
    for node in ast.walk(ast.parse((ROOT / 'setup.py').read_text())):
        if isinstance(node, ast.keyword) and node.arg == 'extras_require':
            extras = ast.literal_eval(node.value)
            return {re.match(r'[\w.-]+', each)[0] for each in extras[name]}
    raise AssertionError('setup.py has no extras_require')


def test_setup_declares_every_package_that_is_imported_outside_of_ros():
    imported = set()
    for path in (ROOT / 'posenet_ros').rglob('*.py'):
        if path.relative_to(ROOT / 'posenet_ros').parts[0] not in ('nodes', 'drill'):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    imported.update(alias.name for alias in node.names)
                elif isinstance(node, ast.ImportFrom):
                    imported.update(f'{node.module}.{alias.name}' for alias in node.names)
    names = {'cv2': 'opencv-python-headless', 'jinja2': 'Jinja2', 'yaml': 'PyYAML'}
    names |= {'backports': 'backports.zstd', 'sklearn': 'scikit-learn'}
    # In the standard library from Python 3.14 on.
    known = {*sys.stdlib_module_names, 'compression', 'posenet_ros'}
    needed = {name.partition('.')[0] for name in imported} - known
    assert {'apsw', 'backports', 'cv2', 'rosbags', 'torch'} <= needed
    undeclared = {names.get(name, name) for name in needed} - declared_to_pip()
    # torch brings it to where it makes use of it, and nothing here depends on it.
    undeclared -= {'triton'}
    assert undeclared == extra('engines') - {'onnxscript'}


def test_setup_and_package_agree_on_the_version(wheel):
    assert f'-{__version__}-' in Path(wheel.filename).name
