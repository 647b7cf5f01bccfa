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

"""Means of poses, and how far poses are from them."""

import numpy as np
from posenet_ros.errors import GeometryError
from posenet_ros.geometry import mean_and_spread, mean_pose, Pose
from posenet_ros.geometry.pose import angles_between
import pytest
from scipy.spatial.transform import Rotation


def pose(degrees=0.0, at=(0.0, 0.0, 0.0), target='map'):
    return Pose(Rotation.from_euler('z', degrees, degrees=True), np.array(at), target, 'camera')


def test_the_mean_lies_in_the_middle():
    mean = mean_pose([pose(10, (1, 0, 0)), pose(30, (3, 2, 0))])
    np.testing.assert_allclose(mean.translation, [2, 1, 0])
    assert mean.distance(pose(20, (2, 1, 0)))[1] < 1e-9
    assert (mean.target, mean.source) == ('map', 'camera')


def test_the_sign_of_a_quaternion_does_not_matter():
    # 170 and 190 degrees: quaternions of nearly opposite sign, if w is kept positive.
    mean = mean_pose([pose(170), pose(190)])
    assert np.degrees(mean.distance(pose(180))[1]) < 1e-6
    for sign in (1, -1):
        turned = Pose.from_quaternion(
            w=0, x=0, y=0, z=sign, translation=np.zeros(3), target='map', source='camera'
        )
        assert mean_pose([turned, pose(180)]).distance(pose(180))[1] < 1e-9


def test_it_is_the_eigenvector_of_the_summed_outer_products():
    rng = np.random.default_rng(0)
    rotations = Rotation.random(20, random_state=1)
    weights = rng.uniform(0.1, 2, 20)
    poses = [Pose(each, rng.normal(size=3), 'map', 'camera') for each in rotations]
    quaternions = np.array([each.quaternion() for each in poses])
    _, vectors = np.linalg.eigh((weights[:, None, None] * _outer(quaternions)).sum(axis=0))
    w, x, y, z = vectors[:, -1]
    expected = Pose.from_quaternion(
        w=w, x=x, y=y, z=z, translation=np.zeros(3), target='map', source='camera'
    )
    assert mean_pose(poses, weights).distance(expected)[1] < 1e-7


def _outer(rows):
    return rows[:, :, None] * rows[:, None, :]


def test_weights_pull():
    mean = mean_pose([pose(0, (0, 0, 0)), pose(0, (4, 0, 0))], [3, 1])
    np.testing.assert_allclose(mean.translation, [1, 0, 0])


def test_the_spread_is_root_mean_square():
    rotations = Rotation.from_rotvec(np.radians([[0, 0, z] for z in (14, 26, 20, 20)]))
    at = np.array([(4.0, 0, 1), (-2, 0, 1), (1, 0, 1), (1, 0, 1)])
    mean, (metres, radians) = mean_and_spread(rotations, at, target='map', source='camera')
    assert mean.distance(pose(20, (1, 0, 1))) == pytest.approx((0, 0), abs=1e-9)
    assert (mean.target, mean.source) == ('map', 'camera')
    assert metres == pytest.approx(np.sqrt(18 / 4))
    assert np.degrees(radians) == pytest.approx(np.sqrt(72 / 4))


@pytest.mark.parametrize('poses', [[], [pose(), pose(target='odom')]])
def test_what_has_no_mean_is_refused(poses):
    with pytest.raises(GeometryError, match='to take a mean of' if not poses else 'have no mean'):
        mean_pose(poses)


def test_angles_are_told_near_none_and_near_half_a_turn():
    degrees = np.array([0, 1e-7, -30, 90, 179.999, -180])
    one = Rotation.from_rotvec([0.3, -2.0, 0.5])
    others = one * Rotation.from_rotvec(np.radians(degrees)[:, None] * [[0.6, 0, 0.8]])
    np.testing.assert_allclose(np.degrees(angles_between(one, others)), np.abs(degrees), atol=1e-9)
