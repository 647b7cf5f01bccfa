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

"""What a person and the node must know about a model of a map, whatever answers by it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from posenet_ros.errors import ConfigError, GeometryError, ModelError
from posenet_ros.files import read_yaml
from posenet_ros.geometry import Camera
from posenet_ros.models.trust import Trust


@dataclass(frozen=True, eq=False)
class Measure:
    """The covariance (6, 6) of a method's poses, and how it may be trusted: see `ModelCard`."""

    covariance: NDArray[np.float64]
    trust: Trust

    def __post_init__(self) -> None:
        """Refuse what is no covariance."""
        object.__setattr__(self, 'covariance', _checked(self.covariance))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for YAML; `from_dict` reads them back."""
        return {'covariance': self.covariance.tolist(), 'trust': self.trust.to_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Measure:
        """Read what `to_dict` wrote; raise ModelError for keys or values that do not fit."""
        if set(values) != {'covariance', 'trust'}:
            raise ModelError(f'a measure has a covariance and trust, not {sorted(values)}')
        return cls(values['covariance'], Trust.from_dict(values['trust']))

    @classmethod
    def read(cls, values: Mapping[str, Any] | None) -> Measure | None:
        """Read what `to_dict` wrote, or that nothing was measured."""
        return None if values is None else cls.from_dict(values)


class Sees(Protocol):
    """Which part of an image of some size a model looks at, and how sharply."""

    def centre_box(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Return what it looks at: left, top, right, bottom, from the edge of the first pixel."""
        ...

    def ample_size(self, width: int, height: int) -> tuple[int, int]:
        """Return to which size (width, height) an image may be reduced before."""
        ...


@dataclass(frozen=True, eq=False, kw_only=True)
class MapCard(ABC):
    """
    What is known of a model but for how it answers.

    `camera` took the training images, None where that is unknown. `extent` is the box of the
    training camera positions in the map, two rows (low, high). `metric` is false where the map
    has no metres, since the labels had no reference: every length of the model is then in units
    of the map. `map_frame` is the localizer's, where the labels are in its map, which
    `training['poses']` then tells. `training` says where the model comes from: source,
    recordings, poses, hashes, frames, options, package versions, date. `errors` holds the
    held-out errors beside the baselines'.
    `covariance` (6, 6) is what the held-out residuals support, x y z rotX rotY rotZ about the
    fixed axes of the map, in metres and radians; None until it was measured. `trust` says how it
    grows with the novelty of an image, and which images are refused; None where nothing is known
    of novelty. All these are of the model's own poses; `retrieval` has the same of those of the
    training images that look most alike, None where that was not measured.
    """

    camera: Camera | None
    extent: NDArray[np.float64]
    map_frame: str = 'map'
    metric: bool = True
    training: Mapping[str, Any] = field(default_factory=dict)
    errors: Mapping[str, Any] = field(default_factory=dict)
    covariance: NDArray[np.float64] | None = None
    trust: Trust | None = None
    retrieval: Measure | None = None

    def __post_init__(self) -> None:
        """Check shapes, and that the covariance is one."""
        extent = np.asarray(self.extent, dtype=np.float64)
        if extent.shape != (2, 3) or not np.isfinite(extent).all():
            raise ModelError(f'the extent of a model is two rows of x y z, got {extent.tolist()}')
        object.__setattr__(self, 'extent', extent)
        if not isinstance(self.metric, bool):
            raise ModelError(f'metric is true or false for a model, got {self.metric!r}')
        if self.covariance is not None:
            object.__setattr__(self, 'covariance', _checked(self.covariance))

    @property
    @abstractmethod
    def sees(self) -> Sees:
        """What the model looks at of an image."""

    @abstractmethod
    def own(self) -> dict[str, Any]:
        """Return plain values of what a kind of model adds; `own_from` reads them back."""

    @staticmethod
    @abstractmethod
    def own_from(values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields that a kind of model adds; raises what `from_dict` makes a line of."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for YAML; `from_dict` reads them back."""
        return {
            **self.own(),
            'camera': self.camera and self.camera.to_dict(),
            'map_frame': self.map_frame,
            'metric': self.metric,
            'extent': self.extent.tolist(),
            'errors': dict(self.errors),
            'covariance': None if self.covariance is None else self.covariance.tolist(),
            'trust': self.trust and self.trust.to_dict(),
            'retrieval': self.retrieval and self.retrieval.to_dict(),
            'training': dict(self.training),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> MapCard:
        """Read what `to_dict` wrote; raise ModelError with one reason for what does not fit."""
        expected = {entry.name for entry in fields(cls)}
        if set(values) != expected:
            odd = ', '.join(sorted(set(values) ^ expected))
            raise ModelError(f'lacks or has unknown keys: {odd}')
        try:
            return cls(
                **cls.own_from(values),
                camera=values['camera'] and Camera.from_dict(values['camera']),
                extent=np.array(values['extent'], dtype=np.float64),
                map_frame=str(values['map_frame']),
                metric=values['metric'],
                training=dict(values['training']),
                errors=dict(values['errors']),
                covariance=values['covariance'],
                trust=values['trust'] and Trust.from_dict(values['trust']),
                retrieval=Measure.read(values['retrieval']),
            )
        except (TypeError, ValueError, GeometryError, ConfigError) as error:
            raise ModelError(f'has values that do not fit: {error}') from error


class Written(NamedTuple):
    """A card's file: what kind of model it is of, its format, its files, and all else in it."""

    kind: str
    format: int
    files: dict[str, dict[str, Any]]
    values: dict[str, Any]


def read_written(path: Path) -> Written:
    """
    Return what is in a card's file, of whatever kind of model.

    Raises ModelError with one line for one that is damaged, or of something else.
    """
    values = read_yaml(path, ModelError)
    kind = values.pop('kind', None)
    if not isinstance(kind, str) or not kind.startswith('posenet_ros '):
        raise ModelError(f'{path} is not the card of a posenet_ros model')
    written = values.pop('format', None)
    if not isinstance(written, int) or written < 1:
        raise ModelError(f'{path} is damaged: its format is {written!r}')
    files = values.pop('files', None)
    if not isinstance(files, dict) or not all(
        isinstance(entry, dict) and {'bytes', 'sha256'} == set(entry) for entry in files.values()
    ):
        raise ModelError(f'{path} is damaged: it does not list the files of the model')
    return Written(kind, written, files, values)


def check_format(
    path: Path, written: int, known: int, older: str, *, oldest: int | None = None
) -> None:
    """
    Refuse a card of another format than is known, or from the `oldest` to that.

    `older` is what is to be said of an older one.
    """
    if written < (oldest or known):
        raise ModelError(f'{path} has format {written}, of {older}')
    if written > known:
        raise ModelError(
            f'{path} has format {written}, newer than the {known} this version reads; '
            'update posenet_ros'
        )


def _checked(covariance: ArrayLike) -> NDArray[np.float64]:
    matrix = np.asarray(covariance, dtype=np.float64)
    sound = matrix.shape == (6, 6) and bool(np.isfinite(matrix).all())
    if not (sound and np.allclose(matrix, matrix.T) and np.linalg.eigvalsh(matrix).min() > 0):
        raise ModelError('the covariance of a model is 6x6, symmetric, and positive')
    return matrix
