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

"""What a model was made from, as hashes that tell it from anything else of the same name."""

from __future__ import annotations

from collections.abc import Iterable
import hashlib
from pathlib import Path

from posenet_ros.geometry import Pose


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open('rb') as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def labels_sha256(labels: Iterable[tuple[str, int, Pose]]) -> str:
    """
    Return the SHA-256 of labels, in whatever order: image name, stamp and `map_from_camera`.

    Poses count to the micrometre and microradian, as other versions of SciPy may read the same
    text with other last digits.
    """
    rows = sorted(_row(*label) for label in labels)
    return hashlib.sha256('\n'.join(rows).encode()).hexdigest()


def _row(name: str, stamp_ns: int, pose: Pose) -> str:
    # Adding zero turns -0.0 into 0.0.
    numbers = (f'{round(value, 6) + 0.0:.6f}' for value in (*pose.translation, *pose.quaternion()))
    return ' '.join([name, str(stamp_ns), *numbers])
