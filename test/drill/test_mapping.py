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

"""A map that begins where the recording begins, found again in the room."""

from __future__ import annotations

import numpy as np
from posenet_ros.drill.mapping import map_from_model, TRUTH
from posenet_ros.drill.options import SAME_MAP
from posenet_ros.geometry import NS_PER_S, Trajectory, write_tum
from posenet_ros.nodes.map_relation import read_map_from_model
import pytest
from scipy.spatial.transform import Rotation


@pytest.fixture
def run(tmp_path):
    """Return a run with a model, as far as anybody looks at it here."""
    (tmp_path / 'run' / 'model').mkdir(parents=True)
    (tmp_path / 'run' / 'model' / 'model.yaml').touch()
    (tmp_path / 'run' / 'capture').mkdir()
    (tmp_path / 'world').mkdir()
    return tmp_path / 'run'


def drive(stamps, target='map'):
    seconds = np.asarray(stamps) / NS_PER_S
    around = np.stack([np.cos(seconds), 2 * np.sin(seconds), 0.8 + 0 * seconds], axis=1)
    turned = Rotation.from_euler('z', seconds[:, None])
    return Trajectory(np.asarray(stamps, dtype=np.int64), turned, around, target, 'camera')


def test_the_maps_place_is_that_of_its_labels(run):
    stamps = np.arange(0, 6 * NS_PER_S, NS_PER_S // 4)
    write_tum(run.parent / 'world' / TRUTH, drive(stamps))
    placed = read_map_from_model('3 -1 0.1 0.01 0.02 0.7')
    labels = [placed.inverse().matrix() @ pose.matrix() for pose in drive(stamps[::2])]
    matrices = np.stack(labels)
    write_tum(
        run / 'capture' / 'labels.tum',
        Trajectory(
            stamps[::2],
            Rotation.from_matrix(matrices[:, :3, :3]),
            matrices[:, :3, 3],
            'map',
            'camera',
        ),
    )
    for model in (run, run / 'model'):
        found = read_map_from_model(map_from_model(model, run.parent / 'world'))
        metres, radians = found.distance(placed)
        assert metres < 1e-4
        assert radians < 1e-4


def test_without_labels_of_this_recording_it_is_taken_for_the_same(run):
    world = run.parent / 'world'
    assert map_from_model(run, world) == SAME_MAP
    write_tum(run / 'capture' / 'labels.tum', drive([1, 2, 3]))
    assert map_from_model(run, world) == SAME_MAP
    write_tum(world / TRUTH, drive(np.arange(5, 9) * NS_PER_S))
    assert map_from_model(run, world) == SAME_MAP
