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

from dataclasses import replace

import numpy as np
from posenet_ros.simulation.repaint import repainted, wearing
from posenet_ros.simulation.surfaces import facing
from posenet_ros.simulation.world import make_world, unlit_room
import pytest

SIZE = (8.0, 6.0, 3.0)
SIDES = ('corner', 'edge_u', 'edge_v')


@pytest.fixture(scope='module')
def rooms():
    return [unlit_room(seed, SIZE)[0] for seed in (1, 0)]


@pytest.fixture(scope='module')
def painted(rooms):
    return repainted(*rooms)


def sheet(width, height, density=100, seed=0):
    """Return a quad on the wall, of noise with so many texels a metre."""
    shape = (round(height * density), round(width * density), 3)
    texture = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    return facing([1, 0, 1], [0, 1, 0], width, height, texture)


def texels(quads):
    return [quad.texture.tobytes() for quad in quads]


def shared(painted, others):
    """Tell whether each texture is a piece of memory of one of the others."""
    return [
        any(np.shares_memory(quad.texture, other.texture) for other in others) for quad in painted
    ]


def test_of_a_larger_texture_the_middle_is_taken_texel_for_texel():
    mine, theirs = sheet(0.6, 0.4), sheet(1.0, 0.8, seed=1)
    dressed = wearing(mine, theirs)
    np.testing.assert_array_equal(dressed.texture, theirs.texture[20:60, 20:80])
    for name in SIDES:
        np.testing.assert_array_equal(getattr(dressed, name), getattr(mine, name))


def test_a_smaller_texture_is_enlarged_both_ways_alike():
    """Twice as wide as what there is: half as many texels a metre, and half the height of them."""
    dressed = wearing(sheet(2.0, 0.8), theirs := sheet(1.0, 0.8, seed=1))
    np.testing.assert_array_equal(dressed.texture, theirs.texture[20:60])


def test_a_texture_keeps_its_own_density_and_at_least_a_texel():
    fine = sheet(1.0, 1.0, density=300, seed=1)
    assert wearing(sheet(0.5, 0.5), fine).texture.shape == (150, 150, 3)
    assert wearing(sheet(0.001, 0.5), fine).texture.shape == (150, 1, 3)


def test_nothing_moves_and_all_is_painted_with_the_other_room(rooms, painted):
    room, other = rooms
    assert len(painted.quads) == len(room.quads)
    for one, was in zip(painted.quads, room.quads):
        for name in (*SIDES, 'luminous'):
            np.testing.assert_array_equal(getattr(one, name), getattr(was, name))
    assert painted.boxes is room.boxes
    assert all(shared(painted.hung, other.hung)) and all(shared(painted.rugs, other.rugs))
    for faces in painted.faces[::7]:
        # All of one box, the other one's faces.
        assert any(all(shared(faces, others)) for others in other.faces)


def test_all_that_hangs_in_the_other_room_is_seen_and_windows_stay_windows(rooms, painted):
    other = rooms[1]
    assert len(painted.hung) >= len(other.hung)
    assert all(shared(other.hung, painted.hung)) and all(shared(other.rugs, painted.rugs))
    windows = [quad for quad in other.hung if quad.luminous]
    assert shared(painted.hung, windows) == [quad.luminous for quad in painted.hung]


def test_texels_mostly_keep_their_size(rooms, painted):
    for one, was in zip(painted.hung, rooms[0].hung):
        assert min(np.array(one.texture.shape) / was.texture.shape) > 0.6
    kept = [
        one.texture.shape[1] / was.texture.shape[1]
        for one, was in zip(painted.quads, rooms[0].quads)
    ]
    assert np.median(kept) == pytest.approx(1, abs=0.02)


def test_the_walls_are_those_of_the_other_room_and_no_corner_is(rooms, painted):
    before, after = texels(rooms[1].shell[:4]), texels(painted.shell[:4])
    assert sorted(before) == sorted(after)
    corners = {(before[index - 1], before[index]) for index in range(4)}
    assert corners.isdisjoint((after[index - 1], after[index]) for index in range(4))


def test_the_boards_of_the_floor_begin_half_way_across(rooms, painted):
    before, after = rooms[1].shell[4].texture, painted.shell[4].texture
    half = len(before) // 2
    np.testing.assert_array_equal(after, np.concatenate([before[half:], before[:half]]))


def test_where_the_other_room_lacks_things_all_of_its_own_take_turns(rooms):
    room, other = rooms
    few = repainted(room, replace(other, rugs=other.rugs[:1]))
    assert all(shared(few.rugs, other.rugs[:1]))


def test_the_same_seeds_give_the_same_room_and_its_own_textures_change_nothing(world):
    one, again, plain = (make_world(1, textures=each) for each in (0, 0, None))
    assert texels(one.quads) == texels(again.quads) != texels(plain.quads)
    np.testing.assert_array_equal(one.corners, plain.corners)
    np.testing.assert_array_equal(one.lane.middle, plain.lane.middle)
    assert texels(make_world(0, textures=0).quads) == texels(world.quads)
