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
from posenet_ros.explain import robustness, robustness_picture
from posenet_ros.explain.robustness import draw, measure
from posenet_ros.explain.robustness_words import kept
from posenet_ros.geometry import Pose
from posenet_ros.landmarks.verifier import Verdict
from posenet_ros.localization.estimate import Answers, PoseEstimate
from posenet_ros.localization.retrieval import FeatureIndex
from posenet_ros.models.trust import Trust
import pytest
from scipy.spatial.transform import Rotation
import torch

TRUST = Trust(
    0.0,
    0.0,
    0.0,
    0.0,
    0.0,
    (0.0,) * 6,
    1.0,
    most_reach=4.0,
    limit=0.35,
    own_refused=0.0,
    foreign_accepted=0.0,
)


def at(x):
    return Pose(Rotation.identity(), [x, 0, 0], 'map', 'camera')


class FartherWhenBrighter:
    """Answers with a position of as many metres as the first pixel says; new by a tenth of it."""

    def __init__(self, loaded, *, always):
        assert always
        self.trust = loaded.card.trust

    def locate_batch(self, images):
        said = [float(rgb[0, 0, 0]) for rgb in images]
        estimates = tuple(PoseEstimate(at(x), np.eye(6), 'fake') for x in said)
        guesses = tuple(map(at, said))
        return Answers(estimates, np.zeros((len(images), 1)), np.array(said) / 10, guesses)


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


class DimIsVerified:
    """Verifies images of level 0 at the origin, of 1 beside it, of 2 a metre off; no others."""

    def __init__(self, landmarks):
        assert landmarks == 'the map'

    def verify(self, rgb, feature_K, guess):
        level = int(rgb[0, 0, 0])
        # The network's own guess, of this very image.
        assert guess.distance(at(level)) == (0, 0)
        if level > 2:
            return Verdict(at(0), np.eye(6), None, ('too bright',))
        return Verdict(at((0, 0.1, 1)[level]), np.eye(6), None)


@pytest.fixture
def mapped(monkeypatch, brightened):
    monkeypatch.setattr(robustness, 'unseen_map', lambda subject: 'the map')
    monkeypatch.setattr(robustness, 'Verifier', DimIsVerified)


def test_a_map_verifies_beside_the_network(trusted, mapped):
    as_are, kinds = measure(trusted, trusted.test)
    assert (as_are.verified.share, as_are.verified.median_position) == (1, 0)
    for levels in kinds.values():
        # Of the network is what it was without a map.
        assert [each.median_position for each in levels] == [1, 2, 3, 4, 5]
        assert [each.refused for each in levels] == [0, 0, 0, 1, 1]
        assert [each.verified.share for each in levels] == [1, 1, 0, 0, 0]
        medians = [each.verified.median_position for each in levels]
        assert medians == pytest.approx([0.1, 1, np.inf, np.inf, np.inf])
        assert [len(each.verified.wrong) for each in levels] == [0, 3, 0, 0, 0]


def test_each_wrong_verified_pose_is_told(trusted, mapped):
    exhibit = draw(trusted)
    numbers = exhibit.numbers
    # Three frames: as they are, and at level 1 and 2 of six kinds.
    assert (numbers['asked'], numbers['verified']) == (3 * 31, 3 * 13)
    wrong = numbers['wrong_verified']
    assert len(wrong) == 3 * 6
    assert wrong[0] == {
        'kind': 'motion blur',
        'level': 2,
        'image': '0.png',
        'position': 1.0,
        'orientation_deg': 0.0,
    }
    fog = numbers['kinds']['fog']
    assert fog[0]['verified'] == {
        'share': 1.0,
        'inside': 3,
        'median_position': 0.1,
        'median_orientation_deg': 0.0,
        'most_position': 0.1,
        'most_orientation_deg': 0.0,
        'wrong': 0,
    }
    assert fog[4]['verified']['median_position'] is None
    json.dumps(numbers, allow_nan=False)
    assert '18 of 39 verified poses are wrong (more than 0.5 m or 10 deg off)' in exhibit.caption
    assert 'the farthest is 1.00 m off (motion blur, level 2)' in exhibit.caption
    assert all(len(row) == len(exhibit.headings) for row in exhibit.rows)
    of_fog = next(row for row in exhibit.rows if row[0] == 'fog, verified')
    assert of_fog[1:] == [
        '100 %: 0.000 m, 0.0 deg',
        '100 %: 0.100 m, 0.0 deg',
        '100 %: 1.000 m, 0.0 deg, 3 wrong',
        *['none'] * 3,
        '100 %',
        '3',
    ]


@pytest.mark.parametrize(
    ('calibrated', 'told'),
    [(False, 'Neither network nor map has seen these frames'), (True, 'made once more without')],
)
def test_the_caption_says_of_which_frames_it_is(trusted, mapped, calibrated, told):
    assert told in draw(replace(trusted, calibrated=calibrated)).caption


def test_without_a_map_nothing_is_said_of_one(trusted, brightened, monkeypatch):
    monkeypatch.setattr(robustness, 'unseen_map', lambda subject: None)
    exhibit = draw(trusted)
    assert 'verified' not in exhibit.numbers
    assert all(
        set(each) == set(exhibit.numbers['as_they_are'])
        for each in chain(*exhibit.numbers['kinds'].values())
    )
    assert 'verified' not in exhibit.numbers['as_they_are']
    assert len(exhibit.rows) == len(DEGRADATIONS)
    assert 'verif' not in exhibit.caption
    assert 'nobody tells the model of it' in exhibit.caption


def test_what_is_verified_is_drawn(trusted, mapped, monkeypatch, tmp_path):
    monkeypatch.setattr(robustness, 'picture', robustness_picture.picture)
    figure = draw(trusted).picture
    figure.savefig(tmp_path / 'picture.png')
    # Images of five levels, two errors, what the network and what the map makes of them.
    assert len(figure.axes) == (5 + 4) * len(DEGRADATIONS)
    said = {axes.get_xlabel() for axes in figure.axes}
    assert 'network 2.00 m  0.0 deg\nverified 100 %  1.000 m, 3 wrong' in said
    assert 'network 3.00 m  0.0 deg\nnone verified' in said
