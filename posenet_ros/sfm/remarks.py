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

"""What keeps labels from being good."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from posenet_ros.sfm.summary import LabelSummary, MetricSummary

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


def remarks_on(summary: LabelSummary) -> list[str]:
    """Return what keeps labels from being good, worst first; empty where they are."""
    return [*_map_remarks(summary), *_metric_remarks(summary.metric), *_shape_remarks(summary)]


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
