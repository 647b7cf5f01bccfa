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

"""Rules of this project that no linter knows."""

import ast
from pathlib import Path

import posenet_ros
import pytest

PACKAGE = Path(posenet_ros.__file__).parent
MODULES = sorted(PACKAGE.rglob('*.py'))

# SciPy's quaternions and pycolmap's are xyzw, COLMAP's files and the networks wxyz. Only the
# door knows; everything else speaks of Pose.from_quaternion and Pose.quaternion, by name.
DOOR = PACKAGE / 'geometry' / 'pose.py'
BARE = {'as_quat', 'from_quat', 'quat'}


def name_of(path):
    return str(path.relative_to(PACKAGE))


def bare_quaternions(source):
    """Return the lines on which source takes or makes a quaternion of unnamed order."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute) and node.attr in BARE
    ]


@pytest.mark.parametrize('path', MODULES, ids=name_of)
def test_quaternions_cross_only_at_the_named_door(path):
    if path == DOOR:
        assert bare_quaternions(path.read_text()), 'the door has moved; move it here too'
    else:
        assert bare_quaternions(path.read_text()) == []


@pytest.mark.parametrize(
    'source', ['a.rotation.as_quat()', 'R.from_quat(q)', 'image.cam_from_world().rotation.quat']
)
def test_bare_quaternions_are_seen(source):
    assert bare_quaternions(source) == [1]
    assert bare_quaternions(f'# {source}\nPose.from_quaternion(w=1, x=0, y=0, z=0)') == []


def swallowing(source):
    """
    Return the lines of handlers that take any error and hand it to nobody.

    A thread may catch whatever ends it, to raise it elsewhere: then it is BaseException, and
    the handler raises or uses it.
    """
    lines = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ExceptHandler):
            continue
        caught = 'nothing named' if node.type is None else ast.unparse(node.type)
        body = [each for statement in node.body for each in ast.walk(statement)]
        handed_on = any(
            isinstance(each, ast.Raise) or (isinstance(each, ast.Name) and each.id == node.name)
            for each in body
        )
        broad = caught in ('nothing named', 'Exception')
        if broad or (caught == 'BaseException' and not handed_on):
            lines.append(node.lineno)
    return lines


@pytest.mark.parametrize('path', MODULES, ids=name_of)
def test_no_error_is_swallowed_unseen(path):
    assert swallowing(path.read_text()) == []


@pytest.mark.parametrize(
    ('handler', 'lines'),
    [
        ('except:\n    raise', [3]),
        ('except Exception as error:\n    print(error)', [3]),
        ('except BaseException:\n    pass', [3]),
        ('except BaseException as error:\n    queue.put(error)', []),
        ('except BaseException:\n    raise', []),
        ('except ValueError:\n    pass', []),
    ],
)
def test_swallowing_handlers_are_seen(handler, lines):
    assert swallowing(f'try:\n    work()\n{handler}\n') == lines
