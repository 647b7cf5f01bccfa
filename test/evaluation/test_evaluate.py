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
from posenet_ros.errors import PosenetError
from posenet_ros.evaluation import held_out as held_out_module
from posenet_ros.evaluation.baselines import Baselines, MEAN_POSE, NEAREST_IMAGE
from posenet_ros.evaluation.covariance import Seen
from posenet_ros.evaluation.evaluate import batched, evaluate, evaluate_recorded, Evaluation
from posenet_ros.evaluation.held_out import describe, evaluate_held_out
from posenet_ros.evaluation.queries import Query
from posenet_ros.evaluation.told import by_one_factor
from posenet_ros.geometry import Trajectory
from posenet_ros.localization.estimate import Answers, PoseEstimate
from posenet_ros.localization.regressor import PoseRegressor
from posenet_ros.models.checkpoint import TrainingFeatures
from posenet_ros.models.preprocessing import Preprocessing
import pytest

S = 10**9


class Scripted:
    """A localizer that reads its answer from the first pixel: metres along x, 255 for none."""

    def __init__(self, pose):
        self.pose = pose
        self.largest_batch = 0

    def locate_batch(self, images):
        self.largest_batch = max(self.largest_batch, len(images))
        features = np.array([[1.0, 0.0]] * len(images), dtype=np.float32)
        estimates = tuple(self._answer(int(rgb[0, 0, 0])) for rgb in images)
        return Answers(estimates, features, np.full(len(images), np.nan))

    def _answer(self, value):
        if value == 255:
            return PoseEstimate.refused('scripted', 'white')
        return PoseEstimate(self.pose(x=value), np.eye(6), 'scripted')


def queries(pose, values):
    """Ask about one image a value, all of it that grey; None is one that cannot be read."""
    for second, value in enumerate(values):
        rgb = None if value is None else np.full((2, 2, 3), value, dtype=np.uint8)
        yield Query(second * S, pose(x=1), rgb)


@pytest.fixture
def training():
    return TrainingFeatures(
        np.array([[0, 1], [1, 0]], dtype=np.float16),
        np.array([[0, 0, 0], [4, 0, 0]], dtype=np.float32),
        np.array([[1, 0, 0, 0]] * 2, dtype=np.float32),
        np.array([0, 10**9]),
    )


def test_an_image_that_cannot_be_read_is_infinitely_wrong(pose, training):
    asked = queries(pose, [None, 1, None, None, 3])
    evaluation = evaluate(Scripted(pose), asked, Baselines(training))
    assert evaluation.stamps_ns.tolist() == [0, S, 2 * S, 3 * S, 4 * S]
    far = np.inf
    assert evaluation.errors.position_m.tolist() == [far, 0, far, far, 2]
    # The mean pose needs no image, the nearest image does.
    assert evaluation.baseline_errors[MEAN_POSE].position_m.tolist() == [1] * 5
    assert evaluation.baseline_errors[NEAREST_IMAGE].position_m.tolist() == [far, 3, far, far, 3]


def test_answers_stand_beside_their_truth_and_the_baselines(pose, training):
    evaluation = evaluate(Scripted(pose), queries(pose, [1, 3, 255]), Baselines(training))
    assert evaluation.stamps_ns.tolist() == [0, S, 2 * S]
    assert evaluation.errors.position_m.tolist() == [0, 2, np.inf]
    assert evaluation.baseline_errors[MEAN_POSE].position_m.tolist() == [1, 1, 1]
    assert evaluation.baseline_errors[NEAREST_IMAGE].position_m.tolist() == [3, 3, 3]
    values = evaluation.to_dict()
    assert (values['frames'], values['localized'], values['median_position_m']) == (3, 2, 2)
    assert values['baselines'][NEAREST_IMAGE]['median_position_m'] == 3
    expected = {
        'frames',
        'localized',
        'median_position_m',
        'median_orientation_deg',
        'p95_position_m',
        'p95_orientation_deg',
        'recall',
        'baselines',
    }
    assert expected <= set(values)


def test_images_without_a_true_pose_are_counted_and_not_asked(pose):
    asked = [query._replace(map_from_camera=None, rgb=None) for query in queries(pose, [3, 3])]
    evaluation = evaluate(Scripted(pose), [asked[0], *queries(pose, [1, 255]), asked[1]])
    assert (evaluation.images, evaluation.without_truth, len(evaluation.truth)) == (4, 2, 2)
    assert evaluation.errors.position_m.tolist() == [0, np.inf]
    values = evaluation.to_dict()
    assert (values['images'], values['frames']) == (4, 2)


def test_images_are_held_a_few_at_a_time(pose):
    localizer = Scripted(pose)
    evaluation = evaluate(localizer, queries(pose, [1] * 100))
    assert len(evaluation.truth) == 100
    assert localizer.largest_batch <= 16
    assert evaluation.baselines == {}


def test_nothing_is_read_ahead():
    source = iter(range(10))
    assert next(batched(source, 3)) == [0, 1, 2]
    assert next(source) == 3


def test_no_frame_at_all_is_an_error(pose):
    with pytest.raises(PosenetError, match='no image has a true pose'):
        evaluate(Scripted(pose), [])


@pytest.fixture
def truth(pose):
    return Trajectory.from_poses([k * S // 10 for k in range(11)], [pose(x=k) for k in range(11)])


def test_recorded_poses_are_compared_at_their_own_instants(truth, pose):
    recorded = Trajectory.from_poses([0, S // 20, S // 2, 5 * S], [pose(x=1)] * 4)
    evaluation = evaluate_recorded(recorded, truth)
    # The last is past the end of the truth: nobody knows how wrong it is.
    np.testing.assert_allclose(evaluation.errors.position_m, [1, 0.5, 4])
    assert (evaluation.images, evaluation.without_truth) == (4, 1)


def test_an_image_without_a_recorded_pose_is_infinitely_wrong(truth, pose):
    recorded = Trajectory.from_poses([0, S // 2], [pose(x=0), pose(x=5)])
    asked = [S // 2, 0, S // 10, S // 5, S // 10]
    evaluation = evaluate_recorded(recorded, truth, asked)
    assert evaluation.stamps_ns.tolist() == [0, S // 10, S // 5, S // 2]
    assert evaluation.errors.position_m.tolist() == [0, np.inf, np.inf, 0]
    assert evaluation.summary.median_position_m == np.inf


def test_recorded_poses_of_another_day_are_an_error(truth, pose):
    recorded = Trajectory.from_poses([100 * S], [pose()])
    with pytest.raises(PosenetError, match='same recording'):
        evaluate_recorded(recorded, truth)


def test_a_trained_model_is_measured_on_what_it_has_not_seen(centred_model, frames):
    regressor = PoseRegressor(centred_model, Preprocessing(36, (32, 32)), 'cpu')
    features = describe(regressor, frames[:3])
    held_out = evaluate_held_out(regressor, features, frames[:3], [frames[3:4], frames[4:]])
    assert held_out.told is None
    # The model says (0, 0, 0.5); the held-out cameras are 3 and 4 m along x.
    expected = [np.hypot(3, 0.5), np.hypot(4, 0.5)]
    np.testing.assert_allclose(held_out.evaluation.errors.position_m, expected, atol=1e-5)
    mean = held_out.evaluation.baseline_errors[MEAN_POSE]
    np.testing.assert_allclose(mean.position_m, [2, 3], atol=1e-5)
    assert held_out.features.positions_N3[:, 0].tolist() == [0, 1, 2]
    assert held_out.features.stamps_ns_N.tolist() == [0, S, 2 * S]
    np.testing.assert_allclose(held_out.features.quaternions_wxyz_N4, [[1, 0, 0, 0]] * 3)
    norms = np.linalg.norm(held_out.features.features_NK.astype(np.float64), axis=1)
    np.testing.assert_allclose(norms, 1, atol=1e-2)
    # Two blocks of a frame, off by 3 m or 4 m along x and 0.5 m along z, however disturbed: one
    # size for the axes that move, and none along y.
    assert held_out.support.blocks == 2
    variances = np.diag(held_out.support.covariance)[:3]
    moving = ((3**2 + 4**2) / 2 + 0.5**2) / 2
    np.testing.assert_allclose(variances, [moving, 0.01**2, moving], rtol=0.15)
    assert held_out.trust.half_reach < held_out.trust.most_reach
    assert held_out.card_errors()['frames'] == 2
    assert held_out.card_errors()['covariance']['inside_95'] == 1


class Told(PoseRegressor):
    """Says how sure it is of each pose."""

    def regress(self, images):
        found = super().regress(images)
        return found._replace(covariances=(np.eye(6),) * len(images))


def test_stretches_left_out_are_for_poses_that_do_not_say_how_wrong_they_are(
    centred_model, frames, monkeypatch
):
    """Whatever stretches there are: of five images none is left out."""
    new = Seen(np.full(9, 1.9), np.ones((9, 6)), np.ones(9))
    monkeypatch.setattr(held_out_module, 'left_out', lambda features: (new,))
    regressor = Told(centred_model, Preprocessing(36, (32, 32)), 'cpu')
    features = describe(regressor, frames[:3])
    measured = evaluate_held_out(regressor, features, frames[:3], [frames[3:4], frames[4:]])
    sizes = (pytest.approx(1 / 1.9),) * 6
    assert measured.trust.unseen == sizes
    assert measured.retrieval.trust.unseen == sizes
    assert measured.told.trust.unseen == (0.0,) * 6
    by_cells = evaluate_held_out(
        regressor, features, frames[:3], [frames[3:4], frames[4:]], settle=by_one_factor
    )
    assert by_cells.told.trust.unseen == (pytest.approx(0.5 / 1.9),) * 6
    assert by_cells.card_errors()['covariance_told']['blocks'] == 2


def test_a_training_image_finds_itself(centred_model, frames):
    regressor = PoseRegressor(centred_model, Preprocessing(36, (32, 32)), 'cpu')
    features = describe(regressor, frames)
    evaluation = evaluate_held_out(regressor, features, frames, [frames]).evaluation
    np.testing.assert_allclose(evaluation.baseline_errors[NEAREST_IMAGE].position_m, 0, atol=1e-6)


def test_covariances_that_no_image_confirmed_are_told_apart(pose):
    poses = (pose(),) * 4
    covariances = tuple(n * np.eye(6) for n in range(4))
    found = Evaluation(np.arange(4), poses, poses, covariances=covariances)
    assert found.unverified_covariances is covariances
    half = replace(found, verified=(True, False, True, False))
    assert [each[0, 0] for each in half.unverified_covariances] == [1, 3]
