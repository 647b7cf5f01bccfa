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

from __future__ import annotations

from dataclasses import replace

import numpy as np
from posenet_ros.data.augmentation import Augmentation
from posenet_ros.data.dataset import FrameDataset, ResizedImages
from posenet_ros.data.depth import COLUMNS, ROWS
from posenet_ros.data.images import encode_jpeg
from posenet_ros.geometry import Camera
from posenet_ros.models.preprocessing import Preprocessing
from posenet_ros.training.closed_form import views
from posenet_ros.training.resident import resident, ResidentFrames, ResidentLoader
import pytest
import torch

CPU = torch.device('cpu')
PREPROCESSING = Preprocessing(36, (32, 32))
CAMERA = Camera(64, 48, 60.0, 60.0, 31.5, 23.5)
EVERYTHING = range(40)


def dataset(frames, augmentation=None, camera=CAMERA, depths=None) -> FrameDataset:
    images = ResizedImages(frames, PREPROCESSING)
    return FrameDataset(frames, images, PREPROCESSING, augmentation, camera, depths)


def both(frames, augmentation=None, depths=None):
    """Return the batch of all frames as the CPU makes it, and as a device does from one seed."""
    on_cpu = dataset(frames, augmentation, depths=depths)
    batches = []
    for source in (on_cpu, ResidentFrames(on_cpu, CPU)):
        torch.manual_seed(5)
        batches.append(source.__getitems__(range(len(frames))))
    return batches


def grey_levels(batch) -> torch.Tensor:
    shift, scale = PREPROCESSING.shift_and_scale()
    return batch.image_B3HW / scale[:, None, None] + shift[:, None, None]


def difference(expected, found) -> torch.Tensor:
    return (grey_levels(expected) - grey_levels(found)).abs()


def assert_same_labels(expected, found):
    assert torch.allclose(expected.position_B3, found.position_B3, atol=1e-5)
    assert torch.equal(expected.quaternion_wxyz_B4, found.quaternion_wxyz_B4)
    if expected.inverse_Brc is None:
        assert found.inverse_Brc is None
    else:
        assert torch.equal(expected.inverse_Brc, found.inverse_Brc)


def test_depths_are_those_of_the_images_as_they_were_taken(textured):
    depths = uneven_depths(textured[2:])
    for augmentation in (None, Augmentation(0, 10, 10, 0, 0)):
        expected, found = both(textured, augmentation, depths)
        assert_same_labels(expected, found)
        for frame, inverse_rc in zip(textured, found.inverse_Brc.numpy()):
            np.testing.assert_array_equal(inverse_rc, depths.get(frame.image, 0))
    assert both(textured)[1].inverse_Brc is None


@pytest.fixture
def textured(corridor, tmp_path):
    """Return frames of smooth noise, which shows wherever it is moved to."""
    rng = np.random.default_rng(0)
    frames = []
    for number, frame in enumerate(corridor[:12]):
        coarse = rng.integers(0, 256, (7, 9, 3)).astype(np.float32)
        smooth = torch.nn.functional.interpolate(
            torch.from_numpy(coarse).permute(2, 0, 1)[None], (48, 64), mode='bicubic'
        )
        path = tmp_path / f'{number}.jpg'
        encode_jpeg(path, smooth[0].permute(1, 2, 0).clamp(0, 255).byte().numpy())
        frames.append(replace(frame, image=path))
    return frames


@pytest.mark.parametrize('augmentation', [None, Augmentation(1, 0, 0, 0, 0)])
def test_crops_are_the_same_to_the_bit(corridor, augmentation):
    expected, found = both(corridor, augmentation)
    assert torch.equal(expected.image_B3HW, found.image_B3HW)
    assert_same_labels(expected, found)
    assert found.image_B3HW.is_contiguous(memory_format=torch.channels_last)


def test_colours_change_alike(corridor):
    expected, found = both(corridor, Augmentation(1, 0, 0, 0.3, 0.4))
    apart = difference(expected, found)
    # A sum in another order may round to the next level, here and there.
    assert apart.max() < 1.01
    assert (apart > 0.01).float().mean() < 0.01


def test_turned_cameras_see_the_same(textured):
    expected, found = both(textured, Augmentation(1, 10, 10, 0, 0))
    assert_same_labels(expected, found)
    assert found.image_B3HW.is_contiguous(memory_format=torch.channels_last)
    plain, _ = both(textured, Augmentation(1, 0, 0, 0, 0))
    assert difference(plain, expected).mean() > 10
    assert difference(expected, found).mean() < 1


def uneven_depths(frames):
    rows, columns = np.mgrid[:ROWS, :COLUMNS]
    inverse = (0.3 + 0.2 * np.sin(rows / 5) * np.cos(columns / 6)).astype(np.float32)
    return {frame.image: inverse * (1 + 0.1 * i) for i, frame in enumerate(frames)}


def test_moved_cameras_see_the_same_and_some_are_only_turned(textured):
    depths = uneven_depths(textured[2:])
    moves = Augmentation(1, 8, 8, 0, 0, move=0.3, moved=0.7)
    expected, found = both(textured, moves, depths)
    assert_same_labels(expected, found)
    taken = np.array([frame.map_from_camera.translation for frame in textured])
    moved = np.linalg.norm(found.position_B3.numpy() - taken, axis=1) > 1e-3
    assert not moved[:2].any()
    assert 4 <= moved.sum() < 10
    # What a camera sees that has moved is another distance away.
    known = expected.inverse_Brc.flatten(1).any(dim=1).numpy()
    np.testing.assert_array_equal(known[2:], ~moved[2:])
    assert not known[:2].any()
    only_turned, _ = both(textured, replace(moves, move=0.0), depths)
    assert difference(only_turned, expected)[moved].mean() > 3
    assert difference(expected, found).mean() < 1.5


def test_a_camera_that_would_see_nothing_does_not_move(textured):
    # So far ahead that nearly all of it comes to lie behind the camera.
    depths = uneven_depths(textured)
    expected, found = both(textured, Augmentation(0, 5, 5, 0, 0, move=40.0, moved=1.0), depths)
    assert_same_labels(expected, found)
    taken = np.array([frame.map_from_camera.translation for frame in textured])
    stayed = np.linalg.norm(found.position_B3.numpy() - taken, axis=1) < 1e-3
    assert stayed.any()
    assert torch.isfinite(found.image_B3HW).all()
    assert difference(expected, found)[stayed].mean() < 1


def rows_of(batches, expected):
    """Return to which of some positions each of the batches' belongs."""
    positions = torch.cat([batch.position_B3 for batch in batches])
    return torch.cdist(positions, expected).argmin(dim=1).tolist()


def test_an_epoch_shows_each_frame_once_in_a_new_order(corridor):
    frames = ResidentFrames(dataset(corridor, Augmentation()), CPU)
    taken = frames.as_taken().__getitems__(EVERYTHING).position_B3
    loader = ResidentLoader(frames, 8, shuffle=True)
    assert (len(loader), loader.batch_size) == (5, 8)
    torch.manual_seed(3)
    first, second = rows_of(loader, taken), rows_of(loader, taken)
    assert sorted(first) == sorted(second) == list(EVERYTHING)
    assert first != second != list(EVERYTHING)
    torch.manual_seed(3)
    assert rows_of(loader, taken) == first


def test_only_a_shuffled_epoch_leaves_out_the_rest_of_a_batch(corridor):
    frames = ResidentFrames(dataset(corridor), CPU)
    shuffled, in_order = (ResidentLoader(frames, 12, shuffle=how) for how in (True, False))
    assert [len(batch.position_B3) for batch in shuffled] == [12] * 3
    assert [len(batch.position_B3) for batch in in_order] == [12, 12, 12, 4]
    assert (len(shuffled), len(in_order)) == (3, 4)
    whole = torch.cat([batch.image_B3HW for batch in in_order])
    assert torch.equal(whole, dataset(corridor).__getitems__(EVERYTHING).image_B3HW)


def test_an_epoch_in_batches_is_what_it_is_as_a_whole(textured):
    frames = ResidentFrames(dataset(textured, Augmentation(1, 9, 9, 0.2, 0.2)), CPU)
    torch.manual_seed(1)
    whole = frames.__getitems__(range(len(textured)))
    torch.manual_seed(1)
    parts = list(frames.batches(range(len(textured)), 5))
    assert torch.equal(torch.cat([part.image_B3HW for part in parts]), whole.image_B3HW)


def test_the_views_of_a_fit_are_those_of_the_cpu(corridor):
    on_cpu = dataset(corridor, Augmentation(1, 0, 0, 0, 0))
    shown = []
    for source in (on_cpu, ResidentFrames(on_cpu, CPU)):
        torch.manual_seed(2)
        shown.append(torch.cat([batch.image_B3HW for batch in views(source, 16)]))
    assert torch.equal(*shown)


def test_frames_stay_on_a_device_only_if_they_fit_and_have_one_size(corridor, tmp_path):
    all_of_them = dataset(corridor)
    taken = 40 * 36 * 48 * 3
    assert isinstance(resident(all_of_them, CPU), ResidentFrames)
    assert isinstance(resident(all_of_them, CPU, room=taken), ResidentFrames)
    assert resident(all_of_them, CPU, room=taken - 1) is None
    assert resident(all_of_them, None) is None
    encode_jpeg(tmp_path / 'wide.jpg', np.zeros((48, 80, 3), dtype=np.uint8))
    wide = replace(corridor[0], image=tmp_path / 'wide.jpg')
    assert resident(dataset([*corridor, wide]), CPU) is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
def test_a_gpu_makes_the_same_batches(textured):
    moves = Augmentation(1, 8, 8, 0.2, 0.2, move=0.3, moved=0.7)
    frames = dataset(textured, moves, depths=uneven_depths(textured[2:]))
    batches = []
    for device in ('cpu', 'cuda'):
        torch.manual_seed(5)
        batch = ResidentFrames(frames, torch.device(device)).__getitems__(range(len(textured)))
        assert batch.image_B3HW.device.type == device
        batches.append(type(batch)(*(None if each is None else each.cpu() for each in batch)))
    assert_same_labels(*batches)
    apart = difference(*batches)
    assert (apart > 1.01).float().mean() < 0.01
    assert apart.mean() < 0.1
