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

"""The text format for trajectories, which other tools write and read too."""

import numpy as np
from posenet_ros.errors import GeometryError
from posenet_ros.geometry import read_tum, seconds_text, Trajectory, write_tum
import pytest
from scipy.spatial.transform import Rotation

TILT = Rotation.from_euler('xyz', [10, 20, 30], degrees=True)
STAMPS_NS = np.array([1_700_000_000_000_000_001, 1_700_000_000_123_456_789])


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'poses.tum'


def test_a_row_is_time_position_and_quaternion_with_w_last(path):
    poses = Trajectory([1_500_000_000], Rotation.concatenate([TILT]), [[1, 2, 3]], 'map', 'camera')
    write_tum(path, poses)
    comment, row = path.read_text().splitlines()
    assert comment == '# map_from_camera: time[s] tx ty tz[m] qx qy qz qw'
    stamp, *numbers = row.split()
    assert stamp == '1.500000000'
    expected = [1, 2, 3, 0.038135, 0.189308, 0.239298, 0.951549]
    np.testing.assert_allclose([float(number) for number in numbers], expected, atol=1e-6)


def test_what_is_written_reads_back_with_exact_stamps(path):
    rotations = Rotation.from_euler('xyz', [[10, 20, 30], [-40, 5, 170]], degrees=True)
    poses = Trajectory(STAMPS_NS, rotations, [[1, 2, 3], [-4, 5e3, 1e-6]], 'map', 'camera')
    write_tum(path, poses)
    back = read_tum(path)
    np.testing.assert_array_equal(back.stamps_ns, STAMPS_NS)
    assert (back.target, back.source) == ('map', 'camera')
    for one, other in zip(back, poses, strict=True):
        assert one.distance(other) == pytest.approx((0, 0), abs=1e-7)


@pytest.mark.parametrize(
    'stamp_ns', [0, 1, 999_999_999, 10**9, 1_700_000_000_000_000_001, -1, -(10**9)]
)
def test_seconds_as_text_are_exact(path, stamp_ns):
    path.write_text(f'{seconds_text(stamp_ns)} 0 0 0 0 0 0 1\n')
    assert read_tum(path).stamps_ns.tolist() == [stamp_ns]


@pytest.mark.parametrize(
    ('text', 'stamp_ns'),
    [
        ('12', 12 * 10**9),
        ('12.5', 12_500_000_000),
        ('.5', 500_000_000),
        ('1.5e3', 1500 * 10**9),
        ('-0.25', -250_000_000),
        ('1.0000000019', 1_000_000_001),
    ],
)
def test_seconds_as_others_write_them(path, text, stamp_ns):
    path.write_text(f'{text} 0 0 0 0 0 0 1\n')
    assert read_tum(path).stamps_ns.tolist() == [stamp_ns]


def test_comments_blank_lines_commas_and_disorder(path):
    path.write_text('# a comment\n\n2, 2,0,0, 0,0,0,1\n1 1 0 0 0 0 0 1.004  # few digits\n')
    poses = read_tum(path, target='odom', source='base')
    np.testing.assert_array_equal(poses.stamps_ns, [10**9, 2 * 10**9])
    np.testing.assert_array_equal(poses.translations[:, 0], [1, 2])
    assert (poses.target, poses.source) == ('odom', 'base')


@pytest.mark.parametrize(
    'row',
    [
        '1 0 0 0 0 0 1',
        '1 0 0 0 0 0 0 1 5',
        '1 0 0 zero 0 0 0 1',
        'now 0 0 0 0 0 0 1',
        'nan 0 0 0 0 0 0 1',
        'inf 0 0 0 0 0 0 1',
        '1 0 nan 0 0 0 0 1',
        '1 0 0 0 0 0 0 0',
    ],
)
def test_a_bad_row_is_named_by_its_line(path, row):
    path.write_text(f'0.5 0 0 0 0 0 0 1\n{row}\n')
    with pytest.raises(GeometryError, match=r'poses\.tum:2: expected "time tx') as raised:
        read_tum(path)
    assert row in str(raised.value)


@pytest.mark.parametrize(
    'quaternion', ['5 0 0 0.2', '640 480 3 1', '0 0 0 1.02', '0 0 0 0.98', '0 0 0 nan']
)
def test_a_quaternion_of_another_length_is_refused_with_it(path, quaternion):
    path.write_text(f'0.5 0 0 0 0 0 0 1\n0.6 0 0 0 {quaternion}\n')
    with pytest.raises(GeometryError, match=r'poses\.tum:2: .*has length 1, and this one'):
        read_tum(path)


@pytest.mark.parametrize('stamp', ['1700000000000000000', '-1700000000000000000', '1.7e18'])
def test_stamps_in_nanoseconds_are_refused(path, stamp):
    path.write_text(f'0.5 0 0 0 0 0 0 1\n{stamp} 0 0 0 0 0 0 1\n')
    with pytest.raises(GeometryError, match=r'poses\.tum:2: .*: stamps are seconds') as raised:
        read_tum(path)
    assert '\n' not in str(raised.value)


@pytest.mark.parametrize('content', ['', '# only a comment\n', '\n\n'])
def test_a_file_without_poses_is_refused(path, content):
    path.write_text(content)
    with pytest.raises(GeometryError, match='holds no poses'):
        read_tum(path)


def test_a_missing_file_and_a_binary_one(path):
    with pytest.raises(GeometryError, match=r'cannot read the trajectory .*No such file'):
        read_tum(path)
    path.write_bytes(bytes(range(256)))
    with pytest.raises(GeometryError, match=r'poses\.tum:'):
        read_tum(path)
