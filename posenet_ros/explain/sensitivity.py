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
By how much the pose found changes with each pixel of an image.

The saliency of a pixel is the root of the sum of squares, over three axes of the pose and three
colours, of the derivative of the network's output by the pixel's intensity. For the position it is
in the unit of the map a grey level (of 255), for the orientation in radians a grey level. That is
what Simonyan, Vedaldi and Zisserman (Deep Inside Convolutional Networks, 2013) do with the score
of a class, with a pose in its place.

The paper takes the gradient of the loss, which needs the true pose, and of all ways in which the
pose could move shows the one that the error of that image happens to have. Here all count alike,
and no truth is needed.

The derivatives are means over a few copies of the image with noise (Smilkov et al., SmoothGrad,
2017), since those of one image are speckled. The noise is that of a camera, not the tenth of all
intensities that is usual for classifiers: that drowns plain surfaces, and shows what a noisy image
is located by.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from posenet_ros.explain.subject import Subject
from posenet_ros.models.rotations import turn_between
import torch
from torch import Tensor

NOISY_COPIES, NOISE_LEVELS = 8, 5.0
# Of the shorter side: pictures and textures are smoothed, shares are of single pixels.
_SMOOTHED = 1 / 75


def saliency_maps(
    subject: Subject, crop: NDArray[np.uint8]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Return the saliency (H, W) of each pixel of a crop for the position and for the orientation.

    In the unit of the map, and in radians, a grey level; see the head of this module.
    """
    generator = torch.Generator().manual_seed(0)
    rgb_BHW3 = torch.from_numpy(crop).float()[None].repeat(NOISY_COPIES, 1, 1, 1)
    rgb_BHW3 += NOISE_LEVELS * torch.randn(rgb_BHW3.shape, generator=generator)
    rgb_BHW3 = rgb_BHW3.to(subject.loaded.device).requires_grad_()
    regressor = subject.regressor
    found = regressor.model(regressor.preprocessing.normalise(rgb_BHW3))
    quaternion = found.quaternion_wxyz_B4
    turn_B3 = turn_between(quaternion.detach(), quaternion)
    return _lengths(found.position_B3, rgb_BHW3), _lengths(turn_B3, rgb_BHW3)


def _lengths(outputs_B3: Tensor, rgb_BHW3: Tensor) -> NDArray[np.float64]:
    """Return the length (H, W) of the mean derivative of three outputs by each pixel."""
    squares = torch.zeros(rgb_BHW3.shape[1:3], device=rgb_BHW3.device)
    for output_B in outputs_B3.unbind(dim=1):
        (slope_BHW3,) = torch.autograd.grad(output_B.sum(), rgb_BHW3, retain_graph=True)
        squares += slope_BHW3.mean(dim=0).square().sum(dim=-1)
    return squares.sqrt().double().cpu().numpy()


def plainer_half(rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return the half (H, W) of the pixels of an image with the least texture around them."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    slope = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    order = np.argsort(smooth(slope), axis=None, kind='stable')
    half = np.zeros(grey.size, dtype=bool)
    half[order[: grey.size // 2]] = True
    return half.reshape(grey.shape)


def smooth(values: NDArray[Any]) -> NDArray[Any]:
    """Return an image or a map (H, W), smoothed as pictures show it."""
    return cv2.GaussianBlur(values, (0, 0), _SMOOTHED * min(values.shape))
