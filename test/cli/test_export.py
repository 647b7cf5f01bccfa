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

import importlib.util
import shutil

import numpy as np
from posenet_ros.__main__ import main
from posenet_ros.engines.evidence import EVIDENCE, read_evidence
from posenet_ros.errors import ModelError, PosenetError
from posenet_ros.files import read_yaml
from posenet_ros.localization.load import load_localizer
from posenet_ros.models.checkpoint import load_model
from posenet_ros.performance import exporting
from posenet_ros.performance.exporting import Order
from posenet_ros.performance.images import camera_images
import pytest
import torch

NEEDED = ('onnx', 'onnxscript', 'onnxruntime', 'openvino')
MISSING = [name for name in NEEDED if not importlib.util.find_spec(name)]
installed = pytest.mark.skipif(bool(MISSING), reason=f'{", ".join(MISSING)} not installed')
TEST_FRAMES = '8:12:16'


@pytest.fixture(scope='session')
def scene(write_corridor, tmp_path_factory):
    return write_corridor(tmp_path_factory.mktemp('scenes') / 'corridor', 48)


@pytest.fixture(scope='session')
def trained(scene, tmp_path_factory):
    """Train a small network for a moment, so that there are frames it has not seen."""
    folder = tmp_path_factory.mktemp('runs') / 'corridor_posenet'
    words = ['train', '--dataset', f'7scenes:{scene}', '--test-frames', TEST_FRAMES]
    words += ['--backbone', 'mobilenet_v3_small', '--weights', 'none', '--image-size', '64']
    words += ['--epochs', '1', '--batch-size', '8', '--set', 'wide=false', '--set', 'pool=1']
    assert main([*words, '--output', str(folder)]) == 0
    return folder


@pytest.fixture
def run(trained, tmp_path, monkeypatch):
    shutil.copytree(trained / 'model', tmp_path / 'run' / 'model')
    shutil.copy(trained / 'run.yaml', tmp_path / 'run')
    # To a network of one epoch these frames are nearly the same, and its features are made of what
    # rounding leaves.
    monkeypatch.setattr(exporting, 'TOLERANCE', 1e-3)
    return tmp_path / 'run'


@installed
def test_files_answer_as_the_model_does_and_the_card_says_how_to_ask(run, scene, capsys):
    words = ['export', '--model', str(run), '--dataset', f'7scenes:{scene}']
    assert main([*words, '--test-frames', TEST_FRAMES]) == 0
    folder = run / 'export'
    names = {path.name for path in folder.iterdir()}
    assert names == {'posenet.onnx', 'posenet.xml', 'posenet.bin', 'export.yaml'}
    card = read_yaml(folder / 'export.yaml', PosenetError)
    assert set(card['files']) == names - {'export.yaml'}
    assert max(card['relative_difference'].values()) < 1e-3
    loaded = load_model(run)
    image = torch.stack([loaded.card.preprocessing.prepare(rgb) for rgb in camera_images(2)])
    assert card['input']['size'] == list(image.shape[2:])
    import onnxruntime

    session = onnxruntime.InferenceSession(folder / 'posenet.onnx')
    found = session.run(list(card['outputs']), {'image_B3HW': image.numpy()})
    with torch.no_grad():
        expected = loaded.model(image)
    for name, value in zip(card['outputs'], found, strict=True):
        np.testing.assert_allclose(value, getattr(expected, name).numpy(), atol=1e-3)
    # What was measured is kept with the model, and allows what keeps its errors.
    evidence = read_evidence(run / 'model')
    assert evidence.frames == 12
    assert {'eager', 'torch-bf16', 'openvino-bf16'} <= set(evidence.medians)
    printed = capsys.readouterr().out
    for name in ('torch-bf16', 'openvino-bf16'):
        assert f'{name}: median' in printed
        if evidence.keeps(name):
            assert load_localizer(run, 'cpu', engine=name).engine.startswith(name)
        else:
            with pytest.raises(PosenetError, match='run `export`'):
                load_localizer(run, 'cpu', engine=name)


@installed
def test_half_precision_halves_the_files_where_the_errors_stay(run, scene, monkeypatch):
    frames = ['--dataset', f'7scenes:{scene}', '--test-frames', TEST_FRAMES]
    words = ['export', '--model', str(run), '--pose-only']
    assert main([*words, '--no-measure', '--output', str(run / 'whole')]) == 0
    assert not (run / 'model' / EVIDENCE).exists()
    monkeypatch.setattr('posenet_ros.engines.evidence.MOST_WORSE', 1.0)
    assert main([*words, *frames, '--half', '--output', str(run / 'half')]) == 0
    for name in ('posenet.onnx', 'posenet.bin'):
        whole, half = ((run / of / name).stat().st_size for of in ('whole', 'half'))
        # Of so small a network a third of the weights is in tensors that stay as they are.
        assert 0.45 < half / whole < 0.7
    card = read_yaml(run / 'half' / 'export.yaml', PosenetError)
    assert list(card['outputs']) == ['position_B3', 'quaternion_wxyz_B4']


@installed
def test_a_file_that_answers_something_else_is_not_left(run, monkeypatch):
    honest = exporting.write_onnx

    def write(path, whole, size):
        answer = honest(path, whole, size)
        return lambda image: tuple(1.1 * each for each in answer(image))

    monkeypatch.setattr(exporting, 'write_onnx', write)
    with pytest.raises(ModelError, match=r'posenet.onnx differs from the model by'):
        exporting.export(Order(run, run / 'export', ('onnx',), measure=False))
    assert not (run / 'export').exists()
    assert [path.name for path in run.iterdir() if 'partial' in path.name] == []


@installed
@pytest.mark.parametrize(
    ('words', 'told'),
    [
        (['--half'], 'give the frames of training, --dataset'),
        (['--half', '--no-measure'], 'measure them'),
        (['--format', 'tflite'], "unknown format 'tflite'"),
        (['--output', '{run}/model'], 'holds other files'),
    ],
)
def test_a_users_mistakes_are_one_line(run, words, told, capsys):
    words = [word.format(run=run) for word in words]
    assert main(['export', '--model', str(run), *words]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count('\n') == 1


def test_without_the_packages_the_command_names_them(tmp_path, monkeypatch, capsys):
    (tmp_path / 'model.yaml').touch()
    monkeypatch.setitem(exporting._NEEDED, 'onnx', ('no_such_package',))
    assert main(['export', '--model', str(tmp_path), '--format', 'onnx']) == 2
    assert 'needs no_such_package: pip install "posenet_ros[engines]"' in capsys.readouterr().err
