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

"""Where SIFT runs: on a GPU where pycolmap was built for CUDA and there is one, else the CPU."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pycolmap

_LOG = logging.getLogger(__name__)


def sift_device() -> pycolmap.Device:
    """
    Return the device to find and to match features on.

    COLMAP's own choice is the GPU wherever it was built for CUDA, and it fails where there is
    none. PyPI's pycolmap is for the CPU; pycolmap-cuda12, which replaces it, is for CUDA.
    """
    import pycolmap

    if not pycolmap.has_cuda:
        return pycolmap.Device.cpu
    try:
        devices = pycolmap.get_num_cuda_devices()
    except ValueError as error:
        # Before 4.2 a machine without the driver is an error, and not a machine without a GPU.
        _LOG.warning('no CUDA device: %s', error)
        devices = 0
    return pycolmap.Device.cuda if devices > 0 else pycolmap.Device.cpu
