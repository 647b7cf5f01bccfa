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

"""How the process of a node ends: always in time, with the right code."""

from __future__ import annotations

from pathlib import Path
import signal
import subprocess
import sys
import time

import pytest
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

FAKE_NODE = str(Path(__file__).with_name('fake_node.py'))
BOTH = pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])


@BOTH
def test_a_signal_ends_the_active_node_with_zero(command, number):
    node = command(FAKE_NODE, 'ok')
    node.until_says('active: images from')
    assert node.stop(number) == 0
    assert 'Traceback' not in node.output


@BOTH
def test_a_signal_while_the_model_loads(command, number):
    node = command(FAKE_NODE, 'slow')
    node.until_says('loading')
    assert node.stop(number) == 0
    assert 'Traceback' not in node.output


def test_impatient_signals_during_the_clean_up(command):
    node = command(FAKE_NODE, 'ok')
    node.until_says('active: images from')
    for _ in range(20):
        if node.process.poll() is None:
            node.process.send_signal(signal.SIGINT)
            time.sleep(0.02)
    assert node.process.wait(5) == 0
    assert 'Traceback' not in node.output


@pytest.mark.parametrize('delay_s', [0.3, 0.5, 0.7, 0.9])
def test_a_signal_at_any_moment_of_the_start(command, delay_s):
    # Not before the first line of a command: until then the interpreter's own rules hold.
    node = command(FAKE_NODE, 'ok')
    node.until_says('up')
    time.sleep(delay_s)
    assert node.stop(signal.SIGTERM) == 0
    assert 'Traceback' not in node.output


def test_a_defect_ends_the_node_with_its_traceback(command, graph, make_image):
    node = command(FAKE_NODE, 'defect')
    camera = graph.node.create_publisher(Image, '/image', qos_profile_sensor_data)

    def ended():
        camera.publish(make_image(1))
        return node.process.poll() is not None

    graph.until(ended)
    assert node.process.returncode == 1
    assert 'a defect of the localizer' in node.output


def relocalize(*arguments):
    return subprocess.run(
        [sys.executable, '-m', 'posenet_ros', 'relocalize', *arguments],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (('-p', 'publish_tf:=base'), "publish_tf = 'base': must be one of camera, odom, none"),
        (('--params-file', 'nowhere.yaml'), 'nowhere.yaml'),
        (('-r', '__node:=7x'), '__node:=7x'),
        (('--no-such-thing',), '--no-such-thing'),
    ],
)
def test_arguments_that_ros_or_the_node_refuses_are_one_line_and_code_2(arguments, words):
    ended = relocalize('--ros-args', *arguments)
    assert ended.returncode == 2
    # ROS's own logger may have spoken before.
    (ours,) = [line for line in ended.stderr.splitlines() if line.startswith('posenet_ros')]
    assert words in ours
    assert 'Traceback' not in ended.stderr


def test_an_argument_that_nobody_knows():
    ended = relocalize('--modle', 'x')
    assert ended.returncode == 2
    assert '--modle' in ended.stderr


def test_ros_arguments_end_at_two_dashes():
    ended = relocalize('--ros-args', '-p', 'publish_tf:=none', '--', '--modle')
    assert ended.returncode == 2
    assert '--modle' in ended.stderr
