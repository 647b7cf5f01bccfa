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

"""Which time an image is of."""

from pathlib import Path

from posenet_ros.data.importing.times import image_names, listed_times, times_of
from posenet_ros.errors import DatasetError
import pytest


def test_names_of_nineteen_digits_are_nanoseconds():
    times = times_of(Path('gone'), ['b/1700000000000000001.jpg', 'a/1700000000000000000.PNG'])
    assert times.told_by == 'names'
    assert times.stamps_ns == {
        'a/1700000000000000000.PNG': 1_700_000_000_000_000_000,
        'b/1700000000000000001.jpg': 1_700_000_000_000_000_001,
    }


def test_names_with_a_point_are_seconds_to_the_last_digit():
    times = times_of(Path('gone'), ['1305031102.175304.png', '12.5.png', '1.0123456789.png'])
    assert times.told_by == 'names'
    assert times.stamps_ns == {
        '1305031102.175304.png': 1_305_031_102_175_304_000,
        '12.5.png': 12_500_000_000,
        '1.0123456789.png': 1_012_345_678,
    }


@pytest.mark.parametrize(
    'names',
    [
        ['frame9.png', 'frame10.png', 'frame100.png'],
        # No time fits these digits.
        ['9999999999999999999.png'],
        ['9999999999.5.png'],
        # One name that tells no time, and nothing is known of any.
        ['1305031102.175304.png', 'preview.png'],
        ['000001.png', '000002.png'],
    ],
)
def test_other_names_are_numbered_in_their_order(names):
    times = times_of(Path('gone'), reversed(names))
    assert times.told_by == 'order'
    assert times.stamps_ns == {name: index * 10**9 for index, name in enumerate(names)}


@pytest.fixture
def listed(tmp_path):
    """A folder as the TUM RGB-D set has it."""
    (tmp_path / 'rgb').mkdir()
    (tmp_path / 'rgb.txt').write_text(
        '# color images\n# timestamp filename\n5.25 rgb/left.png\n6 ./rgb/right.png\n'
    )
    return tmp_path


def test_the_list_beside_the_folder_tells_first(listed):
    times = times_of(listed / 'rgb', ['right.png', 'left.png'])
    assert times.told_by == 'rgb.txt'
    assert times.stamps_ns == {'left.png': 5_250_000_000, 'right.png': 6_000_000_000}


def test_the_list_in_the_folder_has_names_below_it(listed):
    assert listed_times(listed) == {'rgb/left.png': 5_250_000_000, 'rgb/right.png': 6 * 10**9}


def test_a_list_without_all_images_does_not_tell(listed):
    times = times_of(listed / 'rgb', ['left.png', '7.5.png'])
    assert times.told_by == 'order'
    assert times_of(listed / 'rgb', ['7.5.png']).stamps_ns == {'7.5.png': 7_500_000_000}


@pytest.mark.parametrize('line', ['5.25', 'soon rgb/left.png', '5.25 rgb/left.png 5.25 depth'])
def test_a_list_of_another_form_is_named_with_the_line(listed, line):
    (listed / 'rgb.txt').write_text(f'# timestamp filename\n{line}\n')
    with pytest.raises(DatasetError, match=r'rgb\.txt:2: expected "time name"'):
        times_of(listed / 'rgb', ['left.png'])


def test_two_images_of_one_time_are_refused():
    names = ['cam0/1700000000000000000.png', 'cam1/1700000000000000000.png']
    with pytest.raises(DatasetError, match=r'cam0/.* and cam1/.* are of one time'):
        times_of(Path('gone'), names)


def test_only_images_count_and_no_hidden_ones(tmp_path):
    for name in ('a.JPG', 'b/c.png', 'd.txt', '.e.png', '.f/g.png', 'h.depth'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b'')
    assert sorted(image_names(tmp_path)) == ['a.JPG', 'b/c.png']
