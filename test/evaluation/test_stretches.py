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

import numpy as np
from posenet_ros.evaluation.covariance import Seen
from posenet_ros.evaluation.stretches import left_out, unseen
from posenet_ros.models.checkpoint import TrainingFeatures
import pytest


def place(positions_N3, headings_N=None, turn=0.1) -> TrainingFeatures:
    """
    Return images that look the less alike the farther they are apart.

    Features are random waves over the place, so that the cosine of two falls with their distance.
    """
    positions_N3 = np.asarray(positions_N3, dtype=np.float32)
    generator = np.random.default_rng(0)
    waves_3K = generator.standard_normal((3, 4000)) * np.sqrt(2 * turn)
    phases_K = generator.uniform(0, 2 * np.pi, 4000)
    features = np.cos(positions_N3 @ waves_3K + phases_K) / np.sqrt(2000)
    half_N = np.zeros(len(positions_N3)) if headings_N is None else np.asarray(headings_N) / 2
    quaternions_N4 = np.stack([np.cos(half_N), 0 * half_N, 0 * half_N, np.sin(half_N)], axis=1)
    return TrainingFeatures(
        features.astype(np.float16),
        positions_N3,
        quaternions_N4.astype(np.float32),
        np.arange(len(positions_N3), dtype=np.int64) * 10**8,
    )


def drive(number=400, length_m=20.0):
    """Return positions along a line."""
    return np.outer(np.linspace(0, length_m, number), [1, 0, 0])


SECOND = Seen(np.full(40, 0.01), np.full((40, 6), 0.01), np.ones(40))


def test_stretches_are_left_out_in_time_and_at_ends_and_the_rest_is_what_answers():
    found = left_out(place(drive()))
    lengths = {len(stretch.novelty_N) for stretch in found}
    assert {100, 50, 25, 12} <= lengths
    assert {20, 40, 80} <= lengths
    # An inner stretch of 5 m: its middle is 2.5 m from what remains, its ends are beside it.
    stretch = next(each for each in found[1:] if len(each.novelty_N) == 100)
    errors = np.abs(stretch.residuals_N6[:, 0])
    assert errors.max() == pytest.approx(2.5, abs=0.1)
    assert errors.min() == pytest.approx(0.05, abs=0.03)
    assert np.corrcoef(errors, stretch.novelty_N)[0, 1] > 0.9


def test_an_end_of_the_place_is_as_wrong_as_it_is_far_from_the_rest():
    ends = [each for each in left_out(place(drive())) if len(each.novelty_N) == 80]
    assert max(np.abs(end.residuals_N6[:, 0]).max() for end in ends) == pytest.approx(4, abs=0.2)


def test_errors_a_unit_of_novelty_are_told_in_metres_and_radians():
    generator = np.random.default_rng(0)

    def stretch(metres, radians):
        novelty = generator.uniform(0.1, 0.5, 300)
        scales = np.repeat([metres, radians], 3) * novelty[:, None]
        return Seen(novelty, generator.standard_normal((300, 6)) * scales, np.ones(300))

    told = unseen(SECOND, [stretch(2.0, 0.5) for _ in range(9)])
    assert told.seen == pytest.approx(0.01)
    assert told.position == pytest.approx(2.0, rel=0.1)
    assert told.rotation == pytest.approx(0.5, rel=0.1)
    # One stretch in five is worse: its errors are alike, and it is the one that a robot is in.
    worse = [stretch(6.0, 1.5), stretch(6.0, 1.5), *[stretch(2.0, 0.5) for _ in range(8)]]
    assert unseen(SECOND, worse).position > 5.0


def test_a_robot_on_a_floor_has_errors_along_two_axes_and_about_one():
    generator = np.random.default_rng(0)
    novelty = generator.uniform(0.1, 0.5, 2000)
    errors = generator.standard_normal((2000, 6)) * novelty[:, None] * [2, 2, 0, 0, 0, 0.5]
    told = unseen(SECOND, [Seen(novelty, errors, np.ones(2000))])
    assert told.position == pytest.approx(2.0, rel=0.1)
    assert told.rotation == pytest.approx(0.5, rel=0.1)


def test_images_that_look_as_usual_say_nothing_of_holes():
    own = Seen(np.linspace(0.0, 0.5, 40), np.full((40, 6), 0.01), np.ones(40))
    told = unseen(own, [Seen(np.full(9, 0.3), np.ones((9, 6)), np.ones(9))])
    assert told == (pytest.approx(0.475), 0.0, 0.0)
    assert unseen(SECOND.where(np.zeros(40, dtype=bool)), [SECOND]) == (0.0, 0.0, 0.0)
    assert unseen(SECOND, ()) == (pytest.approx(0.01), 0.0, 0.0)


def test_a_drive_that_leaves_out_a_hole_knows_how_wrong_it_is_there():
    positions = drive()
    remain = np.r_[0:220, 300:400]
    training = place(positions[remain])
    told = unseen(SECOND, left_out(training))
    everything = place(positions)
    cosines = everything.features_NK[220:300].astype(float) @ training.features_NK.T.astype(float)
    novelty, nearest = 1 - cosines.max(axis=1), cosines.argmax(axis=1)
    off = np.abs(positions[remain][nearest, 0] - positions[220:300, 0])
    assert off.max() > 1.9
    assert (off <= 1.96 * told.position * novelty).mean() > 0.9


@pytest.mark.parametrize('number', [1, 2, 7, 40])
def test_the_smallest_places_are_taken_as_they_are(number):
    for stretch in left_out(place(drive(number, 1.0))):
        assert np.isfinite(stretch.novelty_N).all()
        assert np.isfinite(stretch.residuals_N6).all()
