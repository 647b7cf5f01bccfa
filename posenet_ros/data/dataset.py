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

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.augmentation import Augmentation, seen_turned, usual_moves
from posenet_ros.data.depth import Depths, seen_moved
from posenet_ros.data.frames import Frame
from posenet_ros.data.images import read_image
from posenet_ros.geometry import Camera
from posenet_ros.models.preprocessing import Preprocessing
from posenet_ros.models.rotations import quaternion_from_matrix
from scipy.spatial.transform import Rotation
import torch
from torch import Tensor
from torch.utils.data import Dataset
from tqdm import tqdm

# Of resized images kept in memory, together: 1500 of the paper's size.
MEMORY_BYTES = 384 << 20


class PoseBatch(NamedTuple):
    """Images and where they were taken, `map_from_camera` in metres and unit quaternions."""

    image_B3HW: Tensor
    position_B3: Tensor
    quaternion_wxyz_B4: Tensor


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
        sums, room = np.zeros(3), memory_bytes
        for frame in tqdm(self._frames, desc='reading images', unit='image', delay=2):
            rgb = self._read(frame)
            sums += rgb.reshape(-1, 3).mean(axis=0)
            room -= rgb.nbytes
            if room >= 0:
                self._kept.append(rgb)
        # The scene's mean colour, from 0 to 1: what the paper subtracts.
        self.mean = tuple(float(value) for value in sums / (255 * max(len(self._frames), 1)))

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
        self._images = images
        self._preprocessing = preprocessing
        self._augmentation = augmentation
        self._camera = camera
        self._inverse_depths = [(depths or {}).get(frame.image) for frame in frames]
        self._rotations = [frame.map_from_camera.rotation for frame in frames]
        positions = [frame.map_from_camera.translation for frame in frames]
        self.positions_N3 = np.array(positions).reshape(-1, 3)
        self._usual_33 = usual_moves(self.positions_N3)

    @property
    def crop(self) -> tuple[int, int]:
        """Height and width of the images."""
        return self._preprocessing.crop

    def as_taken(self) -> FrameDataset:
        """Return the same images, unchanged."""
        unchanged = copy(self)
        unchanged._augmentation = None
        return unchanged

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self._rotations)

    def __getitem__(self, index: int) -> PoseBatch:
        """Return a batch of one."""
        return self.__getitems__([index])

    def __getitems__(self, indices: Sequence[int]) -> PoseBatch:
        """Return the batch of these frames; torch's loader calls this instead of one by one."""
        # Drawn from torch's generator, which Lightning seeds, differently in every worker.
        rng = np.random.default_rng(int(torch.randint(2**31 - 1, ())))
        images = self._images.several(indices)
        crops, rotations, positions = zip(
            *(self._example(rgb, i, rng) for i, rgb in zip(indices, images))
        )
        pixels = np.stack(crops)
        if self._augmentation is not None:
            pixels = self._augmentation.recolour(pixels, rng)
        return PoseBatch(
            self._preprocessing.normalise(torch.from_numpy(pixels)),
            torch.as_tensor(np.stack(positions), dtype=torch.float32),
            quaternions_wxyz(rotations),
        )

    def _example(
        self, rgb: NDArray[np.uint8], index: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.uint8], Rotation, NDArray[np.float64]]:
        """Return a crop, and the rotation and position of the camera that sees it."""
        crop, augmentation = self._preprocessing.crop, self._augmentation
        rotation, position = self._rotations[index], self.positions_N3[index]
        if augmentation is None:
            corner = self._preprocessing.centre(rgb)
            return self._preprocessing.crop_at(rgb, *corner), rotation, position
        height, width = rgb.shape[:2]
        corner = augmentation.corner(height, width, crop, rng)
        if not (self._camera and augmentation.needs_camera):
            return self._preprocessing.crop_at(rgb, *corner), rotation, position
        turn = augmentation.turn(rng)
        camera = self._camera.resized(width, height)
        inverse = self._inverse_depths[index]
        if inverse is not None and augmentation.moves(rng):
            move = augmentation.move_by(1 / float(np.median(inverse)), self._usual_33, rng)
            moved_to = rotation.inv().apply(move)
            seen = seen_moved(rgb, inverse, camera, turn, moved_to, corner, crop)
            if seen is not None:
                return seen, rotation * turn, position + move
        return seen_turned(rgb, camera, turn, corner, crop), rotation * turn, position


def as_it_is(batch: PoseBatch) -> PoseBatch:
    """Return a batch that is one already (a loader's `collate_fn`)."""
    return batch


def quaternions_wxyz(rotations: Sequence[Rotation]) -> Tensor:
    """
    Return unit quaternions wxyz (N, 4) with w >= 0 as float32.

    One sign for every rotation keeps labels from jumping between q and -q along a sequence.
    """
    matrices = torch.as_tensor(np.stack([rotation.as_matrix() for rotation in rotations]))
    quaternions = quaternion_from_matrix(matrices)
    return torch.where(quaternions[:, :1] < 0, -quaternions, quaternions).float()
