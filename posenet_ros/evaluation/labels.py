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

"""The labels beside a model, where they are still those that it was trained on."""

from __future__ import annotations

from pathlib import Path

from posenet_ros.data.capture import image_path, LABELS
from posenet_ros.errors import ConfigError
from posenet_ros.geometry import read_tum, Trajectory
from posenet_ros.models.map_card import MapCard
from posenet_ros.models.provenance import labels_sha256


def read_labels(capture: Path, card: MapCard) -> Trajectory:
    """
    Read the labels of a capture; raise ConfigError where the model was trained on others.

    Labels may change after training: by another labelling, or by hand.
    """
    labels = read_tum(capture / LABELS)
    stamps = labels.stamps_ns.tolist()
    names = [image_path(capture, stamp_ns).name for stamp_ns in stamps]
    found = labels_sha256(zip(names, stamps, labels, strict=True))
    if found != card.training.get('labels_sha256'):
        raise ConfigError(
            f'{capture / LABELS} is not what the model beside it was trained on (another '
            'SHA-256); remove the folders model and logs there to train again on these labels'
        )
    return labels
