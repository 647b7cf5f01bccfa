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

from __future__ import annotations

from posenet_ros.geometry import NS_PER_S, Pose
from posenet_ros.nodes.authority import AuthorityWatch
from posenet_ros.nodes.conversions import stamp_message, transform_stamped
from posenet_ros.nodes.transform_buffer import Sample
import pytest
from scipy.spatial.transform import Rotation

AMCL, EKF = b'a' * 16, b'b' * 16
NAMES = {AMCL: '/amcl', EKF: '/ekf'}


class Watched:
    """A watch, and a clock that ticks with each transform."""

    def __init__(self):
        self.watch = AuthorityWatch()
        self.now_ns = 100 * NS_PER_S

    def hear(self, edge, publisher=AMCL, *, x=0.0, static=False, stamp=None):
        parent, child = edge.split('>')
        self.now_ns += NS_PER_S // 20
        pose = Pose(Rotation.identity(), [x, 0, 0], parent, child)
        stamp_ns = self.now_ns if stamp is None else stamp * NS_PER_S // 10
        message = transform_stamped(pose, stamp_message(stamp_ns), parent=parent, child=child)
        self.watch.heard(
            Sample.from_message(message), static=static, publisher=publisher, now_ns=self.now_ns
        )
        return self

    def told(self, *frames, later_s=0.0, names=NAMES):
        return self.watch.conflicts(
            frames or ['base'], self.now_ns + round(later_s * NS_PER_S), names
        )


@pytest.fixture
def watched():
    return Watched()


def test_one_broadcaster_of_each_is_no_conflict(watched):
    for _ in range(20):
        watched.hear('map>odom').hear('odom>base', EKF).hear('base>wheel', EKF)
    assert watched.told('base', 'wheel') == []


def test_two_parents_that_take_turns_are_told_with_who_gives_them(watched):
    for _ in range(2):
        watched.hear('odom>base', EKF).hear('map>base', AMCL)
    assert watched.told() == ['base has two parents: map (by /amcl) and odom (by /ekf)']
    assert watched.told(names={}) == ['base has two parents: map and odom']
    assert watched.told(later_s=4) != []
    assert watched.told(later_s=6) == []


def test_two_publishers_of_one_edge_are_told(watched):
    for _ in range(2):
        watched.hear('map>odom', AMCL).hear('map>odom', EKF)
    (text,) = watched.told('odom')
    assert text == 'map -> odom is broadcast by two: /amcl and /ekf'
    assert watched.told('odom', names={AMCL: '/amcl'}) == [
        'map -> odom is broadcast by two publishers'
    ]
    assert watched.told('odom', names={AMCL: '/tf', EKF: '/tf'}) == [
        'map -> odom is broadcast twice, both times by /tf'
    ]


def test_who_takes_over_for_good_is_no_conflict(watched):
    watched.hear('odom>base', EKF).hear('odom>base', EKF)
    watched.hear('odom>base', AMCL).hear('odom>base', AMCL)
    watched.hear('elevator>base', AMCL).hear('elevator>base', AMCL)
    assert watched.told() == []


def test_what_is_above_is_told_and_what_is_elsewhere_is_not(watched):
    watched.hear('odom>base', EKF)
    for _ in range(2):
        watched.hear('map>odom', AMCL).hear('map>odom', EKF)
        watched.hear('torso>arm', AMCL).hear('torso>arm', EKF)
    assert len(watched.told('base')) == 1
    assert watched.told('map') == []
    assert len(watched.told('base', 'arm')) == 2


def test_without_gids_two_values_for_a_stamp_are_two_broadcasters(watched):
    watched.hear('odom>base', b'', x=1.0, stamp=1).hear('odom>base', b'', x=1.0, stamp=1)
    assert watched.told() == []
    watched.hear('odom>base', b'', x=1.5, stamp=1)
    (text,) = watched.told()
    assert 'odom -> base seems to be broadcast by two' in text
    assert watched.told(later_s=6) == []


def test_without_gids_stamps_that_go_back_again_and_again_are_two_broadcasters(watched):
    for stamp in (1, 3, 2, 4, 5):
        watched.hear('odom>base', b'', stamp=stamp)
    # One that sends on two threads does that now and then.
    assert watched.told() == []
    for stamp in (15, 6, 16, 7, 17, 8):
        watched.hear('odom>base', b'', stamp=stamp)
    assert 'seems to be' in watched.told()[0]


def test_without_gids_two_parents_are_told_all_the_same(watched):
    for _ in range(2):
        watched.hear('odom>base', b'').hear('map>base', b'')
    assert watched.told() == ['base has two parents: map and odom']


def test_two_static_transforms_conflict_where_they_differ_and_both_senders_are_there(watched):
    watched.hear('base>camera', AMCL, static=True).hear('base>camera', EKF, static=True)
    assert watched.told('camera') == []
    watched.hear('base>camera', EKF, x=0.1, static=True)
    (text,) = watched.told('camera', later_s=1000)
    assert text == 'base -> camera is broadcast by two: /amcl and /ekf'
    # One that was started again with another value.
    assert watched.told('camera', names={EKF: '/ekf'}) == []


def test_one_sender_may_correct_its_static_transform(watched):
    watched.hear('base>camera', AMCL, static=True).hear('base>camera', AMCL, x=1.0, static=True)
    assert watched.told('camera') == []
    watched.hear('mast>camera', AMCL, static=True)
    assert watched.told('camera') == []


def test_a_static_parent_beside_a_moving_one_is_told(watched):
    watched.hear('world>base', AMCL, static=True).hear('odom>base', EKF)
    (text,) = watched.told()
    assert text.startswith('base has two parents')
    assert 'world (by /amcl)' in text
    assert 'odom (by /ekf)' in text


def test_a_fixed_joint_that_is_repeated_on_tf_is_no_conflict(watched):
    watched.hear('base>camera', AMCL, static=True)
    watched.hear('base>camera', AMCL).hear('base>camera', AMCL)
    assert watched.told('camera') == []
    watched.hear('base>camera', AMCL, x=0.5)
    assert watched.told('camera') == [
        'base -> camera is broadcast as static and as moving, and the two differ'
    ]


def test_clearing_forgets_what_moves(watched):
    for _ in range(2):
        watched.hear('odom>base', EKF).hear('map>base', AMCL)
    watched.hear('base>camera', AMCL, static=True).hear('base>camera', EKF, x=1, static=True)
    watched.watch.clear()
    assert watched.told('base') == []
    assert len(watched.told('camera')) == 1


def test_what_is_remembered_of_a_child_is_bounded(watched):
    for index in range(100):
        watched.hear(f'parent{index}>base')
    assert len(watched.watch._children['base'].heard) == 8
