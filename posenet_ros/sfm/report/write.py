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

"""The page about the labels of a run: report/labels.html."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import re

import numpy as np
from posenet_ros.files import write_text
from posenet_ros.reporting.page import embedded, rendered
from posenet_ros.sfm.process import run_stage
from posenet_ros.sfm.report.beside import Beside, checked_paths
from posenet_ros.sfm.report.coverage import coverage_figure
from posenet_ros.sfm.report.errors import errors_figure
from posenet_ros.sfm.report.loops import APART_S
from posenet_ros.sfm.report.motions import path_figure, residual_figure
from posenet_ros.sfm.report.overview import map_figure
from posenet_ros.sfm.report.result import LabelResult
from posenet_ros.sfm.report.samples import labelled_samples, rejected_samples
from posenet_ros.sfm.report.timeline import duration
from posenet_ros.sfm.summary import LabelSummary
from posenet_ros.sfm.workspace import Workspace

FOLDER = 'report'
PAGE = 'labels.html'
_TEMPLATE = 'sfm/report/labels.html.j2'
# So many points show a building; more make the page slow.
_MOST_POINTS = 20_000
_MOST_MODELS = 10

Picture = tuple[str, str, str]


def write_label_report(space: Workspace, summary: LabelSummary, result: LabelResult) -> Path:
    """
    Write `report/labels.html` of a run, which needs no other file, and return its path.

    The model must be in the map already (`sfm`), the frames in `capture`. Raises LabellingError
    where the model cannot be read.
    """
    timeline = result.timeline
    page = rendered(
        _TEMPLATE,
        title=f'Labels of {summary.recording}',
        subtitle=f'{summary.frames} frames, recorded '
        f'{timeline.period(timeline.begin_ns, timeline.end_ns)}',
        headline=_headline(summary, result),
        verdict=summary.verdict,
        remarks=[timeline.readable(remark) for remark in summary.remarks],
        summary=_rows(summary.text()),
        pictures=list(_pictures(space, summary, result)),
        models=_models(result),
        more_models=max(0, len(result.found.models) - 1 - _MOST_MODELS),
        rejected=rejected_samples(space, result),
        rejected_count=len(result.rejected),
        labelled=labelled_samples(space, result),
    )
    path = space.root / FOLDER / PAGE
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, page)
    return path


def _headline(summary: LabelSummary, result: LabelResult) -> list[tuple[str, str]]:
    figures = [
        (summary.verdict, 'verdict'),
        (f'{100 * summary.labelled / summary.frames:.1f} %', 'frames labelled'),
        (f'{summary.path_m:.1f} {result.unit}', 'length of the path'),
        (f'{summary.mean_error_px:.2f} px', 'mean reprojection error'),
    ]
    if summary.metric is not None:
        share = f'{100 * summary.metric.agreement:.0f} %'
        figures.append((share, f'motions agree with {summary.metric.reference}'))
    return figures


def _rows(text: str) -> list[tuple[str, str]]:
    """Return the lines of a summary as names and values, up to the verdict, which stands above."""
    rows = []
    for line in text.splitlines():
        name, value = re.fullmatch(r'(\S*)\s*(.*)', line).groups()
        if name == 'verdict':
            break
        rows.append((name, value))
    return rows


def _pictures(space: Workspace, summary: LabelSummary, result: LabelResult) -> Iterator[Picture]:
    """Yield heading, embedded image and how to read it, of each picture."""
    yield (
        'Coverage',
        embedded(coverage_figure(result)),
        'Each frame stands in the row of what became of it; grey is time without any frame, '
        'because the robot stood or no image was recorded. The longest time without a label is '
        f'{duration(summary.longest_gap_s)}, from '
        f'{result.timeline.readable(summary.longest_gap_from)}.',
    )
    points = run_stage(
        'points',
        log=space.log,
        title='drawing the map',
        unit='model',
        model=str(space.sfm),
        most=_MOST_POINTS,
    )
    yield (
        'Map from above',
        embedded(
            map_figure(
                result,
                np.array(points['positions'], dtype=np.float64).reshape(-1, 3),
                result.loops,
            )
        ),
        'Dots are labelled frames with some of the directions they look in, grey is what they '
        f'saw. A thin line joins two frames at least {APART_S:.0f} s apart that show the same '
        'things: these hold the map together. Where the path comes back to a place and has none, '
        'nothing makes sure that both passes fit.',
    )
    yield (
        'Reprojection errors',
        embedded(errors_figure(result, np.array(points['errors_px'], dtype=np.float64))),
        'How far the points of the map are from where the images show them: good labels have '
        'most of them below a pixel, and no stretch of time that stands out.',
    )
    yield from _motion_pictures(result)


def _motion_pictures(result: LabelResult) -> Iterator[Picture]:
    checked = checked_paths(result)
    if checked is None or result.reference is None:
        return
    name = result.reference.name
    yield (
        f'Motions beside {name}',
        embedded(residual_figure(*checked, result.timeline)),
        f'By how much each motion over half a second and a second differs from what {name} says, '
        'its even drift taken away. A motion agrees where both dots are below their bar.',
    )
    beside = Beside.of(result, *checked)
    if beside.drifts:
        length, apart = beside.drift()
        caption = (
            f'{name} drifts, so its path is not expected to stay on that of the labels: both '
            f'begin together, and over {length:.1f} m they come up to {apart:.2f} m apart. The '
            'labels take from it the length of a metre and which way is up, not the way.'
        )
    else:
        caption = (
            f'The labels are laid onto {name} as a whole. Where it leaves their path, the '
            'localizer jumped or was lost.'
        )
    yield f'Path beside {name}', embedded(path_figure(beside, result.timeline)), caption


def _models(result: LabelResult) -> list[tuple[str, int, str]]:
    """Return name, frames and time of the models, none where there is only one."""
    models = result.found.models
    if len(models) < 2:
        return []
    return [
        (
            'the map' if index == 0 else f'model {index + 1}',
            len(model),
            result.timeline.period(min(model), max(model)),
        )
        for index, model in enumerate(models[: 1 + _MOST_MODELS])
    ]
