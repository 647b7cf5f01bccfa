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

"""What was imported, on one screen, and kept beside the labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from posenet_ros.data.origin import SUMMARY
from posenet_ros.errors import CaptureError
from posenet_ros.files import read_yaml, write_yaml

_TIMES = {
    'rgb.txt': 'as rgb.txt lists them',
    'names': 'by their names',
    'order': 'not known: one second apart in order of their names',
}


@dataclass(frozen=True)
class ImportSummary:
    """
    The figures of one import; lengths are in metres where it is `metric`.

    `rejected` counts images by kind of reason, `times` is what told theirs (see `Times`), and
    `points` those of a COLMAP model, None for a trajectory.
    """

    poses: str
    images: str
    options: Mapping[str, Any]
    times: str
    labelled: int
    rejected: Mapping[str, int]
    extent: Sequence[float]
    camera: str
    points: int | None
    metric: bool

    def text(self) -> str:
        """Return one screen for a person."""
        unit = 'm' if self.metric else 'units'
        rejected = [('rejected', f'{count}: {kind}') for kind, count in self.rejected.items()]
        model = [] if self.points is None else [('model', f'{self.points} points')]
        rows = [
            ('poses', self.poses),
            ('images', self.images),
            ('times', _TIMES[self.times]),
            ('labelled', f'{self.labelled} of {self.labelled + sum(self.rejected.values())}'),
            *rejected,
            ('extent', ' x '.join(f'{length:.1f}' for length in self.extent) + f' {unit}'),
            *model,
            ('camera', self.camera),
            ('scale', 'metres' if self.metric else 'units of their own, not metres'),
        ]
        return '\n'.join(f'{name:<8}  {value}' for name, value in rows)

    def write(self, capture: Path) -> None:
        """Keep it in a capture."""
        write_yaml(capture / SUMMARY, asdict(self))

    @classmethod
    def read(cls, capture: Path) -> ImportSummary:
        """Read what `write` kept; raise CaptureError for anything else."""
        values = read_yaml(capture / SUMMARY, CaptureError)
        if set(values) != {field.name for field in fields(cls)}:
            raise CaptureError(f'{capture / SUMMARY} is not the summary of an import')
        return cls(**values)
