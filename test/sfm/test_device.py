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

"""SIFT on the GPU where there is one."""

from posenet_ros.sfm.device import sift_device
import pycolmap
import pytest


def _none():
    raise ValueError('CUDA driver version is insufficient for CUDA runtime version')


def test_a_build_without_cuda_takes_the_cpu(monkeypatch):
    monkeypatch.setattr(pycolmap, 'has_cuda', False)
    assert sift_device() == pycolmap.Device.cpu


@pytest.mark.parametrize(
    ('count', 'device'),
    [(lambda: 0, 'cpu'), (_none, 'cpu'), (lambda: 1, 'cuda'), (lambda: 4, 'cuda')],
    ids=['no device', 'no driver', 'one device', 'four devices'],
)
def test_a_build_with_cuda_takes_the_gpu_if_there_is_one(monkeypatch, count, device):
    monkeypatch.setattr(pycolmap, 'has_cuda', True)
    # Builds for the CPU alone lack the function.
    monkeypatch.setattr(pycolmap, 'get_num_cuda_devices', count, raising=False)
    assert sift_device() == getattr(pycolmap.Device, device)
