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

"""A network on CUDA from host images to numbers, recorded once for each shape of images."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
import logging

import numpy as np
from numpy.typing import NDArray
from posenet_ros.engines.by_cuda import CudaTrunk
from posenet_ros.engines.replay import full_precision, Replay, side_by_side
from posenet_ros.localization.ensemble import Ensemble
from posenet_ros.localization.outputs import Outputs
from posenet_ros.models.device_preprocessing import DevicePreprocessing
from posenet_ros.models.posenet import PoseNet
from posenet_ros.models.preprocessing import Preprocessing
from posenet_ros.stages import NETWORK, stage
import torch
from torch import Tensor

_LOG = logging.getLogger(__name__)

# So many crops go through the network together, and where that is not recorded so many. So many
# recordings are kept, those used last: each holds what the network needs for its images.
_CROPS_AT_ONCE, _STEP_BY_STEP, _MOST_KEPT = 128, 16, 4

Images = Sequence[NDArray[np.uint8]]


class Answering:
    """
    The network and its preprocessing as one computation on a device, for images of one shape.

    From uint8 (B, h, w, 3), what lies in the `box` of each image, to (B * C, 3 + R + K + I):
    position, rotation as the head has it, feature, and what tells how surely, of a scene head.
    Poses are made of that on the CPU: so few numbers take a GPU longer, a step at a time.
    """

    def __init__(
        self, model: PoseNet, preprocessing: Preprocessing, height: int, width: int, crops: int
    ) -> None:
        """Prepare for images of a size on the model's device; raise ImageError for a strip."""
        self._model = model
        takes = {'dtype': model.trunk.dtype, 'channels': model.trunk.channels}
        self._prepare = DevicePreprocessing(preprocessing, height, width, crops, **takes)
        self._prepare.to(model.position_mean.device)
        self.crops = self._prepare.crops
        self.box = self._prepare.box
        self._rotation = model.regressor.out_features - 3
        self._feature = model.place.width
        self._beside_C2 = None
        if model.scene is not None and crops > 1:
            beside_C2 = torch.from_numpy(preprocessing.beside_centre(width, height, crops))
            self._beside_C2 = beside_C2.to(model.position_mean.device)

    def __call__(self, rgb_BHW3: Tensor) -> Tensor:
        """Answer."""
        return self.answered(self.prepared(rgb_BHW3))

    def prepared(self, rgb_BHW3: Tensor) -> Tensor:
        """Return what the network is given (B * C, channels, h, w)."""
        return self._prepare(rgb_BHW3)

    def answered(self, image_BCHW: Tensor, first: int = 0) -> Tensor:
        """Return what it says of that, or of a part of it from crop `first` on."""
        beside_B2 = self._beside_C2
        if beside_B2 is not None:
            place_B = torch.arange(first, first + len(image_BCHW), device=beside_B2.device)
            beside_B2 = beside_B2[place_B % self.crops]
        return torch.cat(self._model.numbers(image_BCHW, side_by_side, beside_B2), dim=1)

    def outputs(self, found_NK: NDArray[np.float32]) -> list[Outputs]:
        """Return answers as they are told of each image."""
        ends = np.cumsum([3, self._rotation, self._feature])
        position_N3, rotation_NR, feature_NK, information_NI = np.split(found_NK, ends, axis=1)
        told = [position_N3.astype(np.float64), rotation_NR.astype(np.float64), feature_NK]
        if information_NI.shape[1]:
            told.append(information_NI.astype(np.float64))
        parts = range(0, len(found_NK), self.crops)
        return [
            Outputs.of(*(each[start : start + self.crops] for each in told)) for start in parts
        ]


class Replayed:
    """
    Answers images by recordings, one for each shape and number of images.

    Such as are asked for the first time are computed step by step, and recorded when they are
    asked for again: what comes once is not worth it. Where the network cannot be recorded, which
    is logged, that stays so.
    """

    def __init__(
        self, model: PoseNet, preprocessing: Preprocessing, device: torch.device, crops: int
    ) -> None:
        """Take a model on a CUDA device."""
        self._model = model
        self._preprocessing = preprocessing
        self._device = device
        self._crops = crops
        self._kept: OrderedDict[tuple[int, ...], _Kept] = OrderedDict()
        self._told = False

    def __call__(self, images: Images) -> list[Outputs]:
        """Return what the network puts out for each image."""
        with stage(NETWORK):
            return [output for part in self._parts(images) for output in self._answer(part)]

    def _parts(self, images: Images) -> Iterator[Images]:
        """Yield images of one size that follow each other, as many as go through together."""
        at_once = max(_CROPS_AT_ONCE // self._crops, 1)
        for _, alike in groupby(images, key=np.shape):
            part = list(alike)
            yield from (part[start : start + at_once] for start in range(0, len(part), at_once))

    def _answer(self, images: Images) -> list[Outputs]:
        kept = self._known((len(images), *images[0].shape))
        answering = kept.answering
        seen = [rgb[answering.box] for rgb in images]
        if kept.asked_before and not kept.tried:
            kept.tried = True
            kept.replay = self._recorded(answering, np.shape(seen))
        kept.asked_before = True
        found_NK = kept.replay(seen) if kept.replay else self._step_by_step(answering, seen)
        return answering.outputs(found_NK)

    def _known(self, shape: tuple[int, ...]) -> _Kept:
        if shape not in self._kept:
            while len(self._kept) >= _MOST_KEPT:
                self._kept.popitem(last=False)
            self._kept[shape] = _Kept(
                Answering(self._model, self._preprocessing, *shape[1:3], self._crops)
            )
        self._kept.move_to_end(shape)
        return self._kept[shape]

    def _recorded(self, answering: Answering, shape: tuple[int, ...]) -> Replay | None:
        try:
            return Replay(answering, shape, self._device)
        except RuntimeError as error:
            if not self._told:
                reason = str(error).strip().splitlines()[0]
                _LOG.warning('the network is not recorded, and slower for it: %s', reason)
            self._told = True
        if self._device.type == 'cuda':
            torch.cuda.empty_cache()
        return None

    def _step_by_step(self, answering: Answering, images: Images) -> NDArray[np.float32]:
        with full_precision():
            found = [
                answering.answered(part_BCHW, number * _STEP_BY_STEP)
                for rgb in images
                for number, part_BCHW in enumerate(
                    answering.prepared(self._on_device(rgb)).split(_STEP_BY_STEP)
                )
            ]
            return torch.cat(found).cpu().numpy()

    def _on_device(self, rgb: NDArray[np.uint8]) -> Tensor:
        return torch.from_numpy(np.array(rgb))[None].to(self._device)


@dataclass(eq=False)
class _Kept:
    """What is known of images of one shape and number."""

    answering: Answering
    asked_before: bool = False
    tried: bool = False
    replay: Replay | None = None


def replayed(
    model: PoseNet, preprocessing: Preprocessing, device: torch.device, ensemble: Ensemble
) -> Replayed | None:
    """Return what answers by recordings; None for what cannot, or shall not."""
    # Samples are drawn anew for each image, by more than a recording of one answer.
    fits = isinstance(getattr(model, 'trunk', None), CudaTrunk) and not ensemble.samples
    return Replayed(model, preprocessing, device, ensemble.crops) if fits else None
