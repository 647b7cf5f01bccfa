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

"""What an engine does to a model's errors, on frames that it was not trained on."""

from __future__ import annotations

from collections.abc import Mapping

from posenet_ros.data.images import read_image
from posenet_ros.engines.evidence import Evidence, Medians
from posenet_ros.evaluation.metrics import pose_errors, quantile
from posenet_ros.explain.subject import Subject
from posenet_ros.geometry import Pose
from posenet_ros.localization.regressor import PoseRegressor
from posenet_ros.models.folder import WEIGHTS
from posenet_ros.models.posenet import PoseNet
from posenet_ros.models.provenance import file_sha256
from tqdm import tqdm


def measure_engines(subject: Subject, networks: Mapping[str, PoseNet]) -> Evidence:
    """
    Return the median errors of networks that are one model by several engines, `eager` among them.

    Every frame is asked of all of them; none is refused for being new.
    """
    preprocessing = subject.loaded.card.preprocessing
    regressors = {
        name: PoseRegressor(network, preprocessing, network.position_mean.device)
        for name, network in networks.items()
    }
    poses: dict[str, list[Pose | None]] = {name: [] for name in regressors}
    for frame in tqdm(subject.test, desc='measuring engines', unit='image'):
        rgb = read_image(frame.image)
        for name, regressor in regressors.items():
            poses[name] += regressor.regress([rgb]).poses
    truth = [frame.map_from_camera for frame in subject.test]
    medians = {name: _medians(truth, answered) for name, answered in poses.items()}
    weights = file_sha256(subject.loaded.folder / WEIGHTS)
    return Evidence(weights, subject.source, len(truth), medians)


def _medians(truth: list[Pose], answered: list[Pose | None]) -> Medians:
    errors = pose_errors(truth, answered)
    return Medians(quantile(errors.position_m, 0.5), quantile(errors.orientation_deg, 0.5))
