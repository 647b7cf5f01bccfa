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

"""Points from frames of known poses in a drawn room whose surfaces are known."""

from __future__ import annotations

import numpy as np
from posenet_ros.geometry import Pose
from posenet_ros.landmarks.features import LocalFeatures, Sift
from posenet_ros.sfm import triangulating
from posenet_ros.sfm.triangulating import LEAST_AGREEMENT, triangulate
import pytest
from scipy.spatial.transform import Rotation

LEFT_OUT = [6, 7, 8]


def run(frames, camera, work, *, leave_out=(), progress=lambda done, total: None):
    poses = [frame.map_from_camera for frame in frames]
    return triangulate(
        progress,
        images=[str(frame.image) for frame in frames],
        rotations=[pose.rotation.as_matrix().tolist() for pose in poses],
        centres=[pose.translation.tolist() for pose in poses],
        camera=camera.to_dict(),
        extractor=Sift().to_dict(),
        leave_out=list(leave_out),
        work=str(work),
    )


@pytest.fixture(scope='module')
def made(room_frames, room_camera, tmp_path_factory):
    work = tmp_path_factory.mktemp('work')
    told = []
    result = run(
        room_frames,
        room_camera,
        work,
        leave_out=LEFT_OUT,
        progress=lambda *done: told.append(done),
    )
    found = {name: dict(np.load(work / f'{name}.npz')) for name in ('part', 'whole')}
    return result, found, told, work


def test_the_true_poses_agree_with_the_matches(made):
    assert made[0]['agreement'] > 0.9


def test_points_are_on_the_surfaces_that_were_drawn(made, pictures, mount):
    """Of the panels, whose corners and sides are known, the nearest plane is where a point is."""
    _, room, _ = pictures
    map_from_room = Pose(mount.rotation, mount.translation, 'map', 'room')
    points = map_from_room.inverse() @ made[1]['whole']['points']
    off = []
    for corner, right, down in room.panels:
        normal = np.cross(right, down)
        off.append(np.abs((points - corner) @ (normal / np.linalg.norm(normal))))
    nearest = np.min(off, axis=0)
    assert len(points) > 150
    assert np.median(nearest) < 0.02
    assert np.mean(nearest < 0.1) > 0.8


def test_points_are_where_the_frames_saw_them(made, room_frames, room_camera):
    found = made[1]['whole']
    sift = Sift()
    number = 5
    rgb = triangulating.read_image(room_frames[number].image)
    features = sift.extract(rgb)
    mine = found['observations'][:, 1] == number
    points = found['points'][found['observations'][mine, 0]]
    assert len(points) > 50
    pixels = room_camera.project(room_frames[number].map_from_camera.inverse() @ points)
    apart = np.linalg.norm(features.pixels[None] - pixels[:, None], axis=2)
    # Some feature is there that looks the same, to the last bit.
    same = (features.descriptors[None] == found['descriptors'][mine][:, None]).all(axis=2)
    assert same.any(axis=1).all()
    assert np.median(np.where(same, apart, np.inf).min(axis=1)) < 1.0


def test_each_point_is_seen_by_three_frames_or_more_each_once(made):
    for found in made[1].values():
        observations = found['observations']
        assert len(np.unique(observations, axis=0)) == len(observations)
        assert np.bincount(observations[:, 0], minlength=len(found['points'])).min() >= 3
        assert found['descriptors'].shape == (len(observations), Sift.width)
        assert found['descriptors'].dtype == np.uint8


def test_frames_that_are_left_out_made_nothing(made):
    result, found, _, _ = made
    assert not np.isin(found['part']['observations'][:, 1], LEFT_OUT).any()
    assert np.isin(LEFT_OUT, found['whole']['observations'][:, 1]).all()
    assert result['part'] == len(found['part']['points'])
    assert result['whole'] == len(found['whole']['points'])
    assert 100 < result['part'] < result['whole']


def test_progress_rises_to_its_end_and_nothing_else_is_left_behind(made, room_frames):
    _, _, told, work = made
    done = [each for each, _ in told]
    assert done == sorted(done)
    assert {total for _, total in told} == {2 * len(room_frames)}
    assert done[-1] <= 2 * len(room_frames)
    assert sorted(path.name for path in work.iterdir()) == ['part.npz', 'whole.npz']


def test_poses_that_are_not_the_images_own_make_nothing(room_frames, room_camera, tmp_path):
    rng = np.random.default_rng(0)
    off = [
        type(frame)(
            frame.image,
            Pose(
                frame.map_from_camera.rotation * Rotation.from_rotvec(rng.normal(0, 0.03, 3)),
                frame.map_from_camera.translation + rng.normal(0, 0.05, 3),
                'map',
                'camera',
            ),
            frame.stamp_ns,
        )
        for frame in room_frames
    ]
    result = run(off, room_camera, tmp_path)
    assert result['agreement'] < LEAST_AGREEMENT
    assert (result['part'], result['whole']) == (0, 0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('count', [1, 2])
def test_few_frames_make_no_points_and_no_fuss(room_frames, room_camera, tmp_path, count):
    result = run(room_frames[:count], room_camera, tmp_path)
    assert result['whole'] == 0


def test_frames_are_paired_with_their_neighbours_and_some_beyond(room_camera):
    centres = np.column_stack([np.arange(60.0), np.zeros((60, 2))])
    posed = triangulating._Posed(room_camera, np.array([np.eye(3)] * 60), centres)
    pairs = posed.pairs()
    assert pairs == sorted(set(pairs))
    assert all(one < other for one, other in pairs)
    assert {(10, 9 + step) for step in (2, 3)} <= set(pairs)
    assert max(other - one for one, other in pairs) > 8
    # Those that look the other way are not neighbours, however near.
    back = np.array([np.eye(3), np.diag([-1.0, 1, -1])] * 30)
    turned = triangulating._Posed(room_camera, back, centres)
    assert {(18, 20), (20, 22), (20, 24)} <= set(turned.pairs())


def test_distances_from_epipolar_lines_are_in_pixels(room_camera):
    """Of two cameras side by side the lines are rows: a match in another row is off by that."""
    centres = np.array([[0.0, 0, 0], [1.0, 0, 0]])
    posed = triangulating._Posed(room_camera, np.array([np.eye(3)] * 2), centres)
    first = np.array([[0.1, 0.2], [0.0, 0.0], [0.3, -0.1]])
    second = first + [[-0.2, 0.0], [-0.1, 2 / 260], [-0.4, -4 / 260]]
    # Both images share the error: each is off by a half, as the root of two halves squared.
    expected = np.array([0, 2, 4]) / np.sqrt(2)
    np.testing.assert_allclose(posed.epipolar_px((0, 1), first, second), expected, atol=1e-9)


def test_matches_are_each_others_nearest_and_clearly_so():
    unit = np.eye(4, dtype=np.float32)
    near = np.array([0.99, 0.141, 0, 0], dtype=np.float32)
    assert triangulating._mutual(unit[:3], unit[[2, 0, 3]]).tolist() == [[0, 1], [2, 0]]
    # Two that look the same are not told apart.
    assert triangulating._mutual(unit[:2], np.stack([near, near])).tolist() == []
    assert triangulating._mutual(unit[:1], unit).tolist() == []
    assert triangulating._mutual(unit[:0], unit).shape == (0, 2)


def test_images_without_features_are_passed_over(room_frames, room_camera, tmp_path, monkeypatch):
    """A white wall among the others: it has no features, and they still make points."""
    extract = Sift.extract

    def blind(self, rgb):
        found = extract(self, rgb)
        some = slice(0 if seen.pop(0) else None)
        return LocalFeatures(found.pixels[some], found.descriptors[some])

    frames = room_frames[:8]
    seen = [number in (2, 5) for number in range(8)]
    monkeypatch.setattr(triangulating, 'cores', lambda: 1)
    monkeypatch.setattr(Sift, 'extract', blind)
    result = run(frames, room_camera, tmp_path)
    assert result['whole'] > 50
    with np.load(tmp_path / 'whole.npz') as found:
        assert not np.isin(found['observations'][:, 1], [2, 5]).any()
