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

"""The node on a database: its method is the model's, its poses are those without ROS."""

import signal

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseWithCovarianceStamped
import numpy as np
from posenet_ros.geometry import Camera, Pose
from posenet_ros.nodes.conversions import pose_from_message, stamp_ns
import pytest
from rclpy.qos import qos_profile_sensor_data
from scipy.spatial.transform import Rotation
from sensor_msgs.msg import Image

CAMERA = Camera(96, 72, 80.0, 80.0, 47.5, 35.5)
COUNT = 6


def pictures():
    rng = np.random.default_rng(5)
    return [rng.integers(0, 255, (72, 96, 3), dtype=np.uint8) for _ in range(COUNT)]


@pytest.fixture(scope='module')
def run_folder(tmp_path_factory):
    """Write the database of two scenes, asked by a small untrained network."""
    from posenet_ros.localization.describing import add_images
    from posenet_ros.models.backbones import build_backbone
    from posenet_ros.models.database import DATABASE, Posed
    from posenet_ros.models.descriptor import PlaceFeature
    from posenet_ros.models.map_card import Measure
    from posenet_ros.models.relative import RelativeArchitecture, RelativePoseNet
    from posenet_ros.models.relative_folder import Relative, RelativeCard, save_relative
    from posenet_ros.models.relative_map import DatabaseCard, save_place, save_relative_map
    from posenet_ros.models.trunk_maps import TrunkMaps
    from posenet_ros.models.trust import Trust
    import torch

    torch.manual_seed(0)
    architecture = RelativeArchitecture(key=8, width=8)
    trunk = TrunkMaps(build_backbone('mobilenet_v3_small'), 2)
    network = RelativePoseNet(architecture, trunk.channels).eval()
    folder = tmp_path_factory.mktemp('runs')
    card = RelativeCard('mobilenet_v3_small', 2, architecture)
    relative = Relative(trunk, network, card)
    save_relative(folder / 'weights', relative)
    place = PlaceFeature(trunk.place_widths)
    made = folder / 'made'
    posed = [
        Posed(Pose(Rotation.identity(), [number, 2, 1], 'map', 'camera'), number)
        for number in range(COUNT)
    ]
    half = COUNT // 2
    everything = np.ones(half, dtype=bool)
    parts = (posed[:half], pictures()[:half]), (posed[half:], pictures()[half:])
    for name, (poses, images), measured in zip(
        ('kitchen', 'office'), parts, (everything, None), strict=True
    ):
        add_images(
            *(made / DATABASE, name, CAMERA, poses, images, relative, place),
            measure_on_N=measured,
        )
    save_place(made, place)
    # An untrained network agrees with nobody: one neighbour is believed.
    trust = Trust(0.0, 0.1, 0.0, 0.0, 0.2, (0.0,) * 6, 2.0, 9.0, 2.0, 0.0, 0.0)
    measure = Measure(np.eye(6), trust)
    of_map = DatabaseCard(
        neighbours=1,
        apart_m=0.0,
        fused=measure,
        camera=CAMERA,
        extent=np.array([[0.0, 2, 1], [COUNT, 2, 1]]),
        map_frame='lab',
        covariance=np.eye(6),
        trust=trust,
        retrieval=measure,
    )
    run = folder / 'run1_posenet'
    run.mkdir()
    save_relative_map(run / 'model', folder / 'weights', made, of_map)
    return run


@pytest.mark.parametrize('method', ['auto', 'retrieval'])
def test_a_database_answers_as_it_does_without_ros(command, graph, make_image, run_folder, method):
    from posenet_ros.data.images import decode
    from posenet_ros.localization.load import load_localizer

    node = command(
        '-m', 'posenet_ros', 'relocalize', '--model', str(run_folder), '--ros-args',
        '-r', 'image:=/image', '-p', 'publish_tf:=none', '-p', f'method:={method}',
    )  # fmt: skip
    poses = graph.listen(PoseWithCovarianceStamped, '/posenet/pose_with_covariance')
    diagnostics = graph.listen(DiagnosticArray, '/diagnostics')
    camera = graph.node.create_publisher(Image, '/image', qos_profile_sensor_data)
    node.until_says('active: images from /image')
    graph.until(lambda: camera.get_subscription_count() == 1)
    sent = {}

    def answered():
        if len(poses) < COUNT:
            stamp = 1_700_000_000_000_000_000 + len(sent)
            sent[stamp] = make_image(stamp, size=(96, 72))
            sent[stamp].data = pictures()[len(sent) % COUNT].tobytes()
            camera.publish(sent[stamp])
            return False
        values = diagnostics and {v.key: v.value for v in diagnostics[-1].status[0].values}
        return values and values['published'] == str(len(poses)) and values

    values = graph.until(answered)
    assert values['scene'] in ('kitchen', 'office')
    localizer = load_localizer(run_folder, method=method)
    assert localizer.method == ('relative' if method == 'auto' else method)
    for message in poses:
        assert message.header.frame_id == 'lab'
        expected = localizer.locate(decode(sent[stamp_ns(message.header.stamp)]))
        pose = pose_from_message(message.pose.pose, target='map', source='camera')
        found = expected.map_from_camera
        np.testing.assert_allclose(pose.matrix(), found.matrix(), atol=1e-3)
        covariance = np.reshape(message.pose.covariance, (6, 6))
        np.testing.assert_allclose(covariance, expected.covariance, rtol=1e-2, atol=1e-6)
    assert node.stop(signal.SIGTERM) == 0
