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

"""Images in a database: added as whole segments, read back, refused where they are damaged."""

import numpy as np
from posenet_ros.errors import ModelError
from posenet_ros.files import read_yaml, write_yaml
from posenet_ros.geometry import Camera, Pose
from posenet_ros.models.database import (
    finish_segment,
    new_segment,
    Posed,
    read_database,
    scenes_of,
    write_maps,
)
from posenet_ros.models.relative import Cells
import pytest
from scipy.spatial.transform import Rotation

CELLS = Cells((3, 4), (64, 48), (7.5, 7.5), 16.0)
SHAPE = (5, 3, 4)
CAMERAS = {
    'kitchen': Camera(64, 48, 40.0, 40.0, 31.5, 23.5),
    'office': Camera(64, 48, 60.0, 60.0, 31.5, 23.5),
}


def maps_of(scene, count):
    return np.random.default_rng(len(scene)).standard_normal((count, 5, 3, 4)).astype(np.float16)


def add(folder, scene, count, made_by='mine'):
    maps = maps_of(scene, count)
    with new_segment(folder) as segment:
        write_maps(segment, maps.shape, np.array_split(maps, 2))
        posed = [
            Posed(Pose(Rotation.identity(), [n, len(scene), 0], 'map', 'camera'), n)
            for n in range(count)
        ]
        features = np.full((count, 2), len(scene), dtype=np.float32)
        finish_segment(segment, scene, CAMERAS[scene], posed, features, made_by)


@pytest.fixture
def folder(tmp_path):
    add(tmp_path / 'database', 'kitchen', 4)
    add(tmp_path / 'database', 'office', 3)
    return tmp_path / 'database'


def test_images_are_numbered_through_all_segments(folder):
    database = read_database(folder, CELLS, SHAPE, 'mine')
    assert len(database) == 7
    assert database.scenes == ('kitchen', 'office') == tuple(scenes_of(folder))
    assert [database.scene_of(number) for number in (0, 3, 4, 6)] == [
        *('kitchen', 'kitchen', 'office', 'office')
    ]
    numbers = np.array([5, 0, 5])
    expected = [maps_of('office', 3)[1], maps_of('kitchen', 4)[0], maps_of('office', 3)[1]]
    np.testing.assert_array_equal(database.maps(numbers), np.array(expected, dtype=np.float32))
    rays = database.rays(numbers)
    # The longer lens sees less far to the side.
    np.testing.assert_allclose(rays[0] * 60, rays[1] * 40, atol=1e-4)
    assert database.training.positions_N3[:, 1].tolist() == [7] * 4 + [6] * 3
    assert isinstance(database.segments[0].maps_NDhw, np.memmap)


def test_a_part_keeps_numbers_of_its_own(folder):
    part = read_database(folder, CELLS, SHAPE, 'mine').only(np.array([2, 6]))
    np.testing.assert_array_equal(
        part.maps(np.array([0, 1])), [maps_of('kitchen', 4)[2], maps_of('office', 3)[2]]
    )
    assert part.training.positions_N3[:, 0].tolist() == [2, 2]


def test_adding_touches_nothing_that_is_there(folder):
    before = {path: path.stat().st_mtime_ns for path in folder.rglob('*') if path.is_file()}
    content = {path: path.read_bytes() for path in before}
    add(folder, 'office', 2)
    assert len(read_database(folder, CELLS, SHAPE, 'mine')) == 9
    for path, changed in before.items():
        assert path.stat().st_mtime_ns == changed
        assert path.read_bytes() == content[path]


def test_segments_are_in_the_order_of_their_numbers(folder):
    (folder / '0001').rename(folder / '9999')
    add(folder, 'kitchen', 2)
    assert sorted(path.name for path in folder.iterdir()) == ['0000', '10000', '9999']
    assert scenes_of(folder) == ['kitchen', 'office', 'kitchen']


def test_images_that_stop_coming_leave_nothing(folder):
    with pytest.raises(OSError, match='no more'), new_segment(folder):
        raise OSError('no more')
    assert sorted(path.name for path in folder.iterdir()) == ['0000', '0001']
    assert len(read_database(folder, CELLS, SHAPE, 'mine')) == 7


def test_what_is_damaged_is_refused(folder):
    with pytest.raises(ModelError, match='other weights'):
        read_database(folder, CELLS, SHAPE, 'other')
    with pytest.raises(ModelError, match='holds no images'):
        read_database(folder.parent / 'none', CELLS, SHAPE, 'mine')
    maps = folder / '0001' / 'maps.npy'
    whole = maps.read_bytes()
    maps.write_bytes(whole[:-8])
    with pytest.raises(ModelError, match=r'maps.npy is missing, truncated or altered'):
        read_database(folder, CELLS, SHAPE, 'mine')
    maps.write_bytes(whole)
    card = folder / '0001' / 'segment.yaml'
    values = read_yaml(card, ModelError)
    for change, told in (
        ({'kind': 'segment'}, 'is not the card of a segment'),
        ({'format': 9}, 'update posenet_ros'),
        ({'format': 1}, 'make the model anew'),
        ({'images': 4}, 'do not belong together'),
        ({'camera': {}}, 'is damaged'),
        ({'extra': 1}, 'has not the keys'),
    ):
        write_yaml(card, {**values, **change})
        with pytest.raises(ModelError, match=told):
            read_database(folder, CELLS, SHAPE, 'mine')


@pytest.mark.parametrize('shape', [(5, 6, 8), (4, 3, 4), (60,)])
def test_maps_of_another_shape_are_refused(folder, shape):
    with pytest.raises(ModelError, match='do not belong together'):
        read_database(folder, CELLS, shape, 'mine')
