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

import numpy as np
from posenet_ros.simulation.sensor import Sensor, SensorErrors
import pytest

GREY = np.full((120, 160, 3), 128, np.uint8)


def sensor(frames=200, seed=0, **errors):
    values = SensorErrors(**{'noise': 0.0, 'vignetting': 0.0, 'exposure': 0.0, **errors})
    return Sensor(160, 120, frames, values, np.random.default_rng(seed))


def test_a_perfect_sensor_changes_nothing():
    image = np.random.default_rng(0).integers(0, 256, GREY.shape, dtype=np.uint8)
    np.testing.assert_array_equal(sensor().expose(image, 3), image)


def test_noise_has_its_deviation_and_differs_between_frames():
    noisy = sensor(noise=4.0)
    first, second = noisy.expose(GREY, 0).astype(int), noisy.expose(GREY, 1).astype(int)
    assert (first - 128).std() == pytest.approx(4.0, rel=0.05)
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] < 0.05


def test_corners_are_darker_by_the_vignetting():
    image = sensor(vignetting=0.3).expose(GREY, 0)
    assert image[60, 80, 0] == 128
    assert image[0, 0, 0] == pytest.approx(128 * 0.7, abs=1)


def test_exposure_wanders_slowly():
    wandering = sensor(exposure=0.05)
    bright = np.array([wandering.expose(GREY, frame).mean() for frame in range(200)]) / 128
    assert 0.01 < bright.std() < 0.12
    assert np.abs(np.diff(bright)).max() < 0.03


def test_bright_pixels_stay_within_range():
    white = np.full_like(GREY, 254)
    assert sensor(noise=6.0).expose(white, 0).min() > 200


def test_a_seed_repeats_a_sensor():
    one, same, other = (
        sensor(noise=3.0, exposure=0.05, seed=s).expose(GREY, 7) for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
