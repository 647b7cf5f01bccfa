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
from posenet_ros.evaluation.foreign import auc, Foreign
import pytest


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
