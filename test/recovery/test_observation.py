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


from __future__ import annotations

import math

import numpy as np
from posenet_ros.errors import GeometryError
from posenet_ros.geometry import Pose
from posenet_ros.recovery.observation import Kind, Observation
import pytest
from scipy.spatial.transform import Rotation


def test_a_camera_is_carried_to_its_base_with_its_lever(pose, covariance):
    # The camera is 2 m ahead of the base and looks along it.
    map_from_camera = pose(5, 1, 90, source='camera')
    camera_from_base = pose(-2, target='camera')
    told = np.diag([0.01, 0.01, 0.01, 1e-6, 1e-6, 0.01])
    seen = Observation.of_camera(7, map_from_camera, told, Kind.VERIFIED, camera_from_base)
    np.testing.assert_allclose(seen.map_from_base.translation, [5, -1, 0], atol=1e-12)
    # It lies along -y of the map from the camera, and swings along x.
    assert seen.covariance[0, 0] == pytest.approx(0.01 + 4 * 0.01)
    assert seen.covariance[1, 1] == pytest.approx(0.01)
    assert seen.covariance[0, 5] == pytest.approx(2 * 0.01)


def bad_rotation():
    return Rotation.from_rotvec([np.nan, 0, 0])


@pytest.mark.parametrize(
    ('replaced', 'message'),
    [
        ({'covariance': None}, 'both'),
        ({'map_from_base': None}, 'both'),
        ({'covariance': np.zeros((6, 6))}, 'positive definite'),
        ({'covariance': np.full((6, 6), np.nan)}, 'finite'),
        ({'map_from_base': Pose.identity('map', 'camera')}, 'map_from_base'),
        ({'map_from_base': Pose(bad_rotation(), np.zeros(3), 'map', 'base')}, 'not finite'),
    ],
)
def test_what_is_no_observation_is_refused(pose, covariance, replaced, message):
    values = {'map_from_base': pose(), 'covariance': covariance(), **replaced}
    with pytest.raises(GeometryError, match=message):
        Observation(7, kind=Kind.REGRESSED, **values)


def test_a_refusal_keeps_its_reasons():
    seen = Observation.refused(7, 'blurred', 'dark')
    assert seen.map_from_base is None
    assert seen.reasons == ('blurred', 'dark')
    assert math.isfinite(seen.stamp_ns)
