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

"""What goes into the image: the checkout, and neither environments nor what runs have left."""

from __future__ import annotations

from pathlib import Path
import subprocess

import pytest

ROOT = Path(__file__).parents[1]


def patterns(name):
    lines = (ROOT / name).read_text().splitlines()
    return {line.strip() for line in lines if line.strip() and not line.startswith('#')}


def as_docker_writes(pattern):
    """Return a pattern of .gitignore as .dockerignore has it: from the root on, unless `**`."""
    plain = pattern.strip('/')
    return plain if pattern.startswith('/') else f'**/{plain}'


def test_what_git_ignores_is_not_sent_to_docker_nor_is_git_itself():
    expected = {as_docker_writes(pattern) for pattern in patterns('.gitignore')}
    assert expected | {'.git'} <= patterns('.dockerignore')


def test_nothing_that_is_kept_in_git_is_left_behind():
    listed = subprocess.run(
        ['git', 'ls-files', '--ignored', '--cached', '--exclude-from', '.dockerignore'],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip('this is no git checkout')
    assert listed.stdout == ''
