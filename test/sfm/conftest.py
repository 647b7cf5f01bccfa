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

"""A robot's drive with known truth, odometry of it that errs on purpose, and a rendered scene."""

from dataclasses import dataclass

import cv2
import numpy as np
from posenet_ros.data.frames import Frame
from posenet_ros.data.images import encode_jpeg
from posenet_ros.geometry import Camera, NS_PER_S, Pose, Sim3, Trajectory
from posenet_ros.sfm import concluding, reconstructing
from posenet_ros.sfm.labelling import label_recordings, LabelOptions
from posenet_ros.sfm.sources import open_sources
import pycolmap
import pytest
from rosbags import rosbag2
from rosbags.rosbag2 import StoragePlugin
from rosbags.typesys import get_typestore, Stores
from scipy.spatial.transform import Rotation

START_NS = 1_700_000_000_000_000_000
TYPES = get_typestore(Stores.ROS2_JAZZY)

# Optical frame (z forward, y down) on a base (x forward, z up), ahead of its centre and up.
BASE_FROM_CAMERA = Pose(
    Rotation.from_euler('xyz', [-np.pi / 2, 0, -np.pi / 2]),
    np.array([0.2, 0.05, 0.4]),
    'base',
    'camera',
)


@dataclass
class Drive:
    """True poses `map_from_base` at a high rate, and what sensors make of them."""

    truth: Trajectory

    def camera(self, rate_hz=5.0):
        """True `map_from_camera` at the camera's rate."""
        every = round(20 / rate_hz)
        return self.truth.of_body(BASE_FROM_CAMERA).select(slice(None, None, every))

    def sfm(self, rate_hz=5.0, *, metres_per_unit=2.5, noise=0.0, seed=1):
        """`sfm_from_camera`: another origin, turned, scaled, with noise in metres."""
        poses = self.camera(rate_hz)
        noisy = poses.translations + noise * np.random.default_rng(seed).normal(
            size=(len(poses), 3)
        )
        poses = Trajectory(poses.stamps_ns, poses.rotations, noisy, 'map', 'camera')
        turn = Rotation.from_euler('xyz', [20, -35, 50], degrees=True)
        away = Sim3(1 / metres_per_unit, turn, np.array([3.0, -1.0, 2.0]), 'sfm', 'map')
        return away.apply_to(poses)

    def odom(self, *, bias=0.0, noise=0.0, yaw_per_m=0.0, slip_m=0.0, late_s=0.0, seed=0):
        """`odom_from_camera` as wheels integrate it; `yaw_per_m` in degrees."""
        rng = np.random.default_rng(seed)
        poses = [self.truth[0].renamed(target='odom')]
        for index in range(1, len(self.truth)):
            step = self.truth[index - 1].inverse() @ self.truth[index]
            length = np.linalg.norm(step.translation)
            moved = step.translation * (1 + bias + noise * rng.normal())
            if index == len(self.truth) // 2:
                moved = moved + [slip_m, 0, 0]
            yaw = Rotation.from_rotvec([0, 0, np.radians(yaw_per_m) * length])
            poses.append(poses[-1] @ Pose(step.rotation * yaw, moved, 'base', 'base'))
        stamps_ns = self.truth.stamps_ns + round(late_s * NS_PER_S)
        return Trajectory.from_poses(list(stamps_ns), poses).of_body(BASE_FROM_CAMERA)


def drive(seconds=40.0, *, tilt_deg=0.0, straight=False):
    """Drive a winding loop on a floor (or tilted by a ramp), about 0.5 m/s."""
    times = np.arange(0, seconds, 0.05)
    x = 0.5 * times if straight else 3 * np.sin(0.17 * times)
    y = 0 * times if straight else 2 * np.sin(0.34 * times) + 0.3 * np.sin(0.9 * times)
    heading = np.unwrap(np.arctan2(np.gradient(y), np.gradient(x)))
    roll = 0 * times if straight else np.radians(2) * np.sin(1.3 * times)
    rotations = Rotation.from_euler('ZYX', np.stack([heading, 0 * times, roll], axis=1))
    positions = np.stack([x, y, 0 * times], axis=1)
    ramp = Rotation.from_euler('x', tilt_deg, degrees=True)
    stamps_ns = START_NS + np.round(times * NS_PER_S).astype(np.int64)
    return Drive(Trajectory(stamps_ns, ramp * rotations, ramp.apply(positions), 'map', 'base'))


@pytest.fixture(scope='session')
def make_drive():
    return drive


@pytest.fixture(scope='session')
def loop():
    return drive()


@pytest.fixture(scope='session')
def mount():
    return BASE_FROM_CAMERA


class Room:
    """Textured panels at different depths, seen by a pinhole camera of 320x240 pixels."""

    size = (320, 240)
    focal = 260.0

    def __init__(self, seed=0):
        rng = np.random.default_rng(seed)
        # Far to near, as they are painted: corner, right and down, in a frame like the camera's.
        self.panels = [([-6, -4, 6.0], [12, 0, 0], [0, 8, 0])]
        for depth in (5.0, 4.2, 3.5, 3.0):
            for x in rng.uniform(-2.5, 1.5, 2):
                turn = rng.uniform(-0.4, 0.4)
                self.panels.append(
                    ([x, rng.uniform(-1.2, 0.2), depth], [1.0, 0, turn], [0, 0.9, 0])
                )
        self.textures = [
            self._texture(rng, 160 if index else 700) for index in range(len(self.panels))
        ]

    @staticmethod
    def _texture(rng, side):
        blobs = rng.integers(0, 255, (side // 16, side // 16, 3)).astype(np.uint8)
        return cv2.resize(blobs, (side, side), interpolation=cv2.INTER_CUBIC)

    def picture(self, room_from_camera):
        """Render RGB (240, 320, 3)."""
        image = np.full((*self.size[::-1], 3), 40, dtype=np.uint8)
        camera_from_room = room_from_camera.inverse()
        for (corner, right, down), texture in zip(self.panels, self.textures):
            corner, right, down = map(np.array, (corner, right, down))
            quad = np.stack([corner, corner + right, corner + right + down, corner + down])
            seen = camera_from_room @ quad
            pixels = self.focal * seen[:, :2] / seen[:, 2:] + [159.5, 119.5]
            side = len(texture) - 1
            square = np.float32([[0, 0], [side, 0], [side, side], [0, side]])
            warp = cv2.getPerspectiveTransform(square, pixels.astype(np.float32))
            cv2.warpPerspective(
                texture,
                warp,
                self.size,
                dst=image,
                flags=cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_TRANSPARENT,
            )
        return image


def survey(seconds=9.0):
    """A robot that weaves in front of the room, looking at it: `map_from_base` at 20 Hz."""
    times = np.arange(0, seconds, 0.05)
    x, y = 0.8 * np.sin(0.5 * times), 0.9 * np.sin(0.8 * times)
    heading = -y / 4.5 + 0.1 * np.sin(0.3 * times)
    positions = np.stack([x, y, 0 * times], axis=1)
    stamps_ns = START_NS + np.round(times * NS_PER_S).astype(np.int64)
    rotations = Rotation.from_euler('z', heading[:, None])
    return Drive(Trajectory(stamps_ns, rotations, positions, 'map', 'base'))


class BagWriter:
    """Writes a drive through the room as a rosbag2 recording."""

    image_period = 10

    def __init__(self, path):
        self.path = path

    def make(self, name, *fields):
        return TYPES.types[name](*fields)

    def header(self, stamp_ns, frame):
        stamp = self.make('builtin_interfaces/msg/Time', *divmod(int(stamp_ns), NS_PER_S))
        return self.make('std_msgs/msg/Header', stamp, frame)

    def transform(self, stamp_ns, pose, parent, child):
        q = pose.quaternion()
        return self.make(
            'geometry_msgs/msg/TransformStamped',
            self.header(stamp_ns, parent),
            child,
            self.make(
                'geometry_msgs/msg/Transform',
                self.make('geometry_msgs/msg/Vector3', *map(float, pose.translation)),
                self.make('geometry_msgs/msg/Quaternion', q.x, q.y, q.z, q.w),
            ),
        )

    def odometry(self, stamp_ns, pose):
        q = pose.quaternion()
        zero = self.make('geometry_msgs/msg/Vector3', 0.0, 0.0, 0.0)
        at = self.make(
            'geometry_msgs/msg/Pose',
            self.make('geometry_msgs/msg/Point', *map(float, pose.translation)),
            self.make('geometry_msgs/msg/Quaternion', q.x, q.y, q.z, q.w),
        )
        return self.make(
            'nav_msgs/msg/Odometry',
            self.header(stamp_ns, 'odom'),
            'base_link',
            self.make('geometry_msgs/msg/PoseWithCovariance', at, np.zeros(36)),
            self.make(
                'geometry_msgs/msg/TwistWithCovariance',
                self.make('geometry_msgs/msg/Twist', zero, zero),
                np.zeros(36),
            ),
        )

    def image(self, stamp_ns, rgb):
        height, width = rgb.shape[:2]
        header = self.header(stamp_ns, 'camera_optical')
        return self.make(
            'sensor_msgs/msg/Image', header, height, width, 'rgb8', 0, 3 * width, rgb.ravel()
        )

    def info(self, stamp_ns, room):
        width, height = room.size
        k = np.array([room.focal, 0, 159.5, 0, room.focal, 119.5, 0, 0, 1])
        p = np.insert(k.reshape(3, 3), 3, 0, axis=1).ravel()
        region = self.make('sensor_msgs/msg/RegionOfInterest', 0, 0, 0, 0, False)
        header = self.header(stamp_ns, 'camera_optical')
        return self.make(
            'sensor_msgs/msg/CameraInfo',
            header,
            height,
            width,
            'plumb_bob',
            np.zeros(5),
            k,
            np.eye(3).ravel(),
            p,
            0,
            0,
            region,
        )

    def grid(self, stamp_ns):
        """A room of 10 x 8 m with walls around it, its corner at (-2, -4)."""
        cells = np.zeros((80, 100), dtype=np.int8)
        cells[[0, -1]] = cells[:, 0] = cells[:, -1] = 100
        origin = self.make(
            'geometry_msgs/msg/Pose',
            self.make('geometry_msgs/msg/Point', -2.0, -4.0, 0.0),
            self.make('geometry_msgs/msg/Quaternion', 0.0, 0.0, 0.0, 1.0),
        )
        header = self.header(stamp_ns, 'map')
        info = self.make('nav_msgs/msg/MapMetaData', header.stamp, 0.1, 100, 80, origin)
        return self.make('nav_msgs/msg/OccupancyGrid', header, info, cells.ravel())

    def write(
        self,
        drive,
        pictures,
        *,
        odometry=True,
        moving_tf=True,
        mount=True,
        room=None,
        map_from_odom=None,
    ):
        """
        Write pictures (index into the drive -> pixels) and odometry without errors.

        With `map_from_odom` a localizer was running too, which published its map.
        """
        with rosbag2.Writer(self.path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:

            def topic(name, kind):
                connection = writer.add_connection(name, kind, typestore=TYPES)
                return lambda ns, message: writer.write(
                    connection, int(ns), TYPES.serialize_cdr(message, kind)
                )

            put_image = topic('/camera/image_raw', 'sensor_msgs/msg/Image')
            put_info = topic('/camera/camera_info', 'sensor_msgs/msg/CameraInfo')
            put_odom = topic('/odom', 'nav_msgs/msg/Odometry') if odometry else None
            put_tf = topic('/tf', 'tf2_msgs/msg/TFMessage') if moving_tf else None
            if mount:
                put_static = topic('/tf_static', 'tf2_msgs/msg/TFMessage')
                fixed = self.transform(START_NS, BASE_FROM_CAMERA, 'base_link', 'camera_optical')
                put_static(START_NS, self.make('tf2_msgs/msg/TFMessage', [fixed]))
            if map_from_odom is not None:
                put_map = topic('/map', 'nav_msgs/msg/OccupancyGrid')
                put_map(START_NS, self.grid(START_NS))
            for index, (stamp_ns, pose) in enumerate(zip(drive.truth.stamps_ns, drive.truth)):
                if put_odom:
                    put_odom(stamp_ns, self.odometry(stamp_ns, pose))
                if put_tf:
                    edge = self.transform(stamp_ns, pose, 'odom', 'base_link')
                    put_tf(stamp_ns, self.make('tf2_msgs/msg/TFMessage', [edge]))
                if map_from_odom is not None:
                    edge = self.transform(stamp_ns, map_from_odom, 'map', 'odom')
                    put_tf(stamp_ns, self.make('tf2_msgs/msg/TFMessage', [edge]))
                if index in pictures:
                    put_image(stamp_ns, self.image(stamp_ns, pictures[index]))
                    if room is not None:
                        put_info(stamp_ns, self.info(stamp_ns, room))
        return self.path


@dataclass
class Recorded:
    """A bag with the true `map_from_camera` of its images."""

    bag: object
    truth: Trajectory


@pytest.fixture(scope='session')
def pictures():
    """Return the survey, the room, and what the camera sees twice a second (index -> pixels)."""
    room, way = Room(), survey()
    # The room lies in front of the camera of a robot at the origin.
    map_from_room = replace_source(BASE_FROM_CAMERA, 'room')
    cameras = way.camera(20.0)
    indices = range(0, len(cameras), BagWriter.image_period)
    room_from_map = map_from_room.inverse()
    return way, room, {i: room.picture(room_from_map @ cameras[i]) for i in indices}


def replace_source(pose, source):
    return Pose(pose.rotation, pose.translation, 'map', source)


@pytest.fixture(scope='session')
def recorded(pictures, tmp_path_factory):
    way, room, seen = pictures
    bag = BagWriter(tmp_path_factory.mktemp('bags') / 'survey').write(way, seen, room=room)
    return Recorded(bag, way.camera(2.0))


@pytest.fixture(scope='session')
def write_bag(tmp_path_factory):
    """Return a writer of a bag of its own."""
    return lambda *args, **how: BagWriter(tmp_path_factory.mktemp('bags') / 'bag').write(
        *args, **how
    )


@pytest.fixture(scope='session')
def labelled(recorded, tmp_path_factory):
    output = tmp_path_factory.mktemp('labelled') / 'out'
    sources = open_sources([recorded.bag], LabelOptions())
    summary = label_recordings(sources, output, LabelOptions())
    return output, summary


@pytest.fixture
def stages(monkeypatch):
    """The names of the stages that run."""
    ran = []
    run_stage = reconstructing.run_stage

    def watch(stage, **arguments):
        ran.append(stage)
        return run_stage(stage, **arguments)

    for module in (reconstructing, concluding):
        monkeypatch.setattr(module, 'run_stage', watch)
    return ran


@pytest.fixture(scope='session')
def room_camera():
    return Camera(320, 240, Room.focal, Room.focal, 159.5, 119.5)


@pytest.fixture(scope='session')
def room_frames(pictures, tmp_path_factory):
    """Return the frames of the survey as files, with the poses that they were drawn from."""
    folder = tmp_path_factory.mktemp('frames')
    way, _, seen = pictures
    cameras = way.camera(20.0)
    frames = []
    for index, rgb in seen.items():
        encode_jpeg(folder / f'{index}.jpg', rgb)
        pose = cameras[index].renamed(target='map')
        frames.append(Frame(folder / f'{index}.jpg', pose, int(cameras.stamps_ns[index])))
    return frames


@pytest.fixture
def write_model(tmp_path, room_camera):
    """Return a function that writes a COLMAP model without points: names and `sfm_from_camera`."""

    def write(poses, cameras=1, kind='PINHOLE', params=(260.0, 260.0, 160.0, 120.0)):
        model = pycolmap.Reconstruction()
        for number in range(1, cameras + 1):
            made = pycolmap.Camera.create_from_model_name(number, kind, 1.0, 320, 240)
            made.params = list(params)
            model.add_camera_with_trivial_rig(made)
        for number, (name, pose) in enumerate(poses.items()):
            image = pycolmap.Image(name=name, camera_id=1 + number % cameras, image_id=number + 1)
            camera_from_sfm = pose.inverse()
            rigid = pycolmap.Rigid3d(
                pycolmap.Rotation3d(camera_from_sfm.rotation.as_matrix()),
                camera_from_sfm.translation,
            )
            model.add_image_with_trivial_frame(image, rigid)
        folder = tmp_path / 'written'
        folder.mkdir()
        model.write(str(folder))
        return folder

    return write
