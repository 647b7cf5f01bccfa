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

"""How far the answers of two networks are apart, relative to what they are made of."""

from __future__ import annotations

from posenet_ros.models.posenet import PoseNet, PosePrediction
from posenet_ros.models.preprocessing import Preprocessing
import torch
from torch import Tensor

# What single precision may differ by from torch's own layers, relative.
TOLERANCE = 1e-4


@torch.inference_mode()
def largest_difference(reference: PosePrediction, other: PosePrediction, model: PoseNet) -> float:
    """
    Return the largest relative difference of two predictions for the same images.

    Positions are compared with the largest half side of the scene of `model`, or how far they are
    from its middle where that is more; quaternions with their length of one, whatever their sign;
    features with theirs, which is one at most. Of a scene head it is what poses are made of that
    is compared, points as positions are and errors with themselves: an image of another place has
    no pose, and what is found there is decided by the last digit. Infinite where one of them is
    not finite.
    """
    first, second = _poses(reference), _poses(other)
    same_side = (first[1] * second[1]).sum(1, keepdim=True)
    quaternion = second[1] * torch.where(same_side < 0, -1.0, 1.0)
    apart = [
        _apart(first[0], second[0], model),
        first[1] - quaternion,
        reference.feature_BK - other.feature_BK,
    ]
    if reference.scene is not None:
        apart += [
            _apart(reference.scene.point_BC3, other.scene.point_BC3, model),
            other.scene.error_BC / reference.scene.error_BC - 1,
        ]
    largest = float(torch.cat([each.abs().flatten() for each in apart]).max())
    finite = other.position_B3.isfinite().all() and other.quaternion_wxyz_B4.isfinite().all()
    return largest if finite and largest < float('inf') else float('inf')


def _poses(prediction: PosePrediction) -> tuple[Tensor, Tensor]:
    """Return positions and quaternions as the last layer has them."""
    if prediction.scene is None:
        return prediction.position_B3, prediction.quaternion_wxyz_B4
    return prediction.scene.start_B3, prediction.scene.start_wxyz_B4


def _apart(reference_X3: Tensor, other_X3: Tensor, model: PoseNet) -> Tensor:
    away = (reference_X3 - model.position_mean).abs().max()
    return (reference_X3 - other_X3) / torch.maximum(model.position_scale.max(), away)


@torch.inference_mode()
def difference_of(reference: PoseNet, other: PoseNet, preprocessing: Preprocessing) -> float:
    """
    Return how far two networks are apart on an image of noise, always the same one.

    Both on the device where they are. On GPUs torch's own convolutions keep 11 bits of single
    precision, but here they have all: they are what the other is compared with.
    """
    image_B3HW = noise_image(preprocessing).to(reference.position_mean.device)
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        expected = reference(image_B3HW)
    return largest_difference(expected, other(image_B3HW), reference)


def noise_image(preprocessing: Preprocessing) -> Tensor:
    """Return an image of noise as a network takes it (1, 3, H, W)."""
    generator = torch.Generator().manual_seed(0)
    shape = (1, *preprocessing.crop, 3)
    rgb_BHW3 = torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
    return preprocessing.normalise(rgb_BHW3)
