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

from __future__ import annotations

import numpy as np
from posenet_ros.errors import ConfigError
from posenet_ros.evaluation.foreign import auc, Foreign, ForeignVerified, measure_foreign
from posenet_ros.geometry import Pose
from posenet_ros.localization.estimate import Answers, PoseEstimate
from posenet_ros.localization.verified import VerifiedLocalizer
import pytest
from scipy.spatial.transform import Rotation


@pytest.mark.parametrize(
    ('own', 'foreign', 'expected'),
    [
        ([0.1, 0.2], [0.3, 0.4], 1.0),
        ([0.3, 0.4], [0.1, 0.2], 0.0),
        ([0.1, 0.2], [0.1, 0.2], 0.5),
        ([0.1, 0.3], [0.2, 0.4], 0.75),
        ([0.2], [0.2, 0.3], 0.75),
    ],
)
def test_the_area_is_the_chance_that_elsewhere_is_newer(own, foreign, expected):
    assert auc(np.array(own), np.array(foreign)) == pytest.approx(expected)


@pytest.mark.parametrize(('own', 'foreign'), [([], [0.1]), ([0.1], [np.nan]), ([0.1], [])])
def test_without_novelties_there_is_no_area(own, foreign):
    assert auc(np.array(own, dtype=float), np.array(foreign, dtype=float)) is None


def test_it_reads_as_a_line():
    assert str(Foreign('cellar', 40, 0.975, None)) == '97.5 % of 40 images of cellar refused'


def test_what_nothing_verifies_has_no_bound():
    plain = Foreign('cellar', 40, 0.975, None)
    assert plain.verified_at_most is None
    assert plain.to_dict()['verified_at_most'] is None
    assert ForeignVerified.of([plain]) is None
    assert ForeignVerified.of([]) is None


def test_none_verified_is_told_with_its_bound():
    line = str(Foreign('cellar', 300, 1.0, None, verified=0))
    assert line == (
        '100.0 % of 300 images of cellar refused; none verified (at most 0.99 % with 95 % '
        'confidence)'
    )
    assert '; 2 verified (at most 2.1 %' in str(Foreign('cellar', 300, 1.0, None, verified=2))


def test_sources_are_added_up():
    every = ForeignVerified.of([Foreign('a', 900, 1.0, None, 0), Foreign('b', 100, 1.0, None, 1)])
    assert every.to_dict() == {
        'images': 1000,
        'verified': 1,
        'verified_at_most': pytest.approx(0.004735, abs=1e-5),
    }
    assert str(every).startswith('1000 foreign images in all: 1 verified (at most 0.47 %')


class BrightIsVerified(VerifiedLocalizer):
    """Verifies white images, refuses black ones, and leaves the others to a network."""

    def __init__(self):
        pass

    def locate_batch(self, images):
        pose = Pose(Rotation.identity(), [0, 0, 0], 'map', 'camera')
        estimates = [
            PoseEstimate(pose, np.eye(6), 'fake', verified=bool(rgb.max() == 255))
            if rgb.max()
            else PoseEstimate.refused('fake', 'dark')
            for rgb in images
        ]
        novelty_N = np.array([1 - rgb.max() / 255 for rgb in images])
        return Answers(tuple(estimates), np.zeros((len(images), 1)), novelty_N)


def test_refused_and_verified_are_counted_over_all_batches():
    shades = [0] * 30 + [255] * 5 + [100] * 5
    images = (np.full((6, 8, 3), shade, dtype=np.uint8) for shade in shades)
    found = measure_foreign('shades', images, BrightIsVerified(), np.array([0.0]))
    assert (found.images, found.refused, found.verified) == (40, 0.75, 5)
    assert found.auc == pytest.approx((35 + 5 / 2) / 40)


def test_no_image_is_nothing_to_show():
    with pytest.raises(ConfigError, match='--foreign shades: there is no image'):
        measure_foreign('shades', [], BrightIsVerified(), np.array([0.0]))
