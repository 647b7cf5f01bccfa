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
from posenet_ros.geometry import Pose
from posenet_ros.reporting.maps import finish_map, limits_around, new_map, TopView
import pytest
from scipy.spatial.transform import Rotation


@pytest.mark.parametrize('axis', [0, 1, 2])
@pytest.mark.parametrize('sign', [1, -1])
def test_from_above_is_not_a_mirror_image(axis, sign):
    up = np.zeros(3)
    up[axis] = sign
    # A camera whose y axis points down.
    down, forward = -up, np.roll(up, 1)
    matrix = np.stack([np.cross(down, forward), down, forward], axis=1)
    pose = Pose(Rotation.from_matrix(matrix), [0, 0, 0], 'map', 'camera')
    view = TopView.of_cameras([pose])
    axes = np.eye(3)
    np.testing.assert_allclose(np.cross(axes[view.right], axes[view.up]), up)


def test_a_map_with_gravity_shows_x_to_the_right_and_y_up():
    view = TopView()
    assert view.labels == ('map x [m]', 'map y [m]')
    assert view.page(np.array([[1, 2, 3]])).tolist() == [[1, 2]]


def test_a_map_without_metres_says_so():
    assert TopView(unit='units').labels == ('map x [units]', 'map y [units]')


def test_a_map_has_one_scale_and_room_around_what_is_in_it():
    limits = limits_around(np.array([[0.0, 0.0], [10.0, 1.0]]))
    np.testing.assert_allclose(limits, [[-0.8, -0.8], [10.8, 1.8]])
    figure, axes = new_map(limits)
    axes.plot([0, 500], [0, 0], label='a line')
    finish_map(figure, axes, TopView(), limits)
    assert axes.get_aspect() == 1
    assert axes.get_xlim() == pytest.approx((-0.8, 10.8))
    width, height = figure.get_size_inches()
    assert height < width / 2


def test_a_single_place_still_has_a_map():
    low, high = limits_around(np.array([[3.0, 4.0]]))
    assert (low < [3, 4]).all()
    assert (high > [3, 4]).all()
