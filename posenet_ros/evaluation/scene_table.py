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

"""The table of the PoseNet paper (figure 6) for one's own runs, published columns beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from posenet_ros.evaluation.metrics import ErrorSummary
from posenet_ros.evaluation.published import published
from posenet_ros.evaluation.table import degrees, metres

_HEADINGS = ('scene', 'train', 'test', 'extent', 'nearest image', 'PoseNet', 'dense')
_HEADINGS += ('nearest 2015', 'PoseNet 2015', 'dense 2015', 'PoseNet 2017')


@dataclass(frozen=True)
class SceneResult:
    """Medians (unit, deg) on the test frames of a scene, and the sides of the training box."""

    scene: str
    train: int
    test: int
    extent: tuple[float, float, float]
    unit: str
    nearest: tuple[float, float]
    posenet: tuple[float, float]
    dense: tuple[float, float] | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, with what was published."""
        return {**asdict(self), 'published': published(self.scene)._asdict()}


def medians(summary: ErrorSummary) -> tuple[float, float]:
    """Return the medians of a summary, in metres and degrees."""
    return summary.median_position_m, summary.median_orientation_deg


def scene_table(results: Sequence[SceneResult]) -> str:
    """Return the table in Markdown, which is read as it is too."""
    rows = [_HEADINGS, *(_row(result) for result in results)]
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = [
        '| ' + ' | '.join(f'{cell:<{width}}' for cell, width in zip(row, widths)) + ' |'
        for row in rows
    ]
    lines.insert(1, '|' + '|'.join('-' * (width + 2) for width in widths) + '|')
    return '\n'.join(lines)


def extent_text(sides: Sequence[float], unit: str) -> str:
    """Write the sides of a box, the longest first."""
    return ' x '.join(f'{side:.3g}' for side in sorted(sides, reverse=True)) + f' {unit}'


def _row(result: SceneResult) -> tuple[str, ...]:
    known = published(result.scene)
    own = (result.nearest, result.posenet, result.dense)
    others = (known.nearest, known.posenet_2015, known.dense_2015, known.posenet_2017)
    return (
        result.scene,
        str(result.train),
        str(result.test),
        extent_text(result.extent, result.unit),
        *(_cell(pair, result.unit) for pair in own),
        *(_cell(pair, 'm') for pair in others),
    )


def _cell(pair: tuple[float, float] | None, unit: str) -> str:
    return '' if pair is None else f'{metres(pair[0])} {unit}, {degrees(pair[1])} deg'
