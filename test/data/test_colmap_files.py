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

"""Binary files of a model that pycolmap wrote, whole and cut short."""

import numpy as np
from posenet_ros.data.colmap_files import check_whole
from posenet_ros.data.scenes import read_scene
from posenet_ros.errors import DatasetError
import pytest

pycolmap = pytest.importorskip('pycolmap')

NAMES = ('cameras', 'rigs', 'frames', 'images', 'points3D')


def rig_of_three():
    """Return a rig of which the second camera's place is known and the third's is not."""
    rig = pycolmap.Rig(rig_id=1)
    sensors = [pycolmap.sensor_t(pycolmap.SensorType.CAMERA, number) for number in (1, 2, 3)]
    rig.add_ref_sensor(sensors[0])
    rig.add_sensor(sensors[1], pycolmap.Rigid3d())
    rig.add_sensor(sensors[2], None)
    return rig


@pytest.fixture
def model(tmp_path):
    """A model with all that records may hold: models of cameras, a rig, points with tracks."""
    made = pycolmap.Reconstruction()
    for number, kind in enumerate(('SIMPLE_PINHOLE', 'FULL_OPENCV', 'OPENCV_FISHEYE'), start=1):
        identity = getattr(pycolmap.CameraModelId, kind)
        made.add_camera(pycolmap.Camera.create_from_model_id(number, identity, 500.0, 640, 480))
    made.add_rig(rig_of_three())
    for number in (1, 2):
        frame = pycolmap.Frame(frame_id=number, rig_id=1, rig_from_world=pycolmap.Rigid3d())
        seen = [pycolmap.Point2D(np.array([1.0, 2.0])) for _ in range(number)]
        image = pycolmap.Image(
            name=f'{number}.jpg', camera_id=1, image_id=number, points2D=seen, frame_id=number
        )
        frame.add_data_id(image.data_id)
        made.add_frame(frame)
        made.add_image(image)
    track = pycolmap.Track([pycolmap.TrackElement(1, 0), pycolmap.TrackElement(2, 1)])
    made.add_point3D(np.array([1.0, 2.0, 3.0]), track, np.array([1, 2, 3], np.uint8))
    folder = tmp_path / 'model'
    folder.mkdir()
    made.write_binary(str(folder))
    for number in (1, 2):
        (folder / f'{number}.jpg').write_bytes(b'')
    return folder


def test_a_whole_model_is_said_to_be_whole(model):
    assert {path.stem for path in model.glob('*.bin')} == set(NAMES)
    check_whole(model)
    assert len(read_scene(f'colmap:{model}').train) == 2


@pytest.mark.parametrize('name', NAMES)
def test_a_file_cut_anywhere_is_refused(model, name):
    path = model / f'{name}.bin'
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(DatasetError, match=rf'{name}\.bin is truncated'):
            check_whole(model)


@pytest.mark.parametrize('name', NAMES)
def test_counts_that_no_file_can_hold_are_refused_at_once(model, name):
    path = model / f'{name}.bin'
    path.write_bytes(b'\xff' * 8 + path.read_bytes()[8:])
    with pytest.raises(DatasetError, match='ends within a record'):
        check_whole(model)


def test_what_goes_on_after_the_last_record_is_damaged(model):
    path = model / 'points3D.bin'
    path.write_bytes(path.read_bytes() + b'\0')
    with pytest.raises(DatasetError, match=r'points3D\.bin is damaged: it goes on'):
        check_whole(model)


def test_a_damaged_model_never_reaches_colmap(model, monkeypatch):
    monkeypatch.delattr(pycolmap, 'Reconstruction')
    path = model / 'points3D.bin'
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DatasetError, match='truncated'):
        read_scene(f'colmap:{model}')


def test_models_from_before_rigs_are_whole_without_them(model):
    for name in ('rigs', 'frames'):
        (model / f'{name}.bin').unlink()
    check_whole(model)
