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

"""The same pixels by products of matrices as by OpenCV."""

import numpy as np
from posenet_ros.errors import ImageError
from posenet_ros.models.device_preprocessing import DevicePreprocessing
from posenet_ros.models.preprocessing import Preprocessing
from posenet_ros.performance.images import camera_images
import pytest
import torch

PAPER = Preprocessing()
WIDE = Preprocessing(short_side=233, crop=(224, 288), mean=(0.4, 0.5, 0.6))


def levels_apart(preprocessing, rgb, crops):
    """Return by how many levels of 255 pixels differ, whatever they are normalised by."""
    device = DevicePreprocessing(preprocessing, *rgb.shape[:2], crops)
    found = device(torch.from_numpy(rgb[device.box])[None])
    expected = preprocessing.prepare_crops(rgb, crops)
    assert found.shape == expected.shape
    assert len(found) == device.crops
    return (found - expected).abs() * 255 * torch.tensor(preprocessing.std).view(3, 1, 1)


@pytest.mark.parametrize('preprocessing', [PAPER, WIDE])
@pytest.mark.parametrize('crops', [1, 6, 128])
@pytest.mark.parametrize(
    'size', [(480, 640), (1080, 1920), (512, 512), (1024, 1280), (256, 341), (700, 250)]
)
def test_smaller_images_have_the_pixels_of_opencv(preprocessing, crops, size):
    image = camera_images(1)[0]
    rgb = np.ascontiguousarray(np.tile(image, (3, 3, 1))[: size[0], : size[1]])
    apart = levels_apart(preprocessing, rgb, crops)
    if preprocessing.resized_size(*size[::-1]) <= size[::-1]:
        # Means in the middle between two levels, which float arithmetic decides.
        assert (apart > 0.01).float().mean() < 2e-3
    assert apart.max() < 1.01


def test_enlarged_images_have_them_nearly():
    rgb = camera_images(1)[0][:200, :300]
    apart = levels_apart(PAPER, rgb, 1)
    assert apart.max() < 1.01
    assert apart.mean() < 0.2


def test_several_images_go_together():
    images = camera_images(2)
    device = DevicePreprocessing(PAPER, 480, 640, 4)
    assert device.box == (slice(0, 480), slice(0, 640))
    found = device(torch.from_numpy(np.stack(images)))
    expected = torch.cat([PAPER.prepare_crops(rgb, 4) for rgb in images])
    assert (found - expected).abs().mean() < 1e-4


@pytest.mark.parametrize('crops', [1, 6])
@pytest.mark.parametrize('channels', [3, 4])
def test_pixels_can_be_halves_with_a_channel_of_zeros(crops, channels):
    plain = DevicePreprocessing(PAPER, 480, 640, crops)
    rgb = torch.from_numpy(np.stack([each[plain.box] for each in camera_images(2)]))
    how = {'dtype': torch.float16, 'channels': channels}
    expected, found = plain(rgb), DevicePreprocessing(PAPER, 480, 640, crops, **how)(rgb)
    assert found.dtype == torch.float16
    assert found.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(found[:, :3], expected.half())
    assert not found[:, 3:].any()


def test_of_what_lies_outside_the_crop_nothing_is_taken():
    rows, columns = DevicePreprocessing(PAPER, 480, 640).box
    # 224 of 256 and of 341 pixels, and what these are the mean of.
    assert rows == slice(30, 450)
    assert columns == slice(108, 530)


def test_a_strip_is_no_camera_image():
    with pytest.raises(ImageError, match='no camera image'):
        DevicePreprocessing(PAPER, 20, 640)
