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

from posenet_ros.training.batchnorm import is_folded, unfold_batch_norms
import torch
from torch import nn


def folded_trunk():
    torch.manual_seed(3)
    trunk = nn.Sequential(
        nn.Conv2d(3, 4, 3, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU6(),
        nn.Conv2d(4, 5, 3),
        nn.BatchNorm2d(5),
    )
    for norm in (trunk[1], trunk[4]):
        nn.init.normal_(norm.bias, std=8)
    return trunk.eval()


def images(count):
    generator = torch.Generator().manual_seed(5)
    return [3 + 2 * torch.randn(8, 3, 12, 16, generator=generator) for _ in range(count)]


def test_evaluation_mode_computes_the_same_before_and_after():
    trunk, batches = folded_trunk(), images(4)
    before = trunk(batches[0])
    unfold_batch_norms(trunk, batches)
    torch.testing.assert_close(trunk(batches[0]), before, rtol=1e-4, atol=1e-4)
    assert not trunk.training


def test_training_mode_agrees_with_evaluation_mode_only_afterwards():
    trunk, batches = folded_trunk(), images(1)
    truth = trunk(batches[0])
    astray = (folded_trunk().train()(batches[0]) - truth).abs().max()
    unfold_batch_norms(trunk, batches)
    left = (trunk.train()(batches[0]) - truth).abs().max()
    assert left < 0.01
    assert astray > 1


def test_folding_is_recognised_and_undone():
    trunk = folded_trunk()
    assert is_folded(trunk)
    unfold_batch_norms(trunk, images(1))
    assert not is_folded(trunk)
    assert not is_folded(nn.Conv2d(3, 4, 1))
