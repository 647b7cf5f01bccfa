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

"""One page that shows how good a model is: report.html, with metrics.json beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
import json
from pathlib import Path
from typing import Any

from posenet_ros.evaluation.evaluate import Evaluation
from posenet_ros.evaluation.plots import (
    cumulative_figure,
    map_figure,
    time_figure,
    training_figure,
)
from posenet_ros.evaluation.table import degrees, headings, metres, named_errors, table_rows
from posenet_ros.files import write_text
from posenet_ros.geometry import Pose
from posenet_ros.reporting.page import embedded, rendered

PAGE = 'report.html'
FIGURES = 'metrics.json'
_TEMPLATE = 'evaluation/report.html.j2'


def write_report(
    folder: Path,
    evaluation: Evaluation,
    *,
    title: str,
    subtitle: str,
    method: str = 'PoseNet',
    training_poses: Sequence[Pose] = (),
    history: Sequence[Mapping[str, float]] = (),
    facts: Mapping[str, Mapping[str, Any]] | None = None,
    links: Sequence[tuple[str, str]] = (),
    metrics: Mapping[str, Any] | None = None,
) -> Path:
    """
    Write `report.html`, which needs no other file, and `metrics.json`; return the page's path.

    `method` is what the tables call the localizer. `training_poses` are drawn into the map.
    `history` has a mapping for each epoch of training. `facts` are further tables, by heading:
    where the model comes from, how its labels were made; nested mappings are flattened.
    `links` are names and addresses of pages beside this one. `metrics` go into the file in place
    of the evaluation's own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    page = rendered(
        _TEMPLATE,
        title=title,
        subtitle=subtitle,
        links=links,
        headline=_headline(evaluation),
        headings=headings(evaluation.unit),
        rows=list(table_rows(evaluation, method)),
        pictures=list(_pictures(evaluation, method, training_poses, history)),
        sections=[(name, list(_flat(values))) for name, values in (facts or {}).items()],
    )
    write_text(folder / PAGE, page)
    write_metrics(folder / FIGURES, evaluation.to_dict() if metrics is None else metrics)
    return folder / PAGE


def write_metrics(path: Path, metrics: Mapping[str, Any]) -> None:
    """Write figures as JSON; infinite ones must be None already, since JSON has no infinity."""
    write_text(path, json.dumps(metrics, indent=2, allow_nan=False) + '\n')


def _headline(evaluation: Evaluation) -> list[tuple[str, str]]:
    summary = evaluation.summary
    return [
        (f'{metres(summary.median_position_m)} {evaluation.unit}', 'median position error'),
        (f'{degrees(summary.median_orientation_deg)}°', 'median orientation error'),
        (f'{100 * summary.localized_share:.1f} %', 'frames with an answer'),
        (f'{summary.frames}', 'frames asked'),
    ]


def _pictures(
    evaluation: Evaluation,
    method: str,
    training_poses: Sequence[Pose],
    history: Sequence[Mapping[str, float]],
) -> Iterator[tuple[str, str, str]]:
    """Yield heading, embedded image and caption of each picture."""
    yield (
        'Map from above',
        embedded(
            map_figure(training_poses, evaluation.truth, evaluation.estimates, evaluation.unit)
        ),
        'Each line joins an estimate to its truth.',
    )
    yield (
        'Cumulative errors',
        embedded(cumulative_figure(named_errors(evaluation, method), evaluation.unit)),
        'Share of all frames with at most this error; further left and higher is better.',
    )
    yield (
        'Errors over time',
        embedded(time_figure(evaluation.stamps_ns, evaluation.errors, evaluation.unit)),
        'Errors that come in runs belong to a place that training saw too little of.',
    )
    if history:
        curves = embedded(training_figure(history, evaluation.unit))
        yield ('Training curves', curves, 'What training logged.')


def _flat(values: Mapping[str, Any], prefix: str = '') -> Iterator[tuple[str, str]]:
    """Yield the leaves of nested mappings as rows, their names joined by a dot."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f'{prefix}{name}.')
        else:
            yield f'{prefix}{name}', str(value)
