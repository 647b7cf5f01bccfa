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

"""Many rooms in one folder: each whole, those that are there kept, others refused."""

from concurrent.futures.process import BrokenProcessPool

from posenet_ros.__main__ import main
from posenet_ros.data.scenes import read_scene
from posenet_ros.errors import ConfigError
from posenet_ros.simulation import rooms
import pytest

SIZE = (64, 48)


@pytest.fixture(scope='module')
def made(tmp_path_factory):
    output = tmp_path_factory.mktemp('rooms') / 'rooms'
    assert rooms.write_rooms(output, [3, 4], views=3, size=SIZE) == 2
    return output


def test_each_room_is_a_capture_of_another_place(made):
    scenes = [read_scene(f'capture:{made / name}') for name in ('0003', '0004')]
    assert [len(scene.train) for scene in scenes] == [3, 3]
    assert scenes[0].camera != scenes[1].camera
    assert (scenes[0].camera.width, scenes[0].camera.height) == SIZE


def test_a_process_that_is_ended_is_one_line(tmp_path, monkeypatch):
    class Ended:
        def result(self):
            raise BrokenProcessPool('one of them')

    class Pool:
        def __init__(self, *_):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def submit(self, *_):
            return Ended()

    monkeypatch.setattr(rooms, 'ProcessPoolExecutor', Pool)
    monkeypatch.setattr(rooms, 'as_completed', list)
    with pytest.raises(ConfigError, match='go on with fewer --jobs'):
        rooms.write_rooms(tmp_path / 'rooms', [0, 1], views=2, size=SIZE, jobs=2)


def test_what_is_there_is_kept_and_more_comes_to_it(made):
    before = {path: path.stat().st_mtime_ns for path in (made / '0003').rglob('*.jpg')}
    assert rooms.write_rooms(made, [3, 5], views=3, size=SIZE) == 1
    assert all(path.stat().st_mtime_ns == changed for path, changed in before.items())
    assert (made / '0005').is_dir()


def test_rooms_of_other_views_are_refused_and_so_is_a_foreign_folder(made, tmp_path):
    with pytest.raises(ConfigError, match='holds other rooms'):
        rooms.write_rooms(made, [3], views=4, size=SIZE)
    (tmp_path / 'mine.txt').write_text('mine')
    with pytest.raises(ConfigError, match='not empty and holds no rooms'):
        rooms.write_rooms(tmp_path, [3], views=3, size=SIZE)


def test_a_room_that_fails_leaves_nothing_half(tmp_path, monkeypatch):
    original = rooms.write_views

    def fail(folder, seed, **options):
        if seed == 1:
            folder.mkdir(parents=True)
            (folder / 'half').write_text('')
            raise OSError(28, 'No space left on device')
        return original(folder, seed, **options)

    monkeypatch.setattr(rooms, 'write_views', fail)
    with pytest.raises(OSError, match='No space'):
        rooms.write_rooms(tmp_path / 'rooms', [0, 1], views=2, size=SIZE, jobs=1)
    assert not (tmp_path / 'rooms' / '0001').exists()
    monkeypatch.setattr(rooms, 'write_views', original)
    assert rooms.write_rooms(tmp_path / 'rooms', [0, 1], views=2, size=SIZE) == 1


@pytest.mark.parametrize('word', ['--rooms=0', '--views=1', '--width=10', '--jobs=0', '--seed=-1'])
def test_numbers_that_cannot_be_meant_are_one_line(tmp_path, capsys, word):
    assert main(['simulate-rooms', '--output', str(tmp_path / 'rooms'), word]) == 2
    assert word.split('=')[0] in capsys.readouterr().err
    assert not (tmp_path / 'rooms').exists()
