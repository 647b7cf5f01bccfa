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

"""Where images with known poses come from: labelled frames, or a recording and its truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
import logging
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.bags import Recording, StampedImage
from posenet_ros.data.frames import Frame
from posenet_ros.data.images import read_image
from posenet_ros.errors import BagError, ImageError
from posenet_ros.evaluation.truth import true_pose
from posenet_ros.geometry import NS_PER_S, Pose, seconds_text, Trajectory
from tqdm import tqdm

_LOG = logging.getLogger(__name__)


class Query(NamedTuple):
    """
    An image uint8 (H, W, 3) to ask about, when it was taken, and where: the truth.

    An image that cannot be read is None: it was asked, and nothing can answer it. So is an
    image whose true pose is None, which nobody knows: it cannot be asked, but counts as seen.
    """

    stamp_ns: int
    map_from_camera: Pose | None
    rgb: NDArray[np.uint8] | None


def queries_of_frames(frames: Sequence[Frame], told: str) -> Iterator[Query]:
    """Read frames one by one, with a progress bar that `told` names."""
    for frame in tqdm(frames, desc=told, unit='image'):
        yield Query(frame.stamp_ns, frame.map_from_camera, read_image(frame.image))


def queries_of_recording(
    recording: Recording, topic: str, truth: Trajectory, rate_hz: float | None = None
) -> Iterator[Query]:
    """
    Stream the images of a topic, at most `rate_hz` a second, each with its true pose if known.

    Images without a true pose are not decoded; how many of the others cannot be is logged.
    Raises BagError when none has a true pose.
    """
    stamps, asked = [], 0
    damaged: list[ImageError] = []
    for image in images_of_recording(recording, topic, rate_hz):
        stamps = [*stamps[:1], image.stamp_ns]
        pose = true_pose(truth, image.stamp_ns)
        if pose is not None:
            asked += 1
        yield Query(image.stamp_ns, pose, None if pose is None else _pixels(image, damaged))
    if damaged:
        _LOG.warning(
            '%d of %d images cannot be read and count as unanswered; the first: %s',
            len(damaged),
            asked,
            damaged[0],
        )
    if not asked:
        raise BagError(
            f'no image of {topic} in {recording.path} has a true pose: the images are from '
            f'{_span(stamps)}, the truth is from {_span(truth.stamps_ns.tolist())}'
        )


def _pixels(image: StampedImage, damaged: list[ImageError]) -> NDArray[np.uint8] | None:
    try:
        return image.decode()
    except ImageError as error:
        damaged.append(error)
        return None


def images_of_recording(
    recording: Recording, topic: str, rate_hz: float | None = None
) -> Iterator[StampedImage]:
    """Stream the images of a topic with a progress bar: all, or the first of each interval."""
    images = tqdm(
        recording.images(topic),
        desc=recording.path.name,
        total=recording.count(topic),
        unit='image',
    )
    first_ns, taken = None, None
    for image in images:
        first_ns = image.stamp_ns if first_ns is None else first_ns
        # Numbered intervals, so that jitter of the camera does not lower the rate.
        interval = rate_hz and (image.stamp_ns - first_ns) * rate_hz // NS_PER_S
        if rate_hz is None or interval != taken:
            taken = interval
            yield image


def _span(stamps_ns: Sequence[int]) -> str:
    """Return the first and last instant, as a person writes them."""
    if not stamps_ns:
        return 'no time at all'
    return f'{seconds_text(stamps_ns[0])} s to {seconds_text(stamps_ns[-1])} s'
