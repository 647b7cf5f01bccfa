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

"""Matching by local features (SIFT, Lowe, IJCV 2004): what regressing a pose is held against."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

# As many as labelling finds in an image, of OpenCV's usual quality.
_MOST_FEATURES = 1536
_NUMBERS = 128
_RATIO = 0.8
_KD_TREES, _TREES, _CHECKS = 1, 4, 32


def sift_descriptors(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the SIFT descriptors (M, 128) of an image (H, W, 3); M is 0 for a blank one."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    _, found = cv2.SIFT_create(nfeatures=_MOST_FEATURES).detectAndCompute(grey, None)
    return np.zeros((0, _NUMBERS), dtype=np.float32) if found is None else found


class SiftMatcher:
    """
    Finds the training image that shares most descriptors with another.

    `exact` compares every descriptor with every one of each image (brute force) and counts those
    that pass Lowe's ratio test. Otherwise each votes for the image of about the nearest one, found
    by randomized kd-trees over those of all images (FLANN; Muja and Lowe, 2009).
    """

    def __init__(self, descriptors: Sequence[NDArray[np.float32]], *, exact: bool) -> None:
        """Take the descriptors (M, 128) of each training image, and build the trees."""
        # The ratio is one of the two nearest.
        self._known = [number for number, each in enumerate(descriptors) if len(each) > 1]
        self._descriptors = [descriptors[number] for number in self._known]
        self._exact = exact
        if exact:
            self._matcher = cv2.BFMatcher(cv2.NORM_L2)
            return
        trees = {'algorithm': _KD_TREES, 'trees': _TREES}
        self._matcher = cv2.FlannBasedMatcher(trees, {'checks': _CHECKS})
        if self._known:
            self._matcher.add(self._descriptors)
            self._matcher.train()

    @property
    def nbytes(self) -> int:
        """The memory that the descriptors take, in bytes, without trees over them."""
        return sum(each.nbytes for each in self._descriptors)

    def nearest(self, descriptors: NDArray[np.float32]) -> int | None:
        """Return the number of the training image with most matches, None without any."""
        if not (len(descriptors) and self._known):
            return None
        votes = self._votes_one_by_one(descriptors) if self._exact else self._votes(descriptors)
        return self._known[int(np.argmax(votes))] if max(votes) else None

    def _votes_one_by_one(self, descriptors: NDArray[np.float32]) -> list[int]:
        return [
            sum(
                nearest.distance < _RATIO * second.distance
                for nearest, second in self._matcher.knnMatch(descriptors, each, k=2)
            )
            for each in self._descriptors
        ]

    def _votes(self, descriptors: NDArray[np.float32]) -> list[int]:
        voted = [match.imgIdx for match in self._matcher.match(descriptors)]
        return np.bincount(voted, minlength=len(self._known)).tolist()
