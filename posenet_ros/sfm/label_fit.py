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
How the labels of a data set go with a reconstruction of its images.

The reconstruction has its own origin and scale. And labels may be of another camera than the one
that took the images, one that is fixed to it: those of 7-Scenes are its depth camera's. Both are
found from the labels, and neither is the same thing: one is on the map's side of a pose, the
other on the camera's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import LabellingError
from posenet_ros.geometry import fit_similarity, Pose, Sim3
from scipy.spatial.transform import Rotation

# Fitting the one with the other held converges by some factor each time.
_ROUNDS = 100
# Of the size of the drive.
_STILL = 1e-7
_FEWEST = 5
# Of the size of the drive, median: beyond, labels and reconstruction are not of one drive.
_LARGEST_DIFFERENCE = 0.1
# Of the largest singular value; below, all cameras are on one line.
_FLAT = 0.02
# Errors of more than so many times the median are those of frames mapped at a wrong place.
_FAR = 4.0
_TRIMMED = 10


class LabelFit(NamedTuple):
    """
    A reconstruction's place in the map, and the labelled camera's beside the image's.

    `image_from_label` is the pose of what labels call the camera in the axes of the image.
    `difference_m` is how far labels are from it (median).
    """

    map_from_sfm: Sim3
    image_from_label: Pose
    difference_m: float


def fit_labels_to_model(
    rotations_F33: NDArray[np.float64],
    centres_F3: NDArray[np.float64],
    labels: Sequence[Pose],
) -> LabelFit:
    """
    Fit a reconstruction's poses (sfm from image) to their labels.

    Raises LabellingError where they do not tell: too few, on one line, or of another drive.
    """
    told = np.array([label.translation for label in labels])
    turned = Rotation.concatenate([label.rotation for label in labels])
    size = float(np.linalg.norm(np.ptp(told, axis=0)))
    spread = np.linalg.svd(told - told.mean(axis=0), compute_uv=False)
    if len(labels) < _FEWEST or spread[1] <= _FLAT * spread[0]:
        raise LabellingError(
            f'{len(labels)} mapped frames on one line do not tell where their map lies'
        )
    beside = np.zeros(3)
    for _ in range(_ROUNDS):
        fit = _similarity(centres_F3, told - turned.apply(beside))
        left = told - fit.apply(centres_F3)
        # Frames that were mapped at a wrong place do not count in a median.
        found = np.median(turned.inv().apply(left), axis=0)
        change, beside = float(np.abs(found - beside).max()), found
        if change < _STILL * size:
            break
    images = fit.rotation * Rotation.from_matrix(rotations_F33)
    rotation = _usual_rotation(images.inv() * turned)
    difference = float(np.median(np.linalg.norm(left - turned.apply(beside), axis=1)))
    if difference > _LARGEST_DIFFERENCE * size:
        raise LabellingError(
            'the map of these images and their poses are not of one drive: they are '
            f'{difference:.2f} apart (median) once fitted'
        )
    offset = Pose(rotation, rotation.apply(beside), target='image', source='camera')
    return LabelFit(fit, offset, difference)


def _similarity(from_N3: NDArray[np.float64], to_N3: NDArray[np.float64]) -> Sim3:
    """
    Return the similarity of most points, those that it leaves far away not counted.

    It begins with the half that a similarity fits best (least trimmed squares, by the steps of
    Rousseeuw and Van Driessen, 2006): a few points far away would pull all the others along.
    """
    near = np.ones(len(from_N3), dtype=bool)
    for number in range(_TRIMMED + 1):
        fit = fit_similarity(from_N3[near], to_N3[near], target='map', source='sfm')
        errors = np.linalg.norm(to_N3 - fit.apply(from_N3), axis=1)
        allowed = 1.0 if number < _TRIMMED - 1 else _FAR
        near = errors <= max(allowed * float(np.median(errors)), 1e-12)
    return fit


def _usual_rotation(rotations: Rotation) -> Rotation:
    """Return the mean of the rotations that are near to most: the half nearest to the mean."""
    mean = rotations.mean()
    for _ in range(_TRIMMED):
        apart = (mean.inv() * rotations).magnitude()
        mean = rotations[apart <= np.median(apart)].mean()
    return mean
