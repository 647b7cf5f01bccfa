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

from dataclasses import replace

import numpy as np
from posenet_ros.evaluation.covariance import Seen
from posenet_ros.evaluation.stretches import left_out, unseen
from posenet_ros.localization.retrieval import FeatureIndex
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


def block(novelty_N):
    novelty_N = np.asarray(novelty_N, dtype=float)
    return Seen(novelty_N, np.full((len(novelty_N), 6), 0.01), np.ones(len(novelty_N)))


SECONDS = [block(np.linspace(0.0, 0.01, 20)) for _ in range(4)]


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


def stretches(scales_6, number=40, new=(0.1, 0.5), seed=0):
    """Return stretches whose errors are so large, a unit of novelty."""
    generator = np.random.default_rng(seed)
    found = []
    for scale_6 in np.broadcast_to(scales_6, (number, 6)):
        novelty = generator.uniform(*new, 300)
        errors = generator.standard_normal((300, 6)) * scale_6 * novelty[:, None]
        found.append(Seen(novelty, errors, np.ones(300)))
    return found


def test_errors_a_unit_of_novelty_are_told_in_metres_and_radians():
    told = unseen(SECONDS, stretches([2.0] * 3 + [0.5] * 3))
    assert told.seen == pytest.approx(0.0095)
    assert told.sizes == pytest.approx([2.0] * 3 + [0.5] * 3, rel=0.15)
    # One stretch in five is worse: its errors are alike, and it is the one that a robot is in.
    worse = np.array([[6.0] * 3 + [1.5] * 3] * 8 + [[2.0] * 3 + [0.5] * 3] * 32)
    assert min(unseen(SECONDS, stretches(worse)).sizes[:3]) > 5.0


def test_a_robot_on_a_floor_has_errors_along_two_axes_and_about_one():
    told = unseen(SECONDS, stretches([2, 2, 0, 0, 0, 0.5]))
    assert told.sizes == pytest.approx([2, 2, 0, 0, 0, 0.5], rel=0.15)


def test_which_way_a_hole_lies_nobody_knows():
    assert unseen(SECONDS, stretches([2, 0.5, 0, 0, 0, 0.5])).sizes[1] > 1.7


def test_people_in_front_of_the_camera_in_one_block_do_not_hide_the_holes():
    spoilt = [*SECONDS[:3], block(np.r_[np.linspace(0, 0.01, 15), np.full(5, 0.85)])]
    plain, found = (unseen(each, stretches([2.0] * 6)) for each in (SECONDS, spoilt))
    assert found.seen < 0.02
    assert found.sizes == pytest.approx(plain.sizes)


def test_images_that_look_as_usual_say_nothing_of_holes():
    own = [block(np.linspace(0.2, 0.5, 20))] * 4
    nothing = (0.0,) * 6
    told = unseen(own, stretches([2.0] * 6, new=(0.1, 0.3)))
    assert told == (pytest.approx(0.485), nothing)
    # A few that look new do not make a hole of a stretch.
    novelty = np.r_[np.full(280, 0.1), np.full(20, 0.6)]
    few = Seen(novelty, np.ones((300, 6)), np.ones(300))
    assert unseen(own, [few]).sizes == nothing
    assert unseen([block([])], stretches([2.0] * 6)) == (0.0, nothing)
    assert unseen(SECONDS, ()).sizes == nothing


def test_a_drive_that_leaves_out_a_hole_knows_how_wrong_it_is_there():
    positions = drive()
    remain = np.r_[0:220, 300:400]
    told = unseen(SECONDS, left_out(place(positions[remain])))
    everything = place(positions)
    known = FeatureIndex(place(positions[remain]))
    features = everything.features_NK[220:300].astype(np.float32)
    novelty = known.novelty(features / np.linalg.norm(features, axis=1, keepdims=True))
    nearest = [match.index for match in known.nearest(features)]
    off = np.abs(positions[remain][nearest, 0] - positions[220:300, 0])
    assert off.max() > 1.9
    ratio = off / (told.sizes[0] * novelty)
    assert (ratio <= 1.96).mean() > 0.9
    # And not for the sake of telling much.
    assert np.sqrt(np.mean(ratio**2)) > 0.2


def test_the_far_leg_of_a_corridor_is_wrong_along_itself():
    """Held-out blocks were all of the first leg, which moves along x alone."""
    leg = drive(300, 15.0)
    other = leg[-1] + np.outer(np.linspace(0.05, 5.0, 100), [0, 1, 0])
    told = unseen(SECONDS, left_out(place(np.concatenate([leg, other]))))
    assert told.sizes[1] == told.sizes[0] > 0
    assert told.sizes[2] == 0


def test_sequences_that_begin_at_the_same_time_are_not_mixed():
    one = place(drive(200, 10.0))
    positions = np.concatenate([drive(200, 10.0), drive(200, 10.0) + [0, 40.0, 0]])
    stamps = np.tile(one.stamps_ns_N, 2)
    found = left_out(replace(place(positions), stamps_ns_N=stamps))
    quarter = found[0]
    assert len(quarter.novelty_N) == 100
    assert np.abs(quarter.residuals_N6[:, 0]).max() == pytest.approx(5.0, abs=0.2)


@pytest.mark.parametrize('number', [1, 2, 7, 40])
def test_the_smallest_places_are_taken_as_they_are(number):
    for stretch in left_out(place(drive(number, 1.0))):
        assert np.isfinite(stretch.novelty_N).all()
        assert np.isfinite(stretch.residuals_N6).all()
