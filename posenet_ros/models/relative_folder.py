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

"""The folder of a network of relative poses: weights as safetensors, and a card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

from posenet_ros.errors import ConfigError, ModelError
from posenet_ros.files import read_yaml, write_yaml, written_whole
from posenet_ros.models.backbones import backbone_named, build_backbone
from posenet_ros.models.map_card import check_format
from posenet_ros.models.provenance import file_sha256
from posenet_ros.models.relative import RelativeArchitecture, RelativePoseNet
from posenet_ros.models.trunk_maps import TrunkMaps
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

RELATIVE_CARD, RELATIVE_WEIGHTS = 'relative.yaml', 'relative.safetensors'
FORMAT = 2
_KIND = 'posenet_ros relative poses'
_TRUNK, _NETWORK = 'trunk.', 'network.'


@dataclass(frozen=True)
class RelativeCard:
    """
    What a network of relative poses is made of, and what it has learned from.

    `level` is the trunk's scale that it compares, counted from the coarsest, 1, together with the
    coarser ones where `scales` is more than 1. `scenes` are those
    it has seen, by name, with how many images and the hash of their poses. `errors` are medians on
    pairs of scenes that it has not: degrees, and metres from where the camera should be.
    `training` has options, versions and date.
    """

    backbone: str
    level: int
    architecture: RelativeArchitecture
    scenes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    errors: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    scales: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be built."""
        backbone_named(self.backbone)
        if not isinstance(self.level, int) or self.level < 1:
            raise ConfigError(f'scales of a trunk are counted from 1, not {self.level!r}')
        if not isinstance(self.scales, int) or not 1 <= self.scales <= self.level:
            raise ConfigError(f'of level {self.level} and coarser there are not {self.scales!r}')

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for YAML; `from_dict` reads them back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RelativeCard:
        """Read what `to_dict` wrote; raise ModelError with one reason for what does not fit."""
        expected = {entry.name for entry in fields(cls)}
        if set(values) != expected:
            odd = ', '.join(sorted(set(values) ^ expected))
            raise ModelError(f'lacks or has unknown keys: {odd}')
        try:
            architecture = RelativeArchitecture(**values['architecture'])
            return cls(**{**values, 'architecture': architecture})
        except (TypeError, ConfigError) as error:
            raise ModelError(f'has values that do not fit: {error}') from error


class Relative(NamedTuple):
    """A trunk and the network that compares its maps, in evaluation mode, with their card."""

    trunk: TrunkMaps
    network: RelativePoseNet
    card: RelativeCard


def save_relative(folder: Path, relative: Relative) -> None:
    """
    Write weights and card into a folder, each whole.

    The card comes last and knows the weights by their hash: a folder with a card is complete.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = {
        prefix + key: value.detach().cpu().contiguous()
        for prefix, module in ((_TRUNK, relative.trunk.trunk), (_NETWORK, relative.network))
        for key, value in module.state_dict().items()
    }
    path = folder / RELATIVE_WEIGHTS
    with written_whole(path) as partial:
        save_file(state, partial)
        partial.chmod(0o644)  # safetensors makes files that only their owner can read
    told = {'kind': _KIND, 'format': FORMAT, 'weights_sha256': file_sha256(path)}
    write_yaml(folder / RELATIVE_CARD, {**told, **relative.card.to_dict()})


def load_relative(folder: Path) -> Relative:
    """
    Read a folder of relative poses, without pickle.

    Raises ModelError, one line, for what is missing, damaged, of another kind, altered, or of
    another format.
    """
    card, sha256 = _read_card(find_relative(folder))
    path = find_relative(folder) / RELATIVE_WEIGHTS
    if not path.is_file():
        raise ModelError(f'{path} is missing; copy the whole folder')
    if file_sha256(path) != sha256:
        raise ModelError(
            f'{path} is not the file that its {RELATIVE_CARD} describes (another SHA-256); copy '
            'the whole folder again'
        )
    try:
        state = load_file(path)
        trunk = TrunkMaps(build_backbone(card.backbone), card.level, card.scales)
        network = RelativePoseNet(card.architecture, trunk.channels)
        for prefix, module in ((_TRUNK, trunk.trunk), (_NETWORK, network)):
            own = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
            module.load_state_dict(own)
    except (SafetensorError, RuntimeError) as error:
        raise ModelError(f'{path} does not hold the weights of its {RELATIVE_CARD}') from error
    trunk.measure_cells()
    return Relative(trunk, network.eval(), card)


def find_relative(folder: Path) -> Path:
    """
    Return the folder that a path means: itself, or the one that `train-relative` left inside.

    Raises ModelError where there is none.
    """
    for each in (folder, folder / 'relative'):
        if (each / RELATIVE_CARD).is_file():
            return each
    if not folder.exists():
        raise ModelError(f'no weights of relative poses at {folder}: there is no such folder')
    raise ModelError(
        f'no weights of relative poses at {folder}: expected {RELATIVE_CARD} there '
        '(the --output of train-relative)'
    )


def check_relative(folder: Path) -> RelativeCard:
    """Return the card of weights; raise ModelError where there are none that can be used."""
    return _read_card(find_relative(folder))[0]


def _read_card(folder: Path) -> tuple[RelativeCard, str]:
    path = folder / RELATIVE_CARD
    values = read_yaml(path, ModelError)
    if values.pop('kind', None) != _KIND:
        raise ModelError(f'{path} is not the card of a network of relative poses')
    written, sha256 = values.pop('format', None), values.pop('weights_sha256', None)
    if not isinstance(written, int) or written < 1 or not isinstance(sha256, str):
        raise ModelError(f'{path} is damaged: its format is {written!r}')
    older = (
        'networks that do not tell how wrong they may be, which are used no more; make new '
        'weights with train-relative, and what was made by these anew with train --relative'
    )
    check_format(path, written, FORMAT, older)
    try:
        return RelativeCard.from_dict(values), sha256
    except ModelError as error:
        raise ModelError(f'{path} is damaged: {error}') from error
