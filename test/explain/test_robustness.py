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

import copy
from dataclasses import replace
from itertools import chain
import json

import cv2
import numpy as np
from posenet_ros.data.frames import Frame
from posenet_ros.evaluation.degradations import DEGRADATIONS, LEVELS
from posenet_ros.explain import robustness
from posenet_ros.explain.robustness import draw, measure
from posenet_ros.explain.robustness_words import kept
from posenet_ros.geometry import Pose
from posenet_ros.localization.estimate import Answers, PoseEstimate
from posenet_ros.localization.retrieval import FeatureIndex
from posenet_ros.models.trust import Trust
import pytest
from scipy.spatial.transform import Rotation
import torch

TRUST = Trust(
    0.0, 0.0, 0.0, 0.0, 1.0, most_reach=4.0, limit=0.35, own_refused=0.0, foreign_accepted=0.0
)


def at(x):
    return Pose(Rotation.identity(), [x, 0, 0], 'map', 'camera')


class FartherWhenBrighter:
    """Answers with a position of as many metres as the first pixel says; new by a tenth of it."""

    def __init__(self, loaded, *, always):
        assert always

    def locate_batch(self, images):
        said = [float(rgb[0, 0, 0]) for rgb in images]
        estimates = tuple(PoseEstimate(at(x), np.eye(6), 'fake') for x in said)
        return Answers(estimates, np.zeros((len(images), 1)), np.array(said) / 10)


@pytest.fixture
def trusted(subject, tmp_path):
    """Return a subject with TRUST, whose three test frames are black and at the origin."""
    frames = []
    for number in range(3):
        path = tmp_path / f'{number}.png'
        cv2.imwrite(str(path), np.zeros((40, 48, 3), dtype=np.uint8))
        frames.append(Frame(path, at(0), number))
    card = replace(subject.loaded.card, trust=TRUST)
    return replace(subject, loaded=replace(subject.loaded, card=card), test=tuple(frames))


@pytest.fixture
def brightened(monkeypatch):
    """Let every degradation fill images with its level, and answers follow; draw nothing."""
    monkeypatch.setattr(robustness, 'picture', lambda *_: None)
    monkeypatch.setattr(
        robustness, 'degraded', lambda rgb, kind, level, seed: np.full_like(rgb, level)
    )
    monkeypatch.setattr(robustness, 'PoseNetLocalizer', FartherWhenBrighter)


def test_each_level_has_its_error_and_its_share_of_refused_and_misleading(trusted, brightened):
    as_are, kinds = measure(trusted, trusted.test)
    assert (as_are.level, as_are.median_position, as_are.inside) == (0, 0.0, 1.0)
    assert list(kinds) == list(DEGRADATIONS)
    for levels in kinds.values():
        assert [each.level for each in levels] == list(LEVELS)
        assert [each.median_position for each in levels] == [1, 2, 3, 4, 5]
        # The region of 95 % ends at 2 m, and above 3.5 m nothing is believed.
        assert [each.inside for each in levels] == [1, 1, 0, 0, 0]
        assert [each.outside for each in levels] == [0, 0, 1, 0, 0]
        assert [each.refused for each in levels] == [0, 0, 0, 1, 1]
        assert kept(levels) == pytest.approx(2 / 3)


def test_the_caption_says_where_answers_mislead_most(trusted, brightened):
    caption = draw(trusted).caption
    assert '0.00 m, 0.0 deg as they are' in caption
    assert '100 % of the images (motion blur, level 3)' in caption


def test_an_answer_that_never_changes_is_as_wrong_at_every_level(subject, monkeypatch):
    model = copy.deepcopy(subject.loaded.model)
    torch.nn.init.zeros_(model.regressor.weight)
    model.regressor.bias.data.copy_(torch.tensor([0, 0, 0, 1, 0, 0, 0, 1, 0.0]))
    card = replace(subject.loaded.card, trust=TRUST, covariance=100 * np.eye(6))
    monkeypatch.setattr(
        FeatureIndex, 'novelty', lambda self, features: np.full(len(features), 0.1)
    )
    still = replace(subject, loaded=replace(subject.loaded, model=model, card=card))
    numbers = draw(still).numbers
    # From the middle of the training, x = 2.35 m, to test frames at 0.8 to 1.1, 2.4 to 2.7 and
    # 4.0 to 4.3 m.
    conditions = [numbers['as_they_are'], *chain(*numbers['kinds'].values())]
    assert len(conditions) == 31
    assert [each['median_position'] for each in conditions] == pytest.approx([1.4] * 31, abs=1e-3)
    assert {(each['inside'], each['outside'], each['refused']) for each in conditions} == {
        (1, 0, 0)
    }


def test_without_trust_nothing_is_known_of_regions(trusted, brightened):
    card = replace(trusted.loaded.card, trust=None)
    exhibit = draw(replace(trusted, loaded=replace(trusted.loaded, card=card)))
    worst = exhibit.numbers['kinds']['fog'][-1]
    assert (worst['inside'], worst['outside'], worst['refused']) == (None, None, 0.0)
    assert [row[-1] for row in exhibit.rows] == ['not known'] * len(DEGRADATIONS)
    assert 'region' not in exhibit.caption


def test_poses_that_never_come_are_no_number_and_still_a_picture(trusted, monkeypatch, tmp_path):
    class Silent(FartherWhenBrighter):
        def locate_batch(self, images):
            nothing = (PoseEstimate.refused('fake', 'not finite'),) * len(images)
            return Answers(nothing, np.zeros((len(images), 1)), np.zeros(len(images)))

    monkeypatch.setattr(robustness, 'PoseNetLocalizer', Silent)
    exhibit = draw(trusted)
    assert exhibit.numbers['as_they_are']['median_position'] is None
    assert exhibit.numbers['as_they_are']['refused'] == 1
    json.dumps(exhibit.numbers, allow_nan=False)
    exhibit.picture.savefig(tmp_path / 'picture.png')
    assert all(len(row) == len(exhibit.headings) for row in exhibit.rows)
