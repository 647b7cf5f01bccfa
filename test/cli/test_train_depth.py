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

"""When training cameras are moved, and what is told where they cannot be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from posenet_ros.cli import train_depth
from posenet_ros.cli.train_source import Labelled
from posenet_ros.data.frames import Frame
from posenet_ros.errors import ConfigError, LabellingError
from posenet_ros.geometry import Camera, Pose
from posenet_ros.training.config import TrainOptions
import pytest

CAMERA = Camera(64, 48, 60.0, 60.0, 31.5, 23.5)
MOVES = TrainOptions(move=0.3, moved=0.5)


@pytest.fixture
def labelled():
    pose = Pose.identity('map', 'camera')
    frames = tuple(Frame(Path(f'{number}.jpg'), pose, number) for number in range(3))
    return Labelled('somewhere', frames, CAMERA, model=Path('sfm'))


@pytest.fixture
def asked(monkeypatch):
    """Have depths found of one frame; return what was asked for."""
    calls = []

    def depths_of(frames, camera, *, model, work):
        calls.append((len(frames), camera, model, work))
        return {frames[0].image: np.ones((2, 2), dtype=np.float32)}

    monkeypatch.setattr(train_depth, 'depths_of', depths_of)
    return calls


def test_depths_come_from_the_map_of_the_labels(labelled, asked, tmp_path, capsys):
    depths = train_depth.depths_for(tmp_path, labelled, MOVES)
    assert list(depths) == [Path('0.jpg')]
    assert asked == [(3, CAMERA, Path('sfm'), tmp_path / 'reconstruction')]
    assert capsys.readouterr().out == 'depth of 1 of 3 frames is known\n'


@pytest.mark.parametrize(
    'options', [TrainOptions(), TrainOptions(move=0.3), TrainOptions(moved=1.0)]
)
def test_a_map_is_read_to_measure_with_and_made_only_to_move_cameras(
    labelled, asked, tmp_path, options
):
    assert len(train_depth.depths_for(tmp_path, labelled, options)) == 1
    without = replace(labelled, model=None)
    assert train_depth.depths_for(tmp_path, without, options) == {}
    assert len(train_depth.depths_for(tmp_path, without, MOVES)) == 1
    assert [model for *_, model, _ in asked] == [Path('sfm'), None]


def test_a_map_is_made_for_a_scene_head_that_makes_use_of_depths(labelled, asked, tmp_path):
    without = replace(labelled, model=None)
    cells = TrainOptions(head='scene', shift=0.0, dropout=0.0)
    assert train_depth.depths_for(tmp_path, without, cells) == {}
    assert train_depth.depths_for(tmp_path, without, TrainOptions(depth_px=10.0)) == {}
    assert len(train_depth.depths_for(tmp_path, without, replace(cells, depth_px=10.0))) == 1


def test_a_fisheye_is_not_moved_like_a_pinhole(labelled, asked, tmp_path, capsys):
    lens = replace(CAMERA, distortion='equidistant', coefficients=(0.0, 0.0, 0.0, 0.0))
    assert train_depth.depths_for(tmp_path, replace(labelled, camera=lens), MOVES) == {}
    assert asked == []
    assert 'fisheye' in capsys.readouterr().out


def test_several_processes_do_not_make_one_map(labelled, asked, monkeypatch, tmp_path):
    monkeypatch.setenv('NODE_RANK', '1')
    with pytest.raises(ConfigError, match='begin the training on one machine'):
        train_depth.depths_for(tmp_path, replace(labelled, model=None), MOVES)
    assert len(train_depth.depths_for(tmp_path, labelled, MOVES)) == 1


def test_without_intrinsics_cameras_are_not_moved(labelled, asked, tmp_path, capsys):
    unknown = replace(labelled, camera=None)
    assert train_depth.depths_for(tmp_path, unknown, MOVES) == {}
    assert asked == []
    assert 'without intrinsics' in capsys.readouterr().out


def test_where_no_map_can_be_made_training_goes_on_and_says_so(
    labelled, monkeypatch, tmp_path, capsys
):
    def fails(*_, **__):
        raise LabellingError('too few frames registered')

    monkeypatch.setattr(train_depth, 'depths_of', fails)
    assert train_depth.depths_for(tmp_path, labelled, MOVES) == {}
    assert capsys.readouterr().out == ('no depths are known: too few frames registered\n')
