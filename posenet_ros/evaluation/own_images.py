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

"""Images of the map itself: those that a model was trained on, or those it is asked about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.bags import Recording
from posenet_ros.data.capture import IMAGES
from posenet_ros.data.frames import Frame
from posenet_ros.data.images import read_image
from posenet_ros.data.scenes import read_scene
from posenet_ros.errors import ImageError
from posenet_ros.evaluation.made import OwnImages
from posenet_ros.evaluation.queries import images_of_recording
from posenet_ros.evaluation.request import Request
from posenet_ros.models.checkpoint import find_model_folder


def own_images(request: Request) -> OwnImages:
    """
    Return images of the map that a request is about.

    Those of the capture beside the model, or the data set's training part; where neither is at
    hand, those of the recording that is asked about.
    """
    capture = find_model_folder(request.model).parent / 'capture'
    # A folder may have been copied with its labels alone.
    if (capture / IMAGES).is_dir():
        return FrameImages(read_scene(f'capture:{capture}').train)
    if request.dataset:
        scene = read_scene(request.dataset, request.test_frames)
        return FrameImages(scene.train or scene.test)
    return RecordedImages(request.bag, request.image_topic)


class FrameImages:
    """The images of frames."""

    def __init__(self, frames: Sequence[Frame]) -> None:
        """Take frames, in their order."""
        self._frames = frames

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._frames)

    def some(self, numbers: Iterable[int]) -> Iterator[NDArray[np.uint8]]:
        """Read the images of these numbers, one by one."""
        for number in numbers:
            yield read_image(self._frames[number].image)


class RecordedImages:
    """The images of a recording, which are read in their order."""

    def __init__(self, bag: Path, topic: str | None) -> None:
        """Take a recording, and a topic where it has images of several."""
        self._bag, self._topic = bag, topic
        with Recording(bag) as recording:
            self._count = recording.count(recording.image_topic(topic))

    def __len__(self) -> int:
        """Return how many there are."""
        return self._count

    def some(self, numbers: Iterable[int]) -> Iterator[NDArray[np.uint8]]:
        """Decode the images of these numbers, each as often as its number is there."""
        wanted = Counter(numbers)
        with Recording(self._bag) as recording:
            images = images_of_recording(recording, recording.image_topic(self._topic))
            for number, image in enumerate(images):
                if number not in wanted:
                    continue
                try:
                    rgb = image.decode()
                except ImageError:  # told where it is asked about; one image fewer here
                    continue
                yield from [rgb] * wanted[number]
