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

"""By which engines a model's errors were measured, and what they were: `engines.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import math
from pathlib import Path
from typing import Any, NamedTuple

from posenet_ros.engines.names import EAGER
from posenet_ros.errors import ModelError
from posenet_ros.files import read_yaml, write_yaml
from posenet_ros.models.folder import WEIGHTS
from posenet_ros.models.provenance import file_sha256

EVIDENCE = 'engines.yaml'
# A median may grow by so much for being computed in half precision.
MOST_WORSE = 0.02
_KIND = 'posenet_ros engines'


class Medians(NamedTuple):
    """Median errors on frames that were not trained on; infinite where most have no answer."""

    position_m: float
    orientation_deg: float


@dataclass(frozen=True)
class Evidence:
    """
    Median errors by engine, over the same `frames` frames of `source`.

    `weights_sha256` are the weights they are of; `medians` has those of `eager` too, which the
    others are compared with.
    """

    weights_sha256: str
    source: str
    frames: int
    medians: Mapping[str, Medians]

    def worse(self, name: str) -> float:
        """Return by which share an engine's worse median is above that of `eager`."""
        pairs = zip(self.medians[name], self.medians[EAGER], strict=True)
        shares = [value / max(usual, 1e-9) - 1 for value, usual in pairs]
        return math.inf if any(map(math.isnan, shares)) else max(shares)

    def keeps(self, name: str) -> bool:
        """Tell whether an engine keeps the model's errors."""
        return name in self.medians and self.worse(name) <= MOST_WORSE

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for YAML; `read_evidence` reads them back."""
        return {
            'weights_sha256': self.weights_sha256,
            'source': self.source,
            'frames': self.frames,
            'medians': {name: dict(each._asdict()) for name, each in self.medians.items()},
        }


def write_evidence(folder: Path, evidence: Evidence) -> None:
    """Keep evidence in a model folder."""
    write_yaml(folder / EVIDENCE, {'kind': _KIND, **evidence.to_dict()})


def read_evidence(folder: Path) -> Evidence | None:
    """Return what was measured of the weights in a model folder; None where nothing was."""
    path = folder / EVIDENCE
    if not path.is_file():
        return None
    values = read_yaml(path, ModelError)
    try:
        medians = {name: Medians(**each) for name, each in values['medians'].items()}
        found = Evidence(values['weights_sha256'], values['source'], values['frames'], medians)
        found.worse(EAGER)
    except (AttributeError, KeyError, TypeError) as error:
        raise ModelError(f'{path} is damaged: remove it, and run `export` again') from error
    return found if found.weights_sha256 == file_sha256(folder / WEIGHTS) else None


def checked_engines(folder: Path) -> frozenset[str]:
    """Return the engines by which the model in a folder is known to keep its errors."""
    evidence = read_evidence(folder)
    return frozenset(filter(evidence.keeps, evidence.medians)) if evidence else frozenset()
