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

"""Features of drawn images, at places that are known."""

from __future__ import annotations

import cv2
import numpy as np
from posenet_ros.errors import ConfigError
from posenet_ros.landmarks.features import extractor_of, Sift, unit_rows
import pytest

GRID = np.stack(np.meshgrid(np.linspace(40, 280, 6), np.linspace(40, 200, 5)), -1).reshape(-1, 2)


def blobs(width, height, *, colour=True):
    """Return an image of round blobs, and where they are; at 320 x 240 they are 3 pixels wide."""
    scale = np.array([width / 320, height / 240])
    places = (GRID + np.random.default_rng(0).uniform(-0.5, 0.5, GRID.shape) + 0.5) * scale - 0.5
    y, x = np.mgrid[:height, :width]
    image = np.full((height, width), 40.0)
    for column, row in places:
        apart = ((x - column) / scale[0]) ** 2 + ((y - row) / scale[1]) ** 2
        image += 150 * np.exp(-apart / (2 * 3**2))
    grey = np.clip(image, 0, 255).astype(np.uint8)
    return (np.repeat(grey[..., None], 3, axis=2) if colour else grey), places


def from_nearest(found, places):
    """Return from each place to the nearest of what was found."""
    apart = found[None] - places[:, None]
    nearest = np.square(apart).sum(axis=2).argmin(axis=1)
    return apart[np.arange(len(places)), nearest]


@pytest.mark.parametrize('size', [(320, 240), (640, 480), (1280, 960), (200, 150), (480, 480)])
def test_features_are_where_they_are_in_the_image_as_it_was_given(size):
    rgb, places = blobs(*size)
    found = Sift().extract(rgb)
    errors = from_nearest(found.pixels, places) / [size[0] / 320, size[1] / 240]
    assert np.abs(errors.mean(axis=0)).max() < 0.05
    if size[0] * 3 == size[1] * 4:
        assert np.abs(errors).max() < 0.1
    assert found.pixels.dtype == np.float32
    assert found.descriptors.dtype == np.uint8
    assert found.descriptors.shape == (len(found.pixels), Sift.width)


def test_a_grey_image_has_the_same_features_as_in_colour():
    grey, colour = (Sift().extract(blobs(320, 240, colour=c)[0]) for c in (False, True))
    np.testing.assert_array_equal(grey.pixels, colour.pixels)
    np.testing.assert_array_equal(grey.descriptors, colour.descriptors)


def test_the_same_image_has_the_same_features_and_is_not_written_to():
    rgb = cv2.GaussianBlur(
        np.random.default_rng(0).integers(0, 255, (240, 320, 3), dtype=np.uint8), (0, 0), 2
    )
    before = rgb.copy()
    first, second = Sift().extract(rgb), Sift().extract(rgb)
    assert len(first.pixels) > 50
    np.testing.assert_array_equal(first.pixels, second.pixels)
    np.testing.assert_array_equal(first.descriptors, second.descriptors)
    np.testing.assert_array_equal(rgb, before)


def test_descriptors_are_square_roots_that_have_the_same_length():
    found = Sift().extract(blobs(320, 240)[0])
    lengths = np.linalg.norm(found.descriptors.astype(float), axis=1)
    # Rounding each of 128 numbers moves the length by a few of 255.
    np.testing.assert_allclose(lengths, 255, atol=5)


def test_at_most_so_many_are_kept():
    rgb = np.random.default_rng(1).integers(0, 255, (240, 320, 3), dtype=np.uint8)
    assert len(Sift(contrast=0.0).extract(rgb).pixels) > 50
    assert len(Sift(contrast=0.0, most=50).extract(rgb).pixels) == 50
    assert len(Sift(most=7).extract(rgb).pixels) == 7


def test_faint_texture_has_no_features_at_a_high_contrast():
    rng = np.random.default_rng(1)
    faint = cv2.GaussianBlur(rng.normal(128, 40, (240, 320)), (0, 0), 3).astype(np.uint8)
    assert len(Sift(contrast=0.0).extract(faint).pixels) > 50
    assert len(Sift(contrast=0.5).extract(faint).pixels) == 0


@pytest.mark.parametrize(
    'shape', [(240, 320, 3), (240, 320), (1, 1, 3), (3, 4, 3), (16, 16, 3), (0, 0, 3), (0, 5)]
)
def test_an_image_of_nothing_has_no_features(shape):
    found = Sift().extract(np.full(shape, 90, dtype=np.uint8))
    assert found.pixels.shape == (0, 2)
    assert found.descriptors.shape == (0, 128)


def test_dusk_and_fog_hide_no_features():
    rng = np.random.default_rng(1)
    bright = cv2.GaussianBlur(rng.normal(0, 1, (240, 320)), (0, 0), 3)
    bright = np.clip(128 + 60 * bright / bright.std(), 0, 255)
    usual = Sift().extract(bright.astype(np.uint8)).pixels
    for black in (5, 180):
        poor = np.rint(bright * 0.15 + black).astype(np.uint8)
        found = Sift().extract(poor).pixels
        apart = np.linalg.norm(found[:, None] - usual[None], axis=2)
        assert (apart.min(axis=0) < 1).mean() > 0.9
        assert len(Sift(spread=0.0).extract(poor).pixels) < 0.6 * len(usual)


@pytest.mark.parametrize(
    'how',
    [{'pixels': 255}, {'most': 0}, {'contrast': -0.1}, {'contrast': float('nan')}, {'spread': -1}],
)
def test_sizes_in_which_nothing_is_found_are_refused(how):
    with pytest.raises(ConfigError, match='nothing can be found'):
        Sift(**how)


def test_an_extractor_is_made_again_from_what_it_says():
    given = Sift(pixels=10_000, contrast=0.03, most=50)
    assert extractor_of(given.to_dict()) == given
    assert extractor_of({'kind': 'sift'}) == Sift()


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        ({'kind': 'surf'}, "unknown local features 'surf'; known are sift"),
        ({}, 'unknown local features None'),
        ({'kind': 'sift', 'most': 0}, 'nothing can be found'),
        ({'kind': 'sift', 'depth': 3}, 'cannot be made'),
        ({'kind': 'sift', 'most': 'all'}, 'cannot be made'),
    ],
)
def test_what_makes_no_extractor_is_refused(values, message):
    with pytest.raises(ConfigError, match=message) as caught:
        extractor_of(values)
    assert '\n' not in str(caught.value)


def test_products_of_unit_rows_are_cosines():
    given = np.array([[3, 4], [0, 200], [0, 0]], dtype=np.uint8)
    rows = unit_rows(given)
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0, 1], [0, 0]], atol=1e-6)
    assert rows.dtype == np.float32
    assert given.dtype == np.uint8
    assert unit_rows(np.zeros((0, 5), np.uint8)).shape == (0, 5)
