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
from posenet_ros.errors import ConfigError, ModelError
from posenet_ros.localization.load import load_localizer
from posenet_ros.localization.posenet import choose_device, PoseNetLocalizer
from posenet_ros.localization.regressor import PoseRegressor
from posenet_ros.models.checkpoint import save_model, TrainingFeatures
from posenet_ros.models.map_card import Measure
from posenet_ros.models.posenet import PosePrediction
from posenet_ros.models.preprocessing import Preprocessing
from posenet_ros.models.trust import ADDED, Trust
import pytest
import torch


class Fixed(torch.nn.Module):
    """A network that says the same of every image, and remembers how it was called."""

    def __init__(self, position, quaternion_wxyz):
        super().__init__()
        self.position = torch.tensor(position, dtype=torch.float32)
        self.quaternion = torch.tensor(quaternion_wxyz, dtype=torch.float32)

    def forward(self, image_B3HW):
        count = len(image_B3HW)
        self.inference = torch.is_inference_mode_enabled()
        return PosePrediction(
            self.position.expand(count, 3),
            self.quaternion.expand(count, 4),
            torch.tensor([[0.6, 0.7]]).expand(count, 2),
        )


def regressor(*output):
    return PoseRegressor(Fixed(*output), Preprocessing(), 'cpu')


def test_output_becomes_a_pose_with_w_first_and_features_as_the_network_has_them(image):
    # Half a turn about y is w=0 x=0 y=1 z=0; read with w last it would be about z.
    poses, features, spreads, *_ = regressor([1, 2, 3], [0, 0, 1, 0]).regress([image, image])
    assert np.isnan(spreads).all()
    assert len(poses) == 2
    assert (poses[0].target, poses[0].source) == ('map', 'camera')
    np.testing.assert_allclose(poses[0].translation, [1, 2, 3])
    np.testing.assert_allclose(poses[0].rotation.apply([1, 0, 0]), [-1, 0, 0], atol=1e-6)
    np.testing.assert_allclose(poses[0].rotation.apply([0, 1, 0]), [0, 1, 0], atol=1e-6)
    np.testing.assert_allclose(features, [[0.6, 0.7], [0.6, 0.7]], atol=1e-6)


@pytest.mark.parametrize(
    ('position', 'quaternion'),
    [
        ([np.nan, 0, 0], [1, 0, 0, 0]),
        ([0, np.inf, 0], [1, 0, 0, 0]),
        ([0, 0, 0], [1, 0, np.nan, 0]),
        ([0, 0, 0], [0, 0, 0, 0]),
    ],
)
def test_output_that_is_no_pose_is_refused(loaded, image, position, quaternion):
    localizer = PoseNetLocalizer(loaded)
    localizer.regressor = regressor(position, quaternion)
    estimate = localizer.locate(image)
    assert not estimate.answered
    assert 'not finite' in estimate.reasons[0]


def test_the_network_runs_without_gradients_and_without_dropout(image):
    network = Fixed([0, 0, 0], [1, 0, 0, 0]).train()
    PoseRegressor(network, Preprocessing(), 'cpu').regress([image])
    assert network.inference
    assert not network.training


def test_an_answer_carries_the_covariance_of_the_card(loaded, image):
    localizer = PoseNetLocalizer(loaded)
    estimate = localizer.locate(image)
    assert estimate.answered
    assert (estimate.method, estimate.verified) == ('posenet', False)
    np.testing.assert_array_equal(estimate.covariance, loaded.card.covariance)


def test_a_batch_answers_as_single_images_do_whatever_their_sizes(loaded, image):
    localizer = PoseNetLocalizer(loaded)
    images = [image, image[:, ::-1], np.repeat(image, 2, axis=0)]
    together = localizer.locate_batch(images)
    assert together.features.shape == (3, 128)
    for rgb, estimate in zip(images, together.estimates, strict=True):
        metres, radians = localizer.locate(rgb).map_from_camera.distance(estimate.map_from_camera)
        assert metres < 1e-4
        assert radians < 1e-3


def test_no_images_are_an_error(loaded):
    with pytest.raises(ConfigError, match='no image'):
        PoseNetLocalizer(loaded).locate_batch([])


def test_a_model_without_covariance_is_refused(loaded):
    bare = replace(loaded, card=replace(loaded.card, covariance=None))
    with pytest.raises(ModelError, match='no covariance'):
        PoseNetLocalizer(bare)


def test_a_folder_loads_and_answers_as_before_it_was_saved(loaded, model_folder, image):
    localizer = load_localizer(model_folder.parent, device='cpu')
    assert localizer.device.type == 'cpu'
    assert len(localizer.training.features_NK) == 3
    fresh = PoseNetLocalizer(loaded).locate(image).map_from_camera
    metres, _ = fresh.distance(localizer.locate(image).map_from_camera)
    assert metres < 1e-5


def test_a_model_without_metres_is_loaded_only_where_that_is_asked_for(loaded, tmp_path):
    folder = tmp_path / 'model'
    save_model(folder, loaded.model, replace(loaded.card, metric=False), loaded.features)
    with pytest.raises(ModelError, match='has no metres'):
        load_localizer(folder, device='cpu')
    assert load_localizer(folder, device='cpu', unscaled=True).card.metric is False


def test_no_folder_is_one_line(tmp_path):
    with pytest.raises(ModelError, match='no model at'):
        load_localizer(tmp_path / 'nowhere')


def test_auto_takes_cuda_where_there_is_one():
    assert choose_device('auto').type == ('cuda' if torch.cuda.is_available() else 'cpu')


@pytest.mark.parametrize('name', ['gpu', 'cuda:99', ''])
def test_a_device_that_is_not_there_is_named(name):
    with pytest.raises(ConfigError, match='use auto, cpu or cuda'):
        choose_device(name)


class Seen(torch.nn.Module):
    """A network that stays where it is; the red of an image is the angle of its feature."""

    def forward(self, image_B3HW):
        angle = image_B3HW[:, 0].mean(dim=(1, 2))
        feature = torch.stack([torch.cos(angle), torch.sin(angle)], dim=1)
        pose = torch.tensor([[1.0, 0, 0, 0]]).expand(len(angle), 4)
        return PosePrediction(pose[:, 1:], pose, feature)


@pytest.fixture
def trusting(loaded):
    """Return a model whose one training image is black."""
    features = TrainingFeatures(
        np.array([[1, 0]], dtype=np.float16),
        np.zeros((1, 3), dtype=np.float32),
        np.array([[1, 0, 0, 0]], dtype=np.float32),
        np.zeros(1, dtype=np.int64),
    )
    trust = Trust(
        lowest=0.0,
        typical=0.1,
        growth_position=2.0,
        growth_rotation=1.0,
        seen=0.4,
        unseen=(0.0,) * 6,
        half_reach=3.0,
        most_reach=12.0,
        limit=0.5,
        own_refused=0.0,
        foreign_accepted=0.0,
    )
    card = replace(
        loaded.card, trust=trust, preprocessing=Preprocessing(mean=(0, 0, 0), std=(1,) * 3)
    )
    return replace(loaded, model=Seen(), card=card, features=features)


def red(angle):
    return np.full((240, 320, 3), round(255 * angle), dtype=np.uint8)


def test_an_image_that_is_like_no_training_image_is_refused_with_the_figures(trusting):
    localizer = PoseNetLocalizer(trusting)
    # Half a radian from the training image is a novelty of 0.12, a radian of 0.46.
    assert localizer.locate(red(0.5)).answered
    trust = replace(trusting.card.trust, limit=0.3)
    strict = replace(trusting, card=replace(trusting.card, trust=trust))
    refused = PoseNetLocalizer(strict).locate(red(1.0))
    assert not refused.answered
    assert 'no place of the map: its novelty is 0.46, at most 0.30' in refused.reasons[0]
    assert PoseNetLocalizer(strict, always=True).locate(red(1.0)).answered


def test_the_covariance_of_an_answer_grows_with_the_novelty_of_its_image(trusting):
    localizer = PoseNetLocalizer(trusting)
    plain, new = (localizer.locate(red(angle)).covariance for angle in (0.0, 1.0))
    above = 1 - np.cos(1.0) - 0.1
    base = trusting.card.covariance
    assert plain[0, 0] == pytest.approx(base[0, 0] * np.exp(-0.2), rel=0.01)
    assert new[0, 0] == pytest.approx(base[0, 0] * np.exp(2 * above), rel=0.01)
    assert new[5, 5] == pytest.approx(base[5, 5] * np.exp(above), rel=0.01)


def test_of_an_angle_nothing_is_known_at_worst(trusting):
    growing = replace(trusting.card.trust, growth_rotation=50.0)
    localizer = PoseNetLocalizer(
        replace(trusting, card=replace(trusting.card, trust=growing)), always=True
    )
    covariance = localizer.locate(red(1.0)).covariance
    np.testing.assert_allclose(np.sqrt(np.diag(covariance))[3:], [np.pi / np.sqrt(3)] * 3)
    assert (np.diag(covariance)[:3] > 0).all()


class Telling(Seen):
    """A network that is as sure as its image is red."""

    def __init__(self):
        super().__init__()
        self.scene = object()

    def forward(self, image_B3HW):
        sure_B = 400 * image_B3HW[:, 0].mean(dim=(1, 2)) + 1
        information = sure_B[:, None, None] * torch.eye(6)
        return super().forward(image_B3HW)._replace(information_B66=information)


@pytest.fixture
def telling(trusting):
    """Return a model whose poses come with covariances, which are a quarter of what they were."""
    measured = replace(trusting.card.trust, growth_position=0.0, growth_rotation=0.0, seen=0.6)
    cells = Measure(4 * np.eye(6), replace(measured, unseen=(0.5,) * 3 + (0.1,) * 3))
    return replace(trusting, model=Telling(), card=replace(trusting.card, cells=cells))


def test_a_pose_that_comes_with_a_covariance_has_that_as_large_as_was_measured(telling):
    localizer = PoseNetLocalizer(telling)
    for angle in (0.2, 0.8):
        covariance = localizer.locate(red(angle)).covariance
        # Colours are of 256 levels.
        told = 1 / (400 * round(255 * angle) / 255 + 1)
        expected = 4 * told * np.eye(6) + np.diag(ADDED**2)
        np.testing.assert_allclose(covariance, expected, rtol=1e-5)


def test_in_a_hole_of_the_map_it_is_larger_whatever_is_told(telling):
    angle = 2.0
    beyond = Preprocessing(mean=(0,) * 3, std=(1 / angle,) * 3)
    telling = replace(telling, card=replace(telling.card, preprocessing=beyond))
    covariance = PoseNetLocalizer(telling, always=True).locate(red(1.0)).covariance
    novelty = 1 - np.cos(angle)
    told = 4 / (400 * angle + 1)
    expected = told + ADDED[:3] ** 2 + (0.5 * novelty) ** 2
    np.testing.assert_allclose(np.diag(covariance)[:3], expected, rtol=1e-3)


def test_covariances_of_which_nothing_was_measured_count_for_nothing(telling):
    older = replace(telling, card=replace(telling.card, cells=None))
    of_both = [
        PoseNetLocalizer(each).locate(red(0.5)).covariance
        for each in (older, replace(older, model=Seen()))
    ]
    np.testing.assert_array_equal(*of_both)


@pytest.fixture
def retrieving(trusting):
    """Return a model with a second training image, of red 1.0, that knows what retrieval costs."""
    features = TrainingFeatures(
        np.array([[1, 0], [np.cos(1), np.sin(1)]], dtype=np.float16),
        np.array([[0, 0, 0], [4, 5, 6]], dtype=np.float32),
        np.array([[1, 0, 0, 0], [0, 0, 1, 0]], dtype=np.float32),
        np.zeros(2, dtype=np.int64),
    )
    measure = Measure(9 * np.eye(6), replace(trusting.card.trust, growth_position=0.0, limit=0.1))
    return replace(trusting, features=features, card=replace(trusting.card, retrieval=measure))


def test_retrieval_answers_with_the_pose_of_the_image_that_looks_most_alike(retrieving):
    localizer = PoseNetLocalizer(retrieving, method='retrieval')
    images = [red(0.9), red(0.1)]
    answers = localizer.locate_batch(images)
    far, near = answers.estimates
    assert (far.method, far.verified) == ('retrieval', False)
    np.testing.assert_array_equal(far.map_from_camera.translation, [4, 5, 6])
    np.testing.assert_allclose(
        far.map_from_camera.rotation.apply([1, 0, 0]), [-1, 0, 0], atol=1e-6
    )
    np.testing.assert_array_equal(near.map_from_camera.translation, [0, 0, 0])
    # By its own covariance and limit, and not those of the network.
    assert far.covariance[0, 0] == pytest.approx(9.0)
    refused = localizer.locate(red(0.5))
    assert not refused.answered
    assert 'at most 0.10' in refused.reasons[0]
    assert PoseNetLocalizer(retrieving).locate(red(0.5)).answered
    # Where to look in the map is known all the same.
    assert localizer.locate_batch([red(0.5)]).guesses[0] is not None


def test_retrieval_that_was_never_measured_is_an_error(trusting):
    with pytest.raises(ModelError, match='train again, or take the method posenet'):
        PoseNetLocalizer(trusting, method='retrieval')
    with pytest.raises(ConfigError, match="posenet or retrieval, not 'guess'"):
        PoseNetLocalizer(trusting, method='guess')


def test_retrieval_without_the_training_images_is_an_error(retrieving):
    with pytest.raises(ModelError, match='lacks the features'):
        PoseNetLocalizer(replace(retrieving, features=None), method='retrieval')


def test_trust_without_the_training_images_is_an_error(trusting):
    with pytest.raises(ModelError, match='lacks the features'):
        PoseNetLocalizer(replace(trusting, features=None))
