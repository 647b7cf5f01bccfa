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

"""The command as a user runs it: a real model folder, a process of its own, images over DDS."""

from __future__ import annotations

import shutil
import signal

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseWithCovarianceStamped
import numpy as np
from posenet_ros.geometry import Camera
from posenet_ros.nodes.conversions import pose_from_message, stamp_ns
from posenet_ros.nodes.relocalize_node import RelocalizeNode
import pytest
from rcl_interfaces.srv import SetParameters
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

COVARIANCE = np.diag([0.04, 0.05, 0.06, 0.007, 0.008, 0.009])


@pytest.fixture(scope='module')
def run_folder(tmp_path_factory):
    """Write a run with a small untrained network, which is all that a node needs."""
    from posenet_ros.models.architecture import Architecture
    from posenet_ros.models.card import ModelCard
    from posenet_ros.models.checkpoint import save_model
    from posenet_ros.models.posenet import PoseNet
    from posenet_ros.models.preprocessing import Preprocessing
    import torch

    torch.manual_seed(0)
    architecture = Architecture('mobilenet_v3_small', feature_width=16)
    extent = np.array([[0.0, 0, 1], [4, 2, 2]])
    model = PoseNet(architecture)
    model.set_extent(extent)
    camera = Camera(96, 72, 80.0, 80.0, 47.5, 35.5)
    card = ModelCard(
        architecture,
        Preprocessing(72, (64, 64)),
        camera=camera,
        extent=extent,
        map_frame='lab',
        covariance=COVARIANCE,
    )
    run = tmp_path_factory.mktemp('runs') / 'run1_posenet'
    run.mkdir()
    save_model(run / 'model', model.eval(), card)
    return run


def test_images_in_and_poses_out(command, graph, make_image, run_folder, tmp_path):
    from posenet_ros.localization.load import load_localizer

    node = command(
        '-m', 'posenet_ros', 'relocalize', '--model', str(run_folder), '--ros-args',
        '-r', '__ns:=/robot1', '-r', 'image:=/robot1/front/image_raw', '-p', 'publish_tf:=none',
    )  # fmt: skip
    poses = graph.listen(PoseWithCovarianceStamped, '/robot1/posenet/pose_with_covariance')
    diagnostics = graph.listen(DiagnosticArray, '/diagnostics')
    camera = graph.node.create_publisher(Image, '/robot1/front/image_raw', qos_profile_sensor_data)
    node.until_says('active: images from /robot1/front/image_raw')
    graph.until(lambda: camera.get_subscription_count() == 1)
    generator = np.random.default_rng(0)
    sent = {}

    def accounted():
        """Send on until enough came back, then wait until the counts have settled."""
        if len(poses) < 10:
            stamp = 1_700_000_000_000_000_000 + len(sent)
            sent[stamp] = make_image(stamp, size=(96, 72))
            pixels = generator.integers(0, 255, (72, 96, 3), dtype=np.uint8)
            sent[stamp].data = pixels.tobytes()
            camera.publish(sent[stamp])
            return False
        values = diagnostics and {v.key: v.value for v in diagnostics[-1].status[0].values}
        return values and values['published'] == str(len(poses)) and values

    values = graph.until(accounted)
    counts = {key: int(values[key]) for key in ('received', 'published', 'dropped', 'refused')}
    assert counts['received'] == counts['published'] + counts['dropped']
    assert counts['refused'] == int(values['pending']) == 0
    assert counts['received'] <= len(sent)
    assert values['device'] in ('cpu', 'cuda', 'cuda:0')

    stamps = [stamp_ns(message.header.stamp) for message in poses]
    assert set(stamps) <= set(sent)
    assert len(set(stamps)) == len(stamps)
    assert {message.header.frame_id for message in poses} == {'lab'}
    # The same answer as without ROS: the same pixels went through the same model.
    from posenet_ros.data.images import decode

    localizer = load_localizer(run_folder)
    for message, stamp in zip(poses, stamps, strict=True):
        expected = localizer.locate(decode(sent[stamp])).map_from_camera
        pose = pose_from_message(message.pose.pose, target='map', source='camera')
        np.testing.assert_allclose(pose.matrix(), expected.matrix(), atol=1e-4)
        np.testing.assert_allclose(np.reshape(message.pose.covariance, (6, 6)), COVARIANCE)

    # Another model in the same process, and the first image after it.
    shutil.copytree(run_folder, tmp_path / 'next')
    another = Parameter('model', value=str(tmp_path / 'next')).to_parameter_msg()
    name, request = '/robot1/posenet/set_parameters', SetParameters.Request(parameters=[another])
    assert graph.call(SetParameters, name, request).results[0].successful
    node.until_says(f'model {tmp_path / "next"}')
    last = sent[max(sent)]
    last.header.stamp.sec += 1
    camera.publish(last)
    graph.until(lambda: poses[-1].header.stamp == last.header.stamp)
    assert node.stop(signal.SIGTERM) == 0


def test_a_truncated_model_is_told_and_the_node_waits_for_a_better_one(
    graph, run_folder, tmp_path
):
    copy = tmp_path / 'copy'
    shutil.copytree(run_folder, copy)
    weights = copy / 'model' / 'model.safetensors'
    whole = weights.read_bytes()
    weights.write_bytes(whole[:1000])
    defects = []
    diagnostics = graph.listen(DiagnosticArray, '/diagnostics')
    model = Parameter('model', value=str(copy))
    node = graph.add(RelocalizeNode(fail=defects.append, overrides=[model]))
    graph.until(lambda: diagnostics and 'truncated' in diagnostics[-1].status[0].message)
    weights.write_bytes(whole)
    assert node.trigger_configure() == TransitionCallbackReturn.SUCCESS
    assert defects == []
