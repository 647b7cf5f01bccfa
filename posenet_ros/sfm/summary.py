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

"""What labelling found, on one screen: is it good, and if not, why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timezone
import math
from typing import Any

from posenet_ros.errors import CaptureError

_GOOD_SHARE = 0.95
_GOOD_AGREEMENT = 0.9
_GOOD_SCALE_ERROR = 0.02
_GOOD_ERROR_PX = 1.5
_GOOD_UP_DEGREES = 4.0
_GOOD_GAP_S = 5.0
_GOOD_CLOCK_S = 0.03
_GOOD_FOCAL_SHARE = 0.1
_GOOD_LEVER_ARM = 0.2
_GOOD_CHECKED = 0.95
_GOOD_MOUNT_DEGREES = 3.0
_GOOD_TILT_DEGREES = 2.0
_GOOD_ANCHOR_MEDIAN_M = 0.2
_GOOD_ANCHOR_M = 0.5
_GOOD_ANCHOR_LEFT_OUT = 0.2
_SAME_SCALE = 0.03
_FEWEST_OF_RECORDING = 0.5
_FEWEST_SEEN_AGAIN = 0.1
_GOOD_BEND_DEGREES = 10.0


@dataclass(frozen=True)
class MetricSummary:
    """
    How the map got its metres: scale, agreement with the reference, and what seems off.

    `scale` is that of the labels, `scale_by_motions` what single motions give. Errors are
    standard errors; `scale_assumed` is how wrong the reference's own metres may be
    (a share), `second_scale` the metres of a second reference by those of the first, `frame`
    the frame that the labels are in where it is not a map of their own, and `anchor` how well
    they fit into it (see AnchorFit); `localizer_map` tells which map that is, where it was
    recorded (see OccupancyGrid.identity). `checked` is the share of the frames that the reference
    covers, `agreement` the share of `compared` motions that agree.
    """

    reference: str
    scale: float
    scale_by_motions: float
    scale_error: float
    scale_assumed: float
    scale_spread: float
    checked: float
    agreement: float
    compared: int
    median_difference_m: float
    median_difference_deg: float
    drift_deg_per_m: float
    up_spread_deg: float
    tilt_deg: float
    clock_offset_s: float
    lever_arm_error_m: float
    mount_error_deg: float
    frame: str | None = None
    anchor: Mapping[str, float] | None = None
    localizer_map: Mapping[str, Any] | None = None
    second: str | None = None
    second_scale: float | None = None

    @property
    def scale_uncertainty(self) -> float:
        """How wrong the metres of the labels may be in all, a share (one deviation)."""
        return math.hypot(self.scale_error / self.scale, self.scale_assumed)


@dataclass(frozen=True)
class ModelSummary:
    """One of the models that mapping ended with: its frames, and their first and last second."""

    frames: int
    begin_s: float
    end_s: float

    def __str__(self) -> str:
        """Return frames and times as a person writes them."""
        begin, end = (
            datetime.fromtimestamp(each, timezone.utc) for each in (self.begin_s, self.end_s)
        )
        return f'{self.frames} frames from {begin:%H:%M:%S} to {end:%H:%M:%S}'


@dataclass(frozen=True)
class LabelSummary:
    """
    The figures of one labelling; `metric` is None for labels without metres.

    Distances are in metres of the map, times in seconds, `rejected` counts by kind of reason,
    `misplaced` frames were joined to a place that only looks alike, `parted` counts the pairs of
    frames that were taken apart for it, `seen_again` is the share of the labels that show a
    place which another one shows much later or earlier. `models` are the largest first,
    `recordings` has labelled and chosen frames by recording.
    """

    recording: str
    recordings: Mapping[str, Sequence[int]]
    options: Mapping[str, Any]
    images: int
    damaged: int
    still: int
    frames: int
    labelled: int
    rejected: Mapping[str, int]
    longest_gap_s: float
    longest_gap_from: str
    misplaced: int
    parted: int
    seen_again: float
    mapper: str
    models: Sequence[ModelSummary]
    points: int
    mean_error_px: float
    mean_track_length: float
    focal_px: float
    known_focal_px: float | None
    path_m: float
    extent_m: Sequence[float]
    metric: MetricSummary | None
    stage_s: Mapping[str, float]

    @property
    def remarks(self) -> list[str]:
        """What keeps the labels from being good, worst first; empty where they are."""
        return [*_map_remarks(self), *_metric_remarks(self.metric), *_shape_remarks(self)]

    @property
    def verdict(self) -> str:
        """Return 'good' or 'usable'; what is not usable has been refused."""
        return 'usable' if self.remarks else 'good'

    def text(self) -> str:
        """Return one screen for a person."""
        rows = [*_map_rows(self), *_metric_rows(self.metric), *_closing_rows(self)]
        width = max(len(name) for name, _ in rows)
        return '\n'.join(f'{name:<{width}}  {value}' for name, value in rows)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for YAML; `from_dict` reads them back."""
        return {'verdict': self.verdict, 'remarks': self.remarks, **asdict(self)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> LabelSummary:
        """Read what `to_dict` wrote; raise CaptureError for anything else."""
        try:
            own = {field.name: values[field.name] for field in fields(cls)}
            own['models'] = [ModelSummary(**model) for model in own['models']]
            if own['metric'] is not None:
                own['metric'] = MetricSummary(**own['metric'])
        except (KeyError, TypeError) as error:
            raise CaptureError(f'the summary of the labels is damaged ({error})') from error
        return cls(**own)


def _map_remarks(summary: LabelSummary) -> list[str]:
    remarks = []
    share = summary.labelled / summary.frames
    if share < _GOOD_SHARE:
        remarks.append(f'only {share:.0%} of the frames are labelled')
    if summary.misplaced:
        remarks.append(
            f'{summary.misplaced} frames were joined to a place that only looks alike, and are '
            'left out: give such places something of their own, or drive between them in view'
        )
    for name, (labelled, chosen) in summary.recordings.items():
        if len(summary.recordings) > 1 and labelled < _FEWEST_OF_RECORDING * chosen:
            remarks.append(f'only {labelled} of the {chosen} frames of {name} are labelled')
    if summary.longest_gap_s > _GOOD_GAP_S:
        remarks.append(
            f'{summary.longest_gap_s:.0f} s without a label from {summary.longest_gap_from}'
        )
    if summary.mean_error_px > _GOOD_ERROR_PX:
        remarks.append(f'the reprojection error of {summary.mean_error_px:.1f} px is large')
    known = summary.known_focal_px
    if known is not None and abs(summary.focal_px / known - 1) > _GOOD_FOCAL_SHARE:
        remarks.append(
            f'the focal length in CameraInfo, {known:.0f} px, is not what the images show, '
            f'{summary.focal_px:.0f} px: calibrate the camera'
        )
    return remarks


def _metric_remarks(metric: MetricSummary | None) -> list[str]:
    if metric is None:
        return ['the labels have no metres: there was no reference']
    remarks = []
    if metric.checked < _GOOD_CHECKED:
        remarks.append(f'only {metric.checked:.0%} of the frames are covered by the reference')
    if metric.agreement < _GOOD_AGREEMENT:
        remarks.append(f'only {metric.agreement:.0%} of the motions agree with the reference')
    if metric.scale_error > _GOOD_SCALE_ERROR * metric.scale:
        remarks.append(f'the scale is uncertain by {metric.scale_error / metric.scale:.1%}')
    if metric.up_spread_deg > _GOOD_UP_DEGREES:
        remarks.append(f'the upright direction varies by {metric.up_spread_deg:.0f} deg')
    if abs(metric.clock_offset_s) > _GOOD_CLOCK_S:
        remarks.append(
            f'the clocks of images and reference are {1000 * metric.clock_offset_s:+.0f} ms '
            'apart: taken into account here, but the robot should mend it'
        )
    if metric.lever_arm_error_m > _GOOD_LEVER_ARM:
        remarks.append(
            f'the camera seems to sit {metric.lever_arm_error_m:.2f} m from where /tf_static says'
        )
    if metric.second_scale is not None and abs(metric.second_scale - 1) > _SAME_SCALE:
        remarks.append(
            f'{metric.second} has metres {abs(metric.second_scale - 1):.1%} '
            f'{"longer" if metric.second_scale < 1 else "shorter"} than {metric.reference}: one '
            'of them is wrong'
        )
    remarks += _anchor_remarks(metric)
    if metric.mount_error_deg > _GOOD_MOUNT_DEGREES:
        remarks.append(
            f'the camera seems to look {metric.mount_error_deg:.0f} deg away from where '
            '/tf_static says: the scale depends on it'
        )
    return remarks


def _shape_remarks(summary: LabelSummary) -> list[str]:
    """Where images and reference turn apart, only a place seen again tells which of them bends."""
    if summary.metric is None or summary.seen_again >= _FEWEST_SEEN_AGAIN:
        return []
    bend = summary.metric.drift_deg_per_m * summary.path_m
    if bend < _GOOD_BEND_DEGREES:
        return []
    return [
        f'images and {summary.metric.reference} turn apart by {bend:.0f} deg over the path, and '
        f'only {summary.seen_again:.0%} of the frames show a place again: it may be the map that '
        'is bent; drive loops'
    ]


def _anchor_remarks(metric: MetricSummary) -> list[str]:
    if metric.anchor is None:
        return []
    remarks = []
    median_m, p95_m = metric.anchor['median_m'], metric.anchor['p95_m']
    if median_m > _GOOD_ANCHOR_MEDIAN_M or p95_m > _GOOD_ANCHOR_M:
        remarks.append(
            f'in {metric.frame} the labels are {median_m:.2f} m from what the localizer said '
            f'(median), and up to {p95_m:.2f} m'
        )
    if metric.tilt_deg > _GOOD_TILT_DEGREES:
        remarks.append(
            f'{metric.frame} is tilted by {metric.tilt_deg:.1f} deg against the roll and pitch '
            'that the localizer told: is the floor level?'
        )
    if abs(metric.scale / metric.scale_by_motions - 1) > _SAME_SCALE:
        larger = metric.scale / metric.scale_by_motions - 1
        remarks.append(
            f'the places that the localizer told are {abs(larger):.1%} '
            f'{"farther" if larger > 0 else "less"} apart than its motions say: did it jump?'
        )
    if metric.anchor['left_out'] > _GOOD_ANCHOR_LEFT_OUT:
        remarks.append(
            f'{metric.anchor["left_out"]:.0%} of what the localizer said fits no common map: '
            'was it lost?'
        )
    return remarks


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
    remarks = [('', f'- {remark}') for remark in summary.remarks]
    return [('time', times), ('verdict', summary.verdict), *remarks]
