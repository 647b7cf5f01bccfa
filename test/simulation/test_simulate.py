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

import dataclasses
from pathlib import Path
import shutil

import cv2
import numpy as np
from posenet_ros.__main__ import main
from posenet_ros.data.bags import Recording
from posenet_ros.errors import ConfigError
from posenet_ros.geometry import associate, read_tum
from posenet_ros.simulation import simulate as module
from posenet_ros.simulation.messages import TYPES
from posenet_ros.simulation.options import SimulationOptions
from posenet_ros.simulation.path import Robot
from posenet_ros.simulation.render import render
from posenet_ros.simulation.simulate import simulate
import pytest
from rosbags.rosbag2 import Reader
from scipy.spatial import cKDTree
import yaml

TINY = SimulationOptions(
    laps=1,
    test_laps=0,
    rate_hz=1.0,
    odometry_rate_hz=10.0,
    width=64,
    height=48,
    robot=Robot(speed=2.0, turn_rate=2.0, acceleration=2.0),
)
IMAGES = '/camera/image_raw/compressed'


def read(bag: Path, topic: str):
    """Return (recorded stamp, message) of a topic."""
    with Reader(bag) as reader:
        wanted = [each for each in reader.connections if each.topic == topic]
        return [
            (stamp_ns, TYPES.deserialize_cdr(data, connection.msgtype))
            for connection, stamp_ns, data in reader.messages(wanted)
        ]


def stamp(message):
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec


@pytest.fixture(scope='module', params=['train', 'test'])
def name(request):
    return request.param


def test_the_folder_is_as_promised(simulation):
    there = {path.name for path in simulation.folder.iterdir()}
    assert there == {
        'train',
        'test',
        'train.groundtruth.tum',
        'test.groundtruth.tum',
        'preview.png',
        'simulation.yaml',
    }
    assert simulation.recordings == ('train', 'test') and simulation.made
    assert not list(simulation.folder.parent.glob('.*'))


def test_a_recording_has_the_topics_of_a_robot(simulation, name):
    with Recording(simulation.bag(name)) as recording:
        assert recording.topics == {
            IMAGES: 'sensor_msgs/msg/CompressedImage',
            '/camera/camera_info': 'sensor_msgs/msg/CameraInfo',
            '/odom': 'nav_msgs/msg/Odometry',
            '/tf': 'tf2_msgs/msg/TFMessage',
            '/tf_static': 'tf2_msgs/msg/TFMessage',
        }
        assert recording.image_topic() == IMAGES
        camera = recording.camera(IMAGES)
        assert (camera.width, camera.height) == (160, 120)
        assert recording.qos('/tf_static').transient_local
        assert not recording.qos(IMAGES).reliable
        assert recording.count('/tf') == recording.count('/odom') > 5 * recording.count(IMAGES)


def test_truth_has_a_pose_for_each_image_at_its_stamp(simulation, name):
    truth = read_tum(simulation.truth(name))
    with Recording(simulation.bag(name)) as recording:
        stamps = [image.stamp_ns for image in recording.images(IMAGES)]
    np.testing.assert_array_equal(truth.stamps_ns, stamps)
    assert (truth.target, truth.source) == ('map', 'camera')
    assert np.diff(truth.stamps_ns).max() == pytest.approx(5e8, abs=1)
    assert simulation.images[simulation.recordings.index(name)] == len(truth)


def test_an_image_shows_the_world_from_its_true_pose(simulation, world):
    """The third image resembles the rendering at its own pose far more than at the next ones."""
    truth = read_tum(simulation.truth('train'))
    with Recording(simulation.bag('train')) as recording:
        camera = recording.camera(IMAGES)
        images = recording.images(IMAGES)
        taken = [next(images).decode().astype(float) for _ in range(3)][2]
    clean = [render(world, camera, truth[index]).astype(float) for index in (1, 2, 3)]
    error = [np.abs(taken / taken.mean() - each / each.mean()).mean() for each in clean]
    assert error[1] < 0.12
    assert error[1] < 0.5 * min(error[0], error[2])


def test_messages_are_recorded_in_order_of_their_stamps(simulation, name):
    with Reader(simulation.bag(name)) as reader:
        recorded = [stamp_ns for _, stamp_ns, _ in reader.messages()]
    assert (np.diff(recorded) >= 0).all()
    for recorded_ns, message in read(simulation.bag(name), '/odom'):
        assert recorded_ns == stamp(message)


def test_odometry_covers_the_images_drifts_and_says_how_sure_it_is(simulation):
    truth = read_tum(simulation.truth('train'))
    reports = [message for _, message in read(simulation.bag('train'), '/odom')]
    first, last = reports[0], reports[-1]
    assert stamp(first) < truth.stamps_ns[0] and truth.stamps_ns[-1] < stamp(last)
    assert (first.header.frame_id, first.child_frame_id) == ('odom', 'base_link')
    for message in reports:
        assert message.twist.twist.linear.x > 0.05
        for covariance in (message.pose.covariance, message.twist.covariance):
            diagonal = covariance.reshape(6, 6).diagonal()
            assert (diagonal > 0).all()
    assert last.pose.covariance[0] > 100 * first.pose.covariance[0]


def test_odometry_follows_the_camera_from_step_to_step(simulation):
    """Chained with the static transform, short motions of odometry are those of the truth."""
    truth = read_tum(simulation.truth('train'))
    robot = SimulationOptions().robot
    with Recording(simulation.bag('train')) as recording:
        odometry = recording.odometry()
        static = recording.transforms().static('base_link', 'camera_optical_frame')
        moving = recording.transforms().trajectory('odom', 'base_link')
    mounted = static.renamed(target='base', source='camera')
    assert mounted.distance(robot.base_from_camera) == pytest.approx((0, 0), abs=1e-6)
    np.testing.assert_allclose(moving.translations, odometry.translations, atol=1e-12)
    cameras = odometry.at(truth.stamps_ns).of_body(static)
    for index in range(5, len(truth)):
        told = cameras[index - 5].inverse() @ cameras[index]
        true = truth[index - 5].inverse() @ truth[index]
        metres, radians = told.renamed(target='camera', source='camera').distance(true)
        assert metres < 0.15 and radians < np.radians(4)


def test_the_unseen_drive_is_elsewhere_and_later(simulation):
    train, test = (read_tum(simulation.truth(name)) for name in ('train', 'test'))
    assert test.stamps_ns[0] > train.stamps_ns[-1]
    apart = cKDTree(train.translations).query(test.translations)[0]
    assert np.median(apart) > 0.08
    assert associate(train.stamps_ns, test.stamps_ns, tolerance_ns=10**9)[0].size == 0


def test_the_preview_is_a_picture_of_the_drives(simulation):
    picture = cv2.imread(str(simulation.picture))
    assert picture.shape[1] > 1000
    blue = (np.abs(picture.astype(int) - (235, 110, 20)) < 12).all(axis=2)
    assert blue.sum() > 1000


def test_what_is_there_already_is_kept(simulation, small):
    before = simulation.picture.stat().st_mtime_ns
    options = yaml.safe_load((simulation.folder / 'simulation.yaml').read_text())['options']
    again = simulate(simulation.folder, small)
    assert not again.made and again.images == simulation.images
    assert simulation.picture.stat().st_mtime_ns == before
    assert options['laps'] == 2


@pytest.mark.parametrize(
    'gone',
    ['train', 'test/test.mcap', 'test/metadata.yaml', 'train.groundtruth.tum', 'preview.png'],
)
def test_what_is_gone_from_a_simulation_is_named(simulation, small, tmp_path, gone):
    copy = tmp_path / 'world'
    shutil.copytree(simulation.folder, copy)
    (shutil.rmtree if (copy / gone).is_dir() else Path.unlink)(copy / gone)
    with pytest.raises(ConfigError, match=f'without its .*{gone}.*; remove that folder'):
        simulate(copy, small)
    assert not (copy / gone).exists()


def test_another_simulation_is_not_overwritten(simulation):
    with pytest.raises(ConfigError, match='another simulation'):
        simulate(simulation.folder, TINY)


def test_a_folder_of_something_else_is_not_touched(tmp_path):
    (tmp_path / 'diary.txt').write_text('mine')
    with pytest.raises(ConfigError, match='no simulation'):
        simulate(tmp_path, TINY)
    assert [path.name for path in tmp_path.iterdir()] == ['diary.txt']


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / 'out').write_text('mine')
    with pytest.raises(ConfigError, match='no simulation'):
        simulate(tmp_path / 'out', TINY)


def test_raw_images_without_a_test_drive(tmp_path):
    made = simulate(tmp_path / 'out', dataclasses.replace(TINY, compressed=False), jobs=1)
    assert made.recordings == ('train',)
    assert not (made.folder / 'test').exists()
    with Recording(made.bag('train')) as recording:
        assert recording.image_topic() == '/camera/image_raw'
        image = next(recording.images('/camera/image_raw'))
    assert image.message.encoding == 'rgb8' and image.message.step == 3 * 64
    assert image.decode().shape == (48, 64, 3)


def test_the_number_of_threads_changes_nothing(tmp_path):
    one, three = (simulate(tmp_path / str(jobs), TINY, jobs=jobs) for jobs in (1, 3))
    first, second = (read(made.bag('train'), IMAGES) for made in (one, three))
    assert len(first) == len(second) > 3
    for (_, mine), (_, other) in zip(first, second):
        np.testing.assert_array_equal(mine.data, other.data)
    assert one.truth('train').read_text() == three.truth('train').read_text()


@pytest.mark.parametrize('failure', [KeyboardInterrupt, RuntimeError])
def test_what_stops_half_way_leaves_nothing(tmp_path, monkeypatch, failure):
    def stop(*_):
        raise failure

    monkeypatch.setattr(module, 'write_png', stop)
    with pytest.raises(failure):
        simulate(tmp_path / 'out', TINY)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_swept_away(tmp_path):
    left = tmp_path / '.out.partial' / 'train'
    left.mkdir(parents=True)
    (left / 'train.mcap').write_bytes(b'half')
    made = simulate(tmp_path / 'out', TINY)
    assert made.made
    assert [path.name for path in tmp_path.iterdir()] == ['out']


@pytest.mark.parametrize(
    ('options', 'said'),
    [
        ({'laps': 0}, 'laps must be 1 to 50, not 0'),
        ({'rate_hz': 0.0}, 'rate must be 0.5 to 120 Hz, not 0.0'),
        ({'rate_hz': float('nan')}, 'rate'),
        ({'width': 7}, 'width must be'),
        ({'field_of_view': 170.0}, 'field of view'),
        ({'test_laps': -1}, 'test laps'),
        ({'seed': -1}, 'seed'),
        ({'robot': Robot(speed=0.0)}, 'speed'),
    ],
)
def test_options_that_cannot_be_are_refused_with_their_value(options, said):
    with pytest.raises(ConfigError, match=said):
        SimulationOptions(**options)


@pytest.mark.parametrize('world', ['corridor', 'twins'])
def test_only_a_room_takes_the_textures_of_another(tmp_path, capsys, world):
    out = tmp_path / 'out'
    asked = ['--world', world, '--textures', '1']
    assert main(['simulate', '--output', str(out), *asked]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1 and f'leave --textures out of --world {world}' in said[0]
    assert not out.exists()
    with pytest.raises(ConfigError, match='seed of the textures must be 0 to'):
        SimulationOptions(textures=-1)


def test_a_folder_from_before_textures_could_be_chosen_is_known_again(simulation, small):
    """Nothing is said of them in its facts, nor of those of the world itself."""
    facts = yaml.safe_load((simulation.folder / 'simulation.yaml').read_text())
    assert 'textures' not in facts['options']
    own = dataclasses.replace(small, textures=small.seed)
    assert not simulate(simulation.folder, own).made
    with pytest.raises(ConfigError, match='another simulation'):
        simulate(simulation.folder, dataclasses.replace(small, textures=5))


def test_the_command_paints_a_room_with_the_textures_of_another(tmp_path):
    plain, painted = tmp_path / 'plain', tmp_path / 'painted'
    arguments = ['--seed', '1', '--laps', '1', '--test-laps', '0', '--rate', '0.5']
    arguments += ['--width', '64', '--height', '48']
    assert main(['simulate', '--output', str(plain), *arguments]) == 0
    assert main(['simulate', '--output', str(painted), *arguments, '--textures', '3']) == 0
    facts = yaml.safe_load((painted / 'simulation.yaml').read_text())
    assert (facts['options']['seed'], facts['options']['textures']) == (1, 3)
    # The same drive in the same room, and yet other images.
    names = [folder / 'train.groundtruth.tum' for folder in (plain, painted)]
    assert names[0].read_text() == names[1].read_text()
    (_, one), (_, other) = (read(folder / 'train', IMAGES)[2] for folder in (plain, painted))
    assert bytes(one.data) != bytes(other.data)
    # It is there already, textures and all.
    assert main(['simulate', '--output', str(painted), *arguments, '--textures', '3']) == 0


def test_the_command_prints_what_it_made(tmp_path, capsys):
    out = tmp_path / 'world'
    arguments = ['--seed', '3', '--laps', '1', '--test-laps', '0', '--rate', '1']
    arguments += ['--width', '64', '--height', '48']
    assert main(['simulate', '--output', str(out), *arguments]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith(f'{out}/train  ')
    assert told[1:] == [f'{out}/train.groundtruth.tum', f'{out}/preview.png']
    assert main(['simulate', '--output', str(out), *arguments]) == 0
    assert 'already' in capsys.readouterr().out


def test_the_command_ends_with_one_line_and_code_2(simulation, capsys):
    assert main(['simulate', '--output', str(simulation.folder), '--seed', '5']) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert main(['simulate', '--output', 'x', '--laps', '0']) == 2
    assert 'laps' in capsys.readouterr().err
    assert not Path('x').exists()
