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

"""Which topic of a recording is meant, by names and types alone."""

from __future__ import annotations

from collections.abc import Mapping

from posenet_ros.errors import BagError

IMAGE = 'sensor_msgs/msg/Image'
COMPRESSED_IMAGE = 'sensor_msgs/msg/CompressedImage'
IMAGES = (IMAGE, COMPRESSED_IMAGE)
CAMERA_INFO = 'sensor_msgs/msg/CameraInfo'
ODOMETRY = 'nav_msgs/msg/Odometry'
GRID = 'nav_msgs/msg/OccupancyGrid'
TRANSFORMS = 'tf2_msgs/msg/TFMessage'

_COMPRESSED = '/compressed'
_DEPTH_WORDS = ('depth', 'disparity')


def of_types(topics: Mapping[str, str], *msgtypes: str) -> list[str]:
    """Return the names in topics (name -> type) that have one of the types, sorted."""
    return sorted(name for name, msgtype in topics.items() if msgtype in msgtypes)


def resolve_image(name: str, topics: Mapping[str, str]) -> str:
    """
    Return the image topic that a user's name means.

    A missing leading slash is added; the name of a camera of which only the compressed topic
    was recorded means that one. Raises BagError where there is no such image topic.
    """
    rooted = '/' + name.strip('/')
    known = ', '.join(of_types(topics, *IMAGES)) or 'none'
    for candidate in (name, rooted, rooted + _COMPRESSED):
        if topics.get(candidate) in IMAGES:
            return candidate
    if rooted in topics:
        raise BagError(f'{rooted} is {topics[rooted]}, not an image; image topics: {known}')
    raise BagError(f'the recording has no topic {rooted}; image topics: {known}')


def only_image(counts: Mapping[str, int], topics: Mapping[str, str]) -> str:
    """
    Return the image topic where only one camera is to choose from.

    `counts` are the colour image topics (name -> messages). The raw and the compressed topic of
    a camera are one choice: the one with more images, and of as many the raw one, which nothing
    was lost from. Topics named after depth are passed over where others are left. Raises
    BagError that lists what there is where no camera or several are left.
    """
    if not counts:
        present = ', '.join(f'{name} ({msgtype})' for name, msgtype in sorted(topics.items()))
        raise BagError(f'the recording has no colour images; its topics: {present or "none"}')
    best: dict[str, str] = {}
    for name in sorted(counts, key=lambda name: (counts[name], not name.endswith(_COMPRESSED))):
        best[camera_name(name)] = name
    coloured = {camera: name for camera, name in best.items() if not _names_depth(camera)}
    chosen = sorted((coloured or best).values())
    if len(chosen) > 1:
        choices = ', '.join(f'{name} ({counts[name]} images)' for name in chosen)
        raise BagError(
            f'the recording has {len(chosen)} image topics; name one with --image-topic: {choices}'
        )
    return chosen[0]


def only_odometry(name: str | None, counts: Mapping[str, int]) -> str:
    """
    Return the odometry topic: the named one, `/odom`, or the only one; else BagError.

    `counts` are the odometry topics (name -> messages). One that was announced but has no
    messages, as of a driver that was not running, is none to choose.
    """
    found = sorted(topic for topic, count in counts.items() if count)
    known = ', '.join(found) or 'none'
    if name is not None:
        rooted = '/' + name.strip('/')
        if rooted in found:
            return rooted
        wrong = 'has no messages' if rooted in counts else f'is no {ODOMETRY} of this recording'
        raise BagError(f'{rooted} {wrong}; odometry topics: {known}')
    if '/odom' in found:
        return '/odom'
    if len(found) == 1:
        return found[0]
    if not found:
        empty = f' with messages; without: {", ".join(sorted(counts))}' if counts else ''
        raise BagError(f'the recording has no topic of type {ODOMETRY}{empty}')
    raise BagError(
        f'the recording has {len(found)} odometry topics; name one with --odom-topic: {known}'
    )


def camera_name(topic: str) -> str:
    """Return the name that the raw and the compressed topic of a camera share."""
    return topic.removesuffix(_COMPRESSED)


def camera_info_beside(image_topic: str) -> str:
    """Return where image_transport looks for the CameraInfo of an image topic."""
    return camera_name(image_topic).rpartition('/')[0] + '/camera_info'


def is_rectified(image_topic: str) -> bool:
    """Tell whether the name says that the lens distortion is taken out (`image_rect_color`)."""
    return 'rect' in camera_name(image_topic).rpartition('/')[2].split('_')


def _names_depth(topic: str) -> bool:
    return any(word in topic.lower() for word in _DEPTH_WORDS)
