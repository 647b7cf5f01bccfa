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

"""Cambridge Landmarks in its true layout; its labels mix frames."""

import numpy as np
from posenet_ros.data.scenes import read_scene
from posenet_ros.errors import DatasetError
from posenet_ros.geometry import Pose
import pytest
from scipy.spatial.transform import Rotation

HEADER = 'Visual Landmark Dataset V1\nImageFile, Camera Position [X Y Z W P Q R]\n\n'
# A camera tilted by 10, 20, 30 degrees at (5, 6, 7) in the world.
WORLD_FROM_CAMERA = Pose(
    Rotation.from_euler('xyz', [10, 20, 30], degrees=True), [5.0, 6, 7], 'map', 'camera'
)


def row(image):
    """Return the row of a dataset file: the centre, and the turn from world to camera."""
    turn = WORLD_FROM_CAMERA.inverse().quaternion()
    numbers = [*WORLD_FROM_CAMERA.translation, turn.w, turn.x, turn.y, turn.z]
    return f'{image} {" ".join(f"{number:.9f}" for number in numbers)}\n'


@pytest.fixture
def scene(tmp_path):
    root = tmp_path / 'ShopFacade'
    rows = {
        'train': ['seq2/frame00001.png', 'seq2/frame00003.png'],
        'test': ['seq1/frame00002.png'],
    }
    for split, images in rows.items():
        for image in images:
            (root / image).parent.mkdir(parents=True, exist_ok=True)
            (root / image).write_bytes(b'')
        text = HEADER + ''.join(map(row, images))
        (root / f'dataset_{split}.txt').write_text(text)
    return root


def read(root):
    return read_scene(f'cambridge:{root}')


def test_the_position_is_the_centre_and_the_quaternion_goes_to_the_camera(scene):
    frame = read(scene).train[0]
    assert frame.map_from_camera.distance(WORLD_FROM_CAMERA) == pytest.approx((0, 0), abs=1e-7)
    # A point a metre before the camera.
    before = frame.map_from_camera @ np.array([0, 0, 1.0])
    np.testing.assert_allclose(WORLD_FROM_CAMERA.inverse() @ before, [0, 0, 1], atol=1e-6)


def test_splits_sequences_and_stamps_at_two_hertz(scene):
    read_back = read(scene)
    assert (read_back.name, read_back.camera) == ('ShopFacade', None)
    assert [frame.image.name for frame in read_back.train] == [
        'frame00001.png',
        'frame00003.png',
    ]
    assert [frame.stamp_ns for frame in read_back.train] == [500_000_000, 1_500_000_000]
    assert [frame.sequence for frame in (*read_back.train, *read_back.test)] == [
        'seq2',
        'seq2',
        'seq1',
    ]


def test_without_a_test_file_nothing_is_kept_apart(scene):
    (scene / 'dataset_test.txt').unlink()
    assert read(scene).test == ()


@pytest.mark.parametrize(
    'bad',
    [
        'seq2/frame00003.png 1 2 3 1 0 0',
        'seq2/frame00003.png 1 2 3 0 0 0 0',
        'seq2/frame00003.png 1 2 nan 1 0 0 0',
        'seq2/frame00003.png 1 2 three 1 0 0 0',
        'seq2/frame00003.png 1 2 3 0.98 0 0 0',
        'seq2/frame00003.png 1 0 0 0 5 6 7',
    ],
)
def test_a_bad_row_is_named_by_its_line(scene, bad):
    path = scene / 'dataset_train.txt'
    path.write_text(HEADER + row('seq2/frame00001.png') + bad + '\n')
    with pytest.raises(DatasetError, match=r'dataset_train\.txt:5: expected "image x y z qw'):
        read(scene)


def test_missing_images_are_counted(scene):
    (scene / 'seq2' / 'frame00003.png').unlink()
    with pytest.raises(DatasetError, match=r'2 images, 1 of them are missing, .*frame00003\.png'):
        read(scene)


def test_what_is_no_scene(scene):
    (scene / 'dataset_train.txt').write_text(HEADER)
    with pytest.raises(DatasetError, match='lists no images'):
        read(scene)
    (scene / 'dataset_train.txt').unlink()
    with pytest.raises(DatasetError, match=r'it has no dataset_train\.txt'):
        read(scene)
