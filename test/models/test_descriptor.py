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

"""Maps averaged over a grid, by the mean and by the generalised mean."""

from posenet_ros.models.descriptor import GridDescriptor
import pytest
import torch


@pytest.fixture
def map_1144():
    return torch.arange(16.0).reshape(1, 1, 4, 4)


def test_a_cell_of_the_grid_has_the_mean_of_its_part(map_1144):
    described = GridDescriptor([1], 2)([map_1144])
    assert described.tolist() == [[2.5, 4.5, 10.5, 12.5]]


def test_the_generalised_mean_is_between_the_mean_and_the_largest(map_1144):
    mean = GridDescriptor([1], 1)([map_1144]).item()
    cubic = GridDescriptor([1], 1, power=3.0)([map_1144]).item()
    expected = (sum(value**3 for value in range(16)) / 16) ** (1 / 3)
    assert mean < cubic < 15
    assert cubic == pytest.approx(expected, rel=1e-5)
    assert GridDescriptor([1], 1, power=200.0)([map_1144 / 15]).item() == pytest.approx(
        1, abs=0.02
    )


def test_what_is_negative_counts_as_nothing():
    maps = torch.tensor([[[[-5.0, 2.0]]]])
    assert GridDescriptor([1], 1, power=3.0)([maps]).item() == pytest.approx(4 ** (1 / 3))
    assert torch.isfinite(GridDescriptor([1], 1, power=3.0)([-maps.abs()])).all()


def test_each_level_is_of_unit_length():
    levels = [torch.rand(2, 3, 4, 4), 100 * torch.rand(2, 5, 2, 2)]
    described = GridDescriptor([3, 5], 2, unit=True, power=3.0)(levels)
    for part in described.split([12, 20], dim=1):
        torch.testing.assert_close(part.norm(dim=1), torch.ones(2))
