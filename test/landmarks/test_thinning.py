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

"""A map made smaller keeps what every part of every frame needs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from posenet_ros.geometry import Camera
from posenet_ros.landmarks.landmark_map import read_map, write_map
from posenet_ros.landmarks.thinning import thinned
import pytest

# All arrays of frames: where they begin, and centres, rotations and looks as a whole.
FRAME_BYTES = 4 + 12 + 36 + 2 * 16


@pytest.fixture
def landmarks(room):
    return room.map()


@pytest.mark.parametrize('share', [0.9, 0.5, 0.2, 0.05])
def test_a_budget_is_kept_and_used(landmarks, share):
    budget = round(share * landmarks.nbytes)
    small = thinned(landmarks, budget)
    # One more point would have been too much: 64 of its look, 16 of itself, 4 of each view.
    assert budget - 16 - 64 - 4 * 40 < small.nbytes <= budget


def test_a_map_within_its_budget_keeps_its_points(landmarks):
    same = thinned(landmarks, landmarks.nbytes)
    for name, array in landmarks.arrays().items():
        np.testing.assert_array_equal(getattr(same, name), array)


@pytest.mark.parametrize('budget', [0, -5])
def test_without_a_budget_the_frames_stay(landmarks, budget):
    small = thinned(landmarks, budget)
    assert len(small.points_P3) == len(small.seen) == len(small.descriptors) == 0
    assert small.frames == 40
    assert small.nbytes == 40 * FRAME_BYTES + 4 + 4


def test_what_is_left_belongs_together(landmarks, told, tmp_path):
    small = thinned(landmarks, landmarks.nbytes // 3)
    write_map(tmp_path / 'map', small)
    read = read_map(tmp_path / 'map')
    before = {tuple(point): n for n, point in enumerate(landmarks.points_P3.tolist())}
    number = np.array([before[tuple(point)] for point in read.points_P3.tolist()])
    assert (np.diff(number) > 0).all()
    np.testing.assert_array_equal(read.descriptors, landmarks.descriptors[number])
    for frame in range(read.frames):
        kept = set(number[read.seen_by([frame])].tolist())
        assert kept == set(landmarks.seen_by([frame]).tolist()) & set(number.tolist())


def test_the_same_map_is_thinned_the_same_way(landmarks):
    one, other = (thinned(landmarks, landmarks.nbytes // 4) for _ in range(2))
    np.testing.assert_array_equal(one.points_P3, other.points_P3)


def test_corners_that_few_points_are_in_are_kept(make_place, distinct, look_at):
    """995 points in the middle of an image and five in a corner: the five are kept."""
    rng = np.random.default_rng(0)
    middle = np.column_stack([rng.uniform(-0.2, 0.2, (995, 2)), np.full(995, 5.0)])
    corner = np.column_stack([[-2.6, -2.5, -2.6, -2.5, -2.55], [-1.9] * 5, [5.0] * 5])
    # An image at the origin looks along y, and its down is the map's -z.
    own = np.concatenate([middle, corner])
    points = np.column_stack([own[:, 0], own[:, 2], -own[:, 1]])
    place = make_place(points, distinct(1000, 0), [look_at([0, 0, 0], [0, 1, 0])] * 3)
    whole = place.map()
    assert len(whole.seen_by([0])) == 1000
    small = thinned(whole, whole.nbytes // 20)
    assert len(small.points_P3) < 60
    kept = set(map(tuple, small.points_P3.tolist()))
    assert all(tuple(point) in kept for point in points[-5:].astype(np.float32).tolist())


def test_of_the_points_in_a_part_those_that_most_frames_saw_are_kept(
    make_place, distinct, look_at
):
    points = np.column_stack([np.linspace(0.25, 0.35, 100), np.full(100, 5.0), np.zeros(100)])
    place = make_place(points + 0.02, distinct(100, 0), [look_at([0, 0, 0], [0, 1, 0])] * 4)
    whole = place.map()
    often = np.arange(100) % 10 == 3
    # The first frame saw all; the others only some.
    seen = [np.arange(100)] + [np.flatnonzero(often)] * 3
    whole = replace(
        whole,
        seen=np.concatenate(seen).astype(np.int32),
        first_seen=np.array([0, 100, 110, 120, 130], dtype=np.int32),
    )
    small = thinned(whole, 4 * FRAME_BYTES + 8 + 10 * (16 + 64 + 16))
    np.testing.assert_array_equal(small.points_P3, whole.points_P3[often])


def test_three_looks_of_a_point_are_kept_the_usual_one_and_those_that_differ(landmarks):
    usual, left, right, rare = np.eye(4, 64, dtype=np.uint8) * 200
    own = [
        [usual, usual, left, usual, right, rare, usual],
        [left, left, left],
        [right, usual],
        [rare],
    ]
    few = replace(
        landmarks,
        points_P3=landmarks.points_P3[:4],
        descriptors=np.concatenate([np.array(rows) for rows in own]),
        first_row=np.array([0, 7, 10, 12, 13], dtype=np.int32),
        seen=np.array([0, 1, 2, 3], dtype=np.int32),
        first_seen=np.array([0] + [4] * 40, dtype=np.int32),
    )
    small = thinned(few, few.nbytes)
    assert np.diff(small.first_row).tolist() == [3, 1, 2, 1]
    looks = [
        sorted(map(tuple, small.descriptors[start:end, :4].tolist()))
        for start, end in zip(small.first_row[:-1], small.first_row[1:], strict=True)
    ]
    assert (200, 0, 0, 0) in looks[0]
    assert len(set(looks[0])) == 3
    assert looks[1] == [(0, 200, 0, 0)]
    assert looks[2] == [(0, 0, 200, 0), (200, 0, 0, 0)]
    np.testing.assert_array_equal(small.points_P3, few.points_P3)


def test_a_lens_does_not_matter_much_and_a_frame_without_points_does_not_either(make_place, room):
    lens = Camera(640, 480, 300.0, 300.0, 320.0, 240.0, 'plumb_bob', (-0.2, 0.05, 0, 0, 0))
    landmarks = make_place(room.points, room.looks, room.poses, lens).map()
    first_seen = landmarks.first_seen.copy()
    seen = landmarks.seen[first_seen[1] :]
    landmarks = replace(
        landmarks, seen=seen, first_seen=np.concatenate([[0], first_seen[1:] - first_seen[1]])
    )
    small = thinned(landmarks, landmarks.nbytes // 4)
    assert small.nbytes <= landmarks.nbytes // 4
    assert len(small.seen_by([0])) == 0
    assert min(len(small.seen_by([frame])) for frame in range(1, 40)) > 20
