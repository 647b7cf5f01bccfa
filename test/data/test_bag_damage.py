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

"""Recordings that are missing, empty, cut short or corrupt: one line, and what to do."""

import shutil

import numpy as np
from posenet_ros.data.bags import Recording
from posenet_ros.errors import BagError, PosenetError
import pytest


def read_all(path):
    with Recording(path) as bag:
        for image in bag.images(bag.image_topic()):
            image.decode()
        for _ in bag.messages(bag.topics):
            pass


def complaint(path):
    """Return the message of the BagError that reading a recording to its end raises."""
    with pytest.raises(BagError) as raised:
        read_all(path)
    message = str(raised.value)
    assert '\n' not in message
    return message


@pytest.fixture(scope='session')
def whole(tmp_path_factory, messages, write_bag, write_ros1_bag):
    """Return bags of 40 images that do not compress, by format."""
    entries, noise = [], np.random.default_rng(0)
    for index in range(40):
        stamp_ns = messages.start_ns + index * messages.step_ns
        image = messages.image(stamp_ns, size=(120, 90))
        image.data = noise.integers(0, 256, image.data.size, dtype=np.uint8)
        entries.append(('/image', stamp_ns, image))
        entries.append(('/info', stamp_ns, messages.info(stamp_ns)))
    root = tmp_path_factory.mktemp('whole')
    bags = {
        f'{storage} {compression}': write_bag(
            root / f'{storage}{compression}', entries, storage=storage, compression=compression
        )
        for storage in ('mcap', 'sqlite3')
        for compression in (None, 'file', 'message')
    }
    bags['mcap storage'] = write_bag(root / 'chunks', entries, compression='storage')
    bags['ros1 None'] = write_ros1_bag(root / 'one.bag', entries)
    bags['ros1 bz2'] = write_ros1_bag(root / 'two.bag', entries, compression='bz2')
    return bags


ALL = [
    'mcap None',
    'mcap file',
    'mcap message',
    'mcap storage',
    'sqlite3 None',
    'sqlite3 file',
    'sqlite3 message',
    'ros1 None',
    'ros1 bz2',
]


def copied(source, root):
    """Copy a bag; return it with its one data file."""
    if source.is_file():
        bag = root / source.name
        shutil.copy(source, bag)
        return bag, bag
    bag = root / 'copy'
    shutil.copytree(source, bag)
    (data,) = (file for file in bag.iterdir() if file.name != 'metadata.yaml')
    return bag, data


@pytest.mark.parametrize('share', [0, 0.001, 0.3, 0.9, 0.999])
@pytest.mark.parametrize('name', ALL)
def test_a_truncated_recording_is_said_to_be_so(whole, tmp_path, name, share):
    bag, data = copied(whole[name], tmp_path)
    content = data.read_bytes()
    data.write_bytes(content[: int(len(content) * share)])
    message = complaint(bag)
    assert 'truncated' in message
    assert str(bag) in message


@pytest.mark.parametrize('suffix', ['.mcap', '.db3'])
def test_a_truncated_file_given_alone_is_found_before_it_is_read(whole, tmp_path, suffix):
    source = whole['mcap None' if suffix == '.mcap' else 'sqlite3 None']
    _, data = copied(source, tmp_path)
    content = data.read_bytes()
    data.write_bytes(content[: len(content) * 2 // 3])
    with pytest.raises(BagError, match=r'is truncated.*recover'):
        Recording(data)


@pytest.mark.parametrize('name', ALL)
def test_a_hole_in_the_middle_never_escapes_as_anything_but_our_error(whole, tmp_path, name):
    bag, data = copied(whole[name], tmp_path)
    content = data.read_bytes()
    for start in range(0, len(content), max(len(content) // 23, 1)):
        data.write_bytes(content[:start] + bytes(200) + content[start + 200 :])
        try:
            read_all(bag)
        except PosenetError as error:
            assert '\n' not in str(error)


def test_damage_on_the_way_is_chained_to_its_cause(whole, tmp_path):
    bag, data = copied(whole['mcap storage'], tmp_path)
    content = bytearray(data.read_bytes())
    # From the middle of the first chunk into the second; the index at the end stays.
    start, end = len(content) * 6 // 10, len(content) * 95 // 100
    content[start:end] = bytes(end - start)
    data.write_bytes(content)
    with Recording(bag) as recording, pytest.raises(BagError, match='damaged') as raised:
        list(recording.images('/image'))
    assert raised.value.__cause__ is not None


def test_errors_of_the_caller_are_not_taken_for_damage(whole):
    with Recording(whole['mcap None']) as bag, pytest.raises(ValueError, match='mine'):
        for _ in bag.images('/image'):
            raise ValueError('mine')


def test_no_such_recording(tmp_path):
    assert complaint(tmp_path / 'gone') == f'no such recording: {tmp_path / "gone"}'


def test_a_file_of_another_kind(tmp_path):
    path = tmp_path / 'video.mp4'
    path.write_bytes(b'')
    assert 'give a rosbag2 folder, a .mcap or .db3 file, or a ROS 1 .bag' in complaint(path)


def test_a_folder_without_metadata_says_what_could_be_meant(whole, tmp_path):
    empty = tmp_path / 'empty'
    empty.mkdir()
    assert 'no metadata.yaml and no .mcap' in complaint(empty)
    bag, data = copied(whole['mcap None'], tmp_path)
    assert f'such as {bag}' in complaint(tmp_path)
    (bag / 'metadata.yaml').unlink()
    assert complaint(bag).endswith(f'give the file itself: {data}')
    shutil.copy(data, bag / 'second.mcap')
    assert f'ros2 bag reindex {bag}' in complaint(bag)


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_an_empty_recording(tmp_path, write_bag, storage):
    bag = write_bag(tmp_path / 'bag', [], storage=storage)
    assert 'is empty: it holds no messages' in complaint(bag)
    assert 'is empty' in complaint(next(f for f in bag.iterdir() if f.suffix != '.yaml'))


def test_an_empty_ros1_recording(tmp_path, write_ros1_bag):
    assert 'is empty' in complaint(write_ros1_bag(tmp_path / 'bag.bag', []))


def test_metadata_that_promises_what_the_files_do_not_hold(whole, tmp_path):
    bag, _ = copied(whole['mcap None'], tmp_path)
    metadata = bag / 'metadata.yaml'
    metadata.write_text(metadata.read_text().replace('/image', '/elsewhere'))
    assert f'holds none; write its metadata.yaml anew with "ros2 bag reindex {bag}"' in complaint(
        bag
    )


def test_messages_that_were_lost_are_told_once(whole, tmp_path, caplog):
    bag, _ = copied(whole['sqlite3 None'], tmp_path)
    metadata = bag / 'metadata.yaml'
    metadata.write_text(metadata.read_text().replace('message_count: 40', 'message_count: 50'))
    with Recording(bag) as recording:
        assert len(list(recording.images('/image'))) == 40
        assert len(list(recording.images('/image'))) == 40
    (line,) = [record.getMessage() for record in caplog.records]
    assert 'holds 40 of the 50 messages that its index promises of /image' in line


@pytest.mark.parametrize('content', ['', '{', '[]', 'rosbag2_bagfile_information: {}'])
def test_damaged_metadata(whole, tmp_path, content):
    bag, _ = copied(whole['mcap None'], tmp_path)
    (bag / 'metadata.yaml').write_text(content)
    assert 'damaged' in complaint(bag)
