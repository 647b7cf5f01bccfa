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

"""The model folder: weights as safetensors, a card, and the features of the training images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
import shutil
from typing import Any

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import ModelError
from posenet_ros.geometry import Camera
from posenet_ros.models.card import ModelCard, read_card, write_card
from posenet_ros.models.folder import CARD, find_model_folder, WEIGHTS
from posenet_ros.models.posenet import PoseNet
from posenet_ros.models.provenance import file_sha256
from safetensors import SafetensorError
from safetensors.numpy import load_file as load_arrays
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import load_file as load_tensors
from safetensors.torch import save_file as save_tensors
import torch

FEATURES = 'training_features.safetensors'


@dataclass(frozen=True, eq=False)
class TrainingFeatures:
    """
    What the N training images look like to the trunk, and when and where they were taken.

    `features_NK` float16, at most of unit length (see `PlaceFeature`), `positions_N3` float32 in
    metres in the map, `quaternions_wxyz_N4` float32 `map_from_camera`, `stamps_ns_N` int64.
    """

    features_NK: NDArray[np.float16]
    positions_N3: NDArray[np.float32]
    quaternions_wxyz_N4: NDArray[np.float32]
    stamps_ns_N: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """
    A model ready to answer, in evaluation mode, on `device`.

    `files` are the names of all that belongs to it in its folder.
    """

    model: PoseNet
    card: ModelCard
    features: TrainingFeatures | None
    device: torch.device
    folder: Path
    files: frozenset[str]


def save_model(
    folder: Path,
    model: PoseNet,
    card: ModelCard,
    features: TrainingFeatures | None = None,
    others: Sequence[Path] = (),
) -> None:
    """
    Write a model folder, whole or not at all; one of the same name is replaced.

    The auxiliary heads are left out: they serve training only. `others` are files that belong to
    the model, which are copied into its folder.
    """
    partial = folder.with_name(f'.{folder.name}.partial')
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        for other in others:
            shutil.copyfile(other, partial / other.name)
        _write_files(partial, model, card, features)
        put_in_place(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write_files(
    folder: Path, model: PoseNet, card: ModelCard, features: TrainingFeatures | None
) -> None:
    state = {
        key: value.detach().cpu().contiguous()
        for key, value in model.state_dict().items()
        if not key.startswith('auxiliary.')
    }
    save_tensors(state, folder / WEIGHTS)
    if features is not None:
        write_features(folder / FEATURES, features)
    written = {}
    for path in sorted(folder.iterdir()):
        path.chmod(0o644)  # safetensors makes files that only their owner can read
        written[path.name] = file_entry(path)
    write_card(folder / CARD, card, written)


def write_features(path: Path, features: TrainingFeatures) -> None:
    """Write what training images look like, and where and when they were taken."""
    arrays = {
        'features': features.features_NK.astype(np.float16),
        'positions': features.positions_N3.astype(np.float32),
        'quaternions_wxyz': features.quaternions_wxyz_N4.astype(np.float32),
        'stamps_ns': features.stamps_ns_N.astype(np.int64),
    }
    save_arrays({k: np.ascontiguousarray(v) for k, v in arrays.items()}, path)
    path.chmod(0o644)  # safetensors makes files that only their owner can read


def put_in_place(partial: Path, folder: Path) -> None:
    """
    Give a finished folder its name.

    An older one is moved aside first, since a rename cannot replace a folder that is not empty.
    """
    old = folder.with_name(f'.{folder.name}.old')
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    partial.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def file_entry(path: Path) -> dict[str, Any]:
    """Return what a card says of a file: its size and its hash."""
    return {'bytes': path.stat().st_size, 'sha256': file_sha256(path)}


def load_model(folder: Path, device: str | torch.device = 'cpu') -> LoadedModel:
    """
    Read a model folder, without pickle, and refuse what cannot be trusted.

    Takes the folder of a run as well. Raises ModelError, one line, for a folder or file that is
    missing, truncated, foreign or altered, for a card of a newer format, and for weights that
    do not fit the architecture in the card.
    """
    folder = find_model_folder(folder)
    card, files = check_model(folder)
    model = PoseNet(card.architecture, auxiliary=False)
    try:
        model.load_state_dict(load_tensors(folder / WEIGHTS))
    except (SafetensorError, RuntimeError) as error:
        raise ModelError(
            f'{folder / WEIGHTS} does not hold the weights of the {card.architecture.backbone} '
            f'in {CARD}'
        ) from error
    if model.scene is not None:
        model.set_camera(_camera_of(card, folder), card.preprocessing)
    features = read_features(folder / FEATURES) if FEATURES in files else None
    device = torch.device(device)
    return LoadedModel(model.eval().to(device), card, features, device, folder, frozenset(files))


def _camera_of(card: ModelCard, folder: Path) -> Camera:
    if card.camera is None:
        raise ModelError(
            f'{folder / CARD} does not tell the camera, without which a scene head makes no '
            'poses; train again'
        )
    return card.camera


def check_model(folder: Path) -> tuple[ModelCard, dict[str, dict[str, Any]]]:
    """
    Return what `read_card` does, for a model folder whose files are all as the card says.

    Raises ModelError, one line, where one is missing, truncated or altered.
    """
    card, files = read_card(folder / CARD)
    if WEIGHTS not in files:
        raise ModelError(f'{folder / CARD} is damaged: it does not list {WEIGHTS}')
    check_files(folder, files)
    return card, files


def check_files(folder: Path, files: Mapping[str, dict[str, Any]]) -> None:
    """Raise ModelError, one line, where a file is missing, truncated or altered."""
    for name, expected in files.items():
        _check(folder / name, expected)


def _check(path: Path, expected: dict[str, Any]) -> None:
    if not path.is_file():
        raise ModelError(f'{path} is missing; copy the whole model folder')
    size = path.stat().st_size
    if size < expected['bytes']:
        raise ModelError(
            f'{path} is truncated: {size} of {expected["bytes"]} bytes; copy the folder again'
        )
    if file_entry(path) != expected:
        raise ModelError(
            f'{path} is not the file that its {CARD} describes (another SHA-256); copy the '
            'whole folder again, or train again'
        )


def read_features(path: Path) -> TrainingFeatures:
    """Read what `write_features` wrote; raise ModelError for what it did not."""
    try:
        arrays = load_arrays(path)
        features, positions = arrays['features'], arrays['positions']
        quaternions, stamps_ns = arrays['quaternions_wxyz'], arrays['stamps_ns']
    except (SafetensorError, KeyError) as error:
        raise ModelError(f'{path} does not hold the features of training images') from error
    count = len(features)
    shapes = (positions.shape, quaternions.shape, stamps_ns.shape)
    if features.ndim != 2 or shapes != ((count, 3), (count, 4), (count,)):
        raise ModelError(f'{path} is damaged: its arrays do not belong together')
    return TrainingFeatures(features, positions, quaternions, stamps_ns)
