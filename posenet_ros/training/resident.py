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
Frames that stay on a device, so that a GPU waits for no file, no CPU and no copy.

What `FrameDataset` makes on the CPU, batch by batch, is made here on the device from all resized
images. What is random is drawn for a whole epoch at once, by `FrameDataset.draw`, and sent in one
go; a step then only starts kernels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
import logging
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.augmentation import MIDDLE_STEP
from posenet_ros.data.dataset import FrameDataset, PoseBatch, quaternions_wxyz, ResizedImages
from posenet_ros.data.depth import NEAR, UNKNOWN
from posenet_ros.training.turned import MovedCamera, pixels, seen_by_turned, Turned
import torch
from torch import Tensor
from tqdm import tqdm

# Of the memory of the device that is free; the rest is for the network and its gradients.
_SHARE_OF_FREE = 0.25
_SENT_AT_ONCE = 128

_LOG = logging.getLogger(__name__)


class Plan(NamedTuple):
    """How each of N images is to be seen, on the device: see `data.dataset.Views`."""

    index_N: Tensor
    position_N3: Tensor
    quaternion_wxyz_N4: Tensor
    corner_N2: Tensor
    gain_N: Tensor
    lift_N: Tensor
    image_from_turned_N33: Tensor
    shift_N3: Tensor
    turn_N33: Tensor
    move_N3: Tensor
    moved_to_N3: Tensor


class ResidentFrames:
    """The frames of a dataset on a device, given out in whole batches as the dataset does."""

    def __init__(self, dataset: FrameDataset, device: torch.device) -> None:
        """Copy the images, which must all be of one size; see `resident`."""
        self._dataset = dataset
        self.device = device
        self._rgb_NHW3 = _copied(dataset.images, device)
        height, width = self._rgb_NHW3.shape[1:3]
        self._size = height, width
        self._shift_3, self._scale_3 = dataset.preprocessing.shift_and_scale(device)
        camera = dataset.camera
        self._camera = None if camera is None else camera.resized(width, height)
        if dataset.knows_depths:
            grids = [UNKNOWN if grid is None else grid for grid in dataset.inverse_depths]
            self._inverse_Nrc = torch.from_numpy(np.stack(grids)).to(device)
        if dataset.moves:
            self._moved_camera = MovedCamera(self._camera, device)
            # What is not known is not used either, and must only be no zero.
            used_NM = np.stack([grid if grid.any() else grid + 1 for grid in grids])
            used_NM = used_NM.reshape(len(grids), -1)
            near_N = NEAR / np.median(used_NM, axis=1)
            self._used_NM = torch.from_numpy(used_NM).to(device)
            self._near_N = torch.tensor(near_N, dtype=torch.float32, device=device)

    @property
    def crop(self) -> tuple[int, int]:
        """Height and width of the images."""
        return self._dataset.crop

    def as_taken(self) -> ResidentFrames:
        """Return the same images, unchanged."""
        unchanged = copy(self)
        unchanged._dataset = self._dataset.as_taken()
        return unchanged

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self._dataset)

    def __getitems__(self, indices: Sequence[int]) -> PoseBatch:
        """Return the batch of these frames."""
        return next(self.batches(indices, len(indices)))

    def batches(self, indices: Sequence[int], batch_size: int) -> Iterator[PoseBatch]:
        """Yield the batches of these frames in their order; what is random is drawn before."""
        plan = self._planned(np.asarray(indices))
        for start in range(0, len(indices), batch_size):
            yield self.seen(Plan(*(part[start : start + batch_size] for part in plan)))

    def _planned(self, index_N: NDArray[np.int64]) -> Plan:
        """Draw how to see frames, and send it to the device."""
        views = self._dataset.draw(index_N, np.tile(self._size, (len(index_N), 1)))
        changes = views.changes
        turn_N33 = changes.turn.as_matrix()
        k = np.eye(3) if self._camera is None else self._camera.matrix
        numbers = [
            changes.gain_B,
            changes.lift_B,
            k @ turn_N33 @ np.linalg.inv(k),
            views.moved_to_B3 @ k.T,
            turn_N33,
            changes.move_B3,
            views.moved_to_B3,
        ]
        return Plan(
            self._sent(torch.from_numpy(index_N)),
            self._sent(torch.from_numpy(views.position_B3).float()),
            self._sent(quaternions_wxyz(views.map_from_turned_B33)),
            self._sent(torch.from_numpy(changes.corner_B2)),
            *(self._sent(torch.from_numpy(value).float()) for value in numbers),
        )

    def _sent(self, value: Tensor) -> Tensor:
        if self.device.type == 'cuda':
            # From pinned memory the copy waits for nothing that the device still has to do.
            return value.pin_memory().to(self.device, non_blocking=True)
        return value.to(self.device)

    def seen(self, plan: Plan) -> PoseBatch:
        """Make the batch of a part of a plan, without waiting for the device."""
        position_B3, has_moved_B = plan.position_N3, None
        if not self._dataset.turns:
            rgb_BHW3 = self._cropped(plan)
        else:
            rgb_BHW3, move_B3 = self._turned(plan)
            position_B3 = position_B3 + move_B3
            has_moved_B = move_B3.any(dim=1)
        if self._dataset.recolours:
            rgb_BHW3 = _recoloured(rgb_BHW3, plan)
        image_B3HW = ((rgb_BHW3.float() - self._shift_3) * self._scale_3).permute(0, 3, 1, 2)
        # In memory as the network has them.
        image_B3HW = image_B3HW.contiguous(memory_format=torch.channels_last)
        turn_B33 = plan.turn_N33 if self._dataset.turns else None
        inverse_Brc = None
        if self._dataset.knows_depths:
            inverse_Brc = self._inverse_Nrc[plan.index_N]
            if has_moved_B is not None:
                inverse_Brc = inverse_Brc * ~has_moved_B[:, None, None]
        return PoseBatch(image_B3HW, position_B3, plan.quaternion_wxyz_N4, turn_B33, inverse_Brc)

    def _cropped(self, plan: Plan) -> Tensor:
        rows_Bh1, columns_B1w = pixels(plan.corner_N2, self.crop)
        return self._rgb_NHW3[plan.index_N[:, None, None], rows_Bh1, columns_B1w]

    def _turned(self, plan: Plan) -> tuple[Tensor, Tensor]:
        """Return what turned and moved cameras see, and how far they have moved in the map."""
        inverse_Brc, move_B3 = None, torch.zeros_like(plan.move_N3)
        if self._dataset.moves:
            inverse_Brc, enough_B = self._moved_camera.inverse_depths(
                self._used_NM[plan.index_N],
                self._near_N[plan.index_N],
                plan.turn_N33,
                plan.moved_to_N3,
            )
            move_B3 = plan.move_N3 * enough_B[:, None]
        turned = Turned(plan.image_from_turned_N33, plan.shift_N3, plan.corner_N2)
        rgb_BHW3 = self._rgb_NHW3[plan.index_N]
        return seen_by_turned(rgb_BHW3, turned, self.crop, inverse_Brc).round(), move_B3


def _copied(images: ResizedImages, device: torch.device) -> Tensor:
    """Return all images (N, H, W, 3) on a device."""
    rgb_NHW3 = torch.empty((len(images), *images[0].shape), dtype=torch.uint8, device=device)
    starts = range(0, len(images), _SENT_AT_ONCE)
    for start in tqdm(starts, desc='copying images to the device', delay=2):
        indices = range(start, min(start + _SENT_AT_ONCE, len(images)))
        rgb_NHW3[start : indices.stop] = torch.from_numpy(np.stack(images.several(indices)))
    return rgb_NHW3


def _recoloured(rgb_BHW3: Tensor, plan: Plan) -> Tensor:
    """Change contrast and brightness as `data.augmentation.recolour` does."""
    middles = rgb_BHW3[:, ::MIDDLE_STEP, ::MIDDLE_STEP].float()
    middle_B111 = middles.mean(dim=(1, 2, 3), keepdim=True)
    gain_B111, lift_B111 = (each[:, None, None, None] for each in (plan.gain_N, plan.lift_N))
    changed = (rgb_BHW3 - middle_B111) * gain_B111 + middle_B111 + lift_B111
    return changed.clamp(0, 255).floor()


def resident(
    dataset: FrameDataset, device: torch.device | None, room: int | None = None
) -> ResidentFrames | None:
    """
    Put a dataset's frames on a device; None where they cannot stay there, or there is none.

    They can where all images have one size and together take no more than `room` bytes, by
    default a quarter of what is free on a GPU.
    """
    if device is None:
        return None
    if room is None and device.type == 'cuda':
        room = int(_SHARE_OF_FREE * torch.cuda.mem_get_info(device)[0])
    sizes = dataset.images.sizes
    taken = len(dataset) * int(np.prod(dataset.images[0].shape))
    if len(sizes) > 1 or (room is not None and taken > room):
        why = 'they differ in size' if len(sizes) > 1 else f'they take {taken / 1e9:.1f} GB'
        _LOG.info('images do not stay on the device, since %s', why)
        return None
    return ResidentFrames(dataset, device)


class ResidentLoader:
    """Goes through frames on a device in batches, in a new order each time if asked to."""

    def __init__(self, frames: ResidentFrames, batch_size: int, *, shuffle: bool = False) -> None:
        """Shuffle by torch's generator; then a last batch that is not full is left out."""
        self._frames = frames
        self._shuffle = shuffle
        self.batch_size = batch_size

    def __len__(self) -> int:
        """Return the number of batches."""
        whole, rest = divmod(len(self._frames), self.batch_size)
        return whole if self._shuffle or not rest else whole + 1

    def __iter__(self) -> Iterator[PoseBatch]:
        """Yield the batches of an epoch."""
        count = min(len(self) * self.batch_size, len(self._frames))
        if self._shuffle:
            order = torch.randperm(len(self._frames))[:count].numpy()
        else:
            order = np.arange(count)
        return self._frames.batches(order, self.batch_size)
