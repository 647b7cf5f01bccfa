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

"""The table of an evaluation: a model beside its baselines, for a terminal and for the report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
import math

import numpy as np
from numpy.typing import NDArray
from posenet_ros.evaluation.baselines import MEAN_POSE, NEAREST_IMAGE
from posenet_ros.evaluation.evaluate import Evaluation
from posenet_ros.evaluation.metrics import ErrorSummary, PoseErrors, THRESHOLDS

TITLES = {MEAN_POSE: 'mean training pose', NEAREST_IMAGE: 'nearest training image'}


def headings(unit: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the groups of columns, with the columns of each, for lengths in a unit."""
    limits = tuple(f'{limit.metres:g} {unit}/{limit.degrees:g} deg' for limit in THRESHOLDS)
    return (
        ('median', (unit, 'deg')),
        ('95th percentile', (unit, 'deg')),
        ('share of all frames within', limits),
    )


def named_errors(evaluation: Evaluation, title: str) -> dict[str, PoseErrors]:
    """Return the errors of a localizer, by its title, and then those of the baselines."""
    baselines = {TITLES[name]: errors for name, errors in evaluation.baseline_errors.items()}
    confirmed = np.array(evaluation.verified, dtype=bool)
    kinds = {}
    if confirmed.any():
        kinds = {f'  verified ({confirmed.sum()})': evaluation.errors_of(confirmed)}
    if kinds and not confirmed.all():
        kinds[f'  not verified ({(~confirmed).sum()})'] = evaluation.errors_of(~confirmed)
    return {title: evaluation.errors, **kinds, **baselines}


def table_rows(evaluation: Evaluation, title: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield one row per method: its name and its cells, in the order of `headings`."""
    for name, errors in named_errors(evaluation, title).items():
        yield name, _cells(ErrorSummary.of(errors))


def text_table(evaluation: Evaluation, title: str) -> str:
    """Return the table for a terminal."""
    rows = list(table_rows(evaluation, title))
    groups_of_columns = headings(evaluation.unit)
    units = [unit for _, group in groups_of_columns for unit in group]
    widths = [
        max(len(unit), *(len(cells[column]) for _, cells in rows)) + 2
        for column, unit in enumerate(units)
    ]
    margin = max(len(name) for name, _ in rows)
    groups, column = ' ' * margin, 0
    for heading, group in groups_of_columns:
        columns = slice(column, column + len(group))
        widths[column] += max(len(heading) + 3 - sum(widths[columns]), 0)
        groups += f'{heading:>{sum(widths[columns])}}'
        column = columns.stop
    lines = [groups, _line('', margin, units, widths)]
    lines += [_line(name, margin, cells, widths) for name, cells in rows]
    return '\n'.join(lines)


def caption(evaluation: Evaluation, title: str) -> str:
    """Return the medians of a localizer on one line, and those of the baselines on the next."""
    first, *others = (
        f'{name} {cells[0]} {evaluation.unit}, {cells[1]} deg'
        for name, cells in table_rows(evaluation, title)
    )
    return f'{first} (medians of {len(evaluation.truth)} images)\n' + '; '.join(others)


def _line(name: str, margin: int, cells: Sequence[str], widths: Sequence[int]) -> str:
    return f'{name:<{margin}}' + ''.join(
        f'{cell:>{width}}' for cell, width in zip(cells, widths, strict=True)
    )


def _cells(summary: ErrorSummary) -> tuple[str, ...]:
    return (
        metres(summary.median_position_m),
        degrees(summary.median_orientation_deg),
        metres(summary.p95_position_m),
        degrees(summary.p95_orientation_deg),
        *(f'{100 * share:.1f} %' for share in summary.recall.values()),
    )


def spread(covariance: NDArray[np.float64], unit: str) -> str:
    """Return the standard deviations of a pose covariance (6, 6) along the axes that move most."""
    return usual_spread([covariance], unit)


def usual_spread(covariances: Sequence[NDArray[np.float64] | None], unit: str) -> str:
    """Return the medians of the same, of those that there are of several covariances (6, 6)."""
    variances_N6 = [np.diag(each) for each in covariances if each is not None]
    largest_N2 = [(each[:3].max(), each[3:].max()) for each in variances_N6]
    position, rotation = np.sqrt(np.median(largest_N2, axis=0))
    return f'{metres(position)} {unit}, {degrees(np.degrees(rotation))} deg'


def metres(value: float | None) -> str:
    """Write metres to the millimetre; an infinite error, None in files, as inf."""
    return 'inf' if value is None or not math.isfinite(value) else f'{value:.3f}'


def degrees(value: float | None) -> str:
    """Write degrees to the hundredth; an infinite error, None in files, as inf."""
    return 'inf' if value is None or not math.isfinite(value) else f'{value:.2f}'
