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

"""Maps of a scene on disk: made once, whole, and those of the images."""

import numpy as np
from posenet_ros.data.frames import Frame
from posenet_ros.data.images import encode_jpeg, read_image
from posenet_ros.errors import ConfigError
from posenet_ros.geometry import Camera, Pose
from posenet_ros.models.backbones import build_backbone
from posenet_ros.models.trunk_maps import SIZE, stacked, TrunkMaps
from posenet_ros.training.relative.looks import another_look
from posenet_ros.training.relative.scene_maps import describe_scene
import pytest
from scipy.spatial.transform import Rotation
import torch

CAMERA = Camera(80, 60, 50.0, 50.0, 39.5, 29.5)


@pytest.fixture(scope='module')
def trunk():
    torch.manual_seed(0)
    return TrunkMaps(build_backbone('mobilenet_v3_small'), 2)


@pytest.fixture
def frames(tmp_path):
    rng = np.random.default_rng(0)
    found = []
    for number in range(20):
        path = tmp_path / f'{number}.jpg'
        encode_jpeg(path, rng.integers(0, 255, (60, 80, 3), dtype=np.uint8))
        pose = Pose(Rotation.identity(), [0.1 * number, 0, 0], 'map', 'camera')
        found.append(Frame(path, pose, number, 's'))
    return found


def test_maps_are_those_of_the_images_in_their_order(trunk, frames, tmp_path):
    told = []
    scene = describe_scene('s', frames, CAMERA, trunk, tmp_path / 'maps', image_done=told.append)
    assert sum(told) == len(scene) == 20
    assert scene.maps_NChw.shape == (20, trunk.channels, *trunk.cells.shape)
    assert scene.ray_2hw.shape == (2, *trunk.cells.shape)
    map_1Chw, _ = trunk(stacked([read_image(frames[17].image)]))
    np.testing.assert_allclose(scene.maps_NChw[17], map_1Chw[0], atol=2e-2)
    np.testing.assert_allclose(scene.centres_N3[17], [1.7, 0, 0])


def test_what_is_there_of_the_same_is_taken(trunk, frames, tmp_path):
    folder = tmp_path / 'maps'
    first = describe_scene('s', frames, CAMERA, trunk, folder)
    for frame in frames:
        frame.image.unlink()
    again = describe_scene('s', frames, CAMERA, trunk, folder)
    np.testing.assert_array_equal(first.maps_NChw, again.maps_NChw)


def test_maps_of_other_frames_or_by_another_trunk_are_made_anew(trunk, frames, tmp_path):
    folder = tmp_path / 'maps'
    describe_scene('s', frames, CAMERA, trunk, folder)
    turned = describe_scene('s', frames[::-1], CAMERA, trunk, folder)
    map_1Chw, _ = trunk(stacked([read_image(frames[2].image)]))
    np.testing.assert_allclose(turned.maps_NChw[17], map_1Chw[0], atol=2e-2)
    torch.manual_seed(1)
    other = TrunkMaps(build_backbone('mobilenet_v3_small'), 1)
    assert other.sha256 != trunk.sha256
    anew = describe_scene('s', frames, CAMERA, other, folder)
    assert anew.maps_NChw.shape == (20, other.channels, *other.cells.shape)


def test_what_is_half_there_is_made_anew(trunk, frames, tmp_path):
    folder = tmp_path / 'maps'
    describe_scene('s', frames, CAMERA, trunk, folder)
    (folder / 'made.yaml').unlink()
    for frame in frames[5:]:
        frame.image.unlink()
    with pytest.raises(Exception, match='jpg'):
        describe_scene('s', frames, CAMERA, trunk, folder)
    assert not (folder / 'made.yaml').exists()


def test_another_look_is_at_the_same_image_in_other_colours(trunk, frames, tmp_path):
    plain = describe_scene('s', frames, CAMERA, trunk, tmp_path / 'plain')
    scene = describe_scene('s', frames, CAMERA, trunk, tmp_path / 'maps', looks=2)
    assert (len(scene), scene.looks) == (20, 2)
    np.testing.assert_array_equal(scene.maps_NChw[:20], plain.maps_NChw)
    assert not np.array_equal(scene.maps_NChw[20:], plain.maps_NChw)
    # Maps of one look alone are not those of two.
    again = describe_scene('s', frames, CAMERA, trunk, tmp_path / 'maps')
    np.testing.assert_array_equal(again.maps_NChw, plain.maps_NChw)


def test_a_look_is_decided_by_its_seed_and_leaves_things_where_they_are():
    rng = np.random.default_rng(0)
    blocks = rng.integers(40, 215, (6, 8, 1), dtype=np.uint8).repeat(3, axis=2)
    rgb = blocks.repeat(32, axis=0).repeat(32, axis=1)
    looks = [another_look(rgb, (3, look)) for look in range(1, 9)]
    np.testing.assert_array_equal(looks[0], another_look(rgb, (3, 1)))
    assert all(look.shape == rgb.shape and look.dtype == np.uint8 for look in looks)
    for look in looks:
        assert np.abs(look.astype(int) - rgb).mean() > 2
        grey = look.mean(axis=2)[16::32, 16::32].ravel()
        assert np.corrcoef(grey, blocks[:, :, 0].ravel())[0, 1] > 0.9


def test_the_trunk_does_not_learn(trunk):
    assert not any(parameter.requires_grad for parameter in trunk.parameters())
    trunk.train()
    assert not any(module.training for module in trunk.modules())
    rgb = torch.zeros(1, 3, SIZE[1], SIZE[0], dtype=torch.uint8)
    before = trunk(rgb)[0]
    torch.testing.assert_close(trunk(rgb)[0], before)


def test_without_a_camera_there_are_no_rays(trunk, frames, tmp_path):
    with pytest.raises(ConfigError, match='camera of s is not known'):
        describe_scene('s', frames, None, trunk, tmp_path / 'maps')
