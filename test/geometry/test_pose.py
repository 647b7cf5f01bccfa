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

"""Rigid transforms, on a rotation where every wrong quaternion order shows."""

import numpy as np
from posenet_ros.errors import GeometryError
from posenet_ros.geometry import Pose, Quaternion, rotation_from_columns
import pytest
from scipy.spatial.transform import Rotation

# Fixed axes x, y, z by 10, 20, 30 degrees: read in the wrong order it is 143 degrees off.
TILT = Rotation.from_euler('xyz', [10, 20, 30], degrees=True)
TILT_WXYZ = (0.951549, 0.038135, 0.189308, 0.239298)


def pose(target='map', source='camera', translation=(1.0, 2.0, 3.0), rotation=TILT):
    return Pose(rotation, translation, target, source)


def test_quaternion_parts_go_in_and_out_by_name():
    w, x, y, z = TILT_WXYZ
    made = Pose.from_quaternion(
        w=w, x=x, y=y, z=z, translation=[1, 2, 3], target='map', source='camera'
    )
    assert made.distance(pose()) == pytest.approx((0, 0), abs=1e-5)
    assert made.quaternion() == pytest.approx(TILT_WXYZ, abs=1e-5)
    assert Quaternion._fields == ('w', 'x', 'y', 'z')


def test_a_wrong_quaternion_order_would_cost_143_degrees():
    w, x, y, z = TILT_WXYZ
    shifted = Pose.from_quaternion(
        w=x, x=y, y=z, z=w, translation=[1, 2, 3], target='map', source='camera'
    )
    assert np.degrees(pose().distance(shifted)[1]) == pytest.approx(143, abs=1)


def test_q_and_minus_q_and_any_length_are_the_same_rotation():
    w, x, y, z = (-3 * part for part in TILT_WXYZ)
    made = Pose.from_quaternion(
        w=w, x=x, y=y, z=z, translation=[1, 2, 3], target='map', source='camera'
    )
    assert made.distance(pose()) == pytest.approx((0, 0), abs=1e-5)
    assert made.quaternion().w > 0


@pytest.mark.parametrize('part', [0.0, float('nan'), float('inf'), 1e-12])
def test_no_rotation_has_such_a_quaternion(part):
    with pytest.raises(GeometryError, match='no rotation has the quaternion'):
        Pose.from_quaternion(
            w=part, x=0, y=0, z=0, translation=[0, 0, 0], target='map', source='camera'
        )


def test_points_are_mapped_from_source_to_target():
    quarter = Rotation.from_euler('z', 90, degrees=True)
    map_from_camera = pose(rotation=quarter)
    np.testing.assert_allclose(map_from_camera @ np.array([1.0, 0, 0]), [1, 3, 3], atol=1e-12)
    points = np.array([[1.0, 0, 0], [0, 1, 0]])
    points.flags.writeable = False
    np.testing.assert_allclose(map_from_camera @ points, [[1, 3, 3], [0, 2, 3]], atol=1e-12)


def test_products_chain_like_matrices_and_cancel_the_inner_name():
    camera_from_base = pose('camera', 'base', (0.1, -0.2, 0.3), TILT.inv() * TILT.inv())
    product = pose() @ camera_from_base
    assert (product.target, product.source) == ('map', 'base')
    np.testing.assert_allclose(product.matrix(), pose().matrix() @ camera_from_base.matrix())


def test_products_whose_inner_names_differ_are_refused():
    with pytest.raises(GeometryError, match="'camera' and 'base' do not meet"):
        pose() @ pose('base', 'camera')


def test_the_inverse_undoes_and_swaps_the_names():
    inverse = pose().inverse()
    assert (inverse.target, inverse.source) == ('camera', 'map')
    np.testing.assert_allclose((inverse @ pose()).matrix(), np.eye(4), atol=1e-12)


def test_distance_is_the_true_angle_between_rotations():
    turned = pose(
        rotation=TILT * Rotation.from_euler('y', 40, degrees=True), translation=(1, 2, 7)
    )
    metres, radians = pose().distance(turned)
    assert metres == pytest.approx(4)
    assert np.degrees(radians) == pytest.approx(40)
    between = np.abs(np.dot(pose().quaternion(), turned.quaternion()))
    assert radians == pytest.approx(2 * np.arccos(between))


def test_half_a_turn_is_as_far_as_it_gets():
    for degrees in (180, -180, 540):
        turned = pose(rotation=TILT * Rotation.from_euler('x', degrees, degrees=True))
        assert np.degrees(pose().distance(turned)[1]) == pytest.approx(180)


def test_poses_of_different_bodies_are_not_compared():
    with pytest.raises(GeometryError, match='cannot compare map_from_camera with map_from_base'):
        pose().distance(pose(source='base'))


def test_matrices_in_and_out():
    matrix = pose().matrix()
    np.testing.assert_array_equal(matrix[3], [0, 0, 0, 1])
    for form in (matrix, matrix[:3], matrix.tolist()):
        made = Pose.from_matrix(form, target='map', source='camera')
        assert made.distance(pose()) == pytest.approx((0, 0), abs=1e-7)


def test_a_matrix_printed_with_few_digits_passes_and_becomes_a_rotation():
    made = Pose.from_matrix(np.round(pose().matrix(), 4), target='map', source='camera')
    linear = made.matrix()[:3, :3]
    np.testing.assert_allclose(linear @ linear.T, np.eye(3), atol=1e-12)
    assert made.distance(pose())[1] < 1e-4


@pytest.mark.parametrize(
    ('matrix', 'complaint'),
    [
        (np.eye(3), '4x4 and finite'),
        (np.full((4, 4), np.nan), '4x4 and finite'),
        (np.diag([1.0, 1, 1.01, 1]), 'must be a rotation'),
        (np.diag([1.0, 1, -1, 1]), 'must be a rotation'),
        (np.zeros((4, 4)), 'must be a rotation'),
    ],
)
def test_matrices_that_are_no_pose_are_refused(matrix, complaint):
    with pytest.raises(GeometryError, match=complaint):
        Pose.from_matrix(matrix, target='map', source='camera')


@pytest.mark.parametrize('translation', [[1, 2], [1, 2, np.nan], [[1, 2, 3]], [1, 2, np.inf]])
def test_translations_are_three_finite_numbers(translation):
    with pytest.raises(GeometryError, match='three finite numbers'):
        pose(translation=translation)


def test_a_stack_of_rotations_is_no_pose():
    with pytest.raises(GeometryError, match='one rotation'):
        pose(rotation=Rotation.identity(2))


def test_a_pose_does_not_change_with_the_array_it_was_made_of():
    translation = np.array([1.0, 2, 3])
    made = pose(translation=translation)
    translation[0] = 9
    assert made.translation[0] == 1


def test_identity_and_renaming():
    identity = Pose.identity('odom', 'base')
    np.testing.assert_array_equal(identity.matrix(), np.eye(4))
    renamed = pose().renamed(target='sfm')
    assert (renamed.target, renamed.source) == ('sfm', 'camera')
    assert pose().renamed(source='base').source == 'base'
    np.testing.assert_array_equal(renamed.matrix(), pose().matrix())


def test_the_text_of_a_pose_names_its_frames_and_its_order():
    assert repr(pose()) == (
        '<map_from_camera [1.000, 2.000, 3.000] w=0.9515, x=0.0381, y=0.1893, z=0.2393>'
    )


def test_two_columns_are_a_rotation_whatever_their_lengths_and_angle():
    rotations = Rotation.random(5, random_state=0)
    first, second = rotations.as_matrix()[:, :, 0], rotations.as_matrix()[:, :, 1]
    columns = np.column_stack([3 * first, 0.5 * second + 2 * first])
    found = rotation_from_columns(columns)
    assert (rotations.inv() * found).magnitude().max() < 1e-9


@pytest.mark.parametrize('columns', [[0, 0, 0, 1, 0, 0], [1, 0, 0, -2, 0, 0], [1, 0, 0, 0, 0, 0]])
def test_two_columns_along_one_line_are_none(columns):
    with pytest.raises(GeometryError, match='two columns that point the same way'):
        rotation_from_columns(columns)
