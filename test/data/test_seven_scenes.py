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

"""7-Scenes in its true layout, and what can be wrong with it."""

import os
from pathlib import Path

import cv2
import numpy as np
from posenet_ros.data.scenes import read_scene
from posenet_ros.errors import DatasetError
import pytest
from scipy.spatial.transform import Rotation

TILT = Rotation.from_euler('xyz', [10, 20, 30], degrees=True)


def add_frame(sequence, number, *, size=(640, 480), suffix='png'):
    sequence.mkdir(parents=True, exist_ok=True)
    stem = sequence / f'frame-{number:06d}'
    cv2.imwrite(f'{stem}.color.{suffix}', np.zeros((size[1], size[0], 3), np.uint8))
    cv2.imwrite(f'{stem}.depth.png', np.zeros((4, 4), np.uint16))
    matrix = np.eye(4)
    matrix[:3, :3] = TILT.as_matrix()
    matrix[:3, 3] = [number, 2, 3]
    rows = '\n'.join('\t '.join(f'{value: .7e}' for value in row) for row in matrix)
    Path(f'{stem}.pose.txt').write_text(rows + '\t\n')


@pytest.fixture
def scene(tmp_path):
    """Three sequences: the first two for training, the third for the test."""
    root = tmp_path / 'kitchen'
    for name in ('seq-01', 'seq-02', 'seq-03'):
        for number in (0, 7):
            add_frame(root / name, number)
    (root / 'TrainSplit.txt').write_text('sequence1\nsequence2\n')
    (root / 'TestSplit.txt').write_text('sequence3\n')
    return root


def read(root):
    return read_scene(f'7scenes:{root}')


def test_frames_poses_stamps_and_sequences(scene):
    read_back = read(scene)
    assert read_back.name == 'kitchen'
    assert [frame.sequence for frame in read_back.train] == ['seq-01'] * 2 + ['seq-02'] * 2
    assert [frame.sequence for frame in read_back.test] == ['seq-03'] * 2
    frame = read_back.train[1]
    assert frame.image == scene / 'seq-01' / 'frame-000007.color.png'
    assert frame.stamp_ns == 233_333_333
    pose = frame.map_from_camera
    assert (pose.target, pose.source) == ('map', 'camera')
    np.testing.assert_allclose(pose.translation, [7, 2, 3])
    assert (pose.rotation.inv() * TILT).magnitude() < 1e-6


def test_the_camera_is_the_nominal_colour_camera(scene):
    camera = read(scene).camera
    assert (camera.width, camera.height) == (640, 480)
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (525, 525, 320, 240)


def test_images_of_another_size_have_no_nominal_camera(tmp_path):
    add_frame(tmp_path / 'seq-01', 0, size=(320, 240))
    assert read(tmp_path).camera is None


def test_without_split_files_every_sequence_is_for_training(scene):
    for name in ('TrainSplit.txt', 'TestSplit.txt'):
        (scene / name).unlink()
    read_back = read(scene)
    assert len(read_back.train) == 6
    assert read_back.test == ()


def test_with_only_a_test_split_the_others_are_for_training(scene):
    (scene / 'TrainSplit.txt').unlink()
    read_back = read(scene)
    assert {frame.sequence for frame in read_back.train} == {'seq-01', 'seq-02'}


def test_jpeg_frames_are_frames_too(tmp_path):
    add_frame(tmp_path / 'seq-01', 3, suffix='jpg')
    assert read(tmp_path).train[0].stamp_ns == 100_000_000


@pytest.mark.parametrize('number', ['nan', '-1.#IND', 'inf'])
def test_frames_that_lost_tracking_are_left_out_with_a_warning(scene, caplog, number):
    pose = scene / 'seq-01' / 'frame-000000.pose.txt'
    pose.write_text(' '.join([number] * 16))
    if number == '-1.#IND':
        # Not a number to anyone but one compiler of 2012.
        with pytest.raises(DatasetError, match='expected 16 numbers'):
            read(scene)
        return
    assert [frame.stamp_ns for frame in read(scene).train if frame.sequence == 'seq-01'] == [
        233_333_333
    ]
    assert 'left out 1 of 2 frames' in caplog.text


@pytest.mark.parametrize(
    ('content', 'complaint'),
    [
        ('1 2 3', 'expected 16 numbers, got 3'),
        ('one', 'expected 16 numbers'),
        (' '.join(['2'] * 16), 'must be a rotation'),
    ],
)
def test_a_damaged_pose_names_its_file(scene, content, complaint):
    (scene / 'seq-02' / 'frame-000007.pose.txt').write_text(content)
    with pytest.raises(DatasetError, match=rf'seq-02/frame-000007\.pose\.txt .*{complaint}'):
        read(scene)


def test_a_missing_pose_is_an_error(scene):
    (scene / 'seq-02' / 'frame-000007.pose.txt').unlink()
    with pytest.raises(DatasetError, match=r'frame-000007\.pose\.txt: No such file'):
        read(scene)


@pytest.mark.parametrize('number', ['00000a', '', '-1', '000001.copy'])
def test_a_frame_without_a_number_is_named(scene, number):
    (scene / 'seq-02' / f'frame-{number}.color.png').write_bytes(b'')
    with pytest.raises(DatasetError, match=rf'frame-{number}\.color\.png has another name'):
        read(scene)


def test_a_split_that_names_a_sequence_still_packed(scene):
    (scene / 'TrainSplit.txt').write_text('sequence1\nsequence4\n')
    with pytest.raises(DatasetError, match='names seq-04, which is not there; is it unpacked'):
        read(scene)


@pytest.mark.parametrize('content', ['', 'none\n'])
def test_a_split_that_names_nothing(scene, content):
    (scene / 'TestSplit.txt').write_text(content)
    with pytest.raises(DatasetError, match='names no sequence'):
        read(scene)


def test_a_folder_that_is_no_scene(tmp_path):
    with pytest.raises(DatasetError, match='no folder seq-01'):
        read(tmp_path)
    (tmp_path / 'seq-01').mkdir()
    with pytest.raises(DatasetError, match='no images frame-NNNNNN'):
        read(tmp_path)


@pytest.mark.parametrize('spec', ['kitti:DIR', '7scenes', '7scenes:', 'DIR', ''])
def test_an_unknown_kind_lists_the_kinds(spec):
    with pytest.raises(DatasetError, match='one of 7scenes:DIR, cambridge:DIR, colmap:DIR'):
        read_scene(spec)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(DatasetError, match=r'no such folder: .*gone'):
        read(tmp_path / 'gone')


def test_red_kitchen_itself():
    shared = os.environ.get('POSENET_SHARED') or Path(__file__).parents[3] / 'shared'
    folder = Path(shared) / 'data' / 'redkitchen'
    if not folder.is_dir():
        pytest.skip('the Red Kitchen frames are not here; set POSENET_SHARED')
    scene = read(folder)
    assert len(scene.train) == 750
    assert scene.camera.fx == 525
    extent = np.ptp([frame.map_from_camera.translation for frame in scene.train], axis=0)
    np.testing.assert_allclose(extent, [1.9, 0.6, 1.0], atol=0.1)
