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

"""
Runs the launch test in launched.py, as `launch_test` does.

In a process of its own: the plugin by which pytest collects launch tests imports every file of
tests a second time, and takes two of one name in two folders for a mistake.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

NEEDED = ('launch_testing', 'tf2_msgs')
PATIENCE_S = 400.0

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec(name) is None, reason=f'{name} is not installed; ROS 2 has it'
    )
    for name in NEEDED
]


@pytest.fixture(scope='module')
def run_folder(tmp_path_factory):
    """Write a run with a small untrained network, which is all that a node needs."""
    from posenet_ros.models.architecture import Architecture
    from posenet_ros.models.card import ModelCard
    from posenet_ros.models.checkpoint import save_model
    from posenet_ros.models.posenet import PoseNet
    from posenet_ros.models.preprocessing import Preprocessing

    architecture = Architecture('mobilenet_v3_small', feature_width=16)
    extent = np.array([[0.0, 0, 1], [4, 2, 2]])
    model = PoseNet(architecture)
    model.set_extent(extent)
    card = ModelCard(
        architecture,
        Preprocessing(72, (64, 64)),
        camera=None,
        extent=extent,
        map_frame='lab',
        covariance=np.diag([0.04, 0.05, 0.06, 0.007, 0.008, 0.009]),
    )
    run = tmp_path_factory.mktemp('runs') / 'run1_posenet'
    run.mkdir()
    save_model(run / 'model', model.eval(), card)
    return run


def test_from_images_to_poses_and_a_clean_end(installed, run_folder):
    file = Path(__file__).with_name('launched.py')
    launched = installed('-m', 'launch_testing.launch_test', str(file), f'model:={run_folder}')
    assert launched.process.wait(PATIENCE_S) == 0, launched.output
    # Both of its parts, those while it runs and those after it.
    assert 'Ran 3 tests' in launched.output
    assert 'Ran 2 tests' in launched.output
