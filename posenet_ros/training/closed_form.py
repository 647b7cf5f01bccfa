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
Where a linear head begins and ends: at the best that it can do on its trunk.

Gradient descent from a random head first tears the pre-trained features apart, and what they
knew about images unlike the training ones is lost; a head that fits them leaves them whole
(Kumar et al., Fine-Tuning can Distort Pretrained Features and Underperform Out-of-Distribution,
ICLR 2022). When the trunk has learned, the head is solved for once more: that is a minimum which
descent only comes near to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from posenet_ros.data.dataset import FrameDataset, PoseBatch
from posenet_ros.models.posenet import PoseNet
from posenet_ros.training.resident import ResidentFrames
import torch
from torch import Tensor
from tqdm import tqdm

# Each image is seen a few times, changed at random each time, within what a matrix of all by all
# can be solved for in seconds.
_MOST_VIEWS = 2048
_MOST_VIEWS_AN_IMAGE = 8
# Of the mean square length of a descriptor.
_RIDGE = 0.03


def views_of(dataset: FrameDataset | ResidentFrames, most: int = _MOST_VIEWS) -> int:
    """Return how many views `views` yields."""
    spread = len(_spread(dataset, most))
    return _times(spread, most) * spread


def _spread(dataset: FrameDataset | ResidentFrames, most: int) -> range:
    return range(0, len(dataset), max(-(-len(dataset) // most), 1))


def _times(spread: int, most: int) -> int:
    return min(max(most // spread, 1), _MOST_VIEWS_AN_IMAGE)


def views(
    dataset: FrameDataset | ResidentFrames,
    batch_size: int,
    most: int = _MOST_VIEWS,
    told: str = 'fitting the last layer',
) -> Iterator[PoseBatch]:
    """
    Yield batches that show every image several times, or some of very many: `most` views.

    A third of them show images as they were taken: a regression on changed images alone would be
    right on average, and nowhere in particular.
    """
    spread = _spread(dataset, most)
    times = _times(len(spread), most)
    unchanged = dataset.as_taken()
    with tqdm(total=times * len(spread), desc=told, unit='image', delay=2) as progress:
        batches = -(-len(spread) // batch_size)
        for turn in range(times):
            for number in range(batches):
                # Every batch is of all places.
                part = spread[number::batches]
                source = unchanged if (turn + number) % 3 == 2 else dataset
                yield source.__getitems__(part)
                progress.update(len(part))


@torch.inference_mode()
def solve_last_layer(
    model: PoseNet, batches: Iterable[PoseBatch], *, from_nothing: bool = True
) -> None:
    """
    Set the last head to the ridge regression on what its trunk sees.

    The head must be one that is solved for (`Architecture.solved`), and the extent of the scene
    known. The trunk is not changed. From nothing, the descriptor's statistics are measured too;
    otherwise the regression is of what the head still gets wrong, and leaves it as it is where
    these images do not tell.
    """
    was_training = model.training
    model.eval()
    described, targets = [], []
    for batch in batches:
        described.append(model.describe(batch.image_B3HW))
        targets.append(model.targets(batch.position_B3, batch.quaternion_wxyz_B4))
    described_ND, target_NK = torch.cat(described), torch.cat(targets)
    if from_nothing:
        model.localization[0].measure(described_ND)
        model.regressor.weight.zero_()
        model.regressor.bias.zero_()
    seen_ND = model.localization[0](described_ND)
    left_NK = target_NK - model.regressor(seen_ND)
    mean_D, mean_K = seen_ND.mean(dim=0), left_NK.mean(dim=0)
    change_DK = ridge(seen_ND - mean_D, left_NK - mean_K, _RIDGE)
    model.regressor.weight += change_DK.T
    model.regressor.bias += mean_K - mean_D @ change_DK
    model.train(was_training)


def ridge(inputs_ND: Tensor, targets_NK: Tensor, share: float) -> Tensor:
    """
    Return the weights (D, K) of ridge regression, by way of the smaller of N x N and D x D.

    Inputs are centred. The penalty is a share of their mean square length.
    """
    inputs, targets = inputs_ND.double(), targets_NK.double()
    number, width = inputs.shape
    ridge = share * inputs.square().sum(dim=1).mean()
    if number <= width:
        gram = inputs @ inputs.T
        return (inputs.T @ torch.linalg.solve(_raised(gram, ridge), targets)).float()
    gram = inputs.T @ inputs
    return torch.linalg.solve(_raised(gram, ridge), inputs.T @ targets).float()


def _raised(gram: Tensor, ridge: Tensor) -> Tensor:
    return gram + ridge * torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
