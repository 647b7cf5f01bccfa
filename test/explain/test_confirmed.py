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

"""Which map figures ask, and how what it verifies is summed up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from posenet_ros.data.frames import Frame
from posenet_ros.errors import LabellingError
from posenet_ros.explain import confirmed
from posenet_ros.explain.confirmed import unseen_map, Verified, Wrong
from posenet_ros.geometry import Camera, Pose
from posenet_ros.landmarks.features import Sift
from posenet_ros.landmarks.gate import Gate
from posenet_ros.landmarks.landmark_map import LandmarkMap, LANDMARKS, write_map
from posenet_ros.landmarks.verifier import Verdict
from posenet_ros.sfm.landmarks import LandmarkMaps
import pytest
from scipy.spatial.transform import Rotation


def at(x, turned_deg=0.0):
    turn = Rotation.from_euler('z', turned_deg, degrees=True)
    return Pose(turn, [x, 0, 0], 'map', 'camera')


def verdict(x, turned_deg=0.0, *reasons):
    return Verdict(at(x, turned_deg), np.eye(6), None, reasons)


FRAMES = [Frame(Path(f'{number}.jpg'), at(0), number) for number in range(4)]


def test_errors_are_of_the_verified_alone():
    nothing = Verdict(None, None, None, ('dark',))
    verdicts = [verdict(0.1), verdict(0.3, 2), verdict(9, 90, 'in doubt'), nothing]
    found = Verified.of(FRAMES, verdicts)
    assert (found.images, found.verified, found.share) == (4, 2, 0.5)
    assert found.median_position == pytest.approx(0.2)
    assert found.median_orientation_deg == pytest.approx(1)
    assert found.most_position == pytest.approx(0.3)
    assert found.most_orientation_deg == pytest.approx(2)
    assert found.wrong == ()


def test_half_a_metre_or_ten_degrees_is_wrong():
    verdicts = [verdict(0.49, 9.9), verdict(0.51), verdict(0, 10.1), verdict(0)]
    found = Verified.of(FRAMES, verdicts)
    assert found.wrong == (
        Wrong('1.jpg', pytest.approx(0.51), pytest.approx(0)),
        Wrong('2.jpg', pytest.approx(0), pytest.approx(10.1)),
    )
    assert found.to_dict()['wrong'] == 2


def test_poses_in_their_region_are_counted():
    # In six dimensions it ends at 3.55 standard deviations, here of a metre.
    verdicts = [verdict(3.5), verdict(3.6), verdict(0), verdict(0, 0, 'in doubt')]
    assert Verified.of(FRAMES, verdicts).inside == 2


def test_where_none_is_verified_there_is_no_error():
    found = Verified.of(FRAMES[:1], [verdict(0, 0, 'in doubt')])
    assert found.share == 0
    assert set(found.to_dict().values()) == {0, None}


@pytest.fixture
def landmarks(subject):
    width = subject.loaded.features.features_NK.shape[1]
    return LandmarkMap(
        points_P3=np.ones((1, 3), np.float32),
        first_row=np.array([0, 1], np.int32),
        descriptors=np.ones((1, 128), np.uint8),
        first_seen=np.array([0, 1], np.int32),
        seen=np.zeros(1, np.int32),
        centres_F3=np.zeros((1, 3), np.float32),
        rotations_F33=np.eye(3, dtype=np.float32)[None],
        places_FK=np.ones((1, width), np.float16),
        camera=Camera(128, 96, 100.0, 100.0, 63.5, 47.5),
        extractor=Sift(),
        image_from_label=Pose.identity('image', 'camera'),
        gate=Gate(agreed=77).to_dict(),
    )


@pytest.fixture
def with_map(subject, landmarks, tmp_path):
    write_map(tmp_path / LANDMARKS, landmarks)
    files = frozenset({LANDMARKS})
    return replace(subject, loaded=replace(subject.loaded, folder=tmp_path, files=files))


def test_without_a_map_there_is_none(subject):
    assert unseen_map(replace(subject, loaded=replace(subject.loaded, files=frozenset()))) is None


def test_a_map_that_never_saw_the_test_frames_is_taken_as_it_is(with_map, monkeypatch):
    monkeypatch.setattr(confirmed, 'build_landmarks', None)
    found = unseen_map(with_map)
    assert found.frames == 1
    assert found.gate['agreed'] == 77


def test_a_map_that_saw_them_is_made_without_them(with_map, landmarks, monkeypatch):
    held_out = replace(with_map, calibrated=True)
    asked = {}

    def build(frames, without, camera, *, describe, **others):
        asked.update(others, frames=frames, without=without, described=describe(frames[:3]))
        whole = replace(landmarks, gate={})
        return LandmarkMaps(whole, replace(whole, points_P3=np.full((1, 3), 7, np.float32)))

    monkeypatch.setattr(confirmed, 'build_landmarks', build)
    found = unseen_map(held_out)
    assert found.points_P3[0, 0] == 7
    # What it asks for was measured in training.
    assert found.gate['agreed'] == 77
    assert asked['frames'] == held_out.labelled
    assert asked['without'] == held_out.test
    assert asked['described'].shape == (3, landmarks.places_FK.shape[1])
    assert asked['budget_bytes'] == landmarks.nbytes
    assert asked['extractor'] == landmarks.extractor
    assert not asked['work'].parent.exists()


def test_a_map_that_cannot_be_made_again_is_an_error(with_map, monkeypatch):
    def build(*_, **__):
        raise LabellingError('only 3 points are seen in three images or more')

    monkeypatch.setattr(confirmed, 'build_landmarks', build)
    with pytest.raises(LabellingError, match='only 3 points'):
        unseen_map(replace(with_map, calibrated=True))
