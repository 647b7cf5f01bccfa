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

"""The summary of a labelling as one screen of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TYPE_CHECKING

if TYPE_CHECKING:
    from posenet_ros.sfm.summary import LabelSummary, MetricSummary


def screen(summary: LabelSummary) -> str:
    """Return one screen for a person: the figures, and the verdict with its remarks."""
    rows = [*_map_rows(summary), *_metric_rows(summary.metric), *_closing_rows(summary)]
    width = max(len(name) for name, _ in rows)
    return '\n'.join(f'{name:<{width}}  {value}' for name, value in rows)


def _map_rows(summary: LabelSummary) -> list[tuple[str, str]]:
    unit = 'm' if summary.metric else 'units'
    extent = ' x '.join(f'{length:.1f}' for length in summary.extent_m)
    left_out = [f'{summary.still} as before'] if summary.still else []
    left_out += [f'{summary.damaged} damaged'] if summary.damaged else []
    passed = f' (left out: {", ".join(left_out)})' if left_out else ''
    known = summary.known_focal_px
    camera = 'self-calibrated' if known is None else f'CameraInfo says {known:.1f}'
    rows = [
        ('recording', summary.recording),
        ('frames', f'{summary.frames} of {summary.images} images{passed}'),
        ('labelled', f'{summary.labelled} ({summary.labelled / summary.frames:.1%})'),
        *(('rejected', f'{count}: {reason}') for reason, count in summary.rejected.items()),
    ]
    rows += [('apart', f'another model: {model}') for model in summary.models[1:4]]
    if len(summary.models) > 4:
        rows.append(('', f'and {len(summary.models) - 4} smaller ones'))
    if len(summary.recordings) > 1:
        rows += [
            ('', f'{labelled} of {chosen} frames of {name}')
            for name, (labelled, chosen) in summary.recordings.items()
        ]
    parted = f'; {summary.parted} pairs that only look alike are parted' if summary.parted else ''
    rows += [
        ('path', f'{summary.path_m:.1f} {unit} through {extent} {unit}'),
        (
            'map',
            f'{summary.points} points, seen in {summary.mean_track_length:.1f} frames each, '
            f'reprojection error {summary.mean_error_px:.2f} px, {summary.mapper} mapper',
        ),
        ('loops', f'{summary.seen_again:.0%} of the frames show a place again{parted}'),
        ('camera', f'focal length {summary.focal_px:.1f} px ({camera})'),
    ]
    return rows


def _metric_rows(metric: MetricSummary | None) -> list[tuple[str, str]]:
    if metric is None:
        return [('scale', 'none (no reference)')]
    rows = [
        (
            'scale',
            f'by {metric.reference} to {metric.scale_uncertainty:.1%}: standard error '
            f'{metric.scale_error / metric.scale:.2%}, and {metric.scale_assumed:.1%} taken for '
            f'its own metres; single windows vary by {metric.scale_spread / metric.scale:.1%}',
        ),
    ]
    if metric.second_scale is not None:
        rows.append(('', f'by {metric.second} {metric.second_scale - 1:+.1%}'))
    if metric.anchor is not None:
        rows.append(
            (
                'frame',
                f'{metric.frame}; from the localizer {metric.anchor["median_m"]:.2f} m, '
                f'{metric.anchor["median_deg"]:.1f} deg (median), '
                f'{metric.anchor["p95_m"]:.2f} m (95 %)',
            )
        )
        rows.append(('', _map_text(metric.localizer_map)))
    return [
        *rows,
        (
            'agreement',
            f'{metric.agreement:.1%} of {metric.compared} motions in {metric.checked:.0%} of the '
            'frames; median difference '
            f'{100 * metric.median_difference_m:.1f} cm, {metric.median_difference_deg:.1f} deg; '
            f'heading drifts {metric.drift_deg_per_m:.1f} deg a metre',
        ),
        ('upright', f'frames vary by {metric.up_spread_deg:.1f} deg'),
        ('clock', f'images to reference {1000 * metric.clock_offset_s:+.0f} ms'),
    ]


def _map_text(grid: Mapping[str, Any] | None) -> str:
    if grid is None:
        return 'its map was not recorded: the model cannot tell which one it speaks of'
    return (
        f'{grid["topic"]} of {grid["width"]} x {grid["height"]} cells of {grid["resolution_m"]:g} '
        f'm, SHA-256 {grid["sha256"][:12]}'
    )


def _closing_rows(summary: LabelSummary) -> list[tuple[str, str]]:
    times = ', '.join(f'{stage} {seconds:.0f} s' for stage, seconds in summary.stage_s.items())
    each = sum(summary.stage_s.values()) / max(summary.labelled, 1)
    remarks = [('', f'- {remark}') for remark in summary.remarks]
    times = f'{times}: {each:.2f} s a labelled frame'
    return [('time', times), ('verdict', summary.verdict), *remarks]
