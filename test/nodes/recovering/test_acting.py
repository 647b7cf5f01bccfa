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

"""From images to a localizer that is back on its map, or is left alone."""

from __future__ import annotations

import pytest


def test_a_robot_that_is_where_its_localizer_has_it_is_left_alone(make_robot, near):
    robot = make_robot(recovery='act')
    robot.drive_until(lambda: robot.state == 'tracking')
    assert near(robot.fixes[-1], robot.then(robot.fixes[-1]), 0.02)
    assert robot.fixes[-1].header.frame_id == 'map'
    assert robot.sent == []
    robot.bench.until_diagnosed(robot='tracking', recovery='act')


def test_a_robot_that_was_carried_away_is_back_on_its_map(make_robot, place, near):
    robot = make_robot(recovery='act')
    robot.drive_until(lambda: robot.state == 'tracking')
    robot.carried_to(place(-4, 6, 170))
    robot.drive_until(lambda: robot.sent)
    (sent,) = robot.sent
    assert near(sent, robot.then(sent), 0.05)
    assert min(sent.pose.covariance) >= 0
    robot.drive_until(lambda: robot.state == 'tracking')
    told = [state.data.partition(':')[0] for state in robot.states]
    assert told.index('suspect') < told.index('recovering')
    assert robot.updates >= 1
    robot.drive_until(lambda: robot.bench.values()[2]['recovery, succeeded'] == '1')
    assert robot.bench.values()[2]['recovery, initial poses sent'] == '1'


def test_without_a_localizer_it_is_told_where_the_robot_is(make_robot, near):
    robot = make_robot(recovery='act')
    robot.believed = None
    robot.drive_until(lambda: robot.sent)
    assert near(robot.sent[0], robot.then(robot.sent[0]), 0.05)
    robot.drive_until(lambda: robot.state == 'tracking')


def test_advice_is_said_and_not_acted_upon(make_robot, place):
    robot = make_robot(map_from_model='')
    robot.drive_until(lambda: robot.state == 'tracking')
    robot.carried_to(place(-4, 6, 170))
    robot.drive_until(lambda: robot.state == 'kidnapped')
    robot.drive_until(
        lambda: 'would send' in robot.bench.values()[2].get('recovery, what it waits for', '')
    )
    for _ in range(10):
        robot.step()
    assert robot.sent == []
    assert robot.state == 'kidnapped'
    assert robot.bench.values()[0] == b'\x01'


def test_a_localizer_that_does_not_follow_is_somebodys_to_look_at(make_robot, place):
    robot = make_robot(recovery='act', reset_attempts=2)
    robot.obedient = False
    robot.drive_until(lambda: robot.state == 'tracking')
    robot.carried_to(place(-4, 6, 170))
    robot.drive_until(lambda: 'gave up' in robot.bench.values()[1])
    assert len(robot.sent) == 2
    assert '~/relocalize' in robot.bench.values()[1]
    assert robot.bench.values()[0] == b'\x02'


def test_nothing_is_sent_from_a_place_that_is_not_in_the_map(make_robot, place):
    robot = make_robot(recovery='act')
    robot.drive_until(lambda: robot.state == 'tracking')
    robot.carried_to(place(-4, 6, 170))
    robot.mapped = False
    seen = len(robot.fixes)
    for _ in range(40):
        robot.step()
    assert robot.sent == []
    # Of the last images before it was carried away.
    assert len(robot.fixes) - seen <= 3
    assert 'the image is black' in robot.bench.values()[2]['fix']


@pytest.mark.parametrize(
    ('parameters', 'words'),
    [
        ({'map_from_model': '0 0 0 0 0 0'}, ('base_frame', 'base_link')),
        ({'base_frame': 'base_link'}, ('--reference tf:map', 'map_from_model')),
        ({'publish_tf': 'odom', 'recovery': 'off'}, ('publish_tf', 'base_frame')),
    ],
)
def test_what_would_be_wrong_with_confidence_is_refused(make_bench, verifying, parameters, words):
    bench = make_bench(answered_by=verifying, **{'recovery': 'act', **parameters})
    bench.until_problem(*words)
    assert bench.values()[2]['state'] == 'unconfigured'


def test_it_may_begin_to_act_while_it_runs_where_that_is_sound(make_robot, place):
    robot = make_robot()
    robot.drive_until(lambda: robot.state == 'tracking')
    robot.carried_to(place(-4, 6, 170))
    robot.drive_until(lambda: robot.state == 'kidnapped')
    assert robot.sent == []

    (result,) = robot.bench.node.set_parameters([_parameter('recovery', 'act')])
    assert result.successful
    robot.drive_until(lambda: robot.sent)


def test_it_does_not_begin_to_act_in_a_map_of_its_own(make_bench, verifying):
    bench = make_bench(answered_by=verifying, base_frame='base_link').until_active()
    (result,) = bench.node.set_parameters([_parameter('recovery', 'act')])
    assert not result.successful
    assert 'map_from_model' in result.reason


def _parameter(name, value):
    from rclpy.parameter import Parameter

    return Parameter(name, value=value)


def test_poses_are_referred_to_the_map_of_the_localizer(make_robot, near, place):
    # The model's map is turned by a right angle, and its origin is 3 m along the localizer's x.
    robot = make_robot(recovery='act', map_from_model='3 0 0 0 0 1.5707963267948966')
    map_from_model = place(3, 0, 90, source='model')
    robot.drive_until(lambda: robot.bench.stamps(robot.bench.poses)[-1:] == [robot.now_ns])
    pose = robot.bench.poses[-1].pose.position
    expected = map_from_model @ robot.map_from_base.translation
    assert (pose.x, pose.y, pose.z) == pytest.approx(tuple(expected), abs=1e-6)
    robot.believed = (map_from_model @ robot.map_from_odom.renamed(target='model')).renamed(
        target='map'
    )
    robot.drive_until(lambda: robot.state == 'tracking')


def test_a_clock_that_jumps_back_starts_afresh(make_robot):
    robot = make_robot(recovery='act')
    robot.drive_until(lambda: robot.state == 'tracking')
    robot.now_ns -= 100 * 10**9
    robot.drive_until(lambda: robot.state == 'unknown', steps=3)
    robot.drive_until(lambda: robot.state == 'tracking')
    assert robot.sent == []


def test_a_paused_node_watches_over_nobody(make_robot):
    robot = make_robot(recovery='act')
    robot.drive_until(lambda: robot.state == 'tracking')
    robot.bench.enable(False)
    robot.graph.until(lambda: robot.states[-1].data == 'unknown: paused by ~/enable')
    robot.bench.enable(True)
    robot.graph.until(lambda: robot.bench.camera.get_subscription_count() == 1)
    robot.drive_until(lambda: robot.state == 'tracking')
