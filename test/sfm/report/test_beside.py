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

"""The path of the labels beside that of the reference."""

from dataclasses import replace

import numpy as np
from posenet_ros.geometry import NS_PER_S, Trajectory
from posenet_ros.sfm.agreement import compare
from posenet_ros.sfm.anchor import AnchorFit
from posenet_ros.sfm.report.beside import Beside, checked_paths
from posenet_ros.sfm.report.motions import path_figure, residual_figure
import pytest


def beside_of(result):
    return Beside.of(result, *checked_paths(result))


def test_odometry_that_does_not_err_lies_on_the_labels(make_result, loop):
    beside = beside_of(make_result(odom=loop.odom()))
    np.testing.assert_allclose(beside.told.translations, beside.camera.translations, atol=1e-2)
    length, apart = beside.drift()
    assert length == pytest.approx(
        np.linalg.norm(np.diff(loop.camera().translations, axis=0), axis=1).sum(), rel=0.02
    )
    assert apart < 0.02


def test_odometry_that_drifts_begins_on_the_labels_and_leaves_them(make_result, loop):
    beside = beside_of(make_result(odom=loop.odom(yaw_per_m=4)))
    off = np.linalg.norm(beside.told.translations - beside.camera.translations, axis=1)
    assert off[:10].max() < 0.1
    assert beside.drift()[1] == pytest.approx(off.max())
    assert off[-1] > 0.5


def test_a_second_recording_begins_on_the_labels_again(make_result, loop):
    """Its odometry begins at zero wherever the robot is."""
    odom = loop.odom()
    count = len(odom)
    first, second = odom.select(slice(0, count // 2)), odom.select(slice(count // 2 + 120, count))
    anew = second.transformed(second[0].inverse().renamed(target='odom', source='odom'))
    both = Trajectory(
        np.concatenate([first.stamps_ns, anew.stamps_ns]),
        type(first.rotations).concatenate([first.rotations, anew.rotations]),
        np.concatenate([first.translations, anew.translations]),
        'odom',
        'camera',
    )
    beside = beside_of(make_result(odom=both))
    assert len(beside.pieces) == 2
    np.testing.assert_allclose(beside.told.translations, beside.camera.translations, atol=3e-2)


def test_frames_without_a_label_are_not_on_the_path(make_result, loop):
    result = make_result(odom=loop.odom(), rejected={40: 'large reprojection error: 4 px'})
    camera, _ = checked_paths(result)
    gone = loop.sfm().stamps_ns[40]
    assert gone in camera.stamps_ns
    assert gone not in beside_of(result).camera.stamps_ns


def test_a_localizer_is_shown_as_it_is(make_result, loop):
    result = make_result(odom=loop.odom(yaw_per_m=4))
    fit = AnchorFit(median_m=0.1, p95_m=0.2, median_deg=1.0, left_out=0.0)
    anchored = replace(result, alignment=replace(result.alignment, anchor=fit))
    beside = beside_of(anchored)
    assert not beside.drifts
    np.testing.assert_array_equal(beside.told.translations, checked_paths(result)[1].translations)


def test_without_a_reference_there_is_nothing_beside(make_result):
    assert checked_paths(make_result()) is None


def test_each_motion_is_shown_with_its_tolerance(make_result, loop):
    result = make_result(odom=loop.odom(slip_m=0.5))
    camera, told = checked_paths(result)
    agreement = compare(camera, told)
    assert 0 < agreement.share < 1
    figure = residual_figure(camera, told, result.timeline)
    metres, degrees = figure.axes
    tolerance, agreeing, others = metres.lines
    assert len(tolerance.get_xdata()) == agreement.windows
    assert len(agreeing.get_xdata()) == round(agreement.share * agreement.windows)
    assert len(others.get_xdata()) == agreement.windows - len(agreeing.get_xdata())
    # The slip is in the middle of forty seconds, and however large it is, it is in the picture.
    np.testing.assert_allclose(others.get_xdata(), 20, atol=1)
    assert others.get_ydata().max() < metres.get_ylim()[1]
    assert (metres.get_ylabel(), degrees.get_ylabel()) == ('difference [m]', 'difference [deg]')


def test_odometry_that_jumps_away_does_not_shrink_the_labels_to_a_dot(make_result, loop):
    odom = loop.odom()
    moved = odom.translations.copy()
    moved[len(odom) // 2 :] += [1000.0, 0, 0]
    jumping = Trajectory(odom.stamps_ns, odom.rotations, moved, 'odom', 'camera')
    result = make_result(odom=jumping)
    axes = path_figure(beside_of(result), result.timeline).axes[0]
    assert np.ptp(axes.get_xlim()) < 30


def test_the_paths_have_gaps_where_frames_are_missing(make_result, loop):
    result = make_result(odom=loop.odom(), chosen=np.r_[0:80, 110:200])
    axes = path_figure(beside_of(result), result.timeline).axes[0]
    told, camera, begins = axes.lines
    for line in (told, camera):
        assert np.flatnonzero(np.isnan(line.get_xdata())).tolist() == [80]
    assert len(begins.get_xdata()) == 1
    legend = [text.get_text() for text in axes.figure.legends[0].get_texts()]
    assert legend == ['by /odom', 'by the images', 'laid onto each other here']


def test_a_clock_offset_is_taken_into_account(make_result, loop):
    result = make_result(odom=loop.odom(late_s=0.2))
    assert result.alignment.offset_s == pytest.approx(0.2, abs=0.02)
    camera, told = checked_paths(result)
    np.testing.assert_array_equal(camera.stamps_ns, told.stamps_ns)
    assert camera.stamps_ns[0] - result.chosen_ns[0] < NS_PER_S
    assert compare(camera, told).share == 1
