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

"""Tiny images, models and trajectories of one camera that turns about all three axes."""

import cv2
import numpy as np
from posenet_ros.geometry import Camera, Pose, Trajectory, write_tum
import pytest
from scipy.spatial.transform import Rotation

START_NS = 1_305_031_102_175_304_000
STEP_NS = 100_000_000
COUNT = 12
CAMERA = Camera(8, 6, 10, 11, 4, 3, 'plumb_bob', (0.1, 0.2, 0.01, 0.02, 0))


class Drive:
    """What a camera saw every tenth of a second, and where it was."""

    camera = CAMERA
    stamps_ns = tuple(START_NS + STEP_NS * index for index in range(COUNT))

    def pose(self, index):
        """Return `map_from_camera`: a wrong order of its quaternion is off by over 100 deg."""
        turned = Rotation.from_euler('xyz', [10 + 3 * index, 20, 30], degrees=True)
        return Pose(turned, [0.05 * index, 6.0 - 0.1 * index, 7.0], 'map', 'camera')

    def poses(self):
        return [self.pose(index) for index in range(COUNT)]

    def names(self, suffix='.jpg'):
        """Return names by the nanoseconds."""
        return [f'{stamp_ns}{suffix}' for stamp_ns in self.stamps_ns]

    def write_images(self, folder, names, *, size=(8, 6)):
        """Write an image of another grey for each name, in the format of its suffix."""
        for index, name in enumerate(names):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            grey = np.full((size[1], size[0], 3), 10 * index + 5, np.uint8)
            assert cv2.imwrite(str(path), grey)
        return folder

    def write_tum(self, path, *, rows=range(COUNT), late_ns=0):
        """Write the poses of some rows."""
        stamps_ns = [self.stamps_ns[row] + late_ns for row in rows]
        write_tum(path, Trajectory.from_poses(stamps_ns, [self.pose(row) for row in rows]))
        return path

    def model(self, names, *, cameras=('OPENCV',)):
        """Return a COLMAP model of images at the poses; a last camera takes what is left."""
        import pycolmap

        made = pycolmap.Reconstruction()
        for number, kind in enumerate(cameras, start=1):
            camera = pycolmap.Camera.create_from_model_name(number, kind, 10.0, 8, 6)
            if kind == 'OPENCV':
                camera.params = [10, 11, 4.5, 3.5, 0.1, 0.2, 0.01, 0.02]
            made.add_camera_with_trivial_rig(camera)
        for index, name in enumerate(names):
            matrix = self.pose(index).inverse().matrix()
            image = pycolmap.Image(
                name=name,
                camera_id=min(index + 1, len(cameras)),
                image_id=index + 1,
                points2D=[pycolmap.Point2D(np.array([1.0 + index, 2.0]))],
            )
            made.add_image_with_trivial_frame(image, pycolmap.Rigid3d(matrix[:3]))
        seen = [pycolmap.TrackElement(index + 1, 0) for index in range(len(names))]
        made.add_point3D(np.array([0.5, 6.0, 9.0]), pycolmap.Track(seen))
        return made

    def write_model(self, folder, names, *, text=False, **what):
        """Write the model of the images `names`."""
        folder.mkdir(parents=True, exist_ok=True)
        made = self.model(names, **what)
        (made.write_text if text else made.write_binary)(str(folder))
        return folder


@pytest.fixture(scope='session')
def drive():
    return Drive()


@pytest.fixture
def project(tmp_path, drive):
    """A folder with images and a model, as COLMAP lays it out."""
    root = tmp_path / 'office'
    drive.write_images(root / 'images', drive.names())
    drive.write_model(root / 'sparse' / '0', drive.names())
    return root
