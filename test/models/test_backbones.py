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

from __future__ import annotations

import os
from pathlib import Path
import socket

from posenet_ros.errors import ConfigError, ModelError
from posenet_ros.models.backbones import BACKBONES, build_backbone
import pytest
from safetensors.torch import save_file
import torch
import torchvision


def randomised(name: str, **options) -> torch.nn.Module:
    """Make a classifier whose batch norms are not all alike, so that mixed up layers show."""
    torch.manual_seed(1)
    classifier = torchvision.models.get_model(name, weights=None, **options)
    for module in classifier.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -0.1, 0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
    return classifier.eval()


@pytest.mark.parametrize(
    ('name', 'pooled'),
    [
        ('resnet18', lambda net, x: torch.nn.Sequential(*list(net.children())[:-1])(x)),
        ('mobilenet_v3_small', lambda net, x: net.avgpool(net.features(x))),
        ('efficientnet_b0', lambda net, x: net.avgpool(net.features(x))),
    ],
)
def test_trunk_computes_what_the_classifier_computes_before_its_head(tmp_path, name, pooled):
    classifier = randomised(name)
    torch.save(classifier.state_dict(), tmp_path / 'weights.pt')
    trunk = build_backbone(name, tmp_path / 'weights.pt').eval()
    image = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        expected = pooled(classifier, image).flatten(1)
        found = trunk(image).mean(dim=(2, 3))
    assert found.shape[1] == trunk.channels
    assert torch.allclose(found, expected, atol=1e-5)


def test_googlenet_taps_are_where_the_classifier_has_its_auxiliary_heads(tmp_path):
    classifier = randomised('googlenet', init_weights=False, aux_logits=True)
    seen = []
    classifier.aux1.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    classifier.aux2.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    for module in (classifier, classifier.aux1, classifier.aux2):
        module.training = True  # without letting batch norms learn
    save_file(classifier.state_dict(), tmp_path / 'weights.safetensors')
    trunk = build_backbone('googlenet', tmp_path / 'weights.safetensors').eval()
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        classifier(image)
        names = [name for name, _ in trunk.backbone.taps]
        taps = list(trunk.maps(image, names).values())
    assert [tap.shape[1] for tap in taps] == [512, 528]
    for tap, expected in zip(taps, seen, strict=True):
        assert torch.allclose(tap, expected, atol=1e-5)


@pytest.mark.parametrize(
    ('name', 'expected'),
    [
        ('googlenet', {'inception3b': 480, 'inception4e': 832, 'inception5b': 1024}),
        ('resnet18', {'layer2.1': 128, 'layer3.1': 256, 'layer4.1': 512}),
        ('mobilenet_v2', {'features.6': 32, 'features.13': 96, 'features.18': 1280}),
    ],
)
def test_levels_are_the_last_maps_of_the_coarsest_scales_finest_first(name, expected):
    trunk = build_backbone(name).eval()
    assert trunk.levels(3) == expected
    assert list(trunk.levels(1).items()) == list(expected.items())[-1:]
    with torch.no_grad():
        maps = trunk.maps(torch.rand(1, 3, 64, 96), expected)
    shapes = [tuple(found.shape[1:]) for found in maps.values()]
    assert shapes == [
        (depth, 64 // stride, 96 // stride)
        for depth, stride in zip(expected.values(), (8, 16, 32))
    ]
    with pytest.raises(ConfigError, match='levels'):
        trunk.levels(9)


def test_frozen_norms_keep_their_statistics_in_training():
    trunk = build_backbone('mobilenet_v3_small')
    trunk.freeze_norms()
    before = {name: value.clone() for name, value in trunk.named_buffers()}
    trunk.train()
    assert trunk.training
    trunk(torch.rand(2, 3, 64, 64))
    for name, value in trunk.named_buffers():
        assert torch.equal(value, before[name]), name


def test_every_backbone_the_readme_names_is_known():
    for name in ('googlenet', 'resnet18', 'resnet34', 'resnet50', 'mobilenet_v2'):
        assert name in BACKBONES
    assert {'mobilenet_v3_small', 'mobilenet_v3_large', 'efficientnet_b0'} <= set(BACKBONES)
    for name in BACKBONES:
        assert torchvision.models.get_model_weights(name).DEFAULT.url


def test_pixel_scale_is_that_of_torchvisions_weights():
    for name, backbone in BACKBONES.items():
        if name == 'googlenet':  # its weights expect -1 to 1, whatever their transform says
            assert (backbone.mean, backbone.std) == ((0.5,) * 3, (0.5,) * 3)
            continue
        transform = torchvision.models.get_model_weights(name).DEFAULT.transforms()
        assert (tuple(transform.mean), tuple(transform.std)) == (backbone.mean, backbone.std)


def test_half_precision_and_other_numbers_of_classes_load(tmp_path):
    classifier = randomised('mobilenet_v3_small', num_classes=365).half()
    torch.save({'state_dict': classifier.state_dict()}, tmp_path / 'places.pt')
    trunk = build_backbone('mobilenet_v3_small', tmp_path / 'places.pt')
    assert {value.dtype for value in trunk.parameters()} == {torch.float32}
    expected = classifier.state_dict()['features.0.0.weight'].float()
    assert torch.equal(trunk.state_dict()['features.0.0.weight'], expected)


def test_unknown_backbone_lists_the_known():
    with pytest.raises(ConfigError, match=r'vgg16.*googlenet'):
        build_backbone('vgg16')


def test_weights_of_another_architecture_are_refused_with_the_keys(tmp_path):
    torch.save(randomised('resnet18').state_dict(), tmp_path / 'weights.pt')
    with pytest.raises(ModelError, match=r'not weights of mobilenet_v2.*lacks features\.0'):
        build_backbone('mobilenet_v2', tmp_path / 'weights.pt')
    with pytest.raises(ModelError, match=r'not weights of resnet34.*lacks layer1\.2\.conv1'):
        build_backbone('resnet34', tmp_path / 'weights.pt')


class Foreign:
    def __reduce__(self):
        return os.system, ('echo pickled code ran',)


@pytest.mark.parametrize(
    ('write', 'message'),
    [
        (lambda path: path.write_bytes(b'nothing'), 'truncated, or not a plain state dict'),
        (lambda path: path.write_bytes(b''), 'truncated, or not a plain state dict'),
        (lambda path: torch.save(Foreign(), path), 'truncated, or not a plain state dict'),
        (lambda path: torch.save({'epoch': 3}, path), 'no state dict'),
        (lambda path: torch.save([1, 2], path), 'no state dict'),
    ],
)
def test_bad_weight_files_are_refused_in_one_line(tmp_path, write, message, capfd):
    path = tmp_path / 'weights.pt'
    write(path)
    with pytest.raises(ModelError, match=message) as caught:
        build_backbone('resnet18', path)
    assert '\n' not in str(caught.value)
    assert 'pickled code ran' not in capfd.readouterr().out


def test_truncated_weights_are_refused(tmp_path):
    path = tmp_path / 'weights.pt'
    torch.save(randomised('mobilenet_v3_small').state_dict(), path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ModelError, match='truncated'):
        build_backbone('mobilenet_v3_small', path)
    bad = tmp_path / 'weights.safetensors'
    save_file({'a': torch.zeros(100)}, bad)
    bad.write_bytes(bad.read_bytes()[:-40])
    with pytest.raises(ModelError, match='truncated'):
        build_backbone('mobilenet_v3_small', bad)


def test_missing_weight_file_names_the_choices():
    with pytest.raises(ModelError, match='--weights takes imagenet, none, or a file'):
        build_backbone('resnet18', Path('no') / 'such.pt')


def test_failed_download_names_the_flag(monkeypatch, tmp_path):
    def refuse(*_args, **_options):
        raise socket.gaierror(-2, 'Name or service not known')

    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    monkeypatch.setattr(socket, 'create_connection', refuse)
    with pytest.raises(ModelError, match=r'--weights FILE.*--weights none'):
        build_backbone('resnet18', 'imagenet')
