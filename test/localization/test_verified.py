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

"""When the map's pose stands in for the network's, and what is said where it does not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from posenet_ros.errors import ConfigError, ModelError
from posenet_ros.geometry import Camera, Pose
from posenet_ros.landmarks.features import Sift
from posenet_ros.landmarks.landmark_map import LandmarkMap, LANDMARKS, write_map
from posenet_ros.landmarks.verifier import Verdict
from posenet_ros.localization.estimate import Answers, PoseEstimate
from posenet_ros.localization.load import load_localizer
from posenet_ros.localization.posenet import PoseNetLocalizer
from posenet_ros.localization.verified import VerifiedLocalizer
from posenet_ros.models.checkpoint import load_model, save_model
import pytest
from scipy.spatial.transform import Rotation

ROUGH = Pose(Rotation.identity(), np.array([1.0, 2, 3]), 'map', 'camera')
EXACT = Pose(Rotation.identity(), np.array([1.1, 2, 3]), 'map', 'camera')
WIDE, NARROW = np.eye(6), 1e-4 * np.eye(6)

ANSWERED = PoseEstimate(ROUGH, WIDE, 'posenet')
REFUSED = PoseEstimate.refused('posenet', 'looks like no place')
CONFIRMED = Verdict(EXACT, NARROW, None)
DOUBTED = Verdict(EXACT, NARROW, None, ('3 points are found', 'they are in 2 parts'))
NOTHING = Verdict(None, None, None, ('the image has 2 features',))


@pytest.fixture
def landmarks():
    """Return a map of one point that one frame saw, for the features of the tiny model."""
    return LandmarkMap(
        points_P3=np.ones((1, 3), np.float32),
        first_row=np.array([0, 1], np.int32),
        descriptors=np.ones((1, 128), np.uint8),
        first_seen=np.array([0, 1], np.int32),
        seen=np.zeros(1, np.int32),
        centres_F3=np.zeros((1, 3), np.float32),
        rotations_F33=np.eye(3, dtype=np.float32)[None],
        places_FK=np.ones((1, 128), np.float16),
        camera=Camera(128, 96, 100.0, 100.0, 63.5, 47.5),
        extractor=Sift(),
        image_from_label=Pose.identity('image', 'camera'),
    )


@dataclass
class Network:
    """A network that answers what it was told to."""

    estimates: list[PoseEstimate]
    method: str = 'posenet'
    card: Any = 'the card'
    device: Any = 'cpu'
    engine: str = 'eager'
    training: Any = None
    trust: Any = None

    def locate_batch(self, images):
        count = len(images)
        features = np.arange(count * 128, dtype=np.float32).reshape(count, 128)
        novelty_N = np.linspace(0.1, 0.2, count)
        return Answers(tuple(self.estimates[:count]), features, novelty_N, (ROUGH,) * count)


@dataclass
class Map:
    """
    A verifier that says what it was told to of each image, and remembers what it was asked.

    It knows images by their features, since they come in any order.
    """

    verdicts: list[Verdict]
    asked: dict[int, Any] = field(default_factory=dict)

    def verify(self, rgb, feature_K, *what, any_focal):
        number = int(feature_K[0]) // 128
        self.asked[number] = (rgb, feature_K, *what, any_focal)
        return self.verdicts[number]


@pytest.fixture
def answering(landmarks):
    def made(estimates, verdicts):
        localizer = VerifiedLocalizer(Network(estimates), landmarks)
        localizer.verifier = Map(verdicts)
        return localizer

    return made


@pytest.mark.parametrize('quick', [ANSWERED, REFUSED])
def test_a_verified_pose_stands_whatever_the_network_says(answering, image, quick):
    estimate = answering([quick], [CONFIRMED]).locate(image)
    assert estimate.verified
    assert estimate.method == 'landmarks'
    assert estimate.reasons == ()
    assert estimate.map_from_camera.distance(EXACT) == (0, 0)
    np.testing.assert_array_equal(estimate.covariance, NARROW)


@pytest.mark.parametrize('verdict', [DOUBTED, NOTHING])
@pytest.mark.parametrize('quick', [ANSWERED, REFUSED])
def test_what_is_not_verified_is_the_networks(answering, image, quick, verdict):
    estimate = answering([quick], [verdict]).locate(image)
    assert not estimate.verified
    assert estimate.method == 'posenet'
    assert estimate.map_from_camera is quick.map_from_camera
    np.testing.assert_array_equal(estimate.covariance, quick.covariance)
    said = tuple(f'not verified: {reason}' for reason in verdict.reasons)
    assert estimate.reasons == quick.reasons + said


def test_each_image_has_its_own_answer(answering, image):
    localizer = answering([ANSWERED, REFUSED, ANSWERED], [NOTHING, CONFIRMED, CONFIRMED])
    images = [image, image + 1, image + 2]
    answers = localizer.locate_batch(images)
    assert [each.verified for each in answers.estimates] == [False, True, True]
    np.testing.assert_allclose(answers.novelty_N, [0.1, 0.15, 0.2])
    assert answers.guesses == (ROUGH,) * 3
    assert sorted(localizer.verifier.asked) == [0, 1, 2]
    for number, (rgb, feature_K, guess, camera, any_focal) in localizer.verifier.asked.items():
        assert rgb is images[number]
        np.testing.assert_array_equal(feature_K, answers.features[number])
        assert guess is ROUGH
        assert camera is None
        assert not any_focal


def test_no_images_have_no_answers(answering):
    assert answering([], []).locate_batch([]).estimates == ()


def test_it_is_known_as_the_network_is(answering):
    localizer = answering([ANSWERED], [NOTHING])
    assert (localizer.method, localizer.card, localizer.device) == ('posenet', 'the card', 'cpu')
    assert localizer.training is None


def test_another_camera_is_handed_on(answering, image):
    localizer = answering([], [NOTHING])
    camera = Camera(128, 96, 90.0, 90.0, 63.5, 47.5)
    localizer.verify(image, ANSWERED, np.ones(128, np.float32), None, camera)
    assert localizer.verifier.asked[0][2:] == (None, camera, False)


def test_a_focal_length_that_nobody_tells_is_handed_on(answering, image):
    localizer = answering([], [NOTHING])
    localizer.verify(image, ANSWERED, np.ones(128, np.float32), None, any_focal=True)
    assert localizer.verifier.asked[0][2:] == (None, None, True)


def test_a_map_of_another_network_is_refused_when_it_is_loaded(loaded, landmarks, tmp_path):
    other = replace(landmarks, places_FK=np.ones((1, 16), np.float16))
    write_map(tmp_path / LANDMARKS, other)
    save_model(tmp_path / 'm', loaded.model, loaded.card, None, [tmp_path / LANDMARKS])
    with pytest.raises(ModelError, match='by 16 numbers, and the network by 128'):
        load_localizer(tmp_path / 'm', 'cpu')


@pytest.fixture
def folder(loaded, landmarks, tmp_path):
    """Return a model folder with a map."""
    write_map(tmp_path / LANDMARKS, landmarks)
    where = tmp_path / 'run' / 'model'
    save_model(where, loaded.model, loaded.card, loaded.features, [tmp_path / LANDMARKS])
    return where


def test_files_of_a_model_are_copied_and_listed(folder, tmp_path):
    assert (folder / LANDMARKS).read_bytes() == (tmp_path / LANDMARKS).read_bytes()
    assert (folder / LANDMARKS).stat().st_mode & 0o777 == 0o644
    found = load_model(folder)
    assert found.folder == folder
    assert found.files == {
        LANDMARKS,
        'model.safetensors',
        'training_features.safetensors',
    }


def test_a_file_that_is_not_there_leaves_the_old_model(folder, loaded, tmp_path):
    with pytest.raises(FileNotFoundError):
        save_model(folder, loaded.model, loaded.card, None, [tmp_path / 'none'])
    assert LANDMARKS in load_model(folder).files
    assert [path.name for path in folder.parent.iterdir()] == ['model']


def test_a_model_with_a_map_is_asked_about_both(folder, image):
    for path in (folder, folder.parent):
        localizer = load_localizer(path, 'cpu')
        assert isinstance(localizer, VerifiedLocalizer)
        estimate = localizer.locate(image)
        assert not estimate.verified
        assert estimate.answered
        assert estimate.reasons[0].startswith('not verified: ')
    assert isinstance(localizer.verifier.landmarks.points_P3, np.memmap)


def test_the_network_answers_as_it_does_alone(folder, image):
    both, alone = (load_localizer(folder, 'cpu', refine=how) for how in ('auto', 'off'))
    assert isinstance(alone, PoseNetLocalizer)
    one, other = both.locate(image), alone.locate(image)
    assert one.map_from_camera.distance(other.map_from_camera) == (0, 0)
    np.testing.assert_array_equal(one.covariance, other.covariance)
    assert other.reasons == ()


def test_without_a_map_the_network_answers(model_folder):
    assert isinstance(load_localizer(model_folder, 'cpu'), PoseNetLocalizer)


def test_a_map_that_the_card_does_not_list_is_no_part_of_the_model(model_folder, landmarks):
    stray = model_folder / LANDMARKS
    write_map(stray, landmarks)
    try:
        assert isinstance(load_localizer(model_folder, 'cpu'), PoseNetLocalizer)
    finally:
        stray.unlink()


@pytest.mark.parametrize('refine', ['on', '', 'Auto', None, True])
def test_other_words_for_refining_are_refused(folder, refine):
    with pytest.raises(ConfigError, match='refine must be auto or off'):
        load_localizer(folder, 'cpu', refine=refine)


def test_a_map_that_was_altered_cut_or_lost_is_refused(folder):
    path = folder / LANDMARKS
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ModelError, match=f'{LANDMARKS} is not the file'):
        load_localizer(folder, 'cpu')
    path.write_bytes(whole[:-10])
    with pytest.raises(ModelError, match=f'{LANDMARKS} is truncated'):
        load_localizer(folder, 'cpu')
    path.unlink()
    with pytest.raises(ModelError, match=f'{LANDMARKS} is missing'):
        load_localizer(folder, 'cpu')


def test_a_map_that_is_listed_and_is_none_is_refused(loaded, landmarks, tmp_path):
    (tmp_path / LANDMARKS).write_bytes(b'something else')
    save_model(tmp_path / 'm', loaded.model, loaded.card, None, [tmp_path / LANDMARKS])
    with pytest.raises(ModelError, match='landmarks'):
        load_localizer(tmp_path / 'm', 'cpu')
    assert isinstance(load_localizer(tmp_path / 'm', 'cpu', refine='off'), PoseNetLocalizer)


def test_an_empty_map_verifies_nothing_and_the_network_answers(loaded, landmarks, image):
    empty = replace(
        landmarks,
        points_P3=np.zeros((0, 3), np.float32),
        first_row=np.zeros(1, np.int32),
        descriptors=np.zeros((0, 128), np.uint8),
        first_seen=np.zeros(2, np.int32),
        seen=np.zeros(0, np.int32),
    )
    estimate = VerifiedLocalizer(PoseNetLocalizer(loaded), empty).locate(image)
    assert estimate.answered
    assert not estimate.verified
