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

"""Where metres come from."""

import numpy as np
from numpy.testing import assert_allclose
from posenet_ros.data import topics
from posenet_ros.data.transforms import TransformTree
from posenet_ros.errors import BagError, LabellingError
from posenet_ros.geometry import Pose, Trajectory
from posenet_ros.sfm.options import LabelOptions
from posenet_ros.sfm.reference import find_reference
import pytest
from scipy.spatial.transform import Rotation

CAMERA = 'cam_optical'
HALF = np.pi / 2


def path(target, source, *, speed=1.0):
    positions = np.outer(np.arange(5.0), [speed, 0, 0])
    return Trajectory(np.arange(5) * 10**8, Rotation.identity(5), positions, target, source)


def mounted(base='base_link', camera=CAMERA):
    turn = Rotation.from_euler('xyz', [-HALF, 0, -HALF])
    return Pose(turn, np.array([0.1, 0, 0.3]), base, camera)


class Bag:
    """What a reference asks of a recording; an odometry of None was announced and never came."""

    def __init__(self, odometry=None, static=(), moving=()):
        self._odometry = odometry or {}
        self._static, self._moving = static, moving
        self.topics = dict.fromkeys(self._odometry, topics.ODOMETRY)
        self.read_all_of_tf = False

    def count(self, topic):
        return len(self._odometry[topic] or ())

    def odometry_topic(self, name=None):
        return topics.only_odometry(name, {topic: self.count(topic) for topic in self._odometry})

    def odometry(self, topic=None):
        return self._odometry[self.odometry_topic(topic)]

    def static_transforms(self):
        return TransformTree(self._static, [])

    def transforms(self):
        self.read_all_of_tf = True
        return TransformTree(self._static, self._moving)


def test_odometry_is_moved_to_the_camera_by_its_mounting():
    bag = Bag({'/odom': path('odom', 'base_link')}, [mounted()])
    found = find_reference(bag, LabelOptions(), CAMERA)
    assert found.name == '/odom'
    assert (found.odom_from_camera.target, found.odom_from_camera.source) == ('odom', 'camera')
    assert_allclose(found.odom_from_camera.translations[3], [3.1, 0, 0.3])
    # The camera looks where the robot drives.
    assert_allclose(found.odom_from_camera.rotations[3].apply([0, 0, 1]), [1, 0, 0], atol=1e-12)


def test_a_mount_on_tf_static_spares_reading_all_of_tf():
    bag = Bag({'/odom': path('odom', 'base_link')}, [mounted()], [path('odom', 'base_link')])
    find_reference(bag, LabelOptions(), CAMERA)
    assert not bag.read_all_of_tf


def test_a_mount_that_is_repeated_on_tf_counts_too():
    repeated = Trajectory.from_poses([1, 2], [mounted(), mounted()])
    bag = Bag({'/odom': path('odom', 'base_link')}, [], [repeated])
    found = find_reference(bag, LabelOptions(), CAMERA)
    assert_allclose(found.odom_from_camera.translations[3], [3.1, 0, 0.3])


def test_odometry_that_was_announced_and_never_came_leaves_it_to_tf():
    bag = Bag({'/odom': None}, [mounted()], [path('odom', 'base_link')])
    assert find_reference(bag, LabelOptions(), CAMERA).name == f'/tf (odom <- {CAMERA})'
    bag = Bag({'/odom': None, '/wheels': path('odom', 'base_link')}, [mounted()])
    assert find_reference(bag, LabelOptions(), CAMERA).name == '/wheels'


def test_tf_alone_will_do_and_odom_goes_before_map():
    moving = [path('odom', 'base_link'), path('map', 'odom', speed=0.1)]
    found = find_reference(Bag(None, [mounted()], moving), LabelOptions(), CAMERA)
    assert found.name == f'/tf (odom <- {CAMERA})'
    assert_allclose(found.odom_from_camera.translations[3], [3.1, 0, 0.3])


def test_a_frame_of_tf_can_be_named():
    moving = [path('odom', 'base_link'), path('map', 'odom', speed=0.1)]
    options = LabelOptions(reference='tf:map')
    found = find_reference(Bag(None, [mounted()], moving), options, CAMERA)
    assert_allclose(found.odom_from_camera.translations[3], [3.4, 0, 0.3], atol=1e-9)


def test_tf_of_a_robot_with_a_prefix_and_a_mounting_by_hand():
    bag = Bag(None, [], [path('r1/odom', 'r1/base_link')])
    options = LabelOptions(base_from_camera=(0.1, 0, 0.3, -HALF, 0, -HALF))
    found = find_reference(bag, options, '')
    assert found.name == '/tf (r1/odom <- r1/base_link)'
    assert_allclose(found.odom_from_camera.translations[3], [3.1, 0, 0.3])


def test_a_mounting_by_hand_goes_before_the_recorded_one():
    bag = Bag({'/odom': path('odom', 'base_link')}, [mounted()])
    options = LabelOptions(base_from_camera=(9, 0, 0, 0, 0, 0))
    found = find_reference(bag, options, CAMERA)
    assert_allclose(found.odom_from_camera.translations[0], [9, 0, 0])


def test_one_of_two_odometries_must_be_named():
    bag = Bag({'/wheels': path('odom', 'base_link'), '/lidar': path('odom', 'base_link')})
    with pytest.raises(BagError, match=r'--odom-topic: /lidar, /wheels'):
        find_reference(bag, LabelOptions(), CAMERA)


@pytest.mark.parametrize(
    ('bag', 'options', 'message'),
    [
        (Bag(), {}, 'no nav_msgs/Odometry and no /tf'),
        (Bag(), {'reference': 'none'}, 'confirm with --allow-unscaled'),
        (
            Bag({'/odom': path('odom', 'base_link')}),
            {},
            rf'connects base_link with the camera {CAMERA}; .*--base-from-camera',
        ),
        (
            Bag({'/odom': path('odom', 'base_link')}, [mounted()]),
            {'reference': 'tf'},
            rf'no motion on /tf of the camera {CAMERA}.*frames: base_link, {CAMERA}',
        ),
        (
            Bag(None, [mounted()], [path('odom', 'base_link')]),
            {'reference': 'tf:mars'},
            'name one with --reference tf:FRAME',
        ),
    ],
)
def test_what_is_missing_is_told_with_how_to_give_it(bag, options, message):
    with pytest.raises(LabellingError, match=message):
        find_reference(bag, LabelOptions(**options), CAMERA)


def test_no_odometry_where_it_was_asked_for():
    with pytest.raises(BagError, match='no topic of type nav_msgs'):
        find_reference(Bag(), LabelOptions(reference='odom'), CAMERA)


@pytest.mark.parametrize('reference', ['none', 'auto'])
def test_labels_without_metres_are_allowed_on_request(reference):
    options = LabelOptions(reference=reference, allow_unscaled=True)
    assert find_reference(Bag(), options, CAMERA) is None


def test_a_reference_that_is_there_is_used_though_none_is_needed():
    bag = Bag({'/odom': path('odom', 'base_link')}, [mounted()])
    assert find_reference(bag, LabelOptions(allow_unscaled=True), CAMERA) is not None
