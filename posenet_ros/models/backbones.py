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

"""Image trunks: torchvision's classifiers without their classification layers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
import pickle
import socket

from posenet_ros.errors import ConfigError, ModelError
from posenet_ros.models.zoo import torchvision
import safetensors
import safetensors.torch
import torch
from torch import nn, Tensor

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
_HALF = (0.5, 0.5, 0.5)
# What torch raises for files that are not its own; its unpickler trips over whatever it meets.
_UNREADABLE = (RuntimeError, EOFError, ValueError, LookupError, TypeError, pickle.PickleError)
# What comes after the last feature map in torchvision's classifiers.
_HEADS = ('avgpool', 'dropout', 'fc', 'classifier', 'aux1', 'aux2')


@dataclass(frozen=True)
class Backbone:
    """
    One architecture: the pixel scale that its ImageNet weights expect, and where heads attach.

    `taps` names the layers whose output feeds an auxiliary head in training, with their
    channels.
    """

    name: str
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    taps: tuple[tuple[str, int], ...] = ()


def _backbones() -> dict[str, Backbone]:
    plain = ['resnet18', 'resnet34', 'resnet50', 'mobilenet_v2']
    plain += ['mobilenet_v3_small', 'mobilenet_v3_large']
    plain += [f'efficientnet_b{size}' for size in range(8)]
    plain += ['efficientnet_v2_s', 'efficientnet_v2_m']
    known = [
        # torchvision's GoogLeNet weights come from TensorFlow and expect pixels from -1 to 1;
        # its own class rescales ImageNet-normalised input only when it loads them by itself.
        # Szegedy et al. 2015 attach the auxiliary classifiers after blocks 4a and 4d.
        Backbone('googlenet', _HALF, _HALF, (('inception4a', 512), ('inception4d', 528))),
        *(Backbone(name) for name in plain),
        Backbone('efficientnet_v2_l', _HALF, _HALF),
    ]
    return {backbone.name: backbone for backbone in known}


BACKBONES = _backbones()


class Trunk(nn.Sequential):
    """
    The layers of a classifier up to its last feature map, under torchvision's own names.

    `channels` is the depth of that map.
    """

    def __init__(self, layers: Mapping[str, nn.Module], channels: int, backbone: Backbone) -> None:
        """Chain the layers in their order."""
        super().__init__(OrderedDict(layers))
        self.channels = channels
        self.backbone = backbone
        self._norms_frozen = False

    def maps(self, image_B3HW: Tensor, names: Collection[str]) -> dict[str, Tensor]:
        """
        Return feature maps (B, C, h, w) by name: of `levels`, and of the backbone's taps.

        Layers after the last of them are left out.
        """
        found = {}
        value = image_B3HW
        for name, step in self._steps():
            if len(found) == len(names):
                break
            value = step(value)
            if name in names:
                found[name] = value
        return found

    def levels(self, count: int) -> dict[str, int]:
        """
        Return the last steps at the `count` coarsest scales with their channels, finest first.

        A trunk halves the image five times; the last step before it halves again has seen most
        at that scale. Raises ConfigError for more scales than there are.
        """
        found: dict[tuple[int, int], tuple[str, int]] = {}
        was_training = self.training
        self.eval()
        with torch.no_grad():
            value = torch.zeros(1, 3, 64, 64)
            for name, step in self._steps():
                value = step(value)
                found[tuple(value.shape[2:])] = (name, value.shape[1])
        self.train(was_training)
        if count > len(found):
            raise ConfigError(f'{self.backbone.name} has {len(found)} levels, not {count}')
        return dict(list(found.values())[-count:])

    def freeze_norms(self) -> None:
        """Let batch norms use the statistics they came with, from now on and in training too."""
        self._norms_frozen = True
        self.train(self.training)

    def train(self, mode: bool = True) -> Trunk:
        """Set training or evaluation mode; norms that are frozen stay in the latter."""
        super().train(mode)
        if self._norms_frozen:
            for module in self.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        return self

    def _steps(self) -> Iterator[tuple[str, nn.Module]]:
        """Yield the layers by name; those of a sequence one by one."""
        for name, child in self.named_children():
            if isinstance(child, nn.Sequential):
                yield from ((f'{name}.{inner}', step) for inner, step in child.named_children())
            else:
                yield name, child


def backbone_named(name: str) -> Backbone:
    """Return a backbone by torchvision's name; raise ConfigError that lists the known ones."""
    if name not in BACKBONES:
        raise ConfigError(f'unknown backbone {name!r}; known are {", ".join(BACKBONES)}')
    return BACKBONES[name]


def build_backbone(name: str, weights: str | Path = 'none') -> Trunk:
    """
    Build a trunk; `weights` is `imagenet` (downloaded by torchvision), `none`, or a file.

    A file holds the state dict of a classifier of this architecture, as torch.save (read
    without running pickled code) or safetensors, in any precision and for any number of
    classes. Raises ConfigError for an unknown name, ModelError for weights that cannot be had,
    read, or that belong to another architecture.
    """
    backbone = backbone_named(name)
    extra = {'init_weights': True} if name == 'googlenet' else {}
    classifier = torchvision.models.get_model(name, weights=None, **extra)
    kept = [(key, child) for key, child in classifier.named_children() if key not in _HEADS]
    head = next(child for key, child in classifier.named_children() if key in _HEADS[2:4])
    linear = next(module for module in head.modules() if isinstance(module, nn.Linear))
    trunk = Trunk(dict(kept), linear.in_features, backbone)
    if str(weights) == 'imagenet':
        _load(trunk, _downloaded(name), "torchvision's weights")
    elif str(weights) != 'none':
        _load(trunk, _read(Path(weights)), str(weights))
    return trunk


def _load(trunk: Trunk, state: Mapping[str, Tensor], origin: str) -> None:
    """Copy a classifier's weights into the trunk; refuse those of another architecture."""
    own = trunk.state_dict()
    missing = [key for key in own if key not in state and not key.endswith('num_batches_tracked')]
    foreign = [key for key in state if key not in own and key.split('.')[0] not in _HEADS]
    misfits = [key for key in own if key in state and state[key].shape != own[key].shape]
    faults = {'lacks': missing, 'has unknown': foreign, 'has another shape of': misfits}
    told = [f'{what} {_listed(keys)}' for what, keys in faults.items() if keys]
    if told:
        raise ModelError(
            f'{origin} are not weights of {trunk.backbone.name}: it {", ".join(told)}; '
            'give the matching --backbone, another file, or --weights none'
        )
    used = {
        key: value.float() if value.is_floating_point() else value
        for key, value in state.items()
        if key in own
    }
    trunk.load_state_dict({**own, **used})


def _listed(keys: list[str]) -> str:
    more = f' and {len(keys) - 2} more' if len(keys) > 2 else ''
    return ', '.join(keys[:2]) + more


def _read(path: Path) -> dict[str, Tensor]:
    """Read a state dict from safetensors or from torch.save, without running pickled code."""
    if not path.is_file():
        raise ModelError(f'no weights file {path}; --weights takes imagenet, none, or a file')
    try:
        if path.suffix == '.safetensors':
            return safetensors.torch.load_file(path)
        state = torch.load(path, map_location='cpu', weights_only=True)
    except (*_UNREADABLE, safetensors.SafetensorError) as error:
        raise ModelError(
            f'cannot read weights from {path}: it is truncated, or not a plain state dict '
            '(torch.save of tensors by name, or safetensors)'
        ) from error
    if isinstance(state, Mapping) and isinstance(state.get('state_dict'), Mapping):
        state = state['state_dict']
    if not isinstance(state, Mapping) or not all(isinstance(v, Tensor) for v in state.values()):
        raise ModelError(f'{path} holds no state dict: expected tensors by name')
    return {key.removeprefix('module.'): value for key, value in state.items()}


def _downloaded(name: str) -> Mapping[str, Tensor]:
    """Fetch torchvision's weights, from its cache where they are there already."""
    weights = torchvision.models.get_model_weights(name).DEFAULT
    patience = socket.getdefaulttimeout()
    # torch.hub waits without end for a host that does not answer.
    socket.setdefaulttimeout(20.0)
    try:
        return weights.get_state_dict(progress=True, check_hash=True)
    except (OSError, HTTPException, RuntimeError, EOFError) as error:
        raise ModelError(
            f'cannot get the ImageNet weights of {name} from {weights.url} ({error}); give '
            'them as --weights FILE, or train from scratch with --weights none'
        ) from error
    finally:
        socket.setdefaulttimeout(patience)
