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

import cv2
import numpy as np
from posenet_ros.evaluation.evaluate import Evaluation
from posenet_ros.evaluation.metrics import pose_errors
from posenet_ros.evaluation.plots import (
    _breaks,
    cumulative_figure,
    map_figure,
    plot_trip,
    time_figure,
    training_figure,
)
from posenet_ros.geometry import Pose
import pytest
from scipy.spatial.transform import Rotation

# A camera on a robot: z of the camera along x of the map, y of the camera down.
LEVEL = np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])


@pytest.fixture
def lap():
    def drive(radius, count=40):
        angles = np.linspace(0, 2 * np.pi, count)
        rotations = Rotation.from_euler('z', angles[:, None]) * Rotation.from_matrix(LEVEL)
        places = [[2 * radius * np.cos(a), radius * np.sin(a), 1] for a in angles]
        return [Pose(r, p, 'map', 'camera') for r, p in zip(rotations, places)]

    return drive


def test_one_wild_estimate_does_not_shrink_the_map(lap):
    truth = lap(1)
    estimates = [*truth[:-2], Pose(truth[0].rotation, [500, 0, 0], 'map', 'camera'), None]
    figure = map_figure(lap(1.5), truth, estimates)
    axes = figure.axes[0]
    assert axes.get_aspect() == 1
    assert 3 < axes.get_xlim()[1] < 4
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ['training labels', 'truth', 'estimates (1 outside the picture)']


def test_a_cumulative_curve_ends_at_the_share_that_was_answered(lap):
    truth = lap(1, 10)
    errors = pose_errors(truth, [*truth[:8], None, None])
    figure = cumulative_figure({'PoseNet': errors, 'mean training pose': errors})
    assert [axes.get_xlabel() for axes in figure.axes] == [
        'position error [m]',
        'orientation error [deg]',
    ]
    for axes in figure.axes:
        assert axes.lines[0].get_ydata()[-1] == pytest.approx(0.8)


def test_errors_over_time_show_silence(lap):
    truth = lap(1, 10)
    errors = pose_errors(truth, [*truth[:8], None, None])
    figure = time_figure(np.arange(10) * 10**9, errors)
    answered, silent = figure.axes[0].lines
    assert answered.get_xdata().tolist() == list(range(8))
    assert silent.get_xdata().tolist() == [8, 9]
    assert figure.axes[0].get_xlabel() == 'time [s]'


def test_several_sequences_are_counted_by_frame(lap):
    truth = lap(1, 10)
    figure = time_figure(np.array([0, 1, 2, 3, 4] * 2), pose_errors(truth, truth))
    assert figure.axes[0].get_xlabel() == 'frame'


def test_training_curves_have_one_axis_a_quantity():
    history = [
        {'train/loss': 2.0, 'train/position_m': 1.0, 'held_out/position_m': 1.5, 'epoch': 0},
        {'train/loss': 1.0, 'train/position_m': 0.5, 'epoch': 1},
    ]
    figure = training_figure(history)
    assert [axes.get_ylabel() for axes in figure.axes] == ['loss', 'position [m]']
    train, held_out = figure.axes[1].lines
    assert train.get_ydata().tolist() == [1.0, 0.5]
    assert held_out.get_ydata().tolist() == [1.5]


@pytest.mark.parametrize(('first', 'scale'), [(23000.0, 'log'), (90.0, 'linear'), (0.0, 'linear')])
def test_a_curve_that_falls_far_shows_its_end(first, scale):
    history = [{'train/cell_px': value} for value in (first, 5.0, 2.0)]
    (curve,) = training_figure(history).axes
    assert curve.get_yscale() == scale


def test_pictures_of_a_map_without_metres_are_in_units(lap):
    truth = lap(1, 10)
    errors = pose_errors(truth, truth)
    stamps = np.arange(10) * 10**9
    assert cumulative_figure({'PoseNet': errors}, 'units').axes[0].get_xlabel() == (
        'position error [units]'
    )
    over_time, turned = time_figure(stamps, errors, 'units').axes
    assert over_time.get_ylabel() == 'position error [units]'
    assert turned.get_ylabel() == 'orientation error [deg]'
    assert map_figure([], truth, truth, 'units').axes[0].get_xlabel() == 'map x [units]'
    (curve,) = training_figure([{'train/position_m': 1.0}], 'units').axes
    assert curve.get_ylabel() == 'position [units]'


def test_the_picture_of_a_trip_is_written_whole(tmp_path, lap):
    path = tmp_path / 'trip.png'
    truth = tuple(lap(1))
    trip = Evaluation(np.arange(40) * 10**9, truth, (*truth[:-1], None))
    plot_trip(path, trip, lap(1.5), title='An unseen lap', text='0 m')
    picture = cv2.imread(str(path))
    assert min(picture.shape[:2]) > 300
    assert picture.std() > 10
    assert list(tmp_path.iterdir()) == [path]


def test_a_path_is_broken_where_the_camera_was_away():
    seconds = np.array([0, 1, 2, 30, 31, 32, 0, 1])
    assert _breaks(seconds * 10**9).tolist() == [3, 6]
