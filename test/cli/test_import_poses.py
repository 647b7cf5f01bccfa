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

"""The command, as a user types it."""

import cv2
import numpy as np
from posenet_ros.__main__ import main
from posenet_ros.data.capture import Capture
from posenet_ros.files import write_yaml
import pytest

# One image and one pose every tenth of a second; the base looks along x, its camera along x too.
TIMES = [f'1305031102.{index:02}5304' for index in range(0, 100, 10)]
INTRINSICS = ['--intrinsics', '8', '6', '10', '11', '4', '3']
LOOKING_AHEAD = ['-1e-3', '0', '0.5', '-1.5708', '0', '-1.5708']


@pytest.fixture
def desk(tmp_path):
    """The words that import a trajectory along x, but for the camera."""
    (tmp_path / 'rgb').mkdir()
    for time in TIMES:
        cv2.imwrite(str(tmp_path / 'rgb' / f'{time}.png'), np.zeros((6, 8, 3), np.uint8))
    rows = [f'{time} {index} 0 0 0 0 0 1' for index, time in enumerate(TIMES)]
    (tmp_path / 'slam.tum').write_text('\n'.join(rows))
    words = ['--tum', tmp_path / 'slam.tum', '--images', tmp_path / 'rgb']
    return [*map(str, words), '--output', str(tmp_path / 'out')]


def refused(capsys, *words):
    assert main(['import', *map(str, words)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ''
    assert captured.err.splitlines()[-1].startswith('posenet_ros import: ')
    return captured.err.splitlines()[-1]


def test_the_summary_ends_with_the_paths(desk, tmp_path, capsys):
    assert main(['import', *desk, *INTRINSICS]) == 0
    out = capsys.readouterr().out
    assert 'labelled  10 of 10\n' in out
    assert 'extent    9.0 x 0.0 x 0.0 m\n' in out
    assert 'camera    8x6, focal length 10.0 px, distortion none\n' in out
    assert out.splitlines()[-1] == f'labels: {tmp_path}/out/capture/labels.tum'


def test_the_model_is_told_too(tmp_path, capsys):
    pycolmap = pytest.importorskip('pycolmap')
    made = pycolmap.Reconstruction()
    made.add_camera_with_trivial_rig(
        pycolmap.Camera.create_from_model_name(1, 'PINHOLE', 10.0, 8, 6)
    )
    (tmp_path / 'images').mkdir()
    for index in range(10):
        cv2.imwrite(str(tmp_path / 'images' / f'{index}.jpg'), np.zeros((6, 8, 3), np.uint8))
        pose = pycolmap.Rigid3d(np.insert(np.eye(3), 3, [-index, 0, 0], axis=1))
        image = pycolmap.Image(name=f'{index}.jpg', camera_id=1, image_id=index + 1, points2D=[])
        made.add_image_with_trivial_frame(image, pose)
    made.write_binary(str(tmp_path))
    words = ['import', '--colmap', str(tmp_path), '--output', str(tmp_path / 'out')]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert 'extent    9.0 x 0.0 x 0.0 units\n' in out
    assert 'scale     units of their own, not metres\n' in out
    assert out.splitlines()[-2:] == [
        f'labels: {tmp_path}/out/capture/labels.tum',
        f'model: {tmp_path}/out/sfm',
    ]
    assert main([*words, '--metric']) == 0
    assert 'extent    9.0 x 0.0 x 0.0 m\n' in capsys.readouterr().out


def test_poses_of_the_base_are_moved_to_the_camera(desk, tmp_path):
    assert main(['import', *desk, *INTRINSICS, '--base-from-camera', *LOOKING_AHEAD]) == 0
    last = list(Capture.open(tmp_path / 'out' / 'capture').labels)[-1]
    np.testing.assert_allclose(last.translation, [9 - 1e-3, 0, 0.5], atol=1e-8)
    # The camera's z is the base's x, its x the base's right.
    np.testing.assert_allclose(
        last @ np.eye(3) - last.translation, [[0, -1, 0], [0, 0, -1], [1, 0, 0]], atol=1e-5
    )


def test_coefficients_may_be_negative_and_cameras_from_a_file(desk, tmp_path):
    coefficients = (-0.1, 2e-3, -1e-4, 0.0)
    assert main(['import', *desk, *INTRINSICS, *map(str, coefficients)]) == 0
    camera = Capture.open(tmp_path / 'out' / 'capture').camera
    assert (camera.distortion, camera.coefficients) == ('plumb_bob', (*coefficients, 0))
    write_yaml(tmp_path / 'camera.yaml', camera.to_dict())
    words = [*desk[:-1], str(tmp_path / 'other'), '--camera', str(tmp_path / 'camera.yaml')]
    assert main(['import', *words]) == 0
    assert Capture.open(tmp_path / 'other' / 'capture').camera == camera


def test_the_gap_is_as_asked(desk, tmp_path, capsys):
    rows = (tmp_path / 'slam.tum').read_text().splitlines()
    del rows[4]
    (tmp_path / 'slam.tum').write_text('\n'.join(rows))
    line = refused(capsys, *desk, *INTRINSICS)
    assert 'only 9 images have a pose' in line
    assert 'the poses before and after are 0.200 s apart' in line
    assert main(['import', *desk, *INTRINSICS, '--max-gap', '0.2']) == 0
    labels = Capture.open(tmp_path / 'out' / 'capture').labels
    assert labels.translations[4] == pytest.approx([4, 0, 0])


@pytest.mark.parametrize(
    ('words', 'complaint'),
    [
        (['--tum', 'a.tum'], '--tum needs --images'),
        (['--tum', 'a.tum', '--images', 'rgb'], '--tum needs --intrinsics or --camera'),
        (['--colmap', 'a', *INTRINSICS], '--intrinsics is for --tum'),
        (['--colmap', 'a', '--camera', 'camera.yaml'], '--camera is for --tum'),
        (['--colmap', 'a', '--max-gap', '1'], '--max-gap is for --tum'),
        (['--colmap', 'a', '--base-from-camera', *LOOKING_AHEAD], '--base-from-camera is for'),
        (['--colmap', 'a'], 'a holds no COLMAP model'),
        (['--tum', 'a.tum', '--images', 'rgb', *INTRINSICS], 'cannot read the trajectory a.tum'),
    ],
)
def test_options_that_do_not_fit_are_one_line(tmp_path, capsys, words, complaint):
    assert complaint in refused(capsys, *words, '--output', tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize(
    ('words', 'complaint'),
    [
        ([*INTRINSICS, '--max-gap', '0'], '--max-gap is a time above zero'),
        ([*INTRINSICS, '--max-gap', 'nan'], '--max-gap is a time above zero'),
        ([*INTRINSICS, '1'], 'got 7 numbers'),
        ([*INTRINSICS[:2], '7', *INTRINSICS[3:]], 'has 8x6 pixels and the camera 8x7'),
        ([*INTRINSICS[:3], '0', *INTRINSICS[4:]], 'of no camera'),
        ([*INTRINSICS, '--base-from-camera', *LOOKING_AHEAD[:5], 'inf'], 'six finite numbers'),
        (['--camera', 'gone.yaml'], 'cannot read gone.yaml'),
    ],
)
def test_values_that_cannot_be_are_one_line(desk, tmp_path, capsys, words, complaint):
    assert complaint in refused(capsys, *desk, *words)
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize(
    'words',
    [
        ['--output', 'out'],
        ['--colmap', 'a', '--tum', 'a.tum', '--output', 'out'],
        ['--colmap', 'a', '--metric', '--unscaled', '--output', 'out'],
        ['--tum', 'a', '--camera', 'b', *INTRINSICS, '--output', 'out'],
        ['--colmap', 'a'],
    ],
)
def test_either_or(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(['import', *words])
    assert ended.value.code == 2
    assert 'usage: posenet_ros import' in capsys.readouterr().err
