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

from dataclasses import replace

import numpy as np
from posenet_ros.geometry import Camera
from posenet_ros.nodes.camera_view import AS_IT_IS
from posenet_ros.nodes.camera_watch import CameraWatch
import pytest
from sensor_msgs.msg import CameraInfo

TRAINED = Camera(640, 480, 525.0, 525.0, 319.5, 239.5)


def whole(width, height):
    """Return what a network sees that looks at all of an image."""
    return 0, 0, width, height


@pytest.fixture
def watch(graph):
    watch = CameraWatch(graph.node)
    watch.expect(TRAINED, whole)
    yield watch
    watch.unsubscribe()


def test_a_model_without_a_camera_is_told_and_not_taken_for_a_match(watch):
    watch.expect(None, whole)
    watch.subscribe(rectified=False)
    assert watch.problem(5.0) == 'camera not checked: the model knows no camera'


def test_a_camera_info_that_never_came_is_told_after_the_patience(watch):
    watch.subscribe(rectified=False)
    assert watch.problem(3600.0) == ''
    text = watch.problem(0.0)
    assert text.startswith('camera not checked: no CameraInfo on /camera_info')


@pytest.mark.parametrize(
    ('fx', 'words'), [(525.0, ''), (600.0, 'fx 600.0 instead of 525.0'), (0.0, 'not checked')]
)
def test_a_camera_info_is_compared(graph, watch, fx, words):
    watch.subscribe(rectified=False)
    info = CameraInfo(width=640, height=480, k=replace(TRAINED, fx=fx or 1.0).matrix.ravel())
    info.k[0] = fx
    publisher = graph.node.create_publisher(CameraInfo, '/camera_info', 1)
    graph.until(lambda: publisher.get_subscription_count() == 1)

    def heard():
        publisher.publish(info)
        return 'no CameraInfo' not in watch.problem(0.0)

    graph.until(heard)
    told = watch.problem(0.0) + watch.view(0.02).refusal
    assert words in told if words else told == ''
    watch.unsubscribe()
    assert watch.view(0.02) == AS_IT_IS


@pytest.mark.parametrize(
    ('trained', 'fx', 'rectified', 'other'),
    [
        (TRAINED, 525.0, False, None),
        (TRAINED, 600.0, False, replace(TRAINED, fx=600.0)),
        # Not calibrated, and nothing to compare with.
        (TRAINED, 0.0, False, None),
        (None, 600.0, False, None),
        # What is rectified has the focal length of P and no distortion.
        (TRAINED, 525.0, True, replace(TRAINED, fx=400.0)),
    ],
)
def test_the_camera_is_handed_out_where_it_is_another(graph, watch, trained, fx, rectified, other):
    watch.expect(trained, whole)
    watch.subscribe(rectified=rectified)
    assert watch.lens(0.02).camera is None
    info = CameraInfo(width=640, height=480, distortion_model='plumb_bob', d=[0.0] * 5)
    info.k = TRAINED.matrix.ravel()
    info.k[0] = fx
    info.p = np.hstack([replace(TRAINED, fx=400.0).matrix, np.zeros((3, 1))]).ravel()
    publisher = graph.node.create_publisher(CameraInfo, '/camera_info', 1)
    graph.until(lambda: publisher.get_subscription_count() == 1)

    def heard():
        publisher.publish(info)
        return watch._newest is not None

    graph.until(heard)
    seen = watch.lens(0.02).camera
    if other is None:
        assert seen is None
    else:
        assert seen == replace(other, distortion=seen.distortion, coefficients=seen.coefficients)
        assert not any(seen.coefficients)
    assert watch.lens(1.0).camera is None


def test_who_is_not_subscribed_checks_nothing(watch):
    assert watch.problem(0.0) == ''
    watch.expect(None, whole)
    watch.subscribe(rectified=False)
    watch.unsubscribe()
    assert watch.problem(0.0) == ''
