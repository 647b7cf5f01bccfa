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

from dataclasses import replace

import numpy as np
from posenet_ros.geometry import Trajectory
from posenet_ros.simulation.preview import (
    bare_plan,
    contact_sheet,
    floor_plan,
    plan_extent,
    TRAINING,
)
import pytest
from scipy.spatial.transform import Rotation


def test_a_path_is_drawn_where_it_runs_to_scale(world):
    """From x = 2 to x = 6 at y = 3: half the room's length, half way up the plan."""
    points = np.column_stack([np.linspace(2, 6, 30), np.full(30, 3.0), np.full(30, 0.8)])
    path = Trajectory(np.arange(30), Rotation.identity(30), points, 'map', 'camera')
    plan = floor_plan(world, 870, {'training': (path, TRAINING)})
    drawn = (np.abs(plan.astype(int) - TRAINING) < 3).all(axis=2)[:-34]
    rows, columns = np.nonzero(drawn)
    # 870 pixels for 8 m and 0.35 m on either side.
    assert abs(columns.min() - (2 + 0.35) * 100) < 8
    assert abs(columns.max() - (6 + 0.35) * 100) < 8
    assert abs(np.median(rows) - (3 + 0.35) * 100) < 3


def test_the_plan_looks_below_the_beams(world):
    path = Trajectory(np.arange(1), Rotation.identity(1), np.array([[4, 3, 0.8]]), 'map', 'camera')
    plan = floor_plan(world, 435, {'training': (path, TRAINING)})
    assert plan.shape[1] == 435 and plan.shape[0] == 335 + 34
    assert plan[:-34].std() > 20


def test_a_place_is_marked_where_it_is_and_named_towards_the_middle(world):
    path = Trajectory(np.arange(1), Rotation.identity(1), np.array([[4, 3, 0.8]]), 'map', 'camera')
    named = replace(world, places={'east': (7.0, 3.0)})
    plain, marked = (
        floor_plan(each, 870, {'training': (path, TRAINING)})[:-34].astype(int)
        for each in (world, named)
    )
    rows, columns = np.nonzero((plain != marked).any(axis=2))
    # The dot, of six pixels, is at x = 7; the name is to its left.
    assert abs(columns.max() - (7.35 * 100 + 6)) < 4
    assert 30 < 735 - columns.min() < 90
    assert abs(np.median(rows) - (3 + 0.35) * 100) < 4


def test_the_extent_is_what_a_plan_shows(world):
    plan = bare_plan(world, 400)
    left, right, low, high = plan_extent(world)
    assert plan.shape[1] == 400
    assert plan.shape[0] / plan.shape[1] == pytest.approx((high - low) / (right - left), abs=0.01)
    assert left < 0 < world.size[0] < right
    assert low < 0 < world.size[1] < high


def test_a_contact_sheet_shows_frames_row_by_row():
    tones = [np.full((60, 80, 3), tone, np.uint8) for tone in (10, 60, 110)]
    sheet = contact_sheet(tones, columns=2, width=40, gap=4)
    assert sheet.shape == (2 * 34 + 4, 2 * 44 + 4, 3)
    assert sheet[10, 10, 0] == 10 and sheet[10, 60, 0] == 60 and sheet[50, 10, 0] == 110
    assert sheet[50, 60, 0] == 250
