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

"""
The stage that matches frames: neighbours in time, and places seen before.

Each frame is matched with a fixed number of others, so the work grows linearly with them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import LabellingError
from posenet_ros.files import write_text
from posenet_ros.sfm import limits
from posenet_ros.sfm.device import sift_device
from posenet_ros.sfm.retrieval import image_vectors, most_similar

if TYPE_CHECKING:
    import pycolmap

Progress = Callable[[int, int], None]
Pair = tuple[int, int]

NEIGHBOURS = 6
SIMILAR = 5
# Similar frames are this far apart from each other, or all of them would show one moment.
_SPREAD = NEIGHBOURS // 2
# COLMAP prepares an image once in each call: few large calls cost half of many small ones.
_PAIRS_AT_ONCE = 1000
_SEED = 0


def match(progress: Progress, *, database: str, names: Sequence[str], work: str) -> None:
    """
    Match the frames, `names` in order of time, and verify each match by its geometry.

    Pairs that are in the database already are not matched again.
    """
    import pycolmap

    with pycolmap.Database.open(database) as opened:
        pairs = choose_pairs(_vectors(opened, names))
    options = pycolmap.FeatureMatchingOptions()
    options.num_threads = limits.matching_threads()
    verification = pycolmap.TwoViewGeometryOptions()
    verification.ransac.random_seed = _SEED
    listed = pycolmap.ImportedPairingOptions()
    listed.match_list_path = Path(work) / 'pairs.txt'
    device = sift_device()
    progress(0, len(pairs))
    for start in range(0, len(pairs), _PAIRS_AT_ONCE):
        some = pairs[start : start + _PAIRS_AT_ONCE]
        lines = [f'{names[first]} {names[second]}' for first, second in some]
        write_text(listed.match_list_path, '\n'.join(lines) + '\n')
        pycolmap.match_image_pairs(
            database,
            matching_options=options,
            pairing_options=listed,
            verification_options=verification,
            device=device,
        )
        progress(start + len(some), len(pairs))
    listed.match_list_path.unlink(missing_ok=True)


def choose_pairs(vectors: NDArray[np.float16]) -> list[Pair]:
    """
    Return the pairs (i, j), i < j, to match: close in time, and similar though apart in time.

    `vectors` (N, D) describe the frames in order of time (see `retrieval.image_vectors`).
    """
    count = len(vectors)
    pairs = {
        (first, second)
        for first in range(count)
        for second in range(first + 1, min(first + NEIGHBOURS, count - 1) + 1)
    }
    loops = most_similar(vectors, nearest=SIMILAR, apart=NEIGHBOURS, spread=_SPREAD)
    for index, others in enumerate(loops):
        pairs.update((min(index, other), max(index, other)) for other in others)
    return sorted(pairs)


def _vectors(database: pycolmap.Database, names: Sequence[str]) -> NDArray[np.float16]:
    ids = {image.name: image.image_id for image in database.read_all_images()}
    if database.num_descriptors() == 0:
        raise LabellingError(
            'no image has any features: the recording is dark, blank or out of focus'
        )

    def read(index: int) -> NDArray[np.float32]:
        return database.read_descriptors(ids[names[index]]).data.astype(np.float32)

    return image_vectors(read, len(names), seed=_SEED)
