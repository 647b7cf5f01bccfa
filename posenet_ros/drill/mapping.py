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

"""Where the map of a model lies in the simulated world that it was trained in."""

from __future__ import annotations

from pathlib import Path

from posenet_ros.data.capture import LABELS
from posenet_ros.drill.options import SAME_MAP
from posenet_ros.errors import GeometryError
from posenet_ros.geometry import associate, fit_similarity, NS_PER_S, read_tum
from posenet_ros.models.folder import find_model_folder

TRUTH = 'train.groundtruth.tum'
# Of one recording, so that stamps differ by rounding alone.
_TOLERANCE_NS = NS_PER_S // 1000


def map_from_model(model: Path, folder: Path) -> str:
    """
    Return `x y z roll pitch yaw` (m, rad) of a model's map in the world of a simulation.

    By the labels that lie beside the model in its run and the truth of the training drive,
    fitted as a rigid motion. A model without labels, or with labels of another recording, is
    taken for one that was trained on true poses.
    """
    labels_tum = find_model_folder(model).resolve().parent / 'capture' / LABELS
    if not labels_tum.is_file() or not (folder / TRUTH).is_file():
        return SAME_MAP
    labels, truth = read_tum(labels_tum), read_tum(folder / TRUTH)
    mine, theirs = associate(labels.stamps_ns, truth.stamps_ns, tolerance_ns=_TOLERANCE_NS)
    try:
        found = fit_similarity(
            labels.translations[mine],
            truth.translations[theirs],
            target='map',
            source='model',
            with_scale=False,
        )
    except GeometryError:
        # No pairs, or a drive along one line, which leaves the roll open.
        return SAME_MAP
    turns = found.rotation.as_euler('xyz')
    return ' '.join(f'{value:.6f}' for value in (*found.translation, *turns))
