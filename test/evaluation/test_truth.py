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
from posenet_ros.errors import GeometryError
from posenet_ros.evaluation.truth import fit_labels, pose_at, true_pose
from posenet_ros.geometry import Pose, Trajectory
import pytest
from scipy.spatial.transform import Rotation

START = 1_700_000_000 * 10**9
MS = 10**6


@pytest.fixture
def path(pose):
    """Return poses at 0, 100 and 1000 ms, a metre and ten degrees further each."""
    stamps = [START, START + 100 * MS, START + 1000 * MS]
    return Trajectory.from_poses(stamps, [pose(x=k, degrees=10 * k) for k in range(3)])


@pytest.mark.parametrize(
    ('after_ms', 'expected'),
    [
        (0, 0.0),
        (100, 1.0),
        (50, 0.5),
        # What rounding of text leaves is the same instant, also at an end and beside a gap.
        (-0.0002, 0.0),
        (100.0002, 1.0),
        (1000.0002, 2.0),
        # Nothing is known in a gap of 0.9 s, before the start, or after the end.
        (500, None),
        (-50, None),
        (1050, None),
    ],
)
def test_the_true_pose_at_an_instant(path, pose, after_ms, expected):
    found = true_pose(path, START + round(after_ms * MS))
    if expected is None:
        assert found is None
    else:
        wanted = pose(x=expected, degrees=10 * expected)
        assert found.distance(wanted) == pytest.approx((0, 0), abs=1e-6)


def test_a_recorded_pose_is_never_interpolated(path):
    assert pose_at(path, START + 50 * MS) is None
    assert pose_at(path, START + 100 * MS).translation[0] == 1


@pytest.fixture
def truth_of_labels():
    """Return poses on a curve, in a frame that is not the map."""
    generator = np.random.default_rng(0)
    stamps = START + np.arange(20) * 500 * MS
    return Trajectory(
        stamps,
        Rotation.from_rotvec(generator.uniform(-1, 1, (20, 3))),
        generator.uniform(-2, 2, (20, 3)),
        'truth',
        'camera',
    )


MAP_FROM_TRUTH = Pose(
    Rotation.from_euler('xyz', [10, 20, 30], degrees=True), [1, -2, 3], 'map', 'truth'
)


def test_the_fit_finds_the_frame_and_tells_what_is_left(truth_of_labels):
    fit = fit_labels(truth_of_labels.transformed(MAP_FROM_TRUTH), truth_of_labels)
    assert fit.map_from_truth.distance(MAP_FROM_TRUTH) == pytest.approx((0, 0), abs=1e-6)
    assert fit.pairs == 20
    assert fit.position_rms_m == pytest.approx(0, abs=1e-9)
    assert fit.orientation_median_deg == pytest.approx(0, abs=1e-5)
    assert fit.scale == pytest.approx(1)


def test_scale_is_told_and_not_applied(truth_of_labels):
    labels = truth_of_labels.transformed(MAP_FROM_TRUTH)
    small = Trajectory(
        labels.stamps_ns, labels.rotations, labels.translations / 1.25, 'map', 'camera'
    )
    fit = fit_labels(small, truth_of_labels)
    assert fit.scale == pytest.approx(1.25)
    assert fit.position_rms_m > 0.1
    assert 'scale by 1.2500' in str(fit)
    assert fit.to_dict()['scale'] == pytest.approx(1.25)


def test_a_robot_that_drove_straight_is_fitted_by_orientation(truth_of_labels):
    line = np.outer(np.linspace(0, 5, 20), [1, 2, 0])
    straight = Trajectory(
        truth_of_labels.stamps_ns, truth_of_labels.rotations, line, 'truth', 'camera'
    )
    fit = fit_labels(straight.transformed(MAP_FROM_TRUTH), straight)
    assert fit.map_from_truth.distance(MAP_FROM_TRUTH) == pytest.approx((0, 0), abs=1e-6)
    assert fit.scale == pytest.approx(1)


def test_labels_without_a_truth_are_an_error(truth_of_labels):
    labels = truth_of_labels.transformed(MAP_FROM_TRUTH)
    next_day = Trajectory(
        labels.stamps_ns + 86_400 * 10**9, labels.rotations, labels.translations, 'map', 'camera'
    )
    with pytest.raises(GeometryError, match='only 0 of 20 training labels'):
        fit_labels(next_day, truth_of_labels)


def test_labels_in_one_place_are_an_error(truth_of_labels):
    still = Trajectory(
        truth_of_labels.stamps_ns, truth_of_labels.rotations, np.zeros((20, 3)), 'truth', 'camera'
    )
    with pytest.raises(GeometryError, match='one place'):
        fit_labels(still.transformed(MAP_FROM_TRUTH), still)
