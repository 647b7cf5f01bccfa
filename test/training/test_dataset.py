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
from posenet_ros.data.dataset import as_it_is, FrameDataset, quaternions_wxyz, ResizedImages
from posenet_ros.data.depth import COLUMNS, ROWS, seen_moved
from posenet_ros.data.images import read_image
from posenet_ros.errors import ImageError
from posenet_ros.geometry import Camera
from posenet_ros.models.preprocessing import Preprocessing
import pytest
from scipy.spatial.transform import Rotation
import torch
from torch.utils.data import DataLoader

PREPROCESSING = Preprocessing(36, (32, 32))
CAMERA = Camera(64, 48, 60.0, 60.0, 31.5, 23.5)


def dataset(frames, augmentation=None, camera=None, memory=1 << 30, depths=None):
    images = ResizedImages(frames, PREPROCESSING, memory)
    return FrameDataset(frames, images, PREPROCESSING, augmentation, camera, depths)


def test_without_augmentation_it_gives_the_pixels_that_the_node_sees(corridor):
    batch = dataset(corridor).__getitems__([3, 0])
    for image, frame in zip(batch.image_B3HW, (corridor[3], corridor[0]), strict=True):
        assert torch.equal(image, PREPROCESSING.prepare(read_image(frame.image)))


def test_labels_belong_to_their_images(corridor):
    batch = dataset(corridor).__getitems__([5, 2])
    for row, frame in enumerate((corridor[5], corridor[2])):
        pose = frame.map_from_camera
        assert batch.position_B3[row].numpy() == pytest.approx(pose.translation, abs=1e-6)
        assert batch.quaternion_wxyz_B4[row].numpy() == pytest.approx(pose.quaternion(), abs=1e-6)


def test_images_that_do_not_fit_are_read_again_and_are_the_same(corridor):
    kept, read = dataset(corridor), dataset(corridor, memory=3 * 36 * 48 * 3)
    assert not read.images.all_in_memory
    assert kept.images.all_in_memory
    everything = range(len(corridor))
    expected = kept.__getitems__(everything).image_B3HW
    assert torch.equal(read.__getitems__(everything).image_B3HW, expected)


def test_the_mean_is_that_of_the_scene(corridor):
    images = ResizedImages(corridor, PREPROCESSING)
    every = np.concatenate([images[index].reshape(-1, 3) for index in range(len(corridor))])
    assert images.mean == pytest.approx(every.mean(axis=0) / 255)


def test_an_image_that_is_gone_is_told(corridor, tmp_path):
    gone = replace(corridor[0], image=tmp_path / 'gone.jpg')
    with pytest.raises(ImageError, match=r'gone\.jpg'):
        dataset([gone])


def test_turning_turns_the_label_and_leaves_the_position(corridor):
    batch = dataset(corridor, Augmentation(turn_deg=10, roll_deg=10), CAMERA).__getitems__([0] * 9)
    pose = corridor[0].map_from_camera
    assert np.allclose(batch.position_B3, pose.translation)
    quaternion = torch.tensor(pose.quaternion()).float()
    angles = 2 * torch.acos((batch.quaternion_wxyz_B4 @ quaternion).abs().clamp(max=1))
    assert len(set(angles.tolist())) == 9
    assert 0.02 < torch.rad2deg(angles).max() <= np.hypot(10, np.hypot(10, 10))


def seen(dataset, rgb, seed):
    """Return the crop of the first image that is seen by a seed, and from where."""
    torch.manual_seed(seed)
    views = dataset.draw([0], np.array([rgb.shape[:2]]))
    return dataset._seen(rgb, 0, views, 0)[0], views


def test_turned_images_and_labels_agree(corridor):
    turned = dataset(corridor, Augmentation(0, 8, 8, 0, 0), CAMERA)
    rgb = ResizedImages(corridor, PREPROCESSING)[0]
    map_from_camera = corridor[0].map_from_camera.rotation
    crop, views = seen(turned, rgb, 1)
    rotation = Rotation.from_matrix(views.map_from_turned_B33[0])
    assert views.position_B3[0] == pytest.approx(corridor[0].map_from_camera.translation)
    assert not np.array_equal(crop, rgb[2:34, 8:40])
    # Turning the camera of the turned image back gives the image again, away from its border.
    old_from_new = map_from_camera.inv() * rotation
    camera = CAMERA.resized(rgb.shape[1], rgb.shape[0])
    ray = old_from_new.inv().apply(np.linalg.inv(camera.matrix) @ [20.0, 16.0, 1.0])
    x, y = camera.project(ray)[0] - (8, 2)
    shown = crop[round(y) - 1 : round(y) + 2, round(x) - 1 : round(x) + 2].mean(axis=(0, 1))
    assert shown == pytest.approx(rgb[15:18, 19:22].mean(axis=(0, 1)), abs=30)


def test_moved_images_and_labels_agree(corridor):
    # Two metres away everywhere: moves are up to a quarter of that.
    depths = {corridor[0].image: np.full((ROWS, COLUMNS), 0.5, dtype=np.float32)}
    moves = Augmentation(0, 8, 8, 0, 0, move=0.25, moved=1.0)
    moved = dataset(corridor, moves, CAMERA, depths=depths)
    rgb, pose = ResizedImages(corridor, PREPROCESSING)[0], corridor[0].map_from_camera
    camera = CAMERA.resized(rgb.shape[1], rgb.shape[0])
    lengths = []
    for seed in range(20):
        crop, views = seen(moved, rgb, seed)
        moved_to = pose.rotation.inv().apply(views.changes.move_B3[0])
        turn = pose.rotation.inv() * Rotation.from_matrix(views.map_from_turned_B33[0])
        expected = seen_moved(
            rgb, depths[corridor[0].image], camera, turn, moved_to, (2, 8), (32, 32)
        )
        assert np.abs(crop.astype(int) - expected).max() <= 1
        lengths.append(float(np.linalg.norm(moved_to)))
    assert 0.3 < max(lengths) <= 0.5 + 1e-9


def test_images_of_unknown_depth_are_only_turned(corridor):
    moves = Augmentation(0, 8, 8, 0, 0, move=0.25, moved=1.0)
    depths = {corridor[0].image: np.full((ROWS, COLUMNS), 0.5, dtype=np.float32)}
    batch = dataset(corridor, moves, CAMERA, depths=depths).__getitems__([1, 0])
    positions = [frame.map_from_camera.translation for frame in (corridor[1], corridor[0])]
    assert batch.position_B3[0].numpy() == pytest.approx(positions[0], abs=1e-6)
    assert np.linalg.norm(batch.position_B3[1].numpy() - positions[1]) > 0.01


def test_without_a_camera_nothing_is_turned(corridor):
    batch = dataset(corridor, Augmentation(turn_deg=10)).__getitems__([4])
    expected = corridor[4].map_from_camera.quaternion()
    assert batch.quaternion_wxyz_B4[0].numpy() == pytest.approx(expected, abs=1e-6)


def test_the_loader_takes_whole_batches_and_torchs_seed_decides(corridor):
    loader = DataLoader(
        dataset(corridor, Augmentation()), batch_size=8, shuffle=True, collate_fn=as_it_is
    )
    torch.manual_seed(3)
    first = [batch.image_B3HW for batch in loader]
    torch.manual_seed(3)
    again = [batch.image_B3HW for batch in loader]
    assert [image.shape for image in first] == [(8, 3, 32, 32)] * 5
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], next(iter(loader)).image_B3HW)


def test_labels_have_one_sign():
    turns = Rotation.from_rotvec(np.outer(np.radians(np.arange(0, 360, 7)), [0, 0, 1]))
    quaternions = quaternions_wxyz(turns.as_matrix())
    assert (quaternions[:, 0] >= 0).all()
    assert torch.allclose(quaternions.norm(dim=1), torch.ones(len(quaternions)))
