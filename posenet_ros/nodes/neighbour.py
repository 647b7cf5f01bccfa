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

"""The training image that looks most like the newest answered one, for who wants to see it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.capture import image_path, IMAGES
from posenet_ros.nodes.answering import Answered
from posenet_ros.nodes.model_keeper import Running
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header

if TYPE_CHECKING:
    from posenet_ros.models.checkpoint import TrainingFeatures

_CAPTURE = 'capture'


def capture_of(model: Path) -> Path | None:
    """
    Return the capture that a model was trained on: of its run, to which the path leads, too.

    None where there is none, as where the model folder was copied alone.
    """
    model = model.expanduser().resolve()
    for run in (model, model.parent):
        if (run / _CAPTURE / IMAGES).is_dir():
            return run / _CAPTURE
    return None


class TrainingImages:
    """The images of a capture, found by what an image looks like to the model."""

    def __init__(self, training: TrainingFeatures, capture: Path) -> None:
        """Take the features in a model folder; raise ModelError where they are of no image."""
        # It imports torch, as what loaded the features has.
        from posenet_ros.localization.retrieval import FeatureIndex

        self._index = FeatureIndex(training)
        self._stamps_ns = training.stamps_ns_N
        self._capture = capture

    def nearest(self, feature_K: NDArray[np.float32]) -> Path | None:
        """Return the file of the nearest image, whether it is there or not."""
        (match,) = self._index.nearest(feature_K[np.newaxis])
        if match is None:
            return None
        return image_path(self._capture, int(self._stamps_ns[match.index]))


class _Seen(NamedTuple):
    header: Header
    feature_K: NDArray[np.float32]


class Neighbours:
    """
    Publishes `~/neighbour/compressed`, where somebody looks at it.

    `note` may be called in any thread, all else in the executor's. `told` says which image went
    out last, or why none can.
    """

    def __init__(self, node: LifecycleNode) -> None:
        """Create the publisher."""
        self.told = ''
        self._publisher = node.create_lifecycle_publisher(
            CompressedImage,
            '~/neighbour/compressed',
            QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE),
        )
        self._newest: _Seen | None = None
        self._running: Running | None = None
        self._images: TrainingImages | None = None

    def noting(self, publish: Callable[[Answered], None]) -> Callable[[Answered], None]:
        """Return what publishes an answer and notes what its image looks like."""

        def publish_and_note(answered: Answered) -> None:
            publish(answered)
            self._newest = _Seen(answered.arrival.message.header, answered.feature_K)

        return publish_and_note

    def clear(self) -> None:
        """Forget the newest image: it is of another time, or of another model."""
        self._newest = None

    def publish(self, running: Running | None) -> None:
        """Publish the image nearest to the newest, by the model in use; nothing without a new."""
        if running is not self._running:
            self._take(running)
        # What nobody looks at is not searched for.
        if self._publisher.get_subscription_count() == 0:
            return
        newest, self._newest = self._newest, None
        if newest is None or running is None or not self._found(running):
            return
        path = self._images.nearest(newest.feature_K)
        if path is None:
            return
        try:
            message = CompressedImage(header=newest.header, format='jpeg', data=path.read_bytes())
        except OSError as error:
            self.told = f'none: cannot read {path}: {error.strerror}'
            return
        self._publisher.publish(message)
        self.told = str(path)

    def _take(self, running: Running | None) -> None:
        self._running, self._images, self.told = running, None, ''

    def _found(self, running: Running) -> bool:
        """Look for the images of the model in use, once."""
        if self._images is not None or self.told:
            return self._images is not None
        training, capture = running.localizer.training, capture_of(Path(running.request.model))
        if training is None or not len(training.features_NK):
            self.told = 'none: the model folder has no features of its training images'
        elif capture is None:
            self.told = (
                f'none: no {_CAPTURE}/{IMAGES} beside the model; take the folder of the whole run'
            )
        else:
            self._images = TrainingImages(training, capture)
        return self._images is not None
