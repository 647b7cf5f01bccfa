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
import json
from pathlib import Path

import numpy as np
from posenet_ros.data.frames import Frame
from posenet_ros.data.images import read_image
from posenet_ros.errors import ConfigError, ModelError
from posenet_ros.explain.features import CLASSIFIER, describe, draw, OTHER, OWN, RANDOM, time_order
from posenet_ros.explain.layout import lay_out, linear_poses, nearest
from posenet_ros.geometry import Pose
from posenet_ros.models.architecture import Architecture
import pytest
from scipy.spatial.transform import Rotation
import torch


def at(x, degrees=0.0):
    return Pose(Rotation.from_euler('z', degrees, degrees=True), [x, 0, 0], 'map', 'camera')


def frame(x, sequence='', stamp_ns=0):
    return Frame(Path('none.png'), at(x), stamp_ns, sequence)


def column(*values):
    return np.array(values, dtype=np.float32)[:, None]


@pytest.fixture
def other(subject, monkeypatch):
    """Let --trunk be the subject's own model under other labels, or what else is asked for."""

    def make(**changes):
        training = {
            **subject.loaded.card.training,
            'labels_sha256': 'of another',
            'source': 'another',
        }
        card = replace(subject.loaded.card, **{'training': training, **changes})
        loaded = replace(subject.loaded, card=card)
        monkeypatch.setattr('posenet_ros.explain.other.load_model', lambda folder, device: loaded)

    return make


def test_the_nearest_is_by_distance():
    assert nearest(column(0.4, 2.6), column(0, 1, 3)).tolist() == [0, 2]


def test_a_linear_pose_follows_the_known_ones():
    known = [at(-10, -60), at(0), at(10, 60)]
    middle, farther = linear_poses(column(-1, 0, 1), known, column(0, 0.5))
    # The penalty of 0.03 of the mean square length is a hundredth of the sum over three.
    assert farther.translation == pytest.approx([5 / 1.01, 0, 0])
    assert middle.translation == pytest.approx([0, 0, 0], abs=1e-9)
    assert middle.rotation.magnitude() == pytest.approx(0, abs=1e-6)
    # Of sin 60 deg to the mean of the cosines, (1/2 + 1 + 1/2) / 3.
    turned = np.arctan2(np.sin(np.pi / 3) * 0.5 / 1.01, 2 / 3)
    assert farther.rotation.as_rotvec() == pytest.approx([0, 0, turned])


def test_time_goes_from_sequence_to_sequence():
    frames = [frame(0, 'b', 1), frame(0, 'a', 9), frame(0, 'a', 2), frame(0, 'b', 5)]
    assert time_order(frames).tolist() == [2, 1, 0, 3]


def test_a_line_stays_a_line_and_is_laid_out_the_same_again():
    train = [frame(x) for x in range(40)]
    test = [frame(x + 0.25) for x in range(0, 40, 4)]
    along = column(*range(40), *(x + 0.25 for x in range(0, 40, 4)))
    feature_ND = np.hstack([along, 0 * along, 0 * along])
    once, again = (lay_out(feature_ND, train, test) for _ in range(2))
    assert np.array_equal(once.place_N2, again.place_N2)
    assert once.place_N2.shape == (50, 2)
    # By chance it would be a half.
    assert once.faithful > 0.9
    assert once.nearest.position_m == pytest.approx([0.25] * 10)
    assert once.linear.position_m.max() < 0.25


def test_what_is_laid_out_is_what_the_head_sees(subject):
    frames = subject.train[:2]
    found = describe(subject, {OWN: subject.loaded.model.trunk}, frames)[OWN]
    for row, each in zip(found, frames, strict=True):
        image_3HW = subject.loaded.card.preprocessing.prepare(read_image(each.image))
        with torch.inference_mode():
            expected = subject.loaded.model.describe(image_3HW[None])[0]
        assert row == pytest.approx(expected.numpy(), abs=1e-5)


def test_without_a_trunk_there_are_two_and_the_caption_says_so(subject, tmp_path):
    exhibit = draw(subject)
    assert list(exhibit.numbers['trunks']) == [CLASSIFIER, OWN]
    assert '--trunk' in exhibit.caption
    assert (exhibit.numbers['training_frames'], exhibit.numbers['test_frames']) == (36, 12)
    assert len(exhibit.numbers['trunks'][OWN]['places']) == 48
    json.dumps(exhibit.numbers, allow_nan=False)
    exhibit.picture.savefig(tmp_path / 'picture.png')


def test_another_scene_stands_between_and_is_as_good_as_its_weights(subject, other):
    other()
    trunks = draw(subject, trunk=Path('elsewhere')).numbers['trunks']
    assert list(trunks) == [CLASSIFIER, OTHER, OWN]
    assert trunks[OTHER] == trunks[OWN] != trunks[CLASSIFIER]


def test_a_trunk_of_another_kind_or_of_this_scene_is_refused(subject, other):
    other(architecture=Architecture('resnet18'))
    with pytest.raises(ConfigError, match='resnet18 for a trunk, this one a mobilenet_v3_small'):
        draw(subject, trunk=Path('elsewhere'))
    other(training=subject.loaded.card.training)
    with pytest.raises(ConfigError, match='trained on this scene'):
        draw(subject, trunk=Path('elsewhere'))


def test_weights_that_are_gone_are_named(subject):
    options = replace(subject.options, weights='gone/weights.pt')
    with pytest.raises(ModelError, match=r'gone/weights\.pt'):
        draw(replace(subject, options=options))


def test_a_training_from_nothing_began_with_no_classifier(subject):
    began = draw(replace(subject, options=replace(subject.options, weights='none')))
    assert list(began.numbers['trunks']) == [RANDOM, OWN]
