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
from posenet_ros.simulation import fronts, pictures, textures
from posenet_ros.simulation.mipmaps import Mipmaps
import pytest

BROWN = (150.0, 110.0, 80.0)
PAINTS = {
    'plain': textures.plain(BROWN),
    'wood': textures.wood(BROWN),
    'plaster': textures.plaster(BROWN),
    'brick': textures.brick(BROWN),
    'wallpaper': textures.wallpaper(BROWN, [(20, 60, 90)]),
    'fabric': textures.fabric(BROWN, (20, 60, 90)),
    'tiles': textures.tiles(BROWN),
    'planks': textures.planks(BROWN),
    'books': fronts.books(BROWN),
    'panels': fronts.panels(BROWN),
    'lockers': fronts.lockers(BROWN),
    'door': fronts.door(BROWN, 101),
    'window': fronts.window,
    'screen': fronts.screen,
    'cardboard': fronts.cardboard,
    'fridge': fronts.fridge(BROWN),
    'rug': fronts.rug,
    'abstract': pictures.abstract,
    'landscape': pictures.landscape,
    'announcement': pictures.announcement,
    'street_map': pictures.street_map,
    'collage': pictures.collage,
    'whiteboard': pictures.whiteboard,
}


@pytest.mark.parametrize('name', PAINTS)
def test_a_paint_fills_its_face_and_goes_by_its_seed(name):
    one, same, other = (PAINTS[name](np.random.default_rng(s), 1.1, 0.7) for s in (1, 1, 2))
    assert one.dtype == np.uint8 and one.ndim == 3 and one.shape[2] == 3
    assert one.shape[1] / one.shape[0] == pytest.approx(1.1 / 0.7, rel=0.02)
    np.testing.assert_array_equal(one, same)
    assert (one != other).mean() > 0.02
    assert one.std() > 1


@pytest.mark.parametrize('name', PAINTS)
@pytest.mark.parametrize('size', [(0.05, 0.05), (0.06, 0.9), (0.4, 0.05)])
def test_a_paint_copes_with_small_faces(name, size):
    texture = PAINTS[name](np.random.default_rng(0), *size)
    assert min(texture.shape[:2]) >= 2


def test_noise_is_even_handed():
    values = textures.noise(np.random.default_rng(0), (600, 800), 12)
    assert abs(values.mean()) < 0.1
    assert 0.7 < values.std() < 1.3


def test_mipmaps_halve_each_direction_on_its_own_and_keep_the_mean():
    texture = np.random.default_rng(0).integers(0, 256, (64, 128, 3), dtype=np.uint8)
    levels = Mipmaps(texture)
    assert levels.level(0, 0) is not None
    assert levels.level(2, 0).shape == (64, 32, 3)
    assert levels.level(1, 3).shape == (8, 64, 3)
    assert abs(levels.level(2, 2).mean() - texture.mean()) < 1
    assert levels.level(99, 99).shape == (1, 1, 3)
    assert levels.level(1, 3) is levels.level(1, 3)
