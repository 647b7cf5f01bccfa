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

"""The card of a PoseNet: its architecture, and all that is known of its map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from posenet_ros.errors import ModelError
from posenet_ros.files import write_yaml
from posenet_ros.models.architecture import Architecture
from posenet_ros.models.map_card import check_format, MapCard, Measure, read_written
from posenet_ros.models.preprocessing import Preprocessing

# Raised when an older reader would misunderstand a newer card, or a newer one an older card.
FORMAT = 6
# The oldest that can be read: there, no pose of a scene head has a covariance of its own.
_OLDEST = 5
KIND = 'posenet_ros model'
# What cards do not tell of networks from before it could be chosen.
_EARLIER = {'place_width': 256}


@dataclass(frozen=True, eq=False)
class ModelCard(MapCard):
    """
    Everything about a PoseNet that is not a weight.

    `cells` is how the covariances that come with poses of a scene head may be trusted: as
    `covariance` and `trust`, but in units of those. None of other heads, and where it was not
    measured.
    """

    architecture: Architecture
    preprocessing: Preprocessing
    cells: Measure | None = None

    @property
    def sees(self) -> Preprocessing:
        """What the network looks at of an image."""
        return self.preprocessing

    def own(self) -> dict[str, Any]:
        """Return what a PoseNet is made of, and fed with, and what its covariances are worth."""
        return {
            'architecture': asdict(self.architecture),
            'preprocessing': self.preprocessing.to_dict(),
            'cells': self.cells and self.cells.to_dict(),
        }

    @staticmethod
    def own_from(values: Mapping[str, Any]) -> dict[str, Any]:
        """Read what `own` returns."""
        return {
            'architecture': Architecture(**{**_EARLIER, **values['architecture']}),
            'preprocessing': Preprocessing.from_dict(values['preprocessing']),
            'cells': Measure.read(values['cells']),
        }


def write_card(path: Path, card: ModelCard, files: Mapping[str, Any]) -> None:
    """Write `model.yaml`: the format, what the files of the model weigh, and the card."""
    write_yaml(path, {'kind': KIND, 'format': FORMAT, 'files': dict(files), **card.to_dict()})


def read_card(path: Path) -> tuple[ModelCard, dict[str, dict[str, Any]]]:
    """
    Return the card and, by file name, size and SHA-256 of the files that belong to it.

    Raises ModelError with one line for a card that is damaged, of something else, or of another
    format.
    """
    kind, written, files, values = read_written(path)
    if kind != KIND:
        raise ModelError(
            f'{path} is the card of a {kind.partition(" ")[2]}, and this is for a PoseNet; '
            'evaluate and the node take either'
        )
    older = (
        'a version that did not know how wrong poses are in a hole of the map; remove this folder '
        'and give the same train command again, which keeps the labels'
    )
    check_format(path, written, FORMAT, older, oldest=_OLDEST)
    if written < FORMAT:
        values.setdefault('cells', None)
    try:
        return ModelCard.from_dict(values), files
    except ModelError as error:
        raise ModelError(f'{path} is damaged: {error}') from error
