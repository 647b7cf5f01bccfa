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
from posenet_ros.evaluation.degradations import DEGRADATIONS, degraded, LEVELS
import pytest


@pytest.fixture(scope='module')
def rgb() -> np.ndarray:
    """Return a picture with coarse and fine structure."""
    generator = np.random.default_rng(0)
    blocks = generator.integers(60, 200, (12, 16, 3)).repeat(20, axis=0).repeat(20, axis=1)
    return np.clip(blocks + generator.normal(0, 15, blocks.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize('kind', DEGRADATIONS)
def test_each_level_changes_more_than_the_one_before(rgb, kind):
    changed = [
        np.abs(degraded(rgb, kind, level, 7).astype(float) - rgb).mean() for level in LEVELS
    ]
    assert changed[0] > 0.5
    assert changed == sorted(changed)


@pytest.mark.parametrize('kind', DEGRADATIONS)
def test_the_shape_stays_and_the_original_is_not_touched(rgb, kind):
    before = rgb.copy()
    found = degraded(rgb, kind, 3, 7)
    assert (found.shape, found.dtype) == (rgb.shape, np.uint8)
    assert np.array_equal(rgb, before)


@pytest.mark.parametrize('kind', DEGRADATIONS)
def test_the_same_seed_gives_the_same_image(rgb, kind):
    assert np.array_equal(degraded(rgb, kind, 4, 1), degraded(rgb, kind, 4, 1))


def test_night_is_darker_and_blur_has_less_contrast(rgb):
    light = [degraded(rgb, 'dusk and night', level, 0).mean() for level in LEVELS]
    assert light == sorted(light, reverse=True)
    assert light[-1] == pytest.approx(0.12 * rgb.mean(), rel=0.2)
    rough = [degraded(rgb, 'motion blur', level, 0).std() for level in LEVELS]
    assert rough == sorted(rough, reverse=True)


def test_people_cover_as_much_as_the_level_says(rgb):
    for level, least in zip(LEVELS, (0.05, 0.1, 0.2, 0.3, 0.4)):
        covered = (degraded(rgb, 'people', level, 2) != rgb).any(axis=2).mean()
        assert least - 0.03 < covered < least + 0.25


def test_a_longer_lens_shows_the_middle_larger(rgb):
    found = degraded(rgb, 'focal length', 5, 0)
    # The middle stays; what was 50 pixels beside it is now 75 pixels beside it.
    assert np.abs(found[120, 160].astype(int) - rgb[120, 160]).max() < 40
    smooth = found[100:140, 220:250].astype(float).mean()
    assert smooth == pytest.approx(rgb[107:133, 200:220].astype(float).mean(), abs=12)


@pytest.mark.parametrize(('kind', 'level'), [('earthquake', 1), ('fog', 0), ('fog', 6)])
def test_unknown_kinds_and_levels_name_the_known(rgb, kind, level):
    with pytest.raises(ConfigError, match=r'motion blur.*1 to 5'):
        degraded(rgb, kind, level, 0)
