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

"""Captures as scenes, and what has metres."""

import cv2
import numpy as np
from posenet_ros.data.capture import Capture, image_path
from posenet_ros.data.scenes import has_metres, read_scene
from posenet_ros.errors import CaptureError, DatasetError
from posenet_ros.files import write_yaml
from posenet_ros.geometry import Camera, Trajectory
import pytest
from scipy.spatial.transform import Rotation

CAMERA = Camera(8, 6, 10, 11, 4, 3)


@pytest.fixture
def run(tmp_path):
    """The output folder of a labelling: two frames."""
    root = tmp_path / 'office' / 'capture'
    turned = Rotation.from_euler('xyz', [[10, 20, 30], [11, 20, 30]], degrees=True)
    labels = Trajectory(np.array([5, 10**9]), turned, np.eye(3)[:2], 'map', 'camera')
    for stamp_ns in labels.stamps_ns:
        path = image_path(root, stamp_ns)
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.zeros((6, 8, 3), np.uint8))
    Capture.create(root, camera=CAMERA, labels=labels)
    return root.parent


def test_a_capture_by_its_folder_or_the_one_above(run):
    for folder in (run, run / 'capture'):
        scene = read_scene(f'capture:{folder}')
        assert scene.name == 'office'
        assert scene.camera == CAMERA
        assert [frame.stamp_ns for frame in scene.train] == [5, 10**9]
        assert scene.train[0].image == run / 'capture' / 'images' / f'{5:019d}.jpg'
        assert scene.test == ()


def test_a_folder_without_a_capture(run):
    with pytest.raises(CaptureError, match=r'incomplete: it has no labels\.tum'):
        read_scene(f'capture:{run / "capture" / "images"}')
    with pytest.raises(DatasetError, match='no such folder'):
        read_scene(f'capture:{run}2')


@pytest.mark.parametrize(
    ('summary', 'expected'),
    [
        ({'metric': {'scale': 2.0}}, True),
        ({'metric': None}, False),
        ({'metric': True}, True),
        ({'metric': False}, False),
    ],
)
def test_a_capture_says_whether_it_has_metres(run, summary, expected):
    assert has_metres(f'capture:{run}'), 'without a summary'
    write_yaml(run / 'capture' / 'summary.yaml', summary)
    assert has_metres(f'capture:{run}') is expected
    assert has_metres(f'capture:{run}/capture') is expected


def test_only_a_colmap_model_has_a_scale_of_its_own(tmp_path):
    told = {kind: has_metres(f'{kind}:{tmp_path}') for kind in ('7scenes', 'cambridge', 'colmap')}
    assert told == {'7scenes': True, 'cambridge': True, 'colmap': False}
