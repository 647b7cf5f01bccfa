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

"""One image against a database: by a network that knows the truth, the pose is the truth."""

from dataclasses import replace
import math

import numpy as np
from posenet_ros.errors import ConfigError, GeometryError
from posenet_ros.geometry import Camera, check_covariance, Pose
from posenet_ros.localization.measured import grown, MeasuredLocalizer, whitened
from posenet_ros.localization.relative import (
    Asking,
    DatabaseRetriever,
    deviations_elsewhere,
    RelativeRegressor,
)
from posenet_ros.models.checkpoint import TrainingFeatures
from posenet_ros.models.database import Database, Segment
from posenet_ros.models.relative import cell_rays, Cells, RelativeArchitecture, RelativePrediction
from posenet_ros.models.relative_folder import Relative, RelativeCard
from posenet_ros.models.trust import ADDED, Trust
import pytest
from scipy.spatial.transform import Rotation
import torch

CAMERA = Camera(64, 48, 40.0, 40.0, 31.5, 23.5)
CELLS = Cells((3, 4), (64, 48), (7.5, 7.5), 16.0)
COUNT = 24
# Asked about last.
ASKED = COUNT - 1


def poses():
    rng = np.random.default_rng(3)
    turns = Rotation.from_rotvec(0.2 * rng.standard_normal((COUNT, 3)))
    centres = rng.standard_normal((COUNT, 3))
    return [Pose(turn, centre, 'map', 'camera') for turn, centre in zip(turns, centres)]


def told(pose):
    """Return what a map says of a pose: centre and rotation."""
    return np.concatenate([pose.translation, pose.rotation.as_matrix().ravel()])


class Trunk:
    """Sees in an image which it is, by its brightness, and says where it was taken."""

    cells = CELLS
    mean_311 = torch.zeros(3, 1, 1)

    def __init__(self):
        self.table = torch.tensor(np.array([told(pose) for pose in poses()])).float()

    def __call__(self, rgb_B3HW):
        number_B = rgb_B3HW[:, 0].float().mean(dim=(1, 2)).round().long() // 10
        maps = self.table[number_B.clamp(max=COUNT - 1)]
        return maps[:, :, None, None].expand(-1, -1, 3, 4), number_B[:, None].float()


class Network(torch.nn.Module):
    """Says the truth, but for those known images that lie."""

    def __init__(self, lies=(), error=0.05):
        super().__init__()
        self.lies = lies
        self.error = error
        self.compared = []

    def describe(self, map_BChw):
        return map_BChw

    def compare(self, asked, known):
        a, k = asked.map_BChw[:, :, 0, 0].double(), known.map_BChw[:, :, 0, 0].double()
        turned = k[:, 3:].reshape(-1, 3, 3)
        offset = torch.einsum('bji,bj->bi', turned, a[:, :3] - k[:, :3])
        rotation = turned.transpose(1, 2) @ a[:, 3:].reshape(-1, 3, 3)
        table = torch.tensor(np.array([told(pose) for pose in poses()]))
        numbers = [int((table - row).abs().sum(dim=1).argmin()) for row in k]
        self.compared.append(numbers)
        for row, number in enumerate(numbers):
            if number in self.lies:
                offset[row] = -offset[row] + 0.3 * number
                rotation[row] = rotation[row].roll(1, dims=0)
        length = offset.norm(dim=1)
        errors = torch.full((len(length), 3), math.log(self.error))
        return RelativePrediction(offset / length[:, None], length.log(), rotation, errors)


class Place(torch.nn.Module):
    """The images whose numbers are near look alike; image 20 looks like nothing."""

    def forward(self, whole_BD):
        angle = whole_BD * 0.05
        feature = torch.cat([angle.cos(), angle.sin()], dim=1)
        return torch.where(whole_BD == 20, torch.zeros_like(feature), feature)


@pytest.fixture(scope='module')
def database():
    known = poses()[:ASKED]
    halves = [range(12), range(12, ASKED)]
    segments = []
    for name, numbers in zip(('kitchen', 'office'), halves, strict=True):
        own = [known[number] for number in numbers]
        features = Place()(torch.tensor([[float(number)] for number in numbers])).numpy()
        features[[number == 20 for number in numbers]] = (0.1, -1)
        training = TrainingFeatures(
            features.astype(np.float16),
            np.array([pose.translation for pose in own], dtype=np.float32),
            np.array([pose.quaternion() for pose in own], dtype=np.float32),
            np.arange(len(own)),
        )
        maps = np.array([told(pose) for pose in own])[:, :, None, None]
        maps = np.broadcast_to(maps, (*maps.shape[:2], 3, 4)).astype(np.float32)
        segments.append(Segment(name, CAMERA, maps, cell_rays(CAMERA, CELLS), training, 'x'))
    return Database(segments)


def regressor(database, network=None, asking=None):
    card = RelativeCard('mobilenet_v3_small', 2, RelativeArchitecture())
    relative = Relative(Trunk(), network or Network(), card)
    return RelativeRegressor(relative, Place(), database, CAMERA, asking or Asking())


def image(number):
    return np.full((48, 64, 3), 10 * number, dtype=np.uint8)


def test_true_relative_poses_give_the_true_pose(database):
    found = regressor(database).regress([image(ASKED), image(ASKED - 1)])
    truth = poses()
    for pose, number in zip(found.poses, (ASKED, ASKED - 1), strict=True):
        np.testing.assert_allclose(pose.translation, truth[number].translation, atol=1e-4)
        assert (pose.rotation.inv() * truth[number].rotation).magnitude() < 1e-4
    assert found.scenes == ('office', 'office')
    assert [covariance.shape for covariance in found.covariances] == [(6, 6), (6, 6)]
    assert found.reasons == ((), ())


def test_lies_are_outvoted_and_a_majority_of_lies_is_no_answer(database):
    truth = poses()[ASKED]
    some = regressor(database, Network(lies=(22, 19, 17))).regress([image(ASKED)])
    np.testing.assert_allclose(some.poses[0].translation, truth.translation, atol=1e-4)
    most = regressor(database, Network(lies=range(12, 23))).regress([image(ASKED)])
    assert most.poses == (None,)
    assert 'agree' in most.reasons[0][0] or 'cross' in most.reasons[0][0]
    assert most.guesses[0] is not None
    assert most.covariances == (None,)


def test_it_is_compared_with_the_nearest_and_no_others(database):
    network = Network()
    regressor(database, network, Asking(neighbours=4)).regress([image(2)])
    assert sorted(network.compared[0]) == [0, 1, 2, 3] or sorted(network.compared[0]) == [
        1,
        2,
        3,
        4,
    ]


def test_neighbours_may_be_asked_to_be_apart(database):
    network = Network()
    regressor(database, network, Asking(neighbours=5, apart_m=1.0)).regress([image(3)])
    (numbers,) = network.compared
    centres = np.array([poses()[number].translation for number in numbers])
    apart = np.linalg.norm(centres[:, None] - centres[None], axis=2)
    assert len(numbers) == 5
    assert apart[~np.eye(5, dtype=bool)].min() >= 1.0
    # With no five so far apart, as many as there are.
    few = Network()
    regressor(database, few, Asking(neighbours=5, apart_m=4.0)).regress([image(3)])
    assert 1 <= len(few.compared[0]) < 5


def test_an_image_that_looks_like_nothing_has_no_neighbours(database):
    found = regressor(database).regress([image(20), image(2)])
    assert found.poses[0] is None
    assert found.poses[1] is not None
    assert 'no neighbours' in found.reasons[0][0]
    assert found.scenes[0] == ''


def test_one_neighbour_that_tells_a_distance_is_a_pose(database):
    found = regressor(database, asking=Asking(neighbours=1)).regress([image(ASKED)])
    np.testing.assert_allclose(found.poses[0].translation, poses()[ASKED].translation, atol=1e-4)


def test_the_published_solver_tells_no_covariance(database):
    found = regressor(database, asking=Asking(solver='published')).regress([image(ASKED)])
    np.testing.assert_allclose(found.poses[0].translation, poses()[ASKED].translation, atol=1e-3)
    assert found.covariances is None
    with pytest.raises(ConfigError, match='ours or published'):
        regressor(database, asking=Asking(solver='best'))


def test_retrieval_compares_no_further(database):
    network = Network()
    relative = regressor(database, network).relative
    found = DatabaseRetriever(relative, Place(), database, CAMERA).regress([image(4), image(20)])
    np.testing.assert_allclose(found.poses[0].translation, poses()[4].translation, atol=1e-6)
    assert found.poses[1] is None
    assert found.scenes == ('kitchen', '')
    assert network.compared == []


def test_a_part_of_a_database_is_asked_alone(database):
    network = Network()
    part = database.only(np.array([0, 5, 12, 13]))
    assert len(part) == 4
    assert part.training.features_NK.shape[0] == 4
    regressor(part, network).regress([image(ASKED)])
    assert sorted(network.compared[0]) == [0, 5, 12, 13]


def test_whitened_residuals_grow_back_to_what_they_were():
    rng = np.random.default_rng(0)
    # Of centimetres and degrees: no angle is less known than not at all.
    roots = 0.02 * (rng.standard_normal((500, 6, 6)) + 3 * np.eye(6))
    own = roots @ roots.transpose(0, 2, 1)
    # Errors of twice the deviation that was told.
    errors = 2 * np.einsum('nij,nj->ni', np.linalg.cholesky(own), rng.standard_normal((500, 6)))
    units = np.cov(whitened(errors, own).T, bias=True)
    np.testing.assert_allclose(units, 4 * np.eye(6), atol=0.8)
    whole = grown(own[0], 4 * np.eye(6))
    np.testing.assert_allclose(whole, 4 * own[0] + np.diag(ADDED**2))
    assert whitened(np.zeros((0, 6)), np.zeros(0)).shape == (0, 6)


class Card:
    """What a localizer reads of a card."""

    camera = CAMERA
    covariance = np.diag([0.4, 0.4, 0.4, 0.1, 0.1, 0.1])
    # Where nothing was seen guesses are wrong by metres.
    trust = Trust(0.0, 0.1, 0.0, 0.0, 0.2, (9.0,) * 3 + (0.0,) * 3, 2.0, 9.0, 0.5, 0.0, 0.0)


def localizer(database, network, **options):
    trust = Trust(0.0, 0.1, 0.0, 0.0, 0.2, (0.0,) * 6, 2.0, 9.0, 0.5, 0.0, 0.0)
    return MeasuredLocalizer(
        regressor(database, network),
        Card(),
        database.training,
        method='relative',
        covariance=4 * np.eye(6),
        trust=trust,
        told=True,
        **options,
    )


def test_a_covariance_never_shrinks_for_what_held_out_frames_showed():
    """They have frames of a second before beside them: elsewhere nobody is that sure."""
    own = np.diag([0.04, 0.04, 0.04, 0.01, 0.01, 0.01])
    units = np.diag([0.3, 0.3, 0.3, 4.0, 4.0, 4.0])
    expected = own * np.diag([1, 1, 1, 4, 4, 4]) + np.diag(ADDED**2)
    np.testing.assert_allclose(grown(own, units), expected)


def test_a_localizer_has_the_covariance_of_the_pose_grown_as_was_measured(database):
    asked = localizer(database, Network())
    estimate = asked.locate(image(ASKED))
    (own,) = regressor(database).regress([image(ASKED)]).covariances
    np.testing.assert_allclose(estimate.covariance, grown(own, 4 * np.eye(6)))
    assert (estimate.method, estimate.scene) == ('relative', 'office')


def test_a_localizer_refuses_what_neighbours_do_not_agree_on_and_keeps_the_guess(database):
    answers = localizer(database, Network(lies=range(12, 23))).locate_batch([image(ASKED)])
    assert not answers.estimates[0].answered
    assert answers.guesses[0] is not None
    always = localizer(database, Network(lies=range(12, 23)), always=True)
    estimate = always.locate(image(ASKED))
    assert estimate.answered
    np.testing.assert_allclose(estimate.covariance, Card.covariance)


def test_an_estimate_of_a_database_is_refused_as_strange(database):
    asked = localizer(database, Network())
    asked.trust = replace(asked.trust, limit=-0.0)
    assert 'looks like no place' in asked.locate(image(ASKED)).reasons[0]


def test_an_answer_is_as_unsure_as_the_network_tells(database):
    """Ten times the error is ten times the deviation of the position."""
    covariances = []
    for error in (0.01, 0.1):
        asked = regressor(database, Network(error=error))
        covariances.append(asked.regress([image(ASKED)]).covariances[0])
    ratio = np.sqrt(np.diag(covariances[1]) / np.diag(covariances[0]))
    np.testing.assert_allclose(ratio[:3], 10, rtol=0.05)
    assert (ratio[3:] > 2).all()


def test_deviations_are_of_normal_errors_and_twice_as_large_as_where_it_was_learned():
    rng = np.random.default_rng(0)
    normal = np.abs(rng.standard_normal((100000, 6)))
    across, along, turn = np.split(normal, [2, 3], axis=1)
    means = [np.linalg.norm(part, axis=1).mean() for part in (across, along, turn)]
    found = deviations_elsewhere(np.array([means]))
    np.testing.assert_allclose(found, [[2, 2, np.hypot(2, 0.05)]], rtol=0.01)


def test_no_angle_is_less_known_than_not_at_all():
    own = np.eye(6)
    own[0, 3] = own[3, 0] = 0.9
    units = np.diag([4.0, 4, 4, 100, 100, 100])
    covariance = check_covariance(grown(own, units))
    np.testing.assert_allclose(np.sqrt(np.diag(covariance))[3:], [np.pi / np.sqrt(3)] * 3)
    assert covariance[0, 0] == pytest.approx(4, rel=0.01)
    assert covariance[0, 3] > 0


def test_half_a_covariance_is_none():
    with pytest.raises((GeometryError, np.linalg.LinAlgError)):
        grown(np.zeros((6, 6)), np.eye(6))
