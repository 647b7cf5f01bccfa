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

"""docs/recovery.md tells every option there is."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from posenet_ros.recovery.consensus import ConsensusOptions
from posenet_ros.recovery.demands import ResetOptions
from posenet_ros.recovery.drift import Drift
from posenet_ros.recovery.kidnap import KidnapOptions
from posenet_ros.recovery.odometry import OdometryOptions
from posenet_ros.recovery.planar import PlanarLimits
from posenet_ros.recovery.rehearsal import SCENARIOS
from posenet_ros.recovery.smoothing import SmoothingOptions
from posenet_ros.recovery.views import ViewOptions
import pytest

PAGE = (Path(__file__).parents[2] / 'docs' / 'recovery.md').read_text()


@pytest.mark.parametrize(
    'options',
    [
        OdometryOptions,
        Drift,
        ConsensusOptions,
        PlanarLimits,
        KidnapOptions,
        ResetOptions,
        SmoothingOptions,
        ViewOptions,
    ],
)
def test_every_option_has_its_line(options):
    # `view` holds the options of views, which have their own.
    names = {field.name for field in fields(options)} - {'view'}
    assert {name for name in names if f'`{name}`' not in PAGE} == set()


def test_every_scenario_has_its_row():
    assert {name for name in SCENARIOS if f'`{name}`' not in PAGE} == set()
