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

"""The file of a map: what is in it, and what is refused."""

from __future__ import annotations

from dataclasses import replace
import json
import os

import numpy as np
from posenet_ros.errors import ModelError
from posenet_ros.geometry import Camera, Pose
from posenet_ros.landmarks import landmark_map as landmark_map_module
from posenet_ros.landmarks.features import Sift
from posenet_ros.landmarks.gate import Gate
from posenet_ros.landmarks.landmark_map import FORMAT, LandmarkMap, read_map, write_map
import pytest
from safetensors.numpy import load_file, save_file
from scipy.spatial.transform import Rotation


@pytest.fixture
def small():
    """Return a map of three points with 1, 2 and 1 looks, and two frames that saw 2 and 1."""
    turned = Rotation.from_euler('xyz', [1, 2, 3], degrees=True)
    return LandmarkMap(
        points_P3=np.arange(9, dtype=np.float32).reshape(3, 3),
        first_row=np.array([0, 1, 3, 4], dtype=np.int32),
        descriptors=np.arange(512).reshape(4, 128).astype(np.uint8),
        first_seen=np.array([0, 2, 3], dtype=np.int32),
        seen=np.array([0, 2, 1], dtype=np.int32),
        centres_F3=np.ones((2, 3), dtype=np.float32),
        rotations_F33=np.stack([np.eye(3), np.eye(3)]).astype(np.float32),
        places_FK=np.eye(2, 7, dtype=np.float16),
        camera=Camera(64, 48, 50.0, 51.0, 31.5, 23.5, 'plumb_bob', (0.1, 0.2, 0.0, 0.0, 0.3)),
        extractor=Sift(most=20),
        image_from_label=Pose(turned, np.array([0.1, 0.2, 0.3]), 'image', 'camera'),
        gate=Gate(found=30, floor_m=0.05).to_dict(),
    )


@pytest.fixture
def path(tmp_path, small):
    write_map(tmp_path / 'landmarks.safetensors', small)
    return tmp_path / 'landmarks.safetensors'


def with_metadata(path, change):
    """Write a file again with another `about`, `kind` or `format`."""
    with path.open('rb') as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), 'little')))
    told = header['__metadata__']
    told['about'] = json.loads(told['about'])
    change(told)
    told['about'] = told['about'] if isinstance(told['about'], str) else json.dumps(told['about'])
    save_file(load_file(path), path, metadata=told)


def with_arrays(path, **other):
    with path.open('rb') as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), 'little')))
    save_file({**load_file(path), **other}, path, metadata=header['__metadata__'])


def with_header(path, change):
    """Write a file again with another header and the same arrays."""
    whole = path.read_bytes()
    length = int.from_bytes(whole[:8], 'little')
    header = json.loads(whole[8 : 8 + length])
    header = change(header) or header
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, 'little') + text + whole[8 + length :])


def test_a_map_is_read_as_it_was_written(path, small):
    read = read_map(path)
    for name, array in small.arrays().items():
        np.testing.assert_array_equal(getattr(read, name), array)
        assert getattr(read, name).dtype == array.dtype
    assert read.camera == small.camera
    assert read.extractor == small.extractor
    assert Gate.from_dict(read.gate) == Gate(found=30, floor_m=0.05)
    assert read.image_from_label.distance(small.image_from_label) == pytest.approx(
        (0, 0), abs=1e-7
    )
    assert (read.frames, read.nbytes) == (2, small.nbytes)
    assert small.nbytes == 36 + 16 + 512 + 12 + 12 + 24 + 72 + 28
    # Others may read a map that the robot's user trained.
    assert path.stat().st_mode & 0o777 == 0o644


def test_what_is_read_stays_on_disk_until_it_is_looked_at_and_cannot_be_written_to(path, small):
    read = read_map(path)
    for name in small.arrays():
        assert isinstance(getattr(read, name), np.memmap)
    with pytest.raises(ValueError, match='read-only'):
        read.points_P3[0] = 0
    # A byte that changes on disk is seen: nothing was copied.
    whole = path.read_bytes()
    at = whole.index(small.descriptors.tobytes())
    with path.open('r+b') as file:
        file.seek(at)
        file.write(b'\xfe')
    assert read.descriptors[0, 0] == 0xFE


def test_a_map_in_use_outlives_being_written_anew(path, small):
    read = read_map(path)
    write_map(path, replace(small, points_P3=small.points_P3 + 1))
    np.testing.assert_array_equal(read.points_P3, small.points_P3)
    np.testing.assert_array_equal(read_map(path).points_P3, small.points_P3 + 1)


def test_a_map_is_written_whole_or_not_at_all(path, small, monkeypatch):
    before = path.read_bytes()

    def full(arrays, where, metadata):
        where.write_bytes(b'half')
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('safetensors.numpy.save_file', full)
    with pytest.raises(OSError, match='No space'):
        write_map(path, small)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]  # noqa: PTH208


def test_a_map_without_points_goes_through_a_file(tmp_path, small):
    nothing = replace(
        small,
        points_P3=np.zeros((0, 3), np.float32),
        first_row=np.zeros(1, np.int32),
        descriptors=np.zeros((0, 128), np.uint8),
        first_seen=np.zeros(3, np.int32),
        seen=np.zeros(0, np.int32),
    )
    write_map(tmp_path / 'none', nothing)
    read = read_map(tmp_path / 'none')
    assert len(read.points_P3) == 0
    assert read.seen_by([0, 1]).tolist() == []


def test_who_saw_what(small):
    assert small.seen_by([0]).tolist() == [0, 2]
    assert small.seen_by([1, 0, 1]).tolist() == [0, 1, 2]
    assert small.seen_by([]).tolist() == []
    rows, begins = small.rows_of(np.array([2, 1]))
    assert rows.tolist() == [3, 1, 2]
    assert begins.tolist() == [0, 1]
    rows, begins = small.rows_of(np.zeros(0, dtype=np.int64))
    assert (rows.tolist(), begins.tolist()) == ([], [])


@pytest.mark.parametrize('left', [0, 7, 8, 100, -513, -1])
def test_a_file_cut_short_is_refused(path, left):
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(ModelError, match=r'damaged|cannot read') as caught:
        read_map(path)
    assert '\n' not in str(caught.value)


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(ModelError, match='cannot read the map of landmarks'):
        read_map(tmp_path / 'none')
    with pytest.raises(ModelError, match='cannot read the map of landmarks'):
        read_map(tmp_path)


@pytest.mark.parametrize(
    'content',
    [
        b'\x89PNG\r\n\x1a\n' + bytes(100),
        (2).to_bytes(8, 'little') + b'[]',
        (2).to_bytes(8, 'little') + b'{}',
        (1).to_bytes(8, 'little') + b'1',
        (4).to_bytes(8, 'little') + b'\xff\xfe\xfd\xfc',
        (20).to_bytes(8, 'little') + b'{"__metadata__": 12}',
        (1 << 40).to_bytes(8, 'little') + b'{}',
    ],
)
def test_a_foreign_file_is_refused(tmp_path, content):
    (tmp_path / 'some').write_bytes(content)
    with pytest.raises(ModelError, match=r'no map of landmarks|cannot read') as caught:
        read_map(tmp_path / 'some')
    assert '\n' not in str(caught.value)


def test_other_safetensors_are_no_map(tmp_path):
    save_file({'weight': np.zeros(3)}, tmp_path / 'model.safetensors')
    with pytest.raises(ModelError, match='is no map of landmarks'):
        read_map(tmp_path / 'model.safetensors')


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda v: v.update(kind='another'), 'is no map of landmarks'),
        (lambda v: v.update(format='99'), f'format 99, .* reads {FORMAT}; train again'),
        (lambda v: v.pop('format'), 'format None'),
        (lambda v: v.update(about='{'), 'damaged'),
        (lambda v: v.update(about='[]'), 'damaged'),
        (lambda v: v['about'].pop('camera'), 'damaged.*camera'),
        (lambda v: v['about'].pop('gate'), 'damaged.*gate'),
        (lambda v: v['about'].update(gate=3), 'damaged.*gate'),
        (lambda v: v['about'].update(gate={'luck': 1}), 'damaged.*luck'),
        (lambda v: v['about'].update(gate={'found': float('nan')}), 'damaged'),
        (lambda v: v['about'].update(gate={'found': 'many'}), 'damaged'),
        (lambda v: v['about']['camera'].update(fx=0.0), 'damaged.*focal'),
        (lambda v: v['about']['camera'].update(lens='good'), 'damaged.*lens'),
        (lambda v: v['about'].update(camera=7), 'damaged'),
        (lambda v: v['about'].update(extractor={'kind': 'surf'}), 'damaged.*surf'),
        (lambda v: v['about'].update(extractor=[1]), 'damaged'),
        (lambda v: v['about'].update(image_from_label=[[1]]), 'damaged.*4x4'),
        (
            lambda v: v['about'].update(image_from_label=(2 * np.eye(4)).tolist()),
            'damaged.*rotation',
        ),
    ],
)
def test_what_a_map_says_of_itself_is_checked(path, change, message):
    with_metadata(path, change)
    with pytest.raises(ModelError, match=message) as caught:
        read_map(path)
    assert '\n' not in str(caught.value)
    assert path.name in str(caught.value)


I32 = np.int32


@pytest.mark.parametrize(
    'other',
    [
        {'first_row': np.array([0, 1, 3], I32)},
        {'first_row': np.array([0, 1, 3, 5], I32)},
        {'first_row': np.array([0, 1, 1, 4], I32)},
        {'first_row': np.array([1, 2, 3, 4], I32)},
        {'first_row': np.array([-4, 1, 3, 4], I32)},
        {'first_seen': np.array([0, 3], I32)},
        {'first_seen': np.array([0, 3, 2], I32)},
        {'first_seen': np.array([0, 4, 3], I32)},
        {'first_seen': np.array([1, 2, 3], I32)},
        {'seen': np.array([0, 3, 1], I32)},
        {'seen': np.array([0, -1, 1], I32)},
        {'points_P3': np.zeros((4, 3), np.float32)},
        {'points_P3': np.zeros((3, 2), np.float32)},
        {'points_P3': np.full((3, 3), np.nan, np.float32)},
        {'centres_F3': np.zeros((3, 3), np.float32)},
        {'centres_F3': np.zeros((2, 4), np.float32)},
        {'centres_F3': np.full((2, 3), np.inf, np.float32)},
        {'rotations_F33': np.zeros((1, 3, 3), np.float32)},
        {'rotations_F33': np.zeros((2, 3, 2), np.float32)},
        {'rotations_F33': np.full((2, 3, 3), np.nan, np.float32)},
        {'places_FK': np.zeros((3, 7), np.float16)},
        {'descriptors': np.zeros((4, 64), np.uint8)},
        {'descriptors': np.zeros((5, 128), np.uint8)},
    ],
    ids=lambda other: f'{next(iter(other))}-{next(iter(other.values())).shape}',
)
def test_arrays_that_do_not_belong_together_are_refused(path, other):
    with_arrays(path, **other)
    with pytest.raises(ModelError, match='damaged: its arrays do not belong together'):
        read_map(path)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda h: h.pop('seen') and None, 'seen'),
        (lambda h: h['seen'].update(dtype='I64'), 'seen is not what it should be'),
        (lambda h: h['seen'].update(shape=[3, 1]), 'seen is not what it should be'),
        (lambda h: h['seen'].update(shape=[2]), 'seen has another size'),
        (lambda h: h['seen'].pop('data_offsets') and None, 'damaged'),
        (lambda h: h['seen'].update(data_offsets=[0]), 'damaged'),
        (lambda h: h['seen'].update(data_offsets=[10**6, 10**6 + 12]), 'damaged'),
        (lambda h: h['seen'].update(data_offsets=[-(10**6), -(10**6) + 12]), 'damaged'),
        (lambda h: h['points_P3'].update(shape=[-3, -3]), 'damaged'),
        (lambda h: h.update(seen=3), 'damaged'),
        (lambda h: h['seen'].update(shape=3), 'damaged'),
    ],
)
def test_a_header_that_lies_is_refused(path, change, message):
    with_header(path, lambda header: change(header) and None)
    with pytest.raises(ModelError, match=message) as caught:
        read_map(path)
    assert '\n' not in str(caught.value)


def test_arrays_of_another_type_are_refused(path):
    with_arrays(path, points_P3=np.zeros((3, 3), np.float64))
    with pytest.raises(ModelError, match='points_P3 is not what it should be'):
        read_map(path)


def test_the_format_is_the_readers(path, monkeypatch):
    monkeypatch.setattr(landmark_map_module, 'FORMAT', 99)
    with pytest.raises(ModelError, match=f'format {FORMAT}, and this version reads 99'):
        read_map(path)
