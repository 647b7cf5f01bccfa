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

"""Images that are made to be of nowhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from posenet_ros.errors import ConfigError
from posenet_ros.evaluation.made import how_many, made, noise, scrambled
from posenet_ros.evaluation.strangers import foreign_source, Strangers
import pytest


class Numbered:
    """Ten images of 8 x 6 tiles of 4 x 4 pixels: an image's number, and those of its tiles."""

    def __len__(self):
        return 10

    def some(self, numbers):
        for number in numbers:
            yield image(number)


def image(number):
    tiles = np.arange(48, dtype=np.uint8).reshape(6, 8)
    rgb = np.stack([np.full_like(tiles, number), tiles, tiles], axis=-1)
    return rgb.repeat(4, axis=0).repeat(4, axis=1)


def numbers_of(images):
    return [int(rgb[0, 0, 0]) for rgb in images]


@pytest.mark.parametrize('seed', range(20))
def test_a_scrambled_image_has_every_tile_and_none_where_it_was(seed):
    mixed = scrambled(image(3), seed)
    tiles = mixed[::4, ::4, 1].ravel()
    assert sorted(tiles) == list(range(48))
    assert (tiles != np.arange(48)).all()
    # Tiles are whole: each of their pixels is of one.
    np.testing.assert_array_equal(mixed[..., 1], mixed[::4, ::4, 1].repeat(4, 0).repeat(4, 1))


def test_what_is_no_whole_tile_stays():
    rgb = np.arange(50 * 67 * 3, dtype=np.uint32).reshape(50, 67, 3).astype(np.uint8)
    mixed = scrambled(rgb, 0)
    assert mixed.shape == rgb.shape
    np.testing.assert_array_equal(mixed[48:], rgb[48:])
    np.testing.assert_array_equal(mixed[:, 64:], rgb[:, 64:])
    assert (mixed[:48, :64] != rgb[:48, :64]).any()


def test_scrambled_ones_are_spread_and_each_in_another_order():
    few = list(made(Strangers('scrambled', 4), Numbered()))
    assert numbers_of(few) == [0, 3, 6, 9]
    many = list(made(Strangers('scrambled', 30), Numbered()))
    assert len(many) == 30
    assert set(numbers_of(many)) == set(range(10))
    assert len({rgb[..., 1].tobytes() for rgb in many}) == 30


def test_a_mirrored_image_is_shown_once():
    mirrored = list(made(Strangers('mirrored', 30), Numbered()))
    assert numbers_of(mirrored) == list(range(10))
    assert how_many(Strangers('mirrored', 30), Numbered()) == 10
    assert how_many(Strangers('scrambled', 30), Numbered()) == 30
    np.testing.assert_array_equal(mirrored[4][:, ::-1], image(4))


def test_noise_has_the_size_of_the_camera_and_needs_no_images():
    images = list(made(Strangers('noise', 3), [], (64, 48)))
    assert [rgb.shape for rgb in images] == [(48, 64, 3)] * 3
    assert next(made(Strangers('noise', 1), [])).shape == (480, 640, 3)
    assert len({rgb.tobytes() for rgb in images}) == 3
    for rgb in images:
        assert rgb.mean() == pytest.approx(128, abs=25)
        assert rgb.std() > 30


def test_noise_is_of_all_sizes():
    rgb = noise(320, 240, 1).astype(np.float64)
    coarse = rgb.reshape(12, 20, 16, 20, 3).mean(axis=(1, 3))
    fine = np.diff(rgb, axis=1)
    assert coarse.std() > 10
    assert fine.std() > 3


@pytest.mark.parametrize('kind', ['noise', 'scrambled', 'mirrored'])
def test_they_are_the_same_every_time(kind):
    one, other = (list(made(Strangers(kind, 5), Numbered(), (32, 24))) for _ in range(2))
    np.testing.assert_array_equal(one, other)


def test_what_is_foreign_is_a_place_or_a_number_of_images():
    assert foreign_source('noise:20') == Strangers('noise', 20)
    assert str(Strangers('mirrored', 5)) == 'mirrored:5'
    for path in ('rooms/kitchen', './noise:20', 'c:20'):
        assert foreign_source(path) == Path(path)


def test_a_folder_may_be_called_as_a_kind_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path('noise').mkdir()
    assert foreign_source('noise') == Path('noise')


@pytest.mark.parametrize('text', ['noise', 'noise:', 'scrambled:0', 'mirrored:-3', 'noise:1.5'])
def test_a_kind_without_a_number_is_refused(text):
    with pytest.raises(ConfigError, match=f'{text}: say how many images to make'):
        foreign_source(text)
