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

"""A table of transforms, looked up: by our buffer, and by tf2's where it is installed."""

from __future__ import annotations

import importlib.util

import numpy as np
from posenet_ros.errors import GeometryError, TransformError
from posenet_ros.geometry import NS_PER_S, Pose
from posenet_ros.nodes.conversions import stamp_message, transform_stamped
from posenet_ros.nodes.tf2_buffer import Tf2Buffer
from posenet_ros.nodes.transform_buffer import TransformBuffer
import pytest
from scipy.spatial.transform import Rotation

START_NS = 1_700_000_000 * NS_PER_S
OPTICAL = Pose(
    Rotation.from_euler('xyz', (-90, 0, -90), degrees=True), [0.1, 0, 0], 'link', 'optical'
)


def turned(degrees, x, *, parent, child):
    """Return a child turned about z and moved along x."""
    return Pose(Rotation.from_euler('z', degrees, degrees=True), [x, 0, 0], parent, child)


def message(pose, at_s=0.0):
    stamp = stamp_message(START_NS + round(at_s * NS_PER_S))
    return transform_stamped(pose, stamp, parent=pose.target, child=pose.source)


def at(seconds):
    return START_NS + round(seconds * NS_PER_S)


@pytest.fixture(
    params=[
        TransformBuffer,
        pytest.param(
            Tf2Buffer,
            marks=pytest.mark.skipif(
                importlib.util.find_spec('tf2_ros') is None,
                reason='tf2_ros is missing; it comes with ROS 2',
            ),
        ),
    ],
    ids=lambda kind: kind.__name__,
)
def buffer(request):
    return filled(request.param())


def filled(buffer):
    """Fill a buffer with map -> odom -> base -> link -> optical, the first two moving."""
    buffer.put(message(turned(0, 0.2, parent='base', child='link')), static=True)
    buffer.put(message(OPTICAL), static=True)
    for second in range(4):
        odom = turned(40 * second, second, parent='odom', child='base')
        buffer.put(message(odom, second), static=False)
    for second in (0, 2):
        localized = turned(10, 5.0, parent='map', child='odom')
        buffer.put(message(localized, second), static=False)
    return buffer


def same(one, other):
    np.testing.assert_allclose(one.matrix(), other.matrix(), atol=1e-9)
    assert (one.target, one.source) == (other.target, other.source)


def test_a_pose_is_that_of_the_source_in_the_target_as_tf2_names_them(buffer):
    same(buffer.look_up('odom', 'base', at(2)), turned(80, 2, parent='odom', child='base'))


def test_between_two_samples_it_lies_straight_on_the_shortest_arc(buffer):
    same(buffer.look_up('odom', 'base', at(1.25)), turned(50, 1.25, parent='odom', child='base'))


def test_a_chain_is_walked_up_and_down(buffer):
    base_from_link = turned(0, 0.2, parent='base', child='link')
    base_from_camera = base_from_link @ OPTICAL
    same(buffer.look_up('base', 'optical', at(1)), base_from_camera)
    same(buffer.look_up('optical', 'base', at(1)), base_from_camera.inverse())
    map_from_odom = turned(10, 5.0, parent='map', child='odom')
    odom_from_base = turned(60, 1.5, parent='odom', child='base')
    expected = map_from_odom @ odom_from_base @ base_from_camera
    same(buffer.look_up('map', 'optical', at(1.5)), expected)
    same(buffer.look_up('optical', 'map', at(1.5)), expected.inverse())


def test_two_branches_meet_where_they_part(buffer):
    side = turned(90, -0.3, parent='base', child='side')
    buffer.put(message(side), static=True)
    expected = side.inverse() @ turned(0, 0.2, parent='base', child='link')
    # Also where nothing above the branching is known.
    same(buffer.look_up('side', 'link', at(1000)), expected)


def test_the_newest_is_that_at_which_all_of_the_chain_is_known(buffer):
    expected = turned(10, 5.0, parent='map', child='odom') @ turned(
        80, 2, parent='odom', child='base'
    )
    same(buffer.look_up('map', 'base'), expected)
    same(buffer.look_up('odom', 'base'), turned(120, 3, parent='odom', child='base'))
    same(buffer.look_up('base', 'link'), turned(0, 0.2, parent='base', child='link'))


def test_a_frame_is_where_it_is(buffer):
    same(buffer.look_up('odom', 'odom', at(9)), Pose.identity('odom', 'odom'))


@pytest.mark.parametrize('seconds', [-0.001, 3.001, 2000.0])
def test_nothing_is_extrapolated(buffer, refused, seconds):
    with refused(TransformError, 'odom', 'base'):
        buffer.look_up('odom', 'base', at(seconds))


def test_a_frame_nobody_broadcasts_is_named(buffer, refused):
    with refused(TransformError, 'base <- lidar', 'lidar'):
        buffer.look_up('base', 'lidar', at(1))


def test_a_slash_at_the_front_is_of_ros_1(buffer):
    buffer.put(message(Pose.identity('/base', '/lidar')), static=True)
    same(buffer.look_up('/base', 'lidar', at(1)), Pose.identity('base', 'lidar'))


def test_what_comes_late_is_sorted_in_and_what_is_too_old_is_not_taken(buffer, refused):
    buffer.put(message(turned(0, 7.0, parent='odom', child='base'), 1.5), static=False)
    same(buffer.look_up('odom', 'base', at(1.5)), turned(0, 7.0, parent='odom', child='base'))
    buffer.put(message(turned(0, 9.0, parent='odom', child='base'), 20.0), static=False)
    with refused(TransformError):
        buffer.look_up('odom', 'base', at(1.5))
    buffer.put(message(turned(0, 7.0, parent='odom', child='base'), 1.5), static=False)
    with refused(TransformError):
        buffer.look_up('odom', 'base', at(1.5))


def test_clearing_forgets_what_moves_and_keeps_what_is_static(buffer, refused):
    buffer.clear()
    with refused(TransformError, 'odom <- base'):
        buffer.look_up('odom', 'base', at(1))
    same(buffer.look_up('base', 'link', at(1)), turned(0, 0.2, parent='base', child='link'))
    # What is older than all before is taken again.
    buffer.put(message(turned(0, 7.0, parent='odom', child='base'), -500), static=False)
    same(buffer.look_up('odom', 'base', at(-500)), turned(0, 7.0, parent='odom', child='base'))


@pytest.mark.parametrize(
    ('spoil', 'reason'),
    [
        (lambda transform: setattr(transform.transform.translation, 'x', float('nan')), 'rigid'),
        (lambda transform: setattr(transform.transform.rotation, 'w', 0.0), 'rigid'),
        (lambda transform: setattr(transform.transform.rotation, 'w', float('inf')), 'rigid'),
        (lambda transform: setattr(transform, 'child_frame_id', 'odom'), "'odom' to 'odom'"),
        (lambda transform: setattr(transform.header, 'frame_id', ''), "'' to 'base'"),
    ],
)
def test_what_is_no_transform_is_refused_and_changes_nothing(buffer, refused, spoil, reason):
    bad = message(turned(0, 1.0, parent='odom', child='base'), 2)
    spoil(bad)
    with refused(GeometryError, reason):
        buffer.put(bad, static=False)
    same(buffer.look_up('odom', 'base', at(2)), turned(80, 2, parent='odom', child='base'))


@pytest.fixture
def own():
    """Return our buffer, whose words are its own."""
    return filled(TransformBuffer())


@pytest.mark.parametrize(
    ('target', 'source', 'seconds', 'words'),
    [
        ('base', 'lidar', 1, 'no transform base <- lidar: nobody broadcasts lidar'),
        ('lidar', 'base', 1, 'no transform lidar <- base: nobody broadcasts lidar'),
        ('base', 'arm', 1, 'base <- arm: arm hangs below torso and base hangs below map'),
        ('base', 'torso', 1, 'torso hangs below nothing and base hangs below map'),
        ('odom', 'base', 3.5, 'odom -> base is known until 0.500 s before'),
        ('odom', 'base', -2, 'odom -> base is known from 2.000 s after'),
        ('map', 'base', 2.5, 'map -> odom is known until 0.500 s before'),
    ],
)
def test_it_is_told_exactly_what_is_missing(own, refused, target, source, seconds, words):
    own.put(message(Pose.identity('torso', 'arm')), static=True)
    with refused(TransformError, words):
        own.look_up(target, source, at(seconds))


def test_a_loop_is_told_and_ends(own, refused):
    own.put(message(Pose.identity('b', 'a')), static=True)
    own.put(message(Pose.identity('a', 'b')), static=True)
    with refused(TransformError, 'below itself'):
        own.look_up('base', 'a', at(1))


def test_a_child_that_changes_parents_does_not_glide(own):
    own.put(message(turned(0, 100, parent='elevator', child='base'), 4), static=False)
    same(own.look_up('odom', 'base', at(3.9)), turned(120, 3, parent='odom', child='base'))
    same(own.look_up('elevator', 'base', at(4)), turned(0, 100, parent='elevator', child='base'))


def test_what_is_kept_is_bounded(own):
    for index in range(20_000):
        pose = turned(0, index, parent='odom', child='fast')
        own.put(message(pose, index / 10_000), static=False)
    assert len(own._moving['fast'].samples) == 10_000
    for second in range(100):
        own.put(message(turned(0, 1, parent='odom', child='slow'), second), static=False)
    assert len(own._moving['slow'].samples) == 11
