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

"""Where metres and the upright direction come from: the motion of the robot as it measured it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import logging

from posenet_ros.data import topics
from posenet_ros.data.bags import Recording
from posenet_ros.data.transforms import TransformTree
from posenet_ros.errors import BagError, LabellingError
from posenet_ros.geometry import Trajectory
from posenet_ros.sfm.options import LabelOptions

_LOG = logging.getLogger(__name__)

# Frames on /tf that motion can be measured in, the smoothest first (REP 105).
_LOCALIZED_FRAMES = ('map', 'world')
_FIXED_FRAMES = ('odom', *_LOCALIZED_FRAMES)
_BASES = ('base_link', 'base_footprint')
# What is usual of metres by wheels and tyres, and by the lidar of a localizer.
WHEELS_SCALE_ERROR = 0.02
LOCALIZER_SCALE_ERROR = 0.005
_WITHOUT = 'accept labels without metres by --allow-unscaled'


@dataclass(frozen=True, eq=False)
class Reference:
    """
    `odom_from_camera` over time, and the name of where it was taken from.

    `scale_error` is how wrong its own metres may be (a share): one camera and one reference
    cannot see an error that both share.
    """

    name: str
    odom_from_camera: Trajectory
    scale_error: float = WHEELS_SCALE_ERROR


def find_reference(
    recording: Recording, options: LabelOptions, camera_frame: str
) -> Reference | None:
    """
    Return the reference that the options ask for; None for none, where that is allowed.

    `camera_frame` is the frame of the images. Raises LabellingError that says how to give a
    reference, or the mounting of the camera, where it is missing.
    """
    if options.reference == 'none':
        if options.allow_unscaled:
            return None
        raise LabellingError(
            '--reference none leaves labels without metres and without up; confirm with '
            '--allow-unscaled, or give --reference odom or tf'
        )
    has_odometry = any(
        recording.count(topic) for topic in topics.of_types(recording.topics, topics.ODOMETRY)
    )
    if (
        options.reference == 'odom'
        or options.odom_topic
        or (options.reference == 'auto' and has_odometry)
    ):
        return _from_odometry(recording, options, camera_frame)
    tree = recording.transforms()
    found = _from_transforms(tree, options, camera_frame, _fixed_frames(tree, options))
    if found is not None:
        return found
    if options.reference == 'auto' and options.allow_unscaled:
        return None
    raise LabellingError(_no_reference(recording, options, camera_frame))


def find_second_reference(
    recording: Recording, options: LabelOptions, camera_frame: str, first: Reference
) -> Reference | None:
    """
    Return another reference to compare the metres of the first with, None where there is none.

    Beside odometry that is a localizer on /tf, beside /tf it is odometry.
    """
    if first.name.startswith('/tf'):
        if not any(map(recording.count, topics.of_types(recording.topics, topics.ODOMETRY))):
            return None
        try:
            return _from_odometry(recording, options, camera_frame)
        except (BagError, LabellingError) as error:
            _LOG.info('no second reference: %s', error)
            return None
    tree = recording.transforms()
    return _from_transforms(tree, options, camera_frame, _named(tree, _LOCALIZED_FRAMES))


def _scale_error(options: LabelOptions, fixed_frame: str) -> float:
    """Return how wrong the metres of motion in a frame may be."""
    if options.reference_scale_error is not None:
        return options.reference_scale_error
    localized = fixed_frame.rpartition('/')[2] in _LOCALIZED_FRAMES
    return LOCALIZER_SCALE_ERROR if localized else WHEELS_SCALE_ERROR


def _from_odometry(recording: Recording, options: LabelOptions, camera_frame: str) -> Reference:
    topic = recording.odometry_topic(options.odom_topic)
    odometry = recording.odometry(topic)
    base = odometry.source
    mount = options.mount(base, camera_frame)
    if mount is None:
        mount = recording.static_transforms().static(base, camera_frame)
    if mount is None:
        # Old drivers repeat their fixed joints on /tf, which is long.
        mount = recording.transforms().static(base, camera_frame)
    if mount is None:
        raise LabellingError(
            f'nothing on /tf_static connects {base} with the camera {camera_frame or "(no name)"}'
            '; record /tf_static, or give --base-from-camera X Y Z ROLL PITCH YAW of its optical '
            'frame; where the camera moves on the robot, use --reference tf'
        )
    return Reference(topic, _as_camera(odometry.of_body(mount)), _scale_error(options, 'odom'))


def _from_transforms(
    tree: TransformTree, options: LabelOptions, camera_frame: str, fixed: Sequence[str]
) -> Reference | None:
    bodies = [camera_frame]
    if options.base_from_camera is not None:
        bodies = _named(tree, _BASES)
    for target in fixed:
        for body in bodies:
            path = tree.trajectory(target, body)
            if path is not None and len(path) > 1:
                mount = options.mount(body, camera_frame)
                path = path if mount is None else path.of_body(mount)
                return Reference(
                    f'/tf ({target} <- {body})', _as_camera(path), _scale_error(options, target)
                )
    return None


def _fixed_frames(tree: TransformTree, options: LabelOptions) -> list[str]:
    if options.reference.startswith('tf:'):
        return [options.reference.removeprefix('tf:')]
    return _named(tree, _FIXED_FRAMES)


def _named(tree: TransformTree, names: Sequence[str]) -> list[str]:
    """Return the tree's frames of these names, with any prefix such as `robot1/`, in order."""
    return [frame for name in names for frame in tree.frames if frame.rpartition('/')[2] == name]


def _as_camera(path: Trajectory) -> Trajectory:
    return Trajectory(path.stamps_ns, path.rotations, path.translations, 'odom', 'camera')


def _no_reference(recording: Recording, options: LabelOptions, camera_frame: str) -> str:
    without = '' if options.reference != 'auto' else f', or {_WITHOUT}'
    frames = ', '.join(recording.transforms().frames)
    if not frames:
        return (
            'the recording has nothing to take metres from: no nav_msgs/Odometry and no /tf; '
            f'record /odom or /tf with /tf_static{without}'
        )
    asked = 'no motion on /tf'
    if options.reference == 'auto':
        asked = f'no nav_msgs/Odometry, and {asked}'
    named = options.reference.removeprefix('tf:')
    fixed = named if named != options.reference else 'odom, map or world'
    return (
        f'the recording has nothing to take metres from: {asked} of the camera '
        f'{camera_frame or "(no name)"} in {fixed}; its frames: {frames}; name one '
        f'with --reference tf:FRAME{without}'
    )
