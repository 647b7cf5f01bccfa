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

"""Files for other programs answer as the network does."""

from __future__ import annotations

import importlib.util

from posenet_ros.engines.difference import noise_image
from posenet_ros.engines.files import write_onnx
from posenet_ros.engines.whole import FEATURE, INFORMATION, POSE, SCENE, Whole, without_norms
import pytest
import torch

NEEDED = ('onnx', 'onnxscript', 'onnxruntime')
MISSING = [name for name in NEEDED if not importlib.util.find_spec(name)]


@pytest.mark.skipif(bool(MISSING), reason=f'{", ".join(MISSING)} not installed')
def test_a_file_tells_what_the_pose_of_cells_is_made_of(scene_network, preprocessing, tmp_path):
    whole = Whole(without_norms(scene_network), pose_only=False).eval()
    assert whole.outputs == (*POSE, FEATURE, INFORMATION, *SCENE)
    answer = write_onnx(tmp_path / 'posenet.onnx', whole, preprocessing.crop)
    # Nothing of the machine that it was made on.
    assert b'.py' not in (tmp_path / 'posenet.onnx').read_bytes()
    image_B3HW = noise_image(preprocessing).expand(3, -1, -1, -1)
    with torch.inference_mode():
        expected, found = whole(image_B3HW), answer(image_B3HW)
    for name, one, other in zip(whole.outputs, expected, found, strict=True):
        # Of noise, the pose is decided by the last digit; see `largest_difference`.
        if name not in (*POSE, INFORMATION):
            torch.testing.assert_close(torch.as_tensor(other), one, atol=1e-3, rtol=1e-3, msg=name)
