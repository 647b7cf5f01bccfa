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

"""The map of landmarks of a drawn room: from labels, and from a model of its images."""

from __future__ import annotations

import numpy as np
from posenet_ros.data.frames import Frame
from posenet_ros.data.images import read_image
from posenet_ros.errors import LabellingError
from posenet_ros.geometry import Pose, Sim3
from posenet_ros.landmarks.verifier import Verifier
from posenet_ros.sfm import landmarks as landmarks_module
from posenet_ros.sfm.landmarks import build_landmarks
from posenet_ros.sfm.poses import read_poses
from posenet_ros.sfm.triangulating import triangulate
import pytest
from scipy.spatial.transform import Rotation

HELD_OUT = slice(6, 9)
BUDGET = 1 << 20
SFM_FROM_MAP = Sim3(
    0.4,
    Rotation.from_euler('xyz', [20, -35, 50], degrees=True),
    np.array([3.0, -1, 2]),
    'sfm',
    'map',
)
OFFSET = Pose(
    Rotation.from_euler('xyz', [2.0, -3, 1], degrees=True),
    np.array([0.05, 0.03, -0.04]),
    'image',
    'camera',
)


def describe(frames):
    """Return what images look like as a whole: themselves, very small."""
    small = np.array([read_image(frame.image)[15::30, 15::30].ravel() for frame in frames])
    small = small - small.mean(axis=0)
    return (small / np.linalg.norm(small, axis=1, keepdims=True)).astype(np.float16)


def build(frames, camera, work, **other):
    how = {'model': None, 'describe': describe, 'budget_bytes': BUDGET}
    how['reconstruction'] = work.parent / 'reconstruction'
    return build_landmarks(frames, frames[HELD_OUT], camera, work=work, **{**how, **other})


@pytest.fixture(scope='module')
def built(room_frames, room_camera, tmp_path_factory):
    work = tmp_path_factory.mktemp('run') / 'landmarks'
    return build(room_frames, room_camera, work), work


@pytest.fixture
def at_once(monkeypatch):
    """Have stages run in this process, which is quicker."""
    stages = {'poses': read_poses, 'triangulating': triangulate}

    def run(stage, *, log, title, unit, **arguments):
        return stages[stage](lambda done, total: None, **arguments)

    monkeypatch.setattr(landmarks_module, 'run_stage', run)


def in_sfm(frames):
    """Return `sfm_from_image` by the ends of the images' paths."""
    return {
        frame.image.name: Pose(
            SFM_FROM_MAP.rotation * frame.map_from_camera.rotation,
            SFM_FROM_MAP.apply(frame.map_from_camera.translation),
            'sfm',
            'image',
        )
        for frame in frames
    }


def labels_beside(frames):
    """Return the frames with labels of a camera beside the one that took the images."""
    return [
        Frame(
            frame.image,
            frame.map_from_camera.renamed(source='image') @ OFFSET,
            frame.stamp_ns,
        )
        for frame in frames
    ]


def assert_labels(landmarks, frames):
    """Check that where images were taken, and the labelled camera beside them, give labels."""
    for number, frame in enumerate(frames):
        image = Pose(
            Rotation.from_matrix(landmarks.rotations_F33[number]),
            landmarks.centres_F3[number],
            'map',
            'image',
        )
        metres, radians = (image @ landmarks.image_from_label).distance(frame.map_from_camera)
        # The survey hardly turns, and the fit stops after so many rounds, a few of 70 mm away.
        assert metres < 5e-3
        assert radians < 1e-3


def test_labels_that_are_the_images_own_are_taken(built, room_frames, room_camera):
    maps, work = built
    whole = maps.whole
    assert whole.frames == len(room_frames)
    np.testing.assert_allclose(
        whole.centres_F3, [frame.map_from_camera.translation for frame in room_frames], atol=1e-6
    )
    assert whole.camera == room_camera
    assert whole.image_from_label.distance(Pose.identity('image', 'camera')) == (0, 0)
    assert len(whole.points_P3) > 150
    assert len(maps.part.points_P3) < len(whole.points_P3)
    # Nothing is left of what the stages handed over; what they said is beside.
    assert list(work.iterdir()) == []
    assert (work.parent / 'logs' / 'sfm.log').is_file()


def test_every_frame_of_a_map_saw_something_of_it(built, room_frames):
    """Those held out saw nothing of the part: they would stand where others are asked for."""
    for landmarks in (built[0].part, built[0].whole):
        assert np.diff(landmarks.first_seen).min() > 0
    kept = [frame for frame in room_frames if frame not in room_frames[HELD_OUT]]
    part = built[0].part
    np.testing.assert_allclose(
        part.centres_F3, [frame.map_from_camera.translation for frame in kept], atol=1e-6
    )
    np.testing.assert_array_equal(
        part.places_FK, describe(room_frames)[[f in kept for f in room_frames]]
    )


def test_points_are_in_front_of_the_frames_that_saw_them(built, room_camera):
    for landmarks in (built[0].part, built[0].whole):
        for frame in range(landmarks.frames):
            points = landmarks.points_P3[landmarks.seen_by([frame])]
            own = (points - landmarks.centres_F3[frame]) @ landmarks.rotations_F33[frame]
            pixels = room_camera.project(own)
            assert (pixels > -5).all()
            assert (pixels < [325, 245]).all()


def test_frames_that_were_held_out_are_verified_where_they_were(built, room_frames):
    verifier = Verifier(built[0].part)
    for frame in room_frames[HELD_OUT]:
        rgb = read_image(frame.image)
        place_K = describe(room_frames)[room_frames.index(frame)]
        verdict = verifier.verify(rgb, place_K)
        assert verdict.verified
        metres, radians = verdict.map_from_camera.distance(frame.map_from_camera)
        assert metres < 0.03
        assert radians < 0.01


def test_a_mirrored_image_is_not_verified(built, room_frames):
    verifier = Verifier(built[0].whole)
    for frame in room_frames[::4]:
        mirrored = np.ascontiguousarray(read_image(frame.image)[:, ::-1])
        place_K = describe(room_frames)[room_frames.index(frame)]
        verdict = verifier.verify(mirrored, place_K, frame.map_from_camera)
        assert not verdict.verified


def test_a_budget_is_kept(at_once, built, room_frames, room_camera, tmp_path):
    budget = built[0].whole.nbytes // 2
    small = build(room_frames, room_camera, tmp_path / 'landmarks', budget_bytes=budget)
    assert small.whole.nbytes <= budget
    assert small.part.nbytes <= budget
    assert len(small.whole.points_P3) < len(built[0].whole.points_P3)
    assert small.whole.frames == len(room_frames)


def test_labels_of_another_camera_are_fitted_to_a_model(
    at_once, built, room_frames, room_camera, write_model, tmp_path
):
    model = write_model(in_sfm(room_frames))
    labels = labels_beside(room_frames)
    maps = build(labels, room_camera, tmp_path / 'run' / 'landmarks', model=model)
    whole = maps.whole
    assert_labels(whole, labels)
    # Where the images were taken, not where their labels are; the survey turns about the vertical
    # alone, and nothing tells an offset along that from where the map lies.
    apart = whole.centres_F3 - [f.map_from_camera.translation for f in room_frames]
    assert np.abs(apart[:, :2]).max() < 0.02
    assert np.ptp(apart[:, 2]) < 5e-3
    assert whole.image_from_label.distance(OFFSET)[1] < 3e-3
    assert (whole.camera.fx, whole.camera.cx, whole.camera.cy) == (260, 159.5, 119.5)
    assert len(whole.points_P3) == pytest.approx(len(built[0].whole.points_P3), rel=0.1)


def test_a_model_that_is_the_labels_needs_no_fit(
    at_once, room_frames, room_camera, write_model, tmp_path
):
    """Also not where all its cameras are on one line, which could not be fitted."""
    line = room_frames[:5]
    poses = {frame.image.name: frame.map_from_camera for frame in line}
    posed = landmarks_module._as_mapped(line, write_model(poses), None, tmp_path / 'landmarks')
    np.testing.assert_allclose(
        posed.centres, [frame.map_from_camera.translation for frame in line], atol=1e-9
    )
    assert posed.image_from_label.distance(Pose.identity('image', 'camera')) == (0, 0)


def test_labels_that_do_not_agree_have_their_images_reconstructed(
    at_once, room_frames, room_camera, write_model, tmp_path, monkeypatch
):
    labels = labels_beside(room_frames)
    named = {f'{n:03}.jpg': pose for n, pose in enumerate(in_sfm(room_frames).values())}
    model = write_model(named)
    asked = []

    def reconstruct_scene(frames, camera, work):
        asked.append((len(frames), camera, work))
        return model, {name: number for number, name in enumerate(named)}

    monkeypatch.setattr(landmarks_module, 'reconstruct_scene', reconstruct_scene)
    work = tmp_path / 'run' / 'landmarks'
    maps = build(labels, room_camera, work)
    assert asked == [(len(labels), room_camera, work.parent / 'reconstruction')]
    assert_labels(maps.whole, labels)


def test_a_model_that_does_not_agree_is_refused(
    at_once, room_frames, room_camera, write_model, tmp_path
):
    """Of other images: the first is named like the last."""
    poses = dict(
        zip(
            [frame.image.name for frame in room_frames],
            [frame.map_from_camera for frame in reversed(room_frames)],
            strict=True,
        )
    )
    moved = [Frame(frame.image, poses[frame.image.name], frame.stamp_ns) for frame in room_frames]
    with pytest.raises(LabellingError, match=r'the poses agree with .* % of the matches'):
        build(moved, room_camera, tmp_path / 'run' / 'landmarks', model=write_model(poses))


def test_few_points_are_refused(at_once, room_frames, room_camera, tmp_path, monkeypatch):
    monkeypatch.setattr(landmarks_module, '_FEWEST_POINTS', 10**6)
    with pytest.raises(LabellingError, match=r'only \d+ points are seen in three images'):
        build(room_frames, room_camera, tmp_path / 'run' / 'landmarks')


def test_models_that_tell_too_little_are_refused(
    at_once, room_frames, room_camera, write_model, tmp_path
):
    model = write_model(in_sfm(room_frames[:4]))
    with pytest.raises(LabellingError, match='only 4 images of the map are among the frames'):
        build(room_frames, room_camera, tmp_path / 'run' / 'landmarks', model=model)


def test_models_of_several_cameras_are_refused(
    at_once, room_frames, room_camera, write_model, tmp_path
):
    model = write_model(in_sfm(room_frames), cameras=2)
    with pytest.raises(LabellingError, match='several cameras'):
        build(room_frames, room_camera, tmp_path / 'run' / 'landmarks', model=model)


def test_where_there_is_no_model_it_is_said(room_frames, room_camera, tmp_path):
    with pytest.raises(LabellingError, match='poses stage failed'):
        build(room_frames, room_camera, tmp_path / 'run' / 'landmarks', model=tmp_path / 'none')


def test_of_many_frames_some_are_taken(room_frames, room_camera, monkeypatch):
    monkeypatch.setattr(landmarks_module, '_MOST_FRAMES', 7)
    posed = landmarks_module._as_labelled(room_frames[:15], room_camera)
    assert posed.frames == tuple(room_frames[:15:3])
