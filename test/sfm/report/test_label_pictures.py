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

"""The map from above, and the errors of points and frames."""

from dataclasses import replace

import numpy as np
from posenet_ros.data.grids import OccupancyGrid
from posenet_ros.geometry import Pose
from posenet_ros.sfm.report.errors import errors_figure
from posenet_ros.sfm.report.overview import map_figure
from scipy.spatial.transform import Rotation

NO_POINTS = np.zeros((0, 3))
NO_LOOPS = np.zeros((0, 2), dtype=np.int64)


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def collection(axes, label):
    (found,) = [each for each in axes.collections if each.get_label() == label]
    return found


def test_the_map_has_start_and_end_and_one_scale(make_result, loop):
    result = make_result(odom=loop.odom())
    figure = map_figure(result, NO_POINTS, NO_LOOPS)
    axes = figure.axes[0]
    assert axes.get_aspect() == 1
    assert (axes.get_xlabel(), axes.get_ylabel()) == ('map x [m]', 'map y [m]')
    assert legend(figure) == ['start', 'end']
    places = [line.get_xydata()[0] for line in axes.lines if line.get_label() in ('start', 'end')]
    np.testing.assert_allclose(places, result.labels.translations[[0, -1], :2])
    assert figure.axes[1].get_ylabel() == result.timeline.label


def test_the_map_of_the_localizer_lies_where_it_says(make_result, loop):
    cells = np.zeros((20, 30), dtype=np.int8)
    cells[5, 7] = 100
    cells[0, 0] = -1
    corner = Pose(Rotation.from_euler('z', np.pi / 2), np.array([2.0, -1.0, 0.0]), 'map', 'grid')
    grid = OccupancyGrid('/map', 'map', 0.5, corner, cells)
    result = replace(make_result(odom=loop.odom()), grid=grid)
    figure = map_figure(result, NO_POINTS, NO_LOOPS)
    axes = figure.axes[0]
    (image,) = axes.images
    colours = np.asarray(image.get_array())
    assert colours[0, 0, 3] == 0
    assert (colours[5, 7, :3] < 0.5).all()
    assert (colours[10, 10, :3] > 0.9).all()
    # The middle of the wall, in cells; turned a quarter left, the grid's x runs along map y.
    along = np.array([7.5, 5.5]) * 0.5
    on_page = (image.get_transform() - axes.transData).transform(along)
    np.testing.assert_allclose(on_page, [2.0 - 5.5 * 0.5, -1.0 + 7.5 * 0.5])
    assert 'walls on /map' in legend(figure)


def test_a_map_without_metres_says_units(make_result):
    axes = map_figure(make_result(), NO_POINTS, NO_LOOPS).axes[0]
    assert axes.get_xlabel() == 'map x [units]'


def test_loops_join_labelled_frames_alone(make_result, loop):
    result = make_result(odom=loop.odom(), dropped={150: 'matches no other frame'})
    stamps_ns = loop.sfm().stamps_ns
    figure = map_figure(result, NO_POINTS, stamps_ns[[[0, 100], [20, 180], [0, 150]]])
    lines = collection(figure.axes[0], 'known again')
    ends = loop.camera().translations[[[0, 100], [20, 180]], :2]
    np.testing.assert_allclose(lines.get_segments(), ends, atol=0.02)
    assert legend(figure)[0] == 'known again'


def test_frames_that_were_rejected_after_mapping_are_marked(make_result):
    result = make_result(rejected={5: 'large reprojection error: 4 px'}, dropped={9: 'no match'})
    figure = map_figure(result, NO_POINTS, NO_LOOPS)
    assert 'reconstructed, but rejected' in legend(figure)
    (marks,) = [line for line in figure.axes[0].lines if 'rejected' in line.get_label()]
    assert len(marks.get_xdata()) == 1


def test_points_far_away_do_not_shrink_the_path(make_result, loop):
    result = make_result(odom=loop.odom())
    room = np.random.default_rng(0).uniform([-4, -4, 0], [4, 4, 2], (2000, 3))
    near = map_figure(result, room, NO_LOOPS).axes[0]
    assert 7 < np.ptp(near.get_xlim()) < 10
    stars = np.random.default_rng(1).normal(0, 1e4, (2000, 3))
    far = map_figure(result, np.concatenate([room, stars]), NO_LOOPS).axes[0]
    assert np.ptp(far.get_xlim()) < 25


def test_the_path_is_not_drawn_where_frames_are_missing(make_result, loop):
    whole = make_result(odom=loop.odom())
    parted = make_result(odom=loop.odom(), chosen=np.r_[0:80, 110:200])
    counts = [
        len(map_figure(each, NO_POINTS, NO_LOOPS).axes[0].collections[0].get_segments())
        for each in (whole, parted)
    ]
    assert counts == [199, 168]


def test_errors_of_points_are_shares_and_large_ones_are_counted(make_result):
    errors = np.array([0.2] * 60 + [0.6] * 100 + [25.0] * 40)
    figure = errors_figure(make_result(), errors)
    points, frames = figure.axes
    heights = np.array([patch.get_height() for patch in points.patches])
    assert np.isclose(heights.sum(), 100)
    assert np.isclose(heights[-1], 20)
    assert [text.get_text() for text in points.texts] == ['median 0.60 px']
    good, bad = frames.lines[:2]
    assert (len(good.get_xdata()), len(bad.get_xdata())) == (200, 0)


def test_a_map_without_points_has_its_pictures(make_result):
    figure = errors_figure(make_result(), np.zeros(0))
    assert len(figure.axes[0].patches) == 0
