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

"""Sample frames."""

import base64

import cv2
import numpy as np
from posenet_ros.data.capture import Rejected
from posenet_ros.data.images import encode_jpeg
from posenet_ros.sfm.gates import reason_kind
from posenet_ros.sfm.report.samples import (
    labelled_samples,
    rejected_samples,
    spread_by_kind,
)
from posenet_ros.sfm.workspace import Workspace
import pytest


@pytest.fixture
def space(tmp_path):
    space = Workspace(tmp_path)
    space.images.mkdir(parents=True)
    return space


def decoded(address):
    kind, data = address.split(',')
    assert kind == 'data:image/jpeg;base64'
    return cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)


def test_few_rejected_frames_are_all_shown_in_order():
    rejected = [Rejected(3, 'b'), Rejected(1, 'a'), Rejected(2, 'a')]
    assert spread_by_kind(rejected, 12) == sorted(rejected)
    assert spread_by_kind([], 12) == []


def test_of_many_rejected_frames_every_kind_is_shown_over_all_the_time():
    often = [Rejected(stamp, f'too few matches with the map: {stamp}') for stamp in range(1000)]
    rarely = [Rejected(2000, 'matches no other frame'), Rejected(2001, 'large error: 4 px')]
    chosen = spread_by_kind([*often, *rarely], 12)
    assert len(chosen) == 12
    assert set(rarely) < set(chosen)
    stamps = [each.stamp_ns for each in chosen if each in often]
    assert (stamps[0], stamps[-1]) == (0, 999)
    assert max(np.diff(stamps)) < 120


def test_more_kinds_than_places_show_one_of_each_they_can():
    rejected = [Rejected(stamp, f'kind {stamp % 20}: 1') for stamp in range(100)]
    kinds = [reason_kind(each.reason) for each in spread_by_kind(rejected, 12)]
    assert len(kinds) == len(set(kinds)) == 12


def test_a_sample_is_small_and_has_time_and_reason(space, make_result):
    result = make_result(dropped={7: 'too few matches with the map: 3 at best'})
    stamp_ns = result.rejected[0].stamp_ns
    picture = np.full((960, 1280, 3), [200, 30, 30], np.uint8)
    encode_jpeg(space.images / space.image_name(stamp_ns), picture)
    (sample,) = rejected_samples(space, result)
    assert sample.time == '22:13:21.4'
    assert sample.remark == 'too few matches with the map: 3 at best'
    small = decoded(sample.image)
    assert small.shape == (240, 320, 3)
    # Red is red: OpenCV's order is blue first.
    np.testing.assert_allclose(small.mean(axis=(0, 1)), [30, 30, 200], atol=4)


@pytest.mark.parametrize('content', [None, b'', b'\xff\xd8 cut off'])
def test_an_image_that_is_gone_or_damaged_has_its_place_all_the_same(space, make_result, content):
    result = make_result(dropped={7: 'matches no other frame'})
    if content is not None:
        path = space.images / space.image_name(result.rejected[0].stamp_ns)
        path.write_bytes(content)
    (sample,) = rejected_samples(space, result)
    assert sample.image is None
    assert sample.remark == 'matches no other frame'


def test_labelled_samples_are_spread_over_the_labels(space, make_result):
    result = make_result(dropped={0: 'matches no other frame'})
    samples = labelled_samples(space, result)
    assert len(samples) == 8
    assert (samples[0].time, samples[-1].time) == ('22:13:20.2', '22:13:59.8')
    assert samples[0].remark == '200 points, 0.5 px'
