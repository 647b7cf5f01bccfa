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
from posenet_ros.simulation.lighting import Lamp, lit
from posenet_ros.simulation.surfaces import Box, facing
from posenet_ros.simulation.textures import plain

LAMP = Lamp(np.array([2.0, 2.0, 2.5]), np.array([0.3, 0, 0]), np.array([0, 0.3, 0]), 1.0)
TABLE = Box((1.0, 1.0, 0.05), plain((90, 90, 90)), (2.0, 2.0, 0.8))


def floor(**options):
    grey = np.full((400, 400, 3), 200, np.uint8)
    return facing([2, 2, 0], [0, 0, 1], 4, 4, grey, right=[1, 0, 0], **options)


def test_a_lamp_shines_the_way_it_looks():
    np.testing.assert_allclose(LAMP.normal, [0, 0, -1], atol=1e-12)


def test_under_a_table_it_is_darker_than_beside_it():
    bare = lit([floor()], [LAMP], [])[0].texture.astype(int)
    shaded = lit([floor()], [LAMP], [TABLE])[0].texture.astype(int)
    assert shaded[190:210, 190:210].mean() < 0.8 * bare[190:210, 190:210].mean()
    np.testing.assert_allclose(shaded[:20, :20], bare[:20, :20], atol=1)


def test_what_faces_the_lamp_is_brighter_than_what_faces_away():
    grey = np.full((50, 50, 3), 200, np.uint8)
    up = facing([2, 2, 1], [0, 0, 1], 1, 1, grey, right=[1, 0, 0])
    down = facing([2, 2, 1], [0, 0, -1], 1, 1, grey, right=[1, 0, 0])
    above, below = lit([up, down], [LAMP], [])
    assert above.texture.mean() > below.texture.mean() + 20


def test_light_falls_off_with_distance():
    texture = lit([floor()], [LAMP], [])[0].texture.astype(int)
    assert texture[200, 200].mean() > texture[200, 20].mean() + 5


def test_a_luminous_surface_keeps_its_texture():
    glowing = floor(luminous=True)
    np.testing.assert_array_equal(lit([glowing], [], [TABLE])[0].texture, glowing.texture)
