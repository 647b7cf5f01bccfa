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

"""Images into a database: described once, and compared with for as long as the place is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import Camera
from posenet_ros.models.database import finish_segment, new_segment, Posed, write_maps
from posenet_ros.models.descriptor import PlaceFeature
from posenet_ros.models.relative_folder import Relative
from posenet_ros.models.relative_map import made_by
from posenet_ros.models.trunk_maps import stacked
import torch
from torch import Tensor

_BATCH = 16
# As many tell the directions in which images differ.
_MOST_TO_MEASURE = 2048


def add_images(
    database: Path,
    scene: str,
    camera: Camera,
    posed: Sequence[Posed],
    images: Iterable[NDArray[np.uint8]],
    relative: Relative,
    place: PlaceFeature,
    *,
    measure_on_N: NDArray[np.bool_] | None = None,
    image_done: Callable[[int], object] = lambda count: None,
) -> None:
    """
    Add images uint8 (H, W, 3) of one camera to a database, as a segment of their own.

    Each is read once, in the order of `posed`. With `measure_on_N` the place feature is measured
    first, on those images: the beginning of a database. What is there already is not touched, and
    of images that stop coming nothing is left.
    """
    with new_segment(database) as segment:
        wholes: list[Tensor] = []

        def maps() -> Iterator[NDArray[np.float16]]:
            for map_BChw, whole_BD in _described(images, relative):
                wholes.append(whole_BD)
                yield map_BChw
                image_done(len(map_BChw))

        shape = relative.network.described_shape(*relative.trunk.cells.shape)
        write_maps(segment, (len(posed), *shape), maps())
        whole_ND = torch.cat(wholes)
        if measure_on_N is not None:
            chosen_MD = whole_ND[torch.from_numpy(measure_on_N)]
            step = -(-len(chosen_MD) // _MOST_TO_MEASURE)
            place.measure(chosen_MD[::step].float())
        parts = [place(part) for part in whole_ND.split(_MOST_TO_MEASURE)]
        features_NK = torch.cat(parts).cpu().numpy()
        finish_segment(segment, scene, camera, posed, features_NK, made_by(relative, place))


@torch.inference_mode()
def _described(
    images: Iterable[NDArray[np.uint8]], relative: Relative
) -> Iterator[tuple[NDArray[np.float16], Tensor]]:
    """Yield by what a few images are compared, and the images as a whole (B, D), half."""
    coming = iter(images)
    trunk = relative.trunk
    while batch := list(islice(coming, _BATCH)):
        map_BChw, whole_BD = trunk(stacked(batch).to(trunk.mean_311.device))
        map_BDhw = relative.network.describe(map_BChw)
        yield map_BDhw.half().cpu().numpy(), whole_BD.half()
