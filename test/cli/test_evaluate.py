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

"""The command evaluate on a tiny bag and a model that always says (0, 0, 0.5)."""

import json
import shutil

import cv2
import numpy as np
from posenet_ros.__main__ import main
from posenet_ros.data.run import describe_recording
from posenet_ros.geometry import Pose, Trajectory, write_tum
from posenet_ros.models.architecture import Architecture
from posenet_ros.models.card import ModelCard
from posenet_ros.models.checkpoint import save_model, TrainingFeatures
from posenet_ros.models.map_card import Measure
from posenet_ros.models.posenet import PoseNet
from posenet_ros.models.preprocessing import Preprocessing
from posenet_ros.models.provenance import labels_sha256
from posenet_ros.models.trust import Trust
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import get_typestore, Stores
from scipy.spatial.transform import Rotation
from scipy.stats import chi2
import torch
import yaml

TYPES = get_typestore(Stores.ROS2_JAZZY)
START = 1_700_000_000 * 10**9
STEP = 10**8
KEYS = {
    'frames',
    'localized',
    'median_position_m',
    'median_orientation_deg',
    'p95_position_m',
    'p95_orientation_deg',
    'recall',
    'baselines',
}


def path_along_x(count, *, y=0.0, z=0.5):
    """Return a camera at x = 0, 1, 2 .. m, at ten poses a second."""
    poses = [Pose(Rotation.identity(), [k, y, z], 'map', 'camera') for k in range(count)]
    return Trajectory.from_poses([START + k * STEP for k in range(count)], poses)


def write_bag(path, topics=('/image',), count=5):
    message, header = TYPES.types['sensor_msgs/msg/Image'], TYPES.types['std_msgs/msg/Header']
    stamp = TYPES.types['builtin_interfaces/msg/Time']
    generator = np.random.default_rng(0)
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        for topic in topics:
            connection = writer.add_connection(topic, message.__msgtype__, typestore=TYPES)
            for k in range(count):
                at = START + k * STEP
                image = message(
                    header(stamp(*divmod(at, 10**9)), 'camera'),
                    *(36, 48, 'rgb8', 0, 144),
                    generator.integers(0, 255, 36 * 144, dtype=np.uint8),
                )
                writer.write(connection, at, TYPES.serialize_cdr(image, message.__msgtype__))
    return path


# One covariance for all, and nothing is refused.
TRUST = Trust(0, 0, 0, 0, 0, (0,) * 6, float(chi2.ppf(0.5, 6)), float(chi2.ppf(0.95, 6)), 2, 0, 1)


@pytest.fixture(scope='session')
def run_folder(tmp_path_factory):
    """Return what training would leave: a model, and the labels it was trained on."""
    folder = tmp_path_factory.mktemp('evaluated') / 'run1_posenet'
    torch.manual_seed(0)
    architecture = Architecture('mobilenet_v3_small', feature_width=8)
    model = PoseNet(architecture, auxiliary=False)
    extent = np.array([[-1.0, -2.0, 0.0], [1.0, 2.0, 1.0]])
    model.set_extent(extent)
    torch.nn.init.zeros_(model.regressor.weight)
    with torch.no_grad():
        model.place.measure(model.eval().describe_place(torch.rand(8, 3, 32, 32)))
    curve = path_along_x(6)
    curve.translations[:, 1] = np.arange(6) ** 2 / 10
    rows = [(f'{stamp}.jpg', int(stamp), pose) for stamp, pose in zip(curve.stamps_ns, curve)]
    card = ModelCard(
        architecture,
        Preprocessing(short_side=36, crop=(32, 32)),
        camera=None,
        extent=extent,
        covariance=np.eye(6),
        trust=TRUST,
        retrieval=Measure(4 * np.eye(6), TRUST),
        training={'source': 'bag run1', 'labels_sha256': labels_sha256(rows)},
    )
    features = TrainingFeatures(
        np.eye(2, 128, dtype=np.float16),
        np.array([[1, 0, 0.5], [3, 0, 0.5]], dtype=np.float32),
        np.array([[1, 0, 0, 0]] * 2, dtype=np.float32),
        np.array([START + STEP, START + 3 * STEP]),
    )
    save_model(folder / 'model', model.eval(), card, features)
    (folder / 'capture').mkdir()
    write_tum(folder / 'capture' / 'labels.tum', curve)
    return folder


@pytest.fixture(scope='session')
def bag(tmp_path_factory):
    return write_bag(tmp_path_factory.mktemp('bags') / 'run2')


@pytest.fixture
def truth(tmp_path):
    path = tmp_path / 'run2.tum'
    write_tum(path, path_along_x(5))
    return path


def evaluate(*words):
    return main(['evaluate', '--device', 'cpu', *map(str, words)])


def refusal(capsys, *words):
    """Return the one line of a command that must end with code 2."""
    assert evaluate(*words) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    told = [line for line in lines if 'image/s' not in line]
    assert len(told) == 1
    return told[0]


def test_a_bag_and_its_truth(tmp_path, capsys, run_folder, bag, truth):
    figures = tmp_path / 'new' / 'figures.json'
    report = tmp_path / 'report'
    code = evaluate(
        '--model',
        run_folder,
        '--bag',
        bag,
        '--truth',
        truth,
        '--json',
        figures,
        '--report',
        report,
        '--picture',
        tmp_path / 'trip.png',
    )
    assert code == 0
    values = json.loads(figures.read_text())
    assert set(values) >= KEYS
    # True x is 0 to 4 m, the answer is always 0; the mean of the training is 2.
    assert (values['frames'], values['localized'], values['localized_share']) == (5, 5, 1)
    assert values['median_position_m'] == pytest.approx(2, abs=1e-4)
    assert values['p95_position_m'] == pytest.approx(3.8, abs=1e-4)
    assert values['median_orientation_deg'] == pytest.approx(0, abs=1e-2)
    assert values['recall'] == {
        '0.05m/5deg': 0.2,
        '0.25m/2deg': 0.2,
        '0.5m/5deg': 0.2,
        '5m/10deg': 1.0,
    }
    assert values['baselines']['mean_pose']['median_position_m'] == pytest.approx(1, abs=1e-4)
    assert values['baselines']['nearest_image']['frames'] == 5
    told = capsys.readouterr().out
    assert f'5 of 5 images of {bag} have a true pose; 5 of them answered (100.0 %)' in told
    # One of five errors, 4 m, is beyond 3.55 deviations of 1 m.
    assert 'published covariance: usually 1.000 m, 57.30 deg; ' in told
    assert '80.0 % (80 to 80) in that for 95 %' in told
    assert values['covariance']['inside_95'] == [0.8, 0.8, 0.8]
    assert (values['images'], values['trained_on'], values['metric']) == (5, 0, True)
    assert 'nearest training image' in told
    page = (report / 'report.html').read_text()
    assert 'bag run1' in page
    assert (report / 'metrics.json').is_file()
    assert cv2.imread(str(tmp_path / 'trip.png')) is not None


def test_the_rate_thins_the_images(tmp_path, run_folder, bag, truth):
    figures = tmp_path / 'figures.json'
    evaluate('--model', run_folder, '--bag', bag, '--truth', truth, '--rate', 5, '--json', figures)
    assert json.loads(figures.read_text())['frames'] == 3


def test_truth_in_a_frame_of_its_own_is_brought_to_the_map_by_the_labels(
    tmp_path, capsys, run_folder, bag
):
    truth_from_map = Pose(Rotation.from_euler('z', 90, degrees=True), [50, 0, 0], 'truth', 'map')
    truth, labels_truth = tmp_path / 'run2.tum', tmp_path / 'run1.tum'
    write_tum(truth, path_along_x(5).transformed(truth_from_map))
    curve = path_along_x(6)
    curve.translations[:, 1] = np.arange(6) ** 2 / 10
    write_tum(labels_truth, curve.transformed(truth_from_map))
    asked = ['--model', run_folder, '--bag', bag, '--truth', truth]
    assert evaluate(*asked) == 0
    assert 'give --labels-truth too' in capsys.readouterr().out
    figures = tmp_path / 'figures.json'
    assert evaluate(*asked, '--labels-truth', labels_truth, '--json', figures) == 0
    values = json.loads(figures.read_text())
    assert values['median_position_m'] == pytest.approx(2, abs=1e-4)
    assert values['median_orientation_deg'] == pytest.approx(0, abs=1e-2)
    assert values['label_fit']['pairs'] == 6
    assert values['label_fit']['scale'] == pytest.approx(1)
    assert '6 pairs, rms 0.000 m' in capsys.readouterr().out


def edited(run_folder, tmp_path, change):
    """Return a copy of a run whose model card is changed."""
    copy = tmp_path / 'edited'
    shutil.copytree(run_folder, copy)
    card = copy / 'model' / 'model.yaml'
    values = yaml.safe_load(card.read_text())
    change(values)
    card.write_text(yaml.safe_dump(values))
    return copy


def test_labels_that_the_model_was_not_trained_on_say_nothing_about_its_map(
    tmp_path, capsys, run_folder, bag, truth
):
    other = edited(run_folder, tmp_path, lambda values: None)
    write_tum(other / 'capture' / 'labels.tum', path_along_x(6, y=1))
    asked = ['--model', other, '--bag', bag, '--truth', truth, '--labels-truth', truth]
    assert 'is not what the model beside it was trained on' in refusal(capsys, *asked)


def test_the_recording_of_the_training_is_told(tmp_path, capsys, run_folder, bag, truth):
    known = describe_recording(bag)
    trained_on = edited(
        run_folder, tmp_path, lambda values: values['training'].update(recordings=[known])
    )
    figures = tmp_path / 'figures.json'
    renamed = tmp_path / 'renamed'
    shutil.copytree(bag, renamed)
    asked = ['--bag', renamed, '--truth', truth, '--json', figures]
    assert evaluate('--model', trained_on, *asked) == 0
    told = capsys.readouterr().out
    assert 'this is the recording it was trained on; 2 of these frames were trained on' in told
    assert json.loads(figures.read_text())['trained_on'] == 2
    # Another recording, with the same stamps.
    other = write_bag(tmp_path / 'other', count=6)
    assert evaluate('--model', trained_on, '--bag', other, '--truth', truth) == 0
    assert 'trained on' not in capsys.readouterr().out


@pytest.mark.parametrize('recorded', [False, True])
def test_images_without_a_true_pose_are_told(
    tmp_path, capsys, run_folder, bag, estimates, recorded
):
    truth, figures = tmp_path / 'part.tum', tmp_path / 'figures.json'
    write_tum(truth, path_along_x(3))
    asked = ['--bag', bag, '--truth', truth, '--json', figures]
    assert (
        evaluate(*(['--estimates', estimates] if recorded else ['--model', run_folder]), *asked)
        == 0
    )
    values = json.loads(figures.read_text())
    assert (values['images'], values['frames'], values['localized']) == (5, 3, 3)
    assert '3 of 5 images of' in capsys.readouterr().out


def test_a_model_without_metres_is_measured_in_its_units(tmp_path, capsys, run_folder, bag, truth):
    unscaled = edited(run_folder, tmp_path, lambda values: values.update(metric=False))
    figures = tmp_path / 'figures.json'
    asked = ['--model', unscaled, '--bag', bag, '--truth', truth, '--json', figures]
    assert evaluate(*asked) == 0
    told = capsys.readouterr().out
    assert 'the map of the model has no metres' in told
    assert '0.05 units/5 deg' in told
    assert '1.000 units, 57.30 deg' in told
    assert json.loads(figures.read_text())['metric'] is False


def write_seven_scenes(folder, *, split):
    for sequence in (1, 2):
        (folder / f'seq-0{sequence}').mkdir(parents=True)
        for number in range(2):
            stem = folder / f'seq-0{sequence}' / f'frame-{number:06d}'
            cv2.imwrite(f'{stem}.color.png', np.full((36, 48, 3), 50 * number, dtype=np.uint8))
            matrix = np.eye(4)
            matrix[:3, 3] = [sequence, number, 0.5]
            np.savetxt(f'{stem}.pose.txt', matrix)
    if split:
        (folder / 'TrainSplit.txt').write_text('sequence1\n')
        (folder / 'TestSplit.txt').write_text('sequence2\n')
    return folder


def test_a_data_set_is_measured_on_its_test_split(tmp_path, run_folder):
    folder = write_seven_scenes(tmp_path / 'scene', split=True)
    figures = tmp_path / 'figures.json'
    code = evaluate('--model', run_folder, '--dataset', f'7scenes:{folder}', '--json', figures)
    assert code == 0
    values = json.loads(figures.read_text())
    assert values['frames'] == 2
    assert values['median_position_m'] == pytest.approx((2 + np.sqrt(5)) / 2, abs=1e-4)


@pytest.mark.parametrize(
    ('words', 'called'),
    [
        (['--crops', 32], 'PoseNet, 32 crops'),
        (['--samples', 8], 'PoseNet, 8 samples'),
        (['--crops', 4, '--samples', 2], 'PoseNet, 4 crops, 2 samples'),
    ],
)
def test_many_crops_and_samples_are_one_answer(tmp_path, capsys, run_folder, words, called):
    folder = write_seven_scenes(tmp_path / 'scene', split=True)
    figures = tmp_path / 'figures.json'
    asked = ['--model', run_folder, '--dataset', f'7scenes:{folder}', '--json', figures]
    assert evaluate(*asked, *words) == 0
    assert called in capsys.readouterr().out
    assert json.loads(figures.read_text())['frames'] == 2


def test_retrieval_is_a_method_too_and_answers_as_its_baseline(tmp_path, capsys, run_folder):
    folder = write_seven_scenes(tmp_path / 'scene', split=True)
    figures = tmp_path / 'figures.json'
    asked = ['--model', run_folder, '--dataset', f'7scenes:{folder}', '--json', figures]
    assert evaluate(*asked, '--method', 'retrieval') == 0
    assert '\nretrieval ' in capsys.readouterr().out
    values = json.loads(figures.read_text())
    nearest = values['baselines']['nearest_image']
    assert values['median_position_m'] == nearest['median_position_m'] > 0
    assert values['median_orientation_deg'] == nearest['median_orientation_deg']
    line = refusal(capsys, *asked, '--method', 'retrieval', '--crops', 4)
    assert '--crops and --samples are for --method posenet' in line


def test_the_network_runs_by_the_engine_that_was_asked_for(tmp_path, capsys, run_folder):
    folder = write_seven_scenes(tmp_path / 'scene', split=True)
    figures = tmp_path / 'figures.json'
    asked = ['--model', run_folder, '--dataset', f'7scenes:{folder}']
    medians = {}
    for engine in ('eager', 'torch'):
        assert evaluate(*asked, '--engine', engine, '--json', figures) == 0
        assert f'\nthe network runs by {engine} ' in capsys.readouterr().out
        values = json.loads(figures.read_text())
        assert values['engine'].startswith(f'{engine} ')
        medians[engine] = values['median_position_m']
    assert medians['torch'] == pytest.approx(medians['eager'], abs=1e-3)
    assert 'export' in refusal(capsys, *asked, '--engine', 'torch-bf16')
    answers = ['--estimates', tmp_path / 'a.tum', '--truth', tmp_path / 'a.tum']
    assert '--engine runs a model' in refusal(capsys, *answers, '--engine', 'eager')


@pytest.mark.parametrize('written', [1, 3, 4])
def test_a_model_of_before_is_made_anew(tmp_path, capsys, run_folder, written):
    folder = write_seven_scenes(tmp_path / 'scene', split=True)
    old = shutil.copytree(run_folder, tmp_path / 'old')
    values = yaml.safe_load((old / 'model' / 'model.yaml').read_text())
    (old / 'model' / 'model.yaml').write_text(yaml.safe_dump({**values, 'format': written}))
    told = refusal(capsys, '--model', old, '--dataset', f'7scenes:{folder}')
    assert 'remove this folder and give the same train command again' in told


def test_without_a_split_every_sequence_counts_and_trained_frames_are_told(
    tmp_path, capsys, run_folder
):
    folder = write_seven_scenes(tmp_path / 'scene', split=False)
    figures = tmp_path / 'figures.json'
    evaluate('--model', run_folder, '--dataset', f'7scenes:{folder}', '--json', figures)
    assert json.loads(figures.read_text())['frames'] == 4
    # The training image at (1, 0, 0.5).
    assert '1 of these frames were trained on' in capsys.readouterr().out


@pytest.fixture
def estimates(tmp_path):
    """Return three recorded poses of the five images, each 0.1 m off."""
    path = tmp_path / 'estimates.tum'
    write_tum(path, path_along_x(3, y=0.1))
    return path


def test_recorded_poses_without_a_bag_are_compared_as_they_are(tmp_path, capsys, estimates, truth):
    figures = tmp_path / 'figures.json'
    assert evaluate('--estimates', estimates, '--truth', truth, '--json', figures) == 0
    values = json.loads(figures.read_text())
    assert (values['frames'], values['localized'], values['baselines']) == (3, 3, {})
    assert values['median_position_m'] == pytest.approx(0.1)
    assert 'only recorded poses are counted' in capsys.readouterr().out


@pytest.mark.parametrize('with_model', [False, True])
def test_with_the_bag_every_image_without_a_pose_counts(
    tmp_path, estimates, truth, bag, run_folder, with_model
):
    figures = tmp_path / 'figures.json'
    model = ['--model', run_folder] if with_model else []
    code = evaluate(
        '--estimates', estimates, '--truth', truth, '--bag', bag, *model, '--json', figures
    )
    assert code == 0
    values = json.loads(figures.read_text())
    assert (values['frames'], values['localized']) == (5, 3)
    assert values['median_position_m'] == pytest.approx(0.1)
    assert values['p95_position_m'] is None
    assert set(values['baselines']) == ({'mean_pose', 'nearest_image'} if with_model else set())


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        ([], 'say what to evaluate'),
        (['--model', 'm'], 'say what to evaluate'),
        (['--model', 'm', '--bag', 'b', '--dataset', '7scenes:d'], 'say what to evaluate'),
        (['--model', 'm', '--bag', 'b'], '--truth FILE'),
        (['--estimates', 'e'], '--truth FILE'),
        (['--estimates', 'e', '--truth', 't', '--rate', '2'], '--estimates goes with'),
        (['--model', 'm', '--dataset', '7scenes:d', '--truth', 't'], 'its own truth'),
        (['--estimates', 'e', '--truth', 't', '--labels-truth', 'l'], 'give --model'),
        (['--model', 'm', '--dataset', '7scenes:d', '--rate', '1'], 'give --bag'),
        (['--model', 'm', '--dataset', '7scenes:d', '--image-topic', '/x'], 'give --bag'),
        (['--estimates', 'e', '--truth', 't', '--image-topic', '/x'], 'give --bag'),
        (['--estimates', 'e', '--truth', 't', '--crops', '9'], 'ask a model'),
        (['--model', 'm', '--dataset', '7scenes:d', '--crops', '0'], 'crops must be 1'),
        (['--model', 'm', '--bag', 'b', '--truth', 't'], 'no model at m'),
        (['--estimates', 'e', '--truth', 't', '--picture', 'trip.doc'], '.png'),
        (['--estimates', 'e', '--truth', 't', '--json', '.'], 'name a file'),
        (['--estimates', 'e', '--truth', 't'], 'cannot read the trajectory t'),
    ],
)
def test_what_does_not_go_together_is_one_line(tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    assert message in refusal(capsys, *words)


@pytest.mark.parametrize('option', ['--json', '--picture', '--report'])
def test_outputs_that_cannot_be_written_are_refused_first(tmp_path, capsys, option):
    (tmp_path / 'afile').write_text('in the way')
    asked = ['--estimates', tmp_path / 'gone.tum', '--truth', tmp_path / 'gone.tum']
    line = refusal(capsys, *asked, option, tmp_path / 'afile' / 'new' / 'x.png')
    assert f'{option} ' in line
    assert 'afile is a file' in line


def test_a_rate_of_zero_is_refused(capsys):
    with pytest.raises(SystemExit, match='2'):
        evaluate('--rate', '0')
    assert 'a rate is above zero' in capsys.readouterr().err


def test_bad_recordings_and_truths_are_one_line(tmp_path, capsys, run_folder, bag, truth):
    model = ['--model', run_folder]
    missing = tmp_path / 'missing'
    assert str(missing) in refusal(capsys, *model, '--bag', missing, '--truth', truth)
    assert 'no such folder' in refusal(capsys, *model, '--dataset', f'7scenes:{missing}')
    damaged = tmp_path / 'damaged.tum'
    damaged.write_text('1 2 3\n')
    assert 'damaged.tum:1' in refusal(capsys, *model, '--bag', bag, '--truth', damaged)
    other_day = tmp_path / 'other_day.tum'
    write_tum(other_day, Trajectory.from_poses([10**9], [Pose.identity('map', 'camera')]))
    line = refusal(capsys, *model, '--bag', bag, '--truth', other_day)
    assert 'no image of /image' in line
    assert 'truth is from 1.0' in line


def test_two_image_topics_need_a_name(tmp_path, capsys, run_folder, truth):
    two = write_bag(tmp_path / 'two', ('/left', '/right'))
    asked = ['--model', run_folder, '--bag', two, '--truth', truth]
    line = refusal(capsys, *asked)
    assert '/left' in line
    assert '/right' in line
    assert evaluate(*asked, '--image-topic', '/left') == 0


def test_labels_truth_needs_the_labels(tmp_path, capsys, run_folder, bag, truth):
    (tmp_path / 'moved').mkdir()
    moved = tmp_path / 'moved' / 'model'
    moved.symlink_to(run_folder / 'model')
    line = refusal(
        capsys, '--model', moved, '--bag', bag, '--truth', truth, '--labels-truth', truth
    )
    assert 'labels.tum' in line


def test_images_of_elsewhere_are_counted_and_told_apart(tmp_path, run_folder, bag, truth, capsys):
    folder = tmp_path / 'holiday'
    folder.mkdir()
    for shade in (0, 128, 255):
        cv2.imwrite(str(folder / f'{shade}.png'), np.full((48, 64, 3), shade, dtype=np.uint8))
    figures = tmp_path / 'figures.json'
    asked = ('--model', run_folder, '--bag', bag, '--truth', truth, '--json', figures)
    assert evaluate(*asked, '--foreign', folder, bag) == 0
    values = json.loads(figures.read_text())
    elsewhere, same = values['foreign']
    assert (elsewhere['source'], elsewhere['images']) == (str(folder), 3)
    # This model refuses nothing, and knows the recording no better than itself.
    assert (elsewhere['refused'], same['refused']) == (0, 0)
    assert same['auc'] == pytest.approx(0.5)
    told = capsys.readouterr().out
    assert f'0.0 % of 3 images of {folder} refused; ROC AUC of novelty ' in told


def test_foreign_images_are_made_of_the_recording(tmp_path, run_folder, bag, truth, capsys):
    figures, report = tmp_path / 'figures.json', tmp_path / 'report'
    asked = ('--model', run_folder, '--bag', bag, '--truth', truth, '--json', figures)
    made = ('noise:3', 'scrambled:12', 'mirrored:12')
    assert evaluate(*asked, '--report', report, '--foreign', *made, bag) == 0
    sources = json.loads(figures.read_text())['foreign']
    # Of the five images of the recording, one can be mirrored only once.
    counts = [(each['source'], each['images']) for each in sources]
    assert counts == [('noise:3', 3), ('scrambled:12', 12), ('mirrored:12', 5), (str(bag), 5)]
    # There is no map that verifies.
    assert {(each['verified'], each['verified_at_most']) for each in sources} == {(None, None)}
    assert 'foreign_verified' not in json.loads(figures.read_text())
    assert 'of 12 images of scrambled:12 refused' in capsys.readouterr().out
    assert json.loads((report / 'metrics.json').read_text())['foreign'] == sources
    page = (report / 'report.html').read_text()
    assert 'Images of elsewhere' in page


def test_foreign_images_need_a_model_and_to_be_there(tmp_path, run_folder, bag, truth, capsys):
    asked = ('--model', run_folder, '--bag', bag, '--truth', truth)
    (tmp_path / 'empty').mkdir()
    told = refusal(capsys, *asked, '--foreign', tmp_path / 'empty')
    assert 'neither images' in told
    told = refusal(capsys, '--estimates', truth, '--truth', truth, '--foreign', tmp_path)
    assert '--foreign is shown to a model' in told
    assert 'noise:200' in refusal(capsys, *asked, '--foreign', 'noise:many')
