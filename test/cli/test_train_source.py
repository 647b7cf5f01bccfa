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

"""What train learns from: a labelling that is stood in for, and data sets."""

from __future__ import annotations

from pathlib import Path
import shutil
from types import SimpleNamespace

from posenet_ros.__main__ import main
from posenet_ros.cli import train_source
from posenet_ros.data.capture import Capture, image_path, Rejected
from posenet_ros.data.frames import Scene
from posenet_ros.data.origin import SUMMARY
from posenet_ros.data.run import claim
from posenet_ros.data.scenes import read_scene
from posenet_ros.files import write_yaml
from posenet_ros.geometry import Camera, Trajectory
from posenet_ros.models.checkpoint import load_model
import pytest


@pytest.fixture
def recorded(scene, monkeypatch):
    """
    Stand in for labelling: the scene's frames, two more without a label, and no metres.

    What is put into the mapping that it returns is kept as the summary of the labels.
    """
    kept = {}

    def label(sources, output, options):
        frames = read_scene(f'7scenes:{scene}').train
        for frame in frames:
            path = image_path(output / 'capture', frame.stamp_ns)
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(frame.image, path)
        Capture.create(
            output / 'capture',
            camera=Camera(64, 48, 50.0, 50.0, 31.5, 23.5),
            labels=Trajectory.from_poses(
                [frame.stamp_ns for frame in frames], [frame.map_from_camera for frame in frames]
            ),
            rejected=[Rejected(1, 'dark'), Rejected(2, 'dark')],
        )
        if kept:
            write_yaml(output / 'capture' / SUMMARY, kept)
        return SimpleNamespace(
            text=lambda: 'labelled',
            metric=None,
            verdict='usable',
            remarks=[],
            labelled=30,
            frames=32,
        )

    sources = SimpleNamespace(name='run1')
    monkeypatch.setattr(train_source, 'open_sources', lambda *_: sources)
    monkeypatch.setattr(
        train_source,
        'claim_labelling',
        lambda _, output, __: claim(output, recording={'name': 'run1', 'sample_sha256': 'abc'}),
    )
    monkeypatch.setattr(train_source, 'label_recordings', label)
    return kept


def test_a_recording_without_metres_and_what_it_leaves(recorded, words, tmp_path, capsys):
    output = tmp_path / 'run'
    asked = words(output, bag='run1')
    assert main(asked) == 0
    said = capsys.readouterr().out
    card = load_model(output).card
    assert card.metric is False
    assert card.training['frames']['rejected'] == 2
    assert card.training['recordings'] == [{'name': 'run1', 'sample_sha256': 'abc'}]
    assert '2 frames have no label and are in no figure' in said
    assert 'the labels have no metres' in said
    assert '0.05 units/5 deg' in said
    page = (output / 'report' / 'report.html').read_text()
    assert page.count('30 of 32 frames') == 1
    assert main(asked) == 0
    assert ' units, ' in capsys.readouterr().out
    labels = output / 'capture' / 'labels.tum'
    labels.write_text('\n'.join(labels.read_text().splitlines()[:-1]))
    assert main(asked) == 2
    assert 'is not what the model beside it was trained on' in capsys.readouterr().err


@pytest.mark.parametrize(('frame', 'expected'), [('robot1/map', 'robot1/map'), (None, 'map')])
def test_the_card_tells_which_map_the_model_speaks_of(recorded, words, tmp_path, frame, expected):
    known = {'topic': '/map', 'sha256': 'abc'} if frame else None
    origin = {'reference': '/tf (map <- camera)', 'frame': frame, 'localizer_map': known}
    recorded['metric'] = {**origin, 'scale': 2.5}
    assert main(words(tmp_path / 'run', bag='run1')) == 0
    card = load_model(tmp_path / 'run').card
    assert card.map_frame == expected
    assert card.training['poses'] == origin


def test_the_scale_of_a_colmap_model_is_no_metres(monkeypatch, tmp_path):
    monkeypatch.setattr(train_source, 'read_scene', lambda *_: Scene('room', ()))
    monkeypatch.setattr(train_source, 'scene_model', lambda _: None)
    assert train_source.DataSet(f'colmap:{tmp_path}').labelled(Path()).metric is False
    assert train_source.DataSet(f'7scenes:{tmp_path}').labelled(Path()).metric is True


def test_a_data_set_that_is_not_there_leaves_no_folder_in_the_way(words, tmp_path, capsys):
    assert main(words(tmp_path / 'run', data=tmp_path / 'typo')) == 2
    assert 'no such folder' in capsys.readouterr().err
    assert not (tmp_path / 'run').exists()


@pytest.mark.parametrize('bag', [None, 'run1'])
def test_weights_are_looked_for_before_anything_is_made_or_labelled(
    words, tmp_path, capsys, monkeypatch, bag
):
    monkeypatch.setattr(train_source, 'open_sources', lambda *_: None)
    monkeypatch.setattr(train_source, 'label_recordings', lambda *_: pytest.fail('labelled first'))
    gone = tmp_path / 'gone.pt'
    assert main(words(tmp_path / 'run', '--weights', gone, bag=bag)) == 2
    assert 'no weights file' in capsys.readouterr().err
    assert not (tmp_path / 'run').exists()


@pytest.mark.parametrize(
    'option', [('--rate', 1), ('--reference', 'odom'), ('--image-topic', '/x')]
)
def test_options_of_labelling_are_refused_beside_a_data_set(words, tmp_path, capsys, option):
    assert main(words(tmp_path / 'run', *option)) == 2
    assert 'brings its own labels' in capsys.readouterr().err
    assert not (tmp_path / 'run').exists()
