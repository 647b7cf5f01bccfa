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
from posenet_ros.errors import ConfigError, ImageError, ModelError
from posenet_ros.models.preprocessing import Preprocessing
import pytest
import torch


def test_scales_the_short_side_and_cuts_the_centre():
    preprocessing = Preprocessing(64, (32, 32), mean=(0, 0, 0), std=(1, 1, 1))
    rgb = np.zeros((128, 256, 3), dtype=np.uint8)
    rgb[:, 128:] = (255, 51, 0)
    assert preprocessing.resize(rgb).shape == (64, 128, 3)
    image = preprocessing.prepare(rgb)
    assert image.shape == (3, 32, 32)
    # The crop is centred: its right half, and only that, is coloured.
    assert torch.allclose(image[:, :, :16], torch.zeros(3, 32, 16))
    expected = torch.tensor([1, 0.2, 0])[:, None, None].expand(3, 32, 16)
    assert torch.allclose(image[:, :, 16:], expected)


def test_subtracts_the_mean_and_divides_by_the_deviation():
    preprocessing = Preprocessing(32, (32, 32), mean=(0.2, 0.4, 0.6), std=(0.5, 0.25, 0.1))
    rgb = np.full((32, 32, 3), 255, dtype=np.uint8)
    channels = preprocessing.prepare(rgb).mean(dim=(1, 2))
    assert torch.allclose(channels, torch.tensor([1.6, 2.4, 4.0]))


def test_red_stays_the_first_channel():
    rgb = np.zeros((32, 32, 3), dtype=np.uint8)
    rgb[..., 0] = 255
    channels = Preprocessing(32, (32, 32)).prepare(rgb).mean(dim=(1, 2))
    assert channels[0] > 0 > channels[2]


def test_small_images_grow_and_narrow_ones_grow_until_the_crop_fits():
    preprocessing = Preprocessing(64, (64, 96))
    assert preprocessing.prepare(np.zeros((20, 30, 3), dtype=np.uint8)).shape == (3, 64, 96)
    # Portrait: the width decides, and the height is cut.
    assert preprocessing.resize(np.zeros((640, 480, 3), dtype=np.uint8)).shape == (128, 96, 3)


def test_fine_texture_is_averaged_when_an_image_shrinks():
    stripes = np.zeros((128, 128, 3), dtype=np.uint8)
    stripes[:, ::2] = 255
    small = Preprocessing(32, (32, 32)).resize(stripes)
    assert np.abs(small.astype(int) - 127).max() <= 1


def test_values_survive_yaml_and_unknown_ones_are_refused():
    preprocessing = Preprocessing(72, (64, 96), mean=(0.1, 0.2, 0.3))
    values = preprocessing.to_dict()
    assert Preprocessing.from_dict(values) == preprocessing
    with pytest.raises(ModelError, match='gamma'):
        Preprocessing.from_dict({**values, 'gamma': 2})
    with pytest.raises(ModelError, match='std'):
        Preprocessing.from_dict({key: value for key, value in values.items() if key != 'std'})
    with pytest.raises(ModelError, match='impossible'):
        Preprocessing.from_dict({**values, 'crop': 'large'})


@pytest.mark.parametrize(
    'values', [{'crop': (16, 16)}, {'crop': (300, 300)}, {'std': (1, 1, 0)}, {'mean': (0, 0)}]
)
def test_impossible_values_are_refused(values):
    with pytest.raises(ConfigError):
        Preprocessing(**values)


@pytest.mark.parametrize('size', [(1, 20_000), (20_000, 1), (100, 1001)])
def test_a_strip_is_refused_before_it_is_scaled(size):
    with pytest.raises(ImageError, match='is no camera image'):
        Preprocessing().prepare(np.zeros((*size, 3), dtype=np.uint8))


@pytest.mark.parametrize(
    'size', [(480, 640), (640, 480), (720, 1280), (481, 642), (1080, 1920), (256, 341), (100, 90)]
)
def test_the_centre_crop_alone_is_that_of_the_whole_image_scaled(size):
    preprocessing = Preprocessing(256, (224, 288), mean=(0, 0, 0), std=(1 / 255,) * 3)
    rgb = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    small = preprocessing.resize(rgb)
    expected = preprocessing.crop_at(small, *preprocessing.centre(small)).astype(np.float32)
    (found,) = preprocessing.prepare_crops(rgb, 1)
    apart = np.abs(found.permute(1, 2, 0).numpy() - expected)
    # Sums in another order round to another grey, where they end halfway between two.
    assert apart.max() <= 1.001
    assert (apart > 0.001).mean() < 1e-3
    assert torch.equal(preprocessing.prepare(rgb), found)


def test_an_image_may_come_in_smaller_but_not_as_small_as_it_gets():
    preprocessing = Preprocessing(256, (224, 288))
    for size in ((640, 480), (480, 640), (3840, 2160)):
        ample, needed = preprocessing.ample_size(*size), preprocessing.resized_size(*size)
        assert all(1.5 * least < side < 2 * least for side, least in zip(ample, needed))


def seen_by(preprocessing, count, size=(341, 256)):
    """Return the corners (left, top) of the crops of an image that tells its own pixels."""
    width, height = size
    rgb = np.zeros((height, width, 3), dtype=np.uint8)
    rgb[..., 0] = np.minimum(np.arange(width), 255)
    rgb[..., 1] = np.minimum(np.arange(height), 255)[:, None]
    crops = preprocessing.prepare_crops(rgb, count)
    corners = (crops[:, :2, 0, 0] * 255).round().int().tolist()
    return [tuple(corner) for corner in corners]


def test_many_crops_are_spread_evenly_over_the_image():
    preprocessing = Preprocessing(256, (224, 224), mean=(0, 0, 0), std=(1, 1, 1))
    corners = seen_by(preprocessing, 128)
    assert len(set(corners)) == 128
    lefts, tops = (sorted(set(each)) for each in zip(*corners))
    # 118 and 33 places for a crop: 16 by 8 of them are the most alike in both directions.
    assert (len(lefts), len(tops)) == (16, 8)
    assert (lefts[0], lefts[-1], tops[0], tops[-1]) == (0, 117, 0, 32)
    assert np.ptp(np.diff(lefts)) <= 1
    assert np.ptp(np.diff(tops)) <= 1


def test_one_crop_is_the_centre_and_what_there_is_no_room_for_is_left_out():
    preprocessing = Preprocessing(256, (224, 224), mean=(0, 0, 0), std=(1, 1, 1))
    assert seen_by(preprocessing, 1) == [(58, 16)]
    narrow = Preprocessing(226, (224, 224), mean=(0, 0, 0), std=(1, 1, 1))
    assert seen_by(narrow, 4, (226, 256)) == [(1, 0), (1, 11), (1, 21), (1, 32)]
    exact = Preprocessing(224, (224, 224), mean=(0, 0, 0), std=(1, 1, 1))
    assert seen_by(exact, 128, (224, 224)) == [(0, 0)]


def test_the_centre_crop_is_what_training_measures_by():
    rgb = np.random.default_rng(0).integers(0, 256, (100, 140, 3), dtype=np.uint8)
    preprocessing = Preprocessing(72, (64, 64))
    assert torch.equal(preprocessing.prepare_crops(rgb, 1)[0], preprocessing.prepare(rgb))


def test_what_the_centre_crop_covers_is_told_in_pixels_of_the_image():
    # 640x480 becomes 341x256, of which 58 and 16 pixels are left and above.
    box = Preprocessing().centre_box(640, 480)
    assert box == pytest.approx((58 * 640 / 341, 16 * 480 / 256, 282 * 640 / 341, 240 * 480 / 256))
    assert Preprocessing(short_side=64, crop=(64, 64)).centre_box(64, 64) == (0, 0, 64, 64)


@pytest.mark.parametrize('size', [(640, 480), (100, 300), (224, 224)])
def test_the_pixels_outside_the_box_do_not_matter(size):
    width, height = size
    rgb = np.random.default_rng(1).integers(0, 255, (height, width, 3)).astype(np.uint8)
    left, top, right, bottom = Preprocessing().centre_box(width, height)
    other = np.zeros_like(rgb)
    # One pixel of margin, since a pixel at the edge is mixed of two.
    rows = slice(max(int(top) - 1, 0), int(bottom) + 2)
    columns = slice(max(int(left) - 1, 0), int(right) + 2)
    other[rows, columns] = rgb[rows, columns]
    assert torch.equal(Preprocessing().prepare(other), Preprocessing().prepare(rgb))
    assert not torch.equal(
        Preprocessing().prepare(np.zeros_like(rgb)), Preprocessing().prepare(rgb)
    )
