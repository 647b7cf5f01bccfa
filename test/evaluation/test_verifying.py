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

"""What is concluded from held-out and foreign images: how much verifies a pose, how exactly."""

from dataclasses import replace

import numpy as np
from posenet_ros.evaluation.verifying import conclude
from posenet_ros.geometry import Pose
from posenet_ros.landmarks.gate import Evidence, Gate
from posenet_ros.landmarks.verifier import Verdict
import pytest
from scipy.spatial.transform import Rotation

USUAL = Evidence(
    agreed=200,
    found=300,
    expected=1000,
    by_chance=2.0,
    cells=40,
    elsewhere=0,
    missed=0.02,
    strange=0.05,
    afar=0.05,
    zoom=1.0,
    zoom_deviation=0.01,
)
TRUE = Pose(Rotation.from_euler('xyz', [10, 20, 30], degrees=True), [1, 2, 3], 'map', 'camera')


def seen(off=(0.0, 0.0, 0.0), true=TRUE, **other):
    """Return an image taken at `true`, and a verdict so many metres off."""
    pose = Pose(TRUE.rotation, TRUE.translation + off, 'map', 'camera')
    covariance = np.diag([1e-4] * 3 + [1e-6] * 3)
    return true, Verdict(pose, covariance, replace(USUAL, **other))


def test_where_nothing_is_wrong_the_least_is_enough():
    found = conclude([seen()] * 20, [seen(agreed=16)], wrong_m=0.5)
    assert found.gate.agreed == Gate().agreed
    assert (found.own, found.verified, found.others, found.wrong) == (20, 20, 1, 0)


@pytest.mark.parametrize(
    'wrong', [seen((0.6, 0, 0), agreed=40), seen(true=None, agreed=40)], ids=['off', 'nowhere']
)
def test_a_wrong_pose_is_not_enough_with_a_margin(wrong):
    found = conclude([seen()] * 20, [wrong, seen(agreed=90)], wrong_m=0.5)
    assert found.gate.agreed == 50
    assert (found.wrong, found.most_agreed) == (1, 40)


def test_what_own_images_show_is_asked_of_all():
    poor = seen(found=100, cells=20, missed=0.2, strange=0.25, afar=0.25, by_chance=1.0)
    found = conclude([poor] * 50, [], wrong_m=0.5)
    assert found.gate.share == pytest.approx(0.4 * 0.1)
    assert found.gate.cells == 9
    assert found.gate.missed == pytest.approx(1.5 * 0.2)
    assert found.gate.unlike == pytest.approx(1.5 * 0.45)
    assert found.gate.afar == pytest.approx(1.5 * 0.25)


def test_as_much_may_be_hidden_as_a_person_hides():
    gate = conclude([seen()] * 50, [], wrong_m=0.5).gate
    assert (gate.missed, gate.unlike, gate.afar) == (0.22, 0.2, 0.3)


def test_poses_from_ever_farther_off_are_no_guesses_all_the_same():
    gate = conclude([seen(afar=0.55)] * 50, [], wrong_m=0.5).gate
    assert gate.afar == Gate().afar


@pytest.mark.parametrize('deviation_m', [0.02, 0.1])
def test_errors_are_in_the_regions_that_their_covariances_tell(deviation_m):
    rng = np.random.default_rng(3)
    own = [seen(rng.normal(0, deviation_m, 3)) for _ in range(400)]
    found = conclude(own, [], wrong_m=5.0)
    # The points alone say 10 mm.
    told = np.hypot(found.gate.floor_m, 0.01)
    assert told == pytest.approx(deviation_m, rel=0.2)
    assert found.median_m == pytest.approx(1.54 * deviation_m, rel=0.1)


def test_without_a_verified_image_nothing_is_known_to_be_exact():
    found = conclude([seen(cells=2)] * 5, [], wrong_m=0.5)
    assert found.verified == 0
    assert found.median_m == found.median_deg == np.inf
