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

"""What every test relies on."""

import os
from pathlib import Path
import signal

import numpy as np
from posenet_ros.data.images import encode_jpeg
from posenet_ros.geometry import Pose
import pytest
from scipy.spatial.transform import Rotation

# Where workers share a few cores, the threads of one network's layer wait for each other: with one
# thread each, training tests take a quarter of the time. Processes that tests start do the same.
if 'PYTEST_XDIST_WORKER' in os.environ:
    os.environ.setdefault('OMP_NUM_THREADS', '1')

# A shell that starts the tests in the background has them ignore Ctrl-C, and their children too:
# tests that press it would wait forever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope='session', autouse=True)
def own_cache(tmp_path_factory):
    """Keep what is remembered between starts away from the user's, for child processes too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('XDG_CACHE_HOME', str(tmp_path_factory.mktemp('cache')))
        yield


@pytest.fixture(scope='session')
def write_corridor():
    """Return a function that writes frames in 7-Scenes' layout: a post wanders through them."""

    def write(folder: Path, count: int) -> Path:
        sequence = folder / 'seq-01'
        sequence.mkdir(parents=True)
        for number in range(count):
            rgb = np.full((48, 64, 3), (30, 60, 90), dtype=np.uint8)
            rgb[8:40, number : number + 8] = (250, 200, 40)
            name = sequence / f'frame-{number:06d}'
            encode_jpeg(name.with_suffix('.color.jpg'), rgb)
            turned = Rotation.from_euler('xyz', (10, 20, number), degrees=True)
            pose = Pose(turned, np.array([0.1 * number, 1, 2]), 'map', 'camera')
            np.savetxt(name.with_suffix('.pose.txt'), pose.matrix())
        return folder

    return write
