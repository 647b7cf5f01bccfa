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
from posenet_ros.simulation.surfaces import Box, facing
from posenet_ros.simulation.textures import plain
import pytest

GREY = np.full((4, 6, 3), 128, np.uint8)


def test_a_facing_quad_is_centred_and_looks_where_it_should():
    quad = facing([1, 2, 1.5], [0, 1, 0], 2.0, 1.0, GREY)
    np.testing.assert_allclose(quad.normal, [0, 1, 0], atol=1e-12)
    # Seen from +y, looking along -y, right is -x.
    np.testing.assert_allclose(quad.edge_u, [-2, 0, 0], atol=1e-12)
    np.testing.assert_allclose(quad.edge_v, [0, 0, -1], atol=1e-12)
    np.testing.assert_allclose(quad.corner, [2, 2, 2], atol=1e-12)


def test_a_level_quad_needs_and_takes_a_direction():
    quad = facing([0, 0, 0], [0, 0, 1], 2.0, 1.0, GREY, right=[0, 1, 0])
    np.testing.assert_allclose(quad.normal, [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(quad.edge_u, [0, 2, 0], atol=1e-12)


def test_the_faces_of_a_box_look_outward_from_its_surface():
    box = Box((1.0, 0.6, 0.8), plain((90, 90, 90)), (2.0, 1.0, 0.5), 0.7)
    quads = box.quads(np.random.default_rng(0))
    assert len(quads) == 6
    for quad in quads:
        middle = quad.corner + quad.edge_u / 2 + quad.edge_v / 2
        outward = middle - box.centre
        reach = np.linalg.norm(outward)
        np.testing.assert_allclose(outward / reach, quad.normal, atol=1e-9)
        assert min(abs(reach - half) for half in (0.5, 0.3, 0.4)) < 1e-9
    area = sum(np.linalg.norm(np.cross(quad.edge_u, quad.edge_v)) for quad in quads)
    assert area == pytest.approx(2 * (1.0 * 0.6 + 1.0 * 0.8 + 0.6 * 0.8))


def test_a_box_on_the_floor_has_no_lower_face():
    assert len(Box((1, 1, 1), plain((9, 9, 9))).quads(np.random.default_rng(0))) == 5


def test_the_front_looks_along_y_and_the_top_up():
    red, blue = plain((255, 0, 0), 0), plain((0, 0, 255), 0)
    box = Box((1, 1, 1), plain((0, 255, 0), 0), front=red, top=blue).placed(3, 4, np.pi / 2)
    for quad in box.quads(np.random.default_rng(0)):
        # Turned a quarter to the left, +y has become -x.
        tone = quad.texture[0, 0].tolist()
        expected = [255, 0, 0] if quad.normal[0] < -0.9 else [0, 255, 0]
        assert tone == ([0, 0, 255] if quad.normal[2] > 0.9 else expected)


def test_placing_twice_is_placing_once_with_both():
    box = Box((1, 2, 3), plain((9, 9, 9)), (0.5, 0.2, 0.1), 0.3)
    twice = box.placed(1.0, 0.0, 0.4).placed(0.0, 2.0, 0.5)
    turn = np.array([[np.cos(0.5), -np.sin(0.5)], [np.sin(0.5), np.cos(0.5)]])
    once = box.placed(*(turn @ [1.0, 0.0] + [0.0, 2.0]), 0.9)
    np.testing.assert_allclose(twice.base, once.base)
    assert twice.yaw == pytest.approx(once.yaw)
