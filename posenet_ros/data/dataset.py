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

"""Frames as batches for a network: read once where memory allows, cropped and changed at will."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.augmentation import (
    Augmentation,
    Changes,
    recolour,
    seen_turned,
    still,
    unchanged,
    usual_moves,
)
from posenet_ros.data.depth import Depths, seen_moved, UNKNOWN
from posenet_ros.data.frames import Frame
from posenet_ros.data.images import read_image
from posenet_ros.geometry import Camera
from posenet_ros.machine import cores
from posenet_ros.models.preprocessing import Preprocessing
from posenet_ros.models.rotations import quaternion_from_matrix
import torch
from torch import Tensor
from torch.utils.data import Dataset
from tqdm import tqdm

# Of resized images kept in memory, together: 1500 of the paper's size.
MEMORY_BYTES = 384 << 20
_AT_ONCE = 64


class PoseBatch(NamedTuple):
    """
    Images and where they were taken, `map_from_camera` in metres and unit quaternions.

    `turn_B33` are the rotations `camera_from_turned` of cameras that were turned, if any.
    `inverse_Brc` are the inverse depths of the images as they were taken, on a grid over each (see
    `data.depth`), if any are known; zero where they are not, and for cameras that were moved.
    """

    image_B3HW: Tensor
    position_B3: Tensor
    quaternion_wxyz_B4: Tensor
    turn_B33: Tensor | None = None
    inverse_Brc: Tensor | None = None


class ResizedImages:
    """
    The images of some frames at the size that crops are taken from.

    As many as fit into `memory_bytes` stay in memory; the others are read from disk each time.
    """

    def __init__(
        self,
        frames: Sequence[Frame],
        preprocessing: Preprocessing,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        """Read the frames' images once; raises ImageError for one that cannot be read."""
        self._frames = tuple(frames)
        self._preprocessing = preprocessing
        self._kept: list[NDArray[np.uint8]] = []
        # Heights and widths that there are.
        self.sizes: set[tuple[int, int]] = set()
        sums, room = np.zeros(3), memory_bytes
        for rgb in tqdm(
            self._each(), desc='reading images', unit='image', delay=2, total=len(self._frames)
        ):
            sums += rgb.reshape(-1, 3).mean(axis=0)
            self.sizes.add(rgb.shape[:2])
            room -= rgb.nbytes
            if room >= 0:
                self._kept.append(rgb)
        # The scene's mean colour, from 0 to 1: what the paper subtracts.
        self.mean = tuple(float(value) for value in sums / (255 * max(len(self._frames), 1)))

    def _each(self) -> Iterator[NDArray[np.uint8]]:
        """Yield all images, read some at a time."""
        with ThreadPoolExecutor(cores()) as threads:
            for start in range(0, len(self._frames), _AT_ONCE):
                yield from threads.map(self._read, self._frames[start : start + _AT_ONCE])

    def _read(self, frame: Frame) -> NDArray[np.uint8]:
        return self._preprocessing.resize(read_image(frame.image))

    @property
    def all_in_memory(self) -> bool:
        """Whether no image has to be read again."""
        return len(self._kept) == len(self._frames)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._frames)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        """Return one image (h, w, 3)."""
        if index < len(self._kept):
            return self._kept[index]
        return self._read(self._frames[index])

    def several(self, indices: Sequence[int]) -> list[NDArray[np.uint8]]:
        """Return some images; files are read side by side."""
        if max(indices) < len(self._kept):
            return [self._kept[index] for index in indices]
        with ThreadPoolExecutor() as threads:
            return list(threads.map(self.__getitem__, indices))


class FrameDataset(Dataset[PoseBatch]):
    """
    Labelled frames, given out in whole batches.

    Without augmentation an image is exactly what `Preprocessing.prepare` makes of it. With it,
    crops are random, and where `camera` (of the original images) is known, images can be seen
    from turned cameras with their labels turned along. Use `collate_fn=as_it_is`.
    """

    def __init__(
        self,
        frames: Sequence[Frame],
        images: ResizedImages,
        preprocessing: Preprocessing,
        augmentation: Augmentation | None = None,
        camera: Camera | None = None,
        depths: Depths | None = None,
    ) -> None:
        """
        Pair frames with their images; both in the same order.

        `depths` are inverse depths by image (see `data.depth`), of all or some.
        """
        self.images = images
        self.preprocessing = preprocessing
        self.augmentation = augmentation
        self.camera = camera
        self.inverse_depths = [(depths or {}).get(frame.image) for frame in frames]
        # What an image shows is so far away; a camera that does not know does not move.
        self._distance_N = np.array(
            [0.0 if grid is None else 1 / float(np.median(grid)) for grid in self.inverse_depths]
        )
        rotations = [frame.map_from_camera.rotation.as_matrix() for frame in frames]
        self._map_from_camera_N33 = np.array(rotations).reshape(-1, 3, 3)
        positions = [frame.map_from_camera.translation for frame in frames]
        self.positions_N3 = np.array(positions).reshape(-1, 3)
        self._usual_33 = usual_moves(self.positions_N3)

    @property
    def crop(self) -> tuple[int, int]:
        """Height and width of the images."""
        return self.preprocessing.crop

    def as_taken(self) -> FrameDataset:
        """Return the same images, unchanged."""
        as_taken = copy(self)
        as_taken.augmentation = None
        return as_taken

    @property
    def turns(self) -> bool:
        """Whether images are seen from turned or moved cameras."""
        known = self.camera is not None and self.augmentation is not None
        return known and self.augmentation.needs_camera

    @property
    def moves(self) -> bool:
        """Whether some images are seen from moved cameras."""
        moving = self.turns and self.augmentation.move * self.augmentation.moved > 0
        return moving and self.knows_depths

    @property
    def recolours(self) -> bool:
        """Whether colours change."""
        return self.augmentation is not None and self.augmentation.recolours

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.positions_N3)

    def __getitem__(self, index: int) -> PoseBatch:
        """Return a batch of one."""
        return self.__getitems__([index])

    def __getitems__(self, indices: Sequence[int]) -> PoseBatch:
        """Return the batch of these frames; torch's loader calls this instead of one by one."""
        images = self.images.several(indices)
        views = self.draw(indices, np.array([rgb.shape[:2] for rgb in images]))
        seen = [
            self._seen(rgb, index, views, i) for i, (index, rgb) in enumerate(zip(indices, images))
        ]
        crops, moved = zip(*seen)
        pixels = np.stack(crops)
        if self.recolours:
            pixels = recolour(pixels, views.changes.gain_B, views.changes.lift_B)
        position_B3 = views.position_B3 + views.changes.move_B3 * np.array(moved)[:, None]
        return PoseBatch(
            self.preprocessing.normalise(torch.from_numpy(pixels)),
            torch.as_tensor(position_B3, dtype=torch.float32),
            quaternions_wxyz(views.map_from_turned_B33),
            torch.from_numpy(views.changes.turn.as_matrix()).float() if self.turns else None,
            self._inverse(indices, moved),
        )

    @property
    def knows_depths(self) -> bool:
        """Whether the inverse depths of any image are known."""
        return bool(self._distance_N.any())

    def _inverse(self, indices: Sequence[int], moved: Sequence[bool]) -> Tensor | None:
        """Return the grids of images whose cameras have not moved, zero for the others."""
        if not self.knows_depths:
            return None
        grids = [
            None if has_moved else self.inverse_depths[index]
            for index, has_moved in zip(indices, moved)
        ]
        return torch.from_numpy(np.stack([UNKNOWN if grid is None else grid for grid in grids]))

    def draw(self, indices: Sequence[int], size_B2: NDArray[np.int64]) -> Views:
        """Draw from where to see these frames, whose images have such heights and widths."""
        # Drawn from torch's generator, which Lightning seeds, differently in every worker.
        rng = np.random.default_rng(int(torch.randint(2**31 - 1, ())))
        chosen = np.asarray(indices)
        free_B2 = size_B2 - np.array(self.crop)
        if self.augmentation is None:
            changes = unchanged(free_B2)
        else:
            changes = self.augmentation.draw(free_B2, self._usual_33, rng)
        if not self.turns:
            changes = changes._replace(**still(len(chosen)))
        move_B3 = changes.move_B3 * self._distance_N[chosen, None]
        map_from_camera_B33 = self._map_from_camera_N33[chosen]
        return Views(
            changes._replace(move_B3=move_B3),
            self.positions_N3[chosen],
            map_from_camera_B33 @ changes.turn.as_matrix(),
            np.einsum('bij,bi->bj', map_from_camera_B33, move_B3),
        )

    def _seen(
        self, rgb: NDArray[np.uint8], index: int, views: Views, row: int
    ) -> tuple[NDArray[np.uint8], bool]:
        """Return a crop, and whether the camera that sees it has moved as was drawn."""
        crop, changes = self.crop, views.changes
        top, left = (int(value) for value in changes.corner_B2[row])
        if not self.turns:
            return self.preprocessing.crop_at(rgb, top, left), False
        camera = self.camera.resized(rgb.shape[1], rgb.shape[0])
        turn, moved_to = changes.turn[row], views.moved_to_B3[row]
        if moved_to.any():
            inverse = self.inverse_depths[index]
            seen = seen_moved(rgb, inverse, camera, turn, moved_to, (top, left), crop)
            if seen is not None:
                return seen, True
        return seen_turned(rgb, camera, turn, (top, left), crop), False


class Views(NamedTuple):
    """
    From where B frames are seen.

    Of the `changes`, moves are in metres here. `position_B3` is where the images were taken,
    `map_from_turned_B33` how the cameras stand that see them, and `moved_to_B3` the moves in the
    frames of the cameras that took them. A camera that would see nothing does not move.
    """

    changes: Changes
    position_B3: NDArray[np.float64]
    map_from_turned_B33: NDArray[np.float64]
    moved_to_B3: NDArray[np.float64]


def as_it_is(batch: PoseBatch) -> PoseBatch:
    """Return a batch that is one already (a loader's `collate_fn`)."""
    return batch


def quaternions_wxyz(rotation_N33: NDArray[np.float64]) -> Tensor:
    """
    Return unit quaternions wxyz (N, 4) with w >= 0 as float32.

    One sign for every rotation keeps labels from jumping between q and -q along a sequence.
    """
    quaternions = quaternion_from_matrix(torch.from_numpy(rotation_N33))
    return torch.where(quaternions[:, :1] < 0, -quaternions, quaternions).float()
