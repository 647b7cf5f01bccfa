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

"""Threads that fit into memory."""

from posenet_ros.sfm import limits
import pytest

GIB = 1 << 30


@pytest.fixture(autouse=True)
def many_cores(monkeypatch):
    monkeypatch.setattr(limits, 'cores', lambda: 64)


@pytest.mark.parametrize('size', [(320, 240), (640, 480), (1000, 750), (1920, 1080), (9000, 6000)])
def test_features_of_any_size_fit_into_two_gib(size):
    # Measured: an image takes 75 bytes a pixel, four times as much where it is doubled.
    width, height = size
    scale = min(1.0, limits.LARGEST_SIDE / width)
    pixels = width * height * scale**2 * (4 if limits.first_octave(*size) < 0 else 1)
    threads = limits.feature_threads(*size)
    assert threads >= 1
    assert threads * pixels * 75 < 2 * GIB


def test_small_images_are_doubled_and_large_ones_not():
    assert limits.first_octave(640, 480) == -1
    assert limits.first_octave(1280, 720) == 0


def test_no_more_threads_than_cores(monkeypatch):
    monkeypatch.setattr(limits, 'cores', lambda: 2)
    assert limits.feature_threads(320, 240) == 2
    assert limits.matching_threads() == 2


def test_matching_fits_into_two_gib():
    pairs_of_numbers = 2 * (1.5 * limits.LARGEST_FEATURE_COUNT) ** 2
    assert limits.matching_threads() * 4 * pairs_of_numbers < 2 * GIB


def test_a_long_recording_takes_fewer_features_a_frame_but_never_too_few():
    assert limits.feature_count(100) == limits.feature_count(600) == limits.LARGEST_FEATURE_COUNT
    counts = [limits.feature_count(frames) for frames in (700, 1000, 1500, 10_000)]
    assert counts == sorted(counts, reverse=True)
    assert all(n * limits.feature_count(n) <= 1_400_000 for n in (700, 1000, 1500))
    assert limits.feature_count(10_000) == 768
