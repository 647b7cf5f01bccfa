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
The model folder of a place that is located in by relative poses: shared weights and a database.

    model.yaml                       the card
    relative.yaml, .safetensors      the weights that `train-relative` left, as they came
    place.safetensors                by what images of this place are told apart
    database/                        its images (see `models.database`)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import hashlib
import math
from pathlib import Path
import shutil
from typing import Any, NamedTuple

from posenet_ros.errors import ModelError
from posenet_ros.files import write_yaml
from posenet_ros.models.checkpoint import check_files, file_entry, put_in_place
from posenet_ros.models.database import DATABASE, Database, read_database
from posenet_ros.models.descriptor import PlaceFeature
from posenet_ros.models.folder import CARD, find_model_folder
from posenet_ros.models.map_card import check_format, MapCard, Measure, read_written
from posenet_ros.models.preprocessing import AMPLE
from posenet_ros.models.relative_folder import (
    load_relative,
    Relative,
    RELATIVE_CARD,
    RELATIVE_WEIGHTS,
)
from posenet_ros.models.trunk_maps import SIZE
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
import torch

FORMAT = 2
KIND = 'posenet_ros database'
PLACE = 'place.safetensors'


@dataclass(frozen=True, eq=False)
class DatabaseCard(MapCard):
    """
    Everything about a place that is located in by relative poses but for its files.

    An image is compared with `neighbours` others, no two of which are nearer to each other than
    `apart_m`. `fused` is how the covariances that come with fused poses may be trusted: as
    `covariance` and `trust`, but in units of those.
    """

    neighbours: int
    apart_m: float
    fused: Measure

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be meant."""
        super().__post_init__()
        whole = isinstance(self.neighbours, int) and not isinstance(self.neighbours, bool)
        if not (whole and 1 <= self.neighbours <= 100 and 0 <= self.apart_m < 100):
            raise ModelError(
                f'an image is compared with 1 to 100 others, at least 0 m apart, not '
                f'{self.neighbours!r}, {self.apart_m!r}'
            )

    @property
    def sees(self) -> WholeImage:
        """What the network looks at of an image."""
        return WholeImage()

    def own(self) -> dict[str, Any]:
        """Return how neighbours are chosen, and what their covariances are worth."""
        return {
            'neighbours': self.neighbours,
            'apart_m': self.apart_m,
            'fused': self.fused.to_dict(),
        }

    @staticmethod
    def own_from(values: Mapping[str, Any]) -> dict[str, Any]:
        """Read what `own` returns."""
        return {
            'neighbours': values['neighbours'],
            'apart_m': values['apart_m'],
            'fused': Measure.from_dict(values['fused']),
        }


class WholeImage:
    """All of an image, brought to one size."""

    def centre_box(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Return the whole image."""
        return 0.0, 0.0, float(width), float(height)

    def ample_size(self, width: int, height: int) -> tuple[int, int]:
        """Return to which size (width, height) an image may be reduced before."""
        return math.ceil(AMPLE * SIZE[0]), math.ceil(AMPLE * SIZE[1])


class RelativeMap(NamedTuple):
    """A place ready to be located in, on `device`; `files` are the names of what belongs to it."""

    relative: Relative
    place: PlaceFeature
    database: Database
    card: DatabaseCard
    device: torch.device
    folder: Path
    files: frozenset[str]


def made_by(relative: Relative, place: PlaceFeature) -> str:
    """Return the hash of what a database's images are described with."""
    told = hashlib.sha256(relative.trunk.sha256.encode())
    for state in (place.state_dict(), relative.network.describing):
        for name, value in sorted(state.items()):
            told.update(name.encode() + value.cpu().numpy().tobytes())
    return told.hexdigest()


def open_database(folder: Path, relative: Relative, place: PlaceFeature) -> Database:
    """Read the database of a model folder, or one that is being made; see `read_database`."""
    cells = relative.trunk.cells
    shape = relative.network.described_shape(*cells.shape)
    return read_database(folder, cells, shape, made_by(relative, place))


def save_place(folder: Path, place: PlaceFeature) -> None:
    """Write by what images are told apart."""
    state = {key: value.cpu().contiguous() for key, value in place.state_dict().items()}
    save_file(state, folder / PLACE)
    (folder / PLACE).chmod(0o644)  # safetensors makes files that only their owner can read


def save_relative_map(
    folder: Path,
    weights: Path,
    made: Path,
    card: DatabaseCard,
    others: tuple[Path, ...] = (),
) -> None:
    """
    Put a model folder together, whole or not at all; one of the same name is replaced.

    `weights` is the folder of the shared weights, and `made` one with database and place feature,
    which are moved.
    """
    partial = folder.with_name(f'.{folder.name}.partial')
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        copied = [weights / RELATIVE_CARD, weights / RELATIVE_WEIGHTS, made / PLACE, *others]
        for path in copied:
            shutil.copyfile(path, partial / path.name)
        files = {path.name: file_entry(path) for path in sorted(partial.iterdir())}
        (made / DATABASE).rename(partial / DATABASE)
        told = {'kind': KIND, 'format': FORMAT, 'files': files}
        write_yaml(partial / CARD, {**told, **card.to_dict()})
        put_in_place(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def is_relative_map(folder: Path) -> bool:
    """Tell whether a model folder is of relative poses; raise ModelError where it is none."""
    return read_written(find_model_folder(folder) / CARD).kind == KIND


def check_relative_map(folder: Path) -> tuple[DatabaseCard, dict[str, dict[str, Any]]]:
    """
    Return the card of a model folder, all of whose files are as it says but for the database's.

    Raises ModelError, one line, where one is missing, truncated or altered.
    """
    path = folder / CARD
    kind, written, files, values = read_written(path)
    if kind != KIND:
        raise ModelError(
            f'{folder} holds a PoseNet, and this asks a database: make one of the same recording '
            'by train --relative WEIGHTS'
        )
    older = (
        'a version whose databases kept more of images than they are compared by; remove this '
        'folder, give the same train command again, and add again what extend added'
    )
    check_format(path, written, FORMAT, older)
    try:
        card = DatabaseCard.from_dict(values)
    except ModelError as error:
        raise ModelError(f'{path} is damaged: {error}') from error
    for name in (RELATIVE_CARD, RELATIVE_WEIGHTS, PLACE):
        if name not in files:
            raise ModelError(f'{path} is damaged: it does not list {name}')
    check_files(folder, files)
    return card, files


def load_relative_map(folder: Path, device: str | torch.device = 'cpu') -> RelativeMap:
    """
    Read the model folder of a place, or the one of a run, without pickle.

    Raises ModelError, one line, for what is missing, damaged, altered, or newer.
    """
    folder = find_model_folder(folder)
    card, files = check_relative_map(folder)
    relative = load_relative(folder)
    place = PlaceFeature(relative.trunk.place_widths)
    try:
        place.load_state_dict(load_file(folder / PLACE))
    except (SafetensorError, RuntimeError) as error:
        raise ModelError(f'{folder / PLACE} does not go with the weights beside it') from error
    database = open_database(folder / DATABASE, relative, place)
    device = torch.device(device)
    relative.trunk.to(device)
    relative.network.to(device)
    return RelativeMap(
        relative, place.to(device), database, card, device, folder, frozenset(files)
    )
