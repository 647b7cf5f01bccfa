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

"""Poses of a trajectory for images, by time."""

from posenet_ros.data.importing.from_tum import source_from_tum, TumOptions
from posenet_ros.errors import DatasetError, GeometryError
from posenet_ros.geometry import Pose
import pytest
from scipy.spatial.transform import Rotation

BASE_FROM_CAMERA = Pose(
    Rotation.from_euler('xyz', [-1.5708, 0, -1.5708]), [0.2, 0.05, 0.4], 'base', 'camera'
)


@pytest.fixture
def images(tmp_path, drive):
    return drive.write_images(tmp_path / 'rgb', drive.names('.png'))


@pytest.fixture
def read(tmp_path, drive, images):
    """Read `path` with the images, or `folder`."""

    def reading(path, folder=None, **options):
        return source_from_tum(path, folder or images, drive.camera, TumOptions(**options))

    return reading


def reasons(source):
    return {each.stamp_ns: each.reason for each in source.rejected}


def test_columns_are_position_and_quaternion_with_w_last(tmp_path, drive, read):
    # Euler (10, 20, 30) deg about the fixed x, y, z axes, in another program's digits.
    rows = [
        f'{stamp_ns / 1e9:.6f} 5 6 {index} 0.038135 0.189308 0.239298 0.951549'
        for index, stamp_ns in enumerate(drive.stamps_ns)
    ]
    (tmp_path / 'slam.tum').write_text('\n'.join(rows))
    source = read(tmp_path / 'slam.tum')
    turned = Rotation.from_euler('xyz', [10, 20, 30], degrees=True)
    for index, image in enumerate(source.posed):
        expected = Pose(turned, [5, 6, index], 'map', 'camera')
        assert image.map_from_camera.distance(expected) == pytest.approx((0, 0), abs=1e-5)
        assert image.stamp_ns == drive.stamps_ns[index]


def test_every_image_has_the_pose_of_its_time(tmp_path, drive, images, read):
    source = read(drive.write_tum(tmp_path / 'truth.tum'))
    assert [image.path for image in source.posed] == [
        images / name for name in drive.names('.png')
    ]
    for image, expected in zip(source.posed, drive.poses(), strict=True):
        assert image.map_from_camera.distance(expected) == pytest.approx((0, 0), abs=1e-8)
    assert source.rejected == ()


def test_between_two_poses_it_is_half_way(tmp_path, drive, read):
    source = read(drive.write_tum(tmp_path / 'late.tum', late_ns=-50_000_000))
    # The first pose is before the first image, the last one before the last image.
    assert len(source.posed) == len(drive.stamps_ns) - 1
    before, after = drive.pose(0), drive.pose(1)
    middle = source.posed[0].map_from_camera
    for end in (before, after):
        metres, radians = (each / 2 for each in before.distance(after))
        assert middle.distance(end) == pytest.approx((metres, radians), rel=1e-6)
    (reason,) = reasons(source).values()
    assert reason.startswith('no pose at that time: ')
    assert reason.endswith('the trajectory ended 0.050 s before')


def test_over_a_longer_gap_nobody_knows(tmp_path, drive, read):
    rows = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11]
    path = drive.write_tum(tmp_path / 'gap.tum', rows=rows)
    source = read(path)
    assert reasons(source) == {
        drive.stamps_ns[10]: f'no pose at that time: {drive.names(".png")[10]}, the poses before '
        'and after are 0.200 s apart'
    }
    assert read(path, max_gap_s=0.2).rejected == ()


def test_a_gap_is_of_no_importance_at_a_pose_itself(tmp_path, drive, read):
    # Rows of keyframes, whose times were rounded to milliseconds.
    path = drive.write_tum(tmp_path / 'keyframes.tum', rows=[0, 5, 11], late_ns=-304_000)
    source = read(path)
    assert [image.stamp_ns for image in source.posed] == [
        drive.stamps_ns[row] for row in (0, 5, 11)
    ]
    expected = drive.pose(5)
    assert source.posed[1].map_from_camera.distance(expected) == pytest.approx((0, 0), abs=1e-8)


def test_before_the_trajectory_there_is_no_pose(tmp_path, drive, read):
    source = read(drive.write_tum(tmp_path / 'short.tum', rows=range(2, 12)))
    (first, second) = reasons(source).values()
    assert first.endswith('the trajectory begins 0.200 s later')
    assert second.endswith('the trajectory begins 0.100 s later')


def test_the_camera_is_where_the_base_carries_it(tmp_path, drive, read):
    source = read(drive.write_tum(tmp_path / 'base.tum'), base_from_camera=BASE_FROM_CAMERA)
    for image, map_from_base in zip(source.posed, drive.poses(), strict=True):
        expected = map_from_base.renamed(source='base') @ BASE_FROM_CAMERA
        assert image.map_from_camera.distance(expected) == pytest.approx((0, 0), abs=1e-8)


def test_a_folder_with_a_list_has_what_it_lists(tmp_path, drive, read):
    folder = tmp_path / 'desk'
    names = [f'rgb/{index}.png' for index in range(12)]
    drive.write_images(folder, [*names, *(f'depth/{index}.png' for index in range(12))])
    rows = [f'{ns / 1e9:.6f} {name}' for ns, name in zip(drive.stamps_ns, names)]
    (folder / 'rgb.txt').write_text('\n'.join(rows))
    (folder / 'rgb' / '3.png').unlink()
    source = read(drive.write_tum(tmp_path / 'truth.tum'), folder)
    assert source.times.told_by == 'rgb.txt'
    assert {image.path.parent.name for image in source.posed} == {'rgb'}
    assert reasons(source) == {drive.stamps_ns[3]: 'the image is missing: rgb/3.png'}


def test_images_in_folders_below_are_of_something_else(tmp_path, drive, images, read):
    path = drive.write_tum(tmp_path / 'truth.tum')
    drive.write_images(images / 'depth', ['1305031102.2.png'])
    source = read(path)
    assert len(source.times.stamps_ns) == 12
    with pytest.raises(DatasetError, match=r'no images in .* itself'):
        read(path, tmp_path)


def test_images_without_times_are_refused(tmp_path, drive, read):
    folder = drive.write_images(tmp_path / 'raw', [f'frame{index}.png' for index in range(12)])
    with pytest.raises(DatasetError, match='tell no time: name them by nanoseconds or seconds'):
        read(drive.write_tum(tmp_path / 'truth.tum'), folder)


def test_numbers_will_do_for_a_trajectory_of_numbers(tmp_path, drive, read):
    names = [f'frame{index}.png' for index in range(12)]
    folder = drive.write_images(tmp_path / 'raw', names)
    rows = [f'{index} {index} 0 0 0 0 0 1' for index in range(12)]
    path = tmp_path / 'numbered.tum'
    path.write_text('\n'.join(rows))
    source = read(path, folder)
    assert [image.path.name for image in source.posed] == names
    assert [image.map_from_camera.translation[0] for image in source.posed] == [*range(12)]
    # One pose a second of a camera of another rate looks the same, but for how many there are.
    path.write_text('\n'.join(rows[:11]))
    with pytest.raises(DatasetError, match='tell no time'):
        read(path, folder)


def test_another_time_altogether(tmp_path, drive, read):
    path = drive.write_tum(tmp_path / 'other.tum', late_ns=3600 * 10**9)
    with pytest.raises(DatasetError) as raised:
        read(path)
    assert 'was taken while the trajectory' in str(raised.value)
    assert 'from 1305034702.175304000 to 1305034703.275304000 s' in str(raised.value)
    assert 'seem to be' not in str(raised.value)


@pytest.mark.parametrize(
    ('factor', 'unit'), [(10**3, 'milliseconds'), (10**6, 'microseconds'), (10**9, 'nanoseconds')]
)
def test_times_since_the_start_in_another_unit_are_known(tmp_path, drive, read, factor, unit):
    seconds = [1 + index / 10 for index in range(12)]
    folder = drive.write_images(tmp_path / 'sim', [f'{each:.3f}.png' for each in seconds])
    path = tmp_path / 'sim.tum'
    path.write_text('\n'.join(f'{each * factor:.0f} {each} 0 0 0 0 0 1' for each in seconds))
    with pytest.raises(DatasetError, match=f'seem to be {unit}: a TUM file has seconds'):
        read(path, folder)


def test_nanoseconds_since_1970_are_no_seconds(tmp_path, drive, read):
    path = tmp_path / 'slam.tum'
    path.write_text('\n'.join(f'{each} 0 0 0 0 0 0 1' for each in drive.stamps_ns))
    with pytest.raises(GeometryError, match=r'slam\.tum:1: .*look like nanoseconds'):
        read(path)


def test_millimetres_are_told_by_the_speed(tmp_path, drive, read):
    rows = [
        f'{ns / 1e9:.6f} {150 * index} 0 0 0 0 0 1' for index, ns in enumerate(drive.stamps_ns)
    ]
    path = tmp_path / 'slam.tum'
    path.write_text('\n'.join(rows))
    with pytest.raises(DatasetError, match=r'would move at 1500 m/s: .* --unscaled'):
        read(path)
    assert len(read(path, metric=False).posed) == 12


@pytest.mark.parametrize(
    ('row', 'complaint'),
    [
        ('nan 0 0 0 0 0 1', 'finite'),
        ('0 0 inf 0 0 0 1', 'finite'),
        ('0 0 0 0 0 0 0', 'quaternion'),
        ('0 0 0 0 0 1', 'expected "time tx ty tz qx qy qz qw"'),
    ],
)
def test_poses_where_no_camera_can_be(tmp_path, read, row, complaint):
    path = tmp_path / 'slam.tum'
    path.write_text(f'1305031102.1 0 0 0 0 0 0 1\n1305031102.2 {row}\n')
    with pytest.raises(GeometryError, match=rf'slam\.tum:2: .*{complaint}'):
        read(path)


def test_folders_and_files_that_are_not_there(tmp_path, drive, read):
    with pytest.raises(GeometryError, match='cannot read the trajectory'):
        read(tmp_path / 'gone.tum')
    path = drive.write_tum(tmp_path / 'truth.tum')
    with pytest.raises(DatasetError, match='no such folder'):
        read(path, tmp_path / 'gone')
    (tmp_path / 'empty').mkdir()
    with pytest.raises(DatasetError, match='no images in'):
        read(path, tmp_path / 'empty')
