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

"""Which matches are false, where odometry leads elsewhere."""

from posenet_ros.sfm.parting import Expected, false_pairs

SEEN = {'a': (0, 0, 0), 'b': (1, 0, 0), 'wrong': (0, 1, 0), 'wrong too': (0, 2, 0)}


def parted(*pairs, place=(10, 0, 0), metres=2.0, **more):
    expected = {'wrong': Expected(place, metres), **more}
    return list(false_pairs(pairs, SEEN, expected))


def test_a_match_with_a_place_that_cannot_be_seen_from_there_is_false_either_way_round():
    pairs = [('a', 'wrong'), ('wrong', 'b'), ('a', 'b')]
    assert parted(*pairs) == [('a', 'wrong'), ('wrong', 'b')]


def test_what_odometry_cannot_tell_apart_stays():
    assert parted(('a', 'wrong'), metres=8.5) == []
    assert parted(('a', 'wrong'), place=(3.5, 0, 0)) == []
    assert parted(('a', 'wrong'), place=(4.5, 0, 0)) == [('a', 'wrong')]


def test_what_is_wrong_in_the_same_way_stays_together():
    assert parted(('wrong', 'wrong too'), **{'wrong too': Expected((11, 0, 0), 2.0)}) == []


def test_a_frame_that_is_not_in_the_map_is_no_witness():
    assert parted(('wrong', 'elsewhere')) == []
