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

"""Which two images are a pair, by views that can be checked by hand."""

import math

import numpy as np
from posenet_ros.data.pairs import find_pairs, PairOptions
from posenet_ros.errors import ConfigError, DatasetError
from posenet_ros.geometry import Camera, Pose
import pytest
from scipy.spatial.transform import Rotation

# 90 degrees wide and high.
CAMERA = Camera(100, 100, 50.0, 50.0, 49.5, 49.5)


def at(x, y=0.0, z=0.0, degrees=0.0):
    """A camera that looks along z of the map, turned about y."""
    return Pose(Rotation.from_euler('y', degrees, degrees=True), [x, y, z], 'map', 'camera')


def chosen(poses, **options):
    pairs = find_pairs(poses, CAMERA, PairOptions(**options))
    return list(zip(pairs.first_P.tolist(), pairs.second_P.tolist(), strict=True))


def test_cameras_side_by_side_are_a_pair_and_back_to_back_are_not():
    assert chosen([at(0), at(0.5), at(0.1, degrees=180)]) == [(0, 1)]


def test_what_is_told_of_a_pair():
    pairs = find_pairs([at(0), at(0.3, 0.4, degrees=30)], CAMERA)
    assert pairs.distance_P == pytest.approx([0.5])
    assert pairs.angle_P == pytest.approx([math.radians(30)])
    assert 0.4 < pairs.overlap_P[0] < 0.9
    assert pairs.told() == '1 pairs, 0.50 m (0.50 to 0.50) and 30 deg (30 to 30) apart'


def test_the_overlap_is_the_smaller_share_of_the_two():
    # From a metre behind, all of what the front one sees is seen; from the front not all.
    behind = find_pairs([at(0, 0, -1.0), at(0)], CAMERA, PairOptions(distance_m=2.4))
    # Its rays are at 0.25 and 0.75 beside, 0 and 0.67 above and below. Of those at 1.2 m, 0.2 m
    # before the front one, none is within 45 degrees there (6 times as steep); of those at 2.4 m
    # (1.7 times) 2 x 1 are, and of those at 4.8 m (1.26 times) all 4 x 3.
    assert behind.overlap_P == pytest.approx([(2 * 1 + 4 * 3) / (4 * 3 * 3)])


def test_too_near_and_too_far_are_no_pairs():
    poses = [at(0), at(0.01), at(1.0)]
    assert chosen(poses, nearest_m=0.05, farthest_m=0.995) == [(1, 2)]


def test_pairs_of_one_sequence_are_left_out_where_there_are_several():
    poses = [at(0), at(0.2), at(0.4)]
    options = PairOptions(across=True)
    names = ['a', 'a', 'b']
    pairs = find_pairs(poses, CAMERA, options, names)
    assert pairs.first_P.tolist() == [0, 1]
    assert pairs.second_P.tolist() == [2, 2]
    assert len(find_pairs(poses, CAMERA, options, ['a', 'a', 'a'])) == 3


def test_many_pairs_are_found_as_few_are():
    rng = np.random.default_rng(0)
    poses = [at(*rng.uniform(-3, 3, 3), degrees=rng.uniform(-60, 60)) for _ in range(200)]
    pairs = find_pairs(poses, CAMERA)
    assert len(pairs) > 300
    for number in rng.choice(len(pairs), 20, replace=False):
        first, second = pairs.first_P[number], pairs.second_P[number]
        alone = find_pairs([poses[first], poses[second]], CAMERA)
        assert alone.overlap_P == pytest.approx([pairs.overlap_P[number]])


def test_pairs_are_drawn_evenly_over_distances_and_either_way_round():
    poses = [at(0.06 * step) for step in range(40)]
    pairs = find_pairs(poses, CAMERA)
    asked, known = pairs.draw(20_000, np.random.default_rng(0))
    assert abs((asked < known).mean() - 0.5) < 0.02
    distance = 0.06 * np.abs(asked - known)
    steps = np.geomspace(distance.min(), distance.max(), 9)
    counts, _ = np.histogram(distance, steps)
    # No distance of a drive's frames is within some of the steps.
    counts = counts[counts > 0]
    assert len(counts) > 4
    assert counts.min() > 0.6 * counts.max()
    there, _ = np.histogram(pairs.distance_P, 8)
    assert there.min() < 0.5 * there.max()


def test_nothing_in_common_is_an_error():
    with pytest.raises(DatasetError, match='no two of 2 frames'):
        find_pairs([at(0), at(10)], CAMERA)
    with pytest.raises(DatasetError, match='no two of 0 frames'):
        find_pairs([], CAMERA)


@pytest.mark.parametrize(
    'values',
    [{'overlap': 0.0}, {'nearest_m': 0.0}, {'nearest_m': 3.0}, {'distance_m': math.inf}],
)
def test_limits_that_take_nothing_or_anything_are_refused(values):
    with pytest.raises(ConfigError):
        PairOptions(**values)
