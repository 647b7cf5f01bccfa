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

"""Which images are reconstructed, and when what is there is taken."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from posenet_ros.data.frames import Frame
from posenet_ros.geometry import Camera
from posenet_ros.sfm import scene_map
from posenet_ros.sfm.scene_map import has_map, reconstruct_scene
from posenet_ros.sfm.workspace import Workspace
import pytest


@pytest.fixture
def asked(monkeypatch):
    """Have nothing reconstructed; return what was asked for, and what images were there."""
    calls = []

    def reconstruct_frames(space, selection, known, mapper):
        images = sorted(path.name for path in space.images.iterdir())
        calls.append(SimpleNamespace(space=space, selection=selection, known=known, images=images))
        return SimpleNamespace(sfm_from_camera=selection.stamps_ns[1:])

    monkeypatch.setattr(scene_map, 'reconstruct_frames', reconstruct_frames)
    return calls


def test_all_of_few_frames_are_copied_and_named(asked, room_frames, room_camera, tmp_path):
    work = tmp_path / 'run' / 'reconstruction'
    model, names = reconstruct_scene(room_frames, room_camera, work)
    assert model == Workspace(work).unaligned
    assert sorted(names.values()) == list(range(len(room_frames)))
    (call,) = asked
    assert call.images == sorted(names)
    assert call.known == room_camera
    assert call.selection.stamps_ns == tuple(range(len(room_frames)))
    assert (call.selection.width, call.selection.height) == (320, 240)
    for name, number in names.items():
        copied = scene_map.read_image(call.space.images / name).astype(int)
        given = scene_map.read_image(room_frames[number].image).astype(int)
        assert abs(copied - given).mean() < 3
    assert not has_map(work)


@pytest.mark.parametrize(('most', 'expected'), [(20, 18), (18, 18), (17, 9), (5, 5), (1, 1)])
def test_of_many_frames_every_so_many_is_taken(
    asked, room_frames, room_camera, tmp_path, monkeypatch, most, expected
):
    monkeypatch.setattr(scene_map, '_MOST_FRAMES', most)
    assert len(room_frames) == 18
    _, names = reconstruct_scene(room_frames, room_camera, tmp_path / 'work')
    numbers = sorted(names.values())
    assert len(numbers) == expected <= most
    assert numbers == list(range(0, 18, -(-18 // most)))
    assert asked[0].selection.stamps_ns == tuple(numbers)


def test_what_is_there_is_taken_again(asked, room_frames, room_camera, tmp_path):
    frames = room_frames[:3]
    _, names = reconstruct_scene(frames, room_camera, tmp_path / 'work')
    images = Workspace(tmp_path / 'work').images
    kept, lost, _ = sorted(names)
    (images / kept).write_bytes(b'as it was')
    (images / lost).unlink()
    reconstruct_scene(frames, room_camera, tmp_path / 'work')
    assert (images / kept).read_bytes() == b'as it was'
    assert (images / lost).is_file()


@pytest.mark.parametrize('other', ['frames', 'stamps', 'sequence', 'camera'])
def test_a_map_of_others_is_thrown_away(asked, room_frames, room_camera, tmp_path, other):
    frames = room_frames[:3]
    reconstruct_scene(frames, room_camera, tmp_path / 'work')
    left = tmp_path / 'work' / 'sfm' / 'left'
    left.touch()
    camera = room_camera
    if other == 'frames':
        frames = room_frames[1:4]
    elif other == 'stamps':
        frames = [Frame(f.image, f.map_from_camera, f.stamp_ns + 1) for f in frames]
    elif other == 'sequence':
        frames = [Frame(f.image, f.map_from_camera, f.stamp_ns, 'seq-02') for f in frames]
    else:
        camera = Camera(320, 240, 250.0, 250.0, 159.5, 119.5)
    reconstruct_scene(frames, camera, tmp_path / 'work')
    assert not left.exists()
    assert len(asked[1].images) == 3


def test_the_same_frames_elsewhere_on_disk_are_the_same(asked, room_frames, room_camera, tmp_path):
    reconstruct_scene(room_frames[:2], room_camera, tmp_path / 'work')
    left = tmp_path / 'work' / 'sfm' / 'left'
    left.touch()
    moved = [
        Frame(Path('/moved') / f.image.name, f.map_from_camera, f.stamp_ns)
        for f in room_frames[:2]
    ]
    # Their images are copied already.
    reconstruct_scene(moved, room_camera, tmp_path / 'work')
    assert left.exists()


def test_what_claims_a_folder_and_cannot_be_read_is_no_claim(
    asked, room_frames, room_camera, tmp_path
):
    reconstruct_scene(room_frames[:2], room_camera, tmp_path / 'work')
    (tmp_path / 'work' / 'of.yaml').write_text('[1, 2')
    from posenet_ros.errors import LabellingError

    with pytest.raises(LabellingError, match=r'of\.yaml is damaged'):
        reconstruct_scene(room_frames[:2], room_camera, tmp_path / 'work')
