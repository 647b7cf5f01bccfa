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

"""What a training stands on, so that it is continued on the same ground or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePath

from posenet_ros.data.frames import Frame
from posenet_ros.errors import ModelError
from posenet_ros.models.provenance import file_sha256, labels_sha256
from posenet_ros.training.config import TrainOptions

Identity = Mapping[str, str | None]

# What a person calls the parts.
_PARTS = {
    'labels_sha256': 'labels',
    'trained_on_sha256': 'frames to train on',
    'weights_sha256': 'pre-trained weights',
}


def frames_sha256(frames: Iterable[Frame]) -> str:
    """Return the SHA-256 of frames: names, stamps and poses, wherever their folder is."""
    return labels_sha256(
        (str(PurePath(frame.sequence) / frame.image.name), frame.stamp_ns, frame.map_from_camera)
        for frame in frames
    )


def weights_sha256(options: TrainOptions) -> str | None:
    """Return the SHA-256 of the file of pre-trained weights, None for weights known by name."""
    if options.weights in ('imagenet', 'none'):
        return None
    path = Path(options.weights)
    return file_sha256(path) if path.is_file() else None


def identity_of(
    train: Sequence[Frame], held_out: Sequence[Frame], options: TrainOptions
) -> Identity:
    """Return the hashes of all labels, of those that are trained on, and of the weights."""
    return {
        'labels_sha256': frames_sha256([*train, *held_out]),
        'trained_on_sha256': frames_sha256(train),
        'weights_sha256': weights_sha256(options),
    }


def changed(known: Identity, own: Identity) -> str:
    """Return what differs between two identities, for a person; empty where nothing does."""
    return ', '.join(what for key, what in _PARTS.items() if known.get(key) != own[key])


def check_same(known: Identity, own: Identity) -> None:
    """Raise ModelError where a checkpoint stands on other ground than this training."""
    other = changed(known, own)
    if other:
        raise ModelError(
            f'the training that was stopped had other {other} than there are now; remove its '
            'checkpoint (logs/last.ckpt) to train from the beginning'
        )
