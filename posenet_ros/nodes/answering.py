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

"""From one image message to the network's answer: what the first worker's thread does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
import time
from types import MappingProxyType
from typing import NamedTuple, Protocol, runtime_checkable

import cv2
import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.images import decode_smaller
from posenet_ros.errors import PosenetError
from posenet_ros.geometry import Camera, Pose
from posenet_ros.localization.estimate import Localizer, PoseEstimate
from posenet_ros.machine import cores
from posenet_ros.nodes.bridge import Decoder
from posenet_ros.nodes.camera_view import AS_IT_IS, View
from posenet_ros.stages import DECODE, noting_stages, PREPARE, stage, WAIT
from sensor_msgs.msg import CompressedImage, Image

# What loading can raise besides our own: torch missing or broken, a file gone, CUDA without
# memory or driver.
LOAD_ERRORS = (PosenetError, ImportError, OSError, RuntimeError)


@runtime_checkable
class Verifying(Protocol):
    """
    A localizer in two parts: `network` answers at once, `verify` looks in the map after that.

    The one that is (see `localization.verified`) imports torch, which the node does only to load.
    """

    network: Localizer

    def verify(
        self,
        rgb: NDArray[np.uint8],
        estimate: PoseEstimate,
        feature_K: NDArray[np.float32],
        guess: Pose | None,
        camera: Camera | None = None,
        *,
        any_focal: bool = False,
    ) -> PoseEstimate:
        """Return a verified pose, or the network's estimate with reasons why there is none."""
        ...


class Lens(NamedTuple):
    """What took the images: `camera`, None for the map's own, and whether somebody `told` so."""

    camera: Camera | None
    told: bool


class Arrival(NamedTuple):
    """An image message and when it came, on the monotonic clock."""

    message: Image | CompressedImage
    received_ns: int


class Answered(NamedTuple):
    """
    An image and what the network makes of it, for who looks further.

    `rgb` is None where the network was shown a smaller one than the message has.
    `estimate` may be a refusal. `feature_K` is what the image looks like as a whole, and `guess`
    the pose in mind, also of what was refused. `stages_ns` says how long each stage took.
    """

    arrival: Arrival
    rgb: NDArray[np.uint8] | None
    estimate: PoseEstimate
    feature_K: NDArray[np.float32]
    guess: Pose | None
    stages_ns: Mapping[str, int] = MappingProxyType({})


class RefusedError(PosenetError):
    """The localizer answers that it has no answer; `answered` is what it saw and had in mind."""

    def __init__(self, answered: Answered) -> None:
        """Take the refusal, whose reasons are the message."""
        super().__init__('; '.join(answered.estimate.reasons))
        self.answered = answered


def load_localizer(
    path: Path, device: str, threads: int, refine: str, method: str, engine: str
) -> Localizer:
    """
    Load a model folder, to be answered with by so many CPU threads (0: half of the cores).

    Half, because the threads of one layer wait for each other: where another process has taken
    the core of one, all wait. On two busy cores one thread was seen to answer twice as often as
    two. OpenCV, which finds the features to verify poses by, gets the cores that are left.
    Imports torch only here, since that takes seconds.
    """
    from posenet_ros.localization.load import load_localizer as load
    import torch

    threads = threads or max(1, cores() // 2)
    torch.set_num_threads(threads)
    cv2.setNumThreads(max(1, cores() - threads))
    return load(path, device, refine=refine, method=method, engine=engine)


def answer(
    localizer: Localizer,
    decoder: Decoder,
    arrival: Arrival,
    view: Callable[[tuple[int, int]], View],
) -> Answered:
    """
    Answer one image; a PosenetError, with the reason, refuses it.

    `view` returns what becomes of images of a size (width, height) before the network sees them.
    Images of another camera are refused after it has: they may still be looked for in the map.
    """
    with noting_stages() as stages_ns:
        stages_ns[WAIT] = time.monotonic_ns() - arrival.received_ns
        with stage(DECODE):
            small = _smaller(localizer, arrival.message, view)
            rgb = decoder.decode(arrival.message) if small is None else None
        with stage(PREPARE):
            seen = AS_IT_IS if rgb is None else view((rgb.shape[1], rgb.shape[0]))
            shown = small if rgb is None else seen.of(rgb)
        found = localizer.locate_batch([shown])
    guess = found.guesses[0] if found.guesses else None
    estimate = found.estimates[0]
    if seen.refusal:
        estimate = PoseEstimate.refused(localizer.method, seen.refusal)
    answered = Answered(arrival, rgb, estimate, found.features[0], guess, stages_ns)
    if not answered.estimate.answered:
        raise RefusedError(answered)
    return answered


def _smaller(
    localizer: Localizer,
    message: Image | CompressedImage,
    view: Callable[[tuple[int, int]], View],
) -> NDArray[np.uint8] | None:
    """Return an image smaller than it is, where that comes cheaper and does for the network."""

    def ample(width: int, height: int) -> tuple[int, int]:
        if view((width, height)) != AS_IT_IS:
            # What is cut out of it is smaller yet.
            return width, height
        return localizer.card.sees.ample_size(width, height)

    return decode_smaller(message, ample)
