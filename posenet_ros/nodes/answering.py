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

"""From one image message to an answer: what the worker's thread does."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from posenet_ros.errors import PosenetError
from posenet_ros.localization.estimate import Localizer, PoseEstimate
from posenet_ros.machine import cores
from posenet_ros.nodes.bridge import Decoder
from sensor_msgs.msg import CompressedImage, Image

# What loading can raise besides our own: torch missing or broken, a file gone, CUDA without
# memory or driver.
LOAD_ERRORS = (PosenetError, ImportError, OSError, RuntimeError)


class Arrival(NamedTuple):
    """An image message and when it came, on the monotonic clock."""

    message: Image | CompressedImage
    received_ns: int


class RefusedError(PosenetError):
    """The localizer answers that it has no answer."""


def load_localizer(path: Path, device: str, threads: int) -> Localizer:
    """
    Load a model folder, to be answered with by so many CPU threads (0: half of the cores).

    Half, because the threads of one layer wait for each other: where another process has taken
    the core of one, all wait. On two busy cores one thread was seen to answer twice as often as
    two. Imports torch only here, since that takes seconds.
    """
    from posenet_ros.localization.load import load_localizer as load
    import torch

    torch.set_num_threads(threads or max(1, cores() // 2))
    return load(path, device)


def answer(localizer: Localizer, decoder: Decoder, arrival: Arrival) -> PoseEstimate:
    """Answer one image; a PosenetError, with the reason, refuses it."""
    estimate = localizer.locate(decoder.decode(arrival.message))
    if not estimate.answered:
        raise RefusedError('; '.join(estimate.reasons))
    return estimate
