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

"""The one screen at the end."""

from dataclasses import replace

from posenet_ros.errors import CaptureError
from posenet_ros.sfm.summary import LabelSummary, MetricSummary, ModelSummary
import pytest
import yaml

ANCHOR = {'median_m': 0.04, 'p95_m': 0.1, 'median_deg': 1.0, 'left_out': 0.0}
METRIC = MetricSummary(
    reference='/odom',
    scale=0.17,
    scale_by_motions=0.17,
    scale_error=0.001,
    scale_assumed=0.02,
    scale_spread=0.01,
    checked=1.0,
    agreement=0.99,
    compared=250,
    median_difference_m=0.02,
    median_difference_deg=0.7,
    drift_deg_per_m=4.0,
    up_spread_deg=1.2,
    tilt_deg=0.1,
    clock_offset_s=0.004,
    lever_arm_error_m=0.05,
    mount_error_deg=1.0,
)
GOOD = LabelSummary(
    recording='run1',
    recordings={'run1': [149, 150]},
    options={'rate_hz': 2.0},
    images=750,
    damaged=0,
    still=0,
    frames=150,
    labelled=149,
    rejected={'matches no other frame': 1},
    longest_gap_s=1.5,
    longest_gap_from='1700000012.000000000',
    misplaced=0,
    parted=0,
    seen_again=0.4,
    mapper='incremental',
    models=[ModelSummary(149, 1_700_000_000.0, 1_700_000_025.0)],
    points=17000,
    mean_error_px=0.7,
    mean_track_length=9.0,
    focal_px=527.0,
    known_focal_px=525.0,
    path_m=7.5,
    extent_m=[1.9, 1.0, 0.6],
    metric=METRIC,
    stage_s={'features': 12.0},
)


def test_what_is_good_says_so_in_one_screen():
    assert (GOOD.verdict, GOOD.remarks) == ('good', [])
    text = GOOD.text()
    assert 'verdict    good' in text
    assert '149 (99.3%)' in text
    assert '1: matches no other frame' in text
    assert len(text.splitlines()) <= 24


@pytest.mark.parametrize(
    ('change', 'remark'),
    [
        ({'labelled': 120}, 'only 80% of the frames are labelled'),
        ({'longest_gap_s': 21.0}, '21 s without a label from 1700000012'),
        ({'mean_error_px': 2.5}, 'reprojection error of 2.5 px'),
        ({'focal_px': 600.0}, 'focal length in CameraInfo, 525 px'),
        ({'metric': None}, 'no metres'),
        ({'misplaced': 4}, '4 frames were joined to a place that only looks alike'),
        (
            {'recordings': {'run1': [100, 100], 'run2': [3, 50]}},
            'only 3 of the 50 frames of run2 are labelled',
        ),
        (
            {'metric': replace(METRIC, second='/tf (map <- camera)', second_scale=0.95)},
            '/tf (map <- camera) has metres 5.0% longer than /odom',
        ),
        (
            {'metric': replace(METRIC, frame='map', anchor={**ANCHOR, 'p95_m': 0.8})},
            'in map the labels are 0.04 m from what the localizer said (median), and up to 0.80 m',
        ),
        (
            {'metric': replace(METRIC, frame='map', anchor={**ANCHOR, 'median_m': 0.35})},
            'in map the labels are 0.35 m from',
        ),
        (
            {'metric': replace(METRIC, frame='map', anchor=ANCHOR, tilt_deg=4.9)},
            'map is tilted by 4.9 deg',
        ),
        (
            {'metric': replace(METRIC, frame='map', anchor=ANCHOR, scale=0.18)},
            'the places that the localizer told are 5.9% farther apart than its motions say',
        ),
        (
            {'seen_again': 0.02},
            'turn apart by 30 deg over the path, and only 2% of the frames show a place again',
        ),
        (
            {'metric': replace(METRIC, frame='map', anchor={**ANCHOR, 'left_out': 0.3})},
            '30% of what the localizer said fits no common map',
        ),
        ({'metric': replace(METRIC, agreement=0.8)}, 'only 80% of the motions'),
        ({'metric': replace(METRIC, scale_error=0.0085)}, 'scale is uncertain by 5.0%'),
        ({'metric': replace(METRIC, up_spread_deg=9.0)}, 'upright direction varies by 9 deg'),
        ({'metric': replace(METRIC, clock_offset_s=-0.05)}, '-50 ms'),
        ({'metric': replace(METRIC, checked=0.8)}, 'only 80% of the frames are covered'),
        ({'metric': replace(METRIC, mount_error_deg=12.0)}, 'seems to look 12 deg away'),
        ({'metric': replace(METRIC, lever_arm_error_m=0.4)}, '0.40 m from where'),
    ],
)
def test_what_is_less_than_good_says_why(change, remark):
    summary = replace(GOOD, **change)
    assert summary.verdict == 'usable'
    (said,) = summary.remarks
    assert remark in said
    assert said in summary.text()


def test_an_unknown_camera_has_nothing_to_differ_from():
    summary = replace(GOOD, known_focal_px=None)
    assert summary.verdict == 'good'
    assert 'self-calibrated' in summary.text()


def test_models_and_frames_apart_are_told():
    more = [ModelSummary(count, 1_700_000_590.0, 1_700_000_612.0) for count in (37, 12, 11, 10)]
    text = replace(GOOD, models=[*GOOD.models, *more], still=7, damaged=2).text()
    assert 'another model: 37 frames from 22:23:10 to 22:23:32' in text
    assert 'and 1 smaller ones' in text
    assert '(left out: 7 as before, 2 damaged)' in text


def test_the_labels_metres_are_as_uncertain_as_fit_and_reference_together():
    metric = replace(METRIC, scale=2.0, scale_error=0.03, scale_assumed=0.02)
    assert metric.scale_uncertainty == pytest.approx(0.025)
    text = replace(GOOD, metric=metric).text()
    assert 'by /odom to 2.5%: standard error 1.50%, and 2.0% taken for its own metres' in text


@pytest.mark.parametrize(
    'summary',
    [
        GOOD,
        replace(GOOD, metric=None),
        replace(GOOD, metric=replace(METRIC, frame='map', anchor=ANCHOR)),
    ],
)
def test_a_summary_survives_being_written(summary):
    assert LabelSummary.from_dict(yaml.safe_load(yaml.safe_dump(summary.to_dict()))) == summary


def test_a_summary_that_is_none_is_refused():
    with pytest.raises(CaptureError, match='damaged'):
        LabelSummary.from_dict({'recording': 'run1'})
