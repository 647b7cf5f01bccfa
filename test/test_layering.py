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

"""The house: who may import whom, and what stays out of import time."""

import ast
from pathlib import Path
import subprocess
import sys

import posenet_ros
import pytest

PACKAGE = Path(posenet_ros.__file__).parent
MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob('*.py'))

# Arrows point down. These modules are the ground that all stand on.
GROUND = {'', 'children', 'errors', 'files', 'machine', 'stages'}
MAY_IMPORT = {
    'geometry': set(),
    'data': {'geometry'},
    'fusion': {'geometry'},
    'reporting': {'geometry'},
    'landmarks': {'geometry'},
    'sfm': {'geometry', 'data', 'reporting', 'landmarks'},
    'models': {'geometry'},
    'training': {'geometry', 'data', 'models'},
    'engines': {'models'},
    'localization': {'geometry', 'models', 'engines', 'landmarks', 'fusion'},
    'recovery': {'geometry'},
    'evaluation': {
        'geometry',
        'data',
        'models',
        'engines',
        'landmarks',
        'localization',
        'reporting',
    },
    'simulation': {'geometry', 'data'},
    'explain': {
        'geometry',
        'data',
        'landmarks',
        'sfm',
        'models',
        'training',
        'localization',
        'evaluation',
        'reporting',
    },
    'performance': {
        'geometry',
        'data',
        'models',
        'engines',
        'training',
        'localization',
        'evaluation',
        'explain',
        'reporting',
    },
    'nodes': {'geometry', 'data', 'engines', 'localization', 'recovery'},
    'drill': {
        'geometry',
        'data',
        'models',
        'reporting',
        'recovery',
        'evaluation',
        'simulation',
        'nodes',
    },
    'cli': {
        'geometry',
        'data',
        'landmarks',
        'sfm',
        'models',
        'training',
        'localization',
        'recovery',
        'evaluation',
        'explain',
        'engines',
        'performance',
        'simulation',
        'drill',
    },
    # `python -m posenet_ros`, which loads commands by name.
    '': set(),
}
# The torch Dataset makes what a network takes.
TORCH_IN_DATA = {Path('data/dataset.py'), Path('data/augmentation.py')}

# The node, and the robot that is simulated around it.
ROS_ROOMS = ('nodes', 'drill')

HEAVY = {'torch', 'torchvision', 'lightning', 'pycolmap', 'matplotlib'}
LIGHT_ROOMS = ('cli', 'geometry', 'data', 'fusion', 'landmarks', 'reporting', 'sfm')


def imports(tree, *, of_module_only=False):
    """Return the dotted names that a tree imports; types for checkers alone do not count."""
    found = set()
    queue = [tree]
    while queue:
        node = queue.pop()
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f'line {node.lineno}: write imports out'
            found.update(f'{node.module}.{alias.name}' for alias in node.names)
        elif isinstance(node, ast.If) and ast.unparse(node.test) == 'TYPE_CHECKING':
            queue.extend(node.orelse)
            continue
        if of_module_only and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        queue.extend(ast.iter_child_nodes(node))
    return found


def room_of(path):
    return path.parts[0] if len(path.parts) > 1 else ''


def parsed(path):
    return ast.parse((PACKAGE / path).read_text())


def rooms_imported(tree):
    """Return the rooms, or modules of the ground, that a tree imports."""
    own = [name.split('.') for name in imports(tree) if name.split('.')[0] == 'posenet_ros']
    rooms = set(MAY_IMPORT) | GROUND
    return {parts[1] if len(parts) > 1 and parts[1] in rooms else '' for parts in own}


def is_ros(name):
    top = name.split('.')[0]
    packages = {'rclpy', 'cv_bridge', 'tf2_ros', 'launch', 'launch_ros', 'std_srvs'}
    return top in packages or top.endswith(('_msgs', '_interfaces'))


def test_every_room_has_its_rule():
    assert {room_of(path) for path in MODULES} == set(MAY_IMPORT)


@pytest.mark.parametrize('path', MODULES, ids=str)
def test_arrows_point_down(path):
    room = room_of(path)
    allowed = MAY_IMPORT[room] | GROUND | {room}
    if path in TORCH_IN_DATA:
        allowed |= {'models'}
    assert rooms_imported(parsed(path)) - allowed == set()


@pytest.mark.parametrize('path', MODULES, ids=str)
def test_ros_is_imported_by_nodes_and_by_the_drill_alone(path):
    if room_of(path) not in ROS_ROOMS:
        assert {name for name in imports(parsed(path)) if is_ros(name)} == set()


@pytest.mark.parametrize(
    'path', [path for path in MODULES if room_of(path) in LIGHT_ROOMS], ids=str
)
def test_heavy_packages_are_not_imported_with_a_light_module(path):
    if path not in TORCH_IN_DATA:
        names = imports(parsed(path), of_module_only=True)
        assert {name.split('.')[0] for name in names} & HEAVY == set()


@pytest.mark.parametrize('path', MODULES, ids=str)
def test_engines_that_may_be_missing_are_imported_where_they_are_used_alone(path):
    optional = {'openvino', 'onnx', 'onnxruntime', 'onnxscript'}
    assert {
        n.split('.')[0] for n in imports(parsed(path), of_module_only=True)
    } & optional == set()
    if room_of(path) != 'engines':
        assert {name.split('.')[0] for name in imports(parsed(path))} & optional == set()


def imported_beside(paths, heavy):
    """Return which of some modules are imported where the modules at these paths are."""
    names = ['posenet_ros.' + '.'.join(path.with_suffix('').parts) for path in paths]
    script = (
        'import importlib, sys\n'
        'for name in sys.argv[1:]: importlib.import_module(name)\n'
        f'print(*sorted({heavy!r} & set(sys.modules)))'
    )
    child = subprocess.run([sys.executable, '-c', script, *names], capture_output=True, text=True)
    assert child.returncode == 0, child.stderr
    return child.stdout.split()


def test_what_labelling_needs_imports_without_torch():
    rooms = ('geometry', 'data', 'reporting', 'sfm')
    light = [path for path in MODULES if room_of(path) in rooms and path not in TORCH_IN_DATA]
    assert imported_beside(light, HEAVY) == []


def test_what_the_node_needs_imports_without_all_of_statistics():
    rooms = ('geometry', 'landmarks', 'recovery')
    light = [path for path in MODULES if room_of(path) in rooms and 'rehearsal' not in path.parts]
    assert imported_beside(light, {'scipy.stats'}) == []


@pytest.mark.parametrize(
    ('source', 'expected'),
    [
        ('from posenet_ros.data.images import decode', {'data'}),
        ('import posenet_ros.nodes.relocalize', {'nodes'}),
        ('def f():\n    from posenet_ros import models', {'models'}),
        ('from posenet_ros import __version__', {''}),
        ('if TYPE_CHECKING:\n    from posenet_ros.models import card', set()),
        ('import posenet', set()),
    ],
)
def test_the_walk_sees_imports_of_every_form(source, expected):
    assert rooms_imported(ast.parse(source)) == expected


def test_the_walk_tells_module_time_from_call_time():
    tree = ast.parse('import a\ntry:\n    import b\nfinally:\n    pass\ndef f():\n    import c')
    assert imports(tree) == {'a', 'b', 'c'}
    assert imports(tree, of_module_only=True) == {'a', 'b'}
