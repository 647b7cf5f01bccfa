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

"""From a bag to labels, on a small rendered room with known truth."""

import shutil

import numpy as np
from posenet_ros.data.capture import Capture
from posenet_ros.data.colmap import read_colmap
from posenet_ros.errors import CaptureError, LabellingError
from posenet_ros.geometry import fit_similarity
from posenet_ros.sfm import concluding, reconstructing
from posenet_ros.sfm.database import features_and_matches
from posenet_ros.sfm.labelling import label_recordings, LabelOptions
from posenet_ros.sfm.pieces import Apart, Misplaced
from posenet_ros.sfm.reconstruction import keep
from posenet_ros.sfm.sources import open_sources
from posenet_ros.sfm.summary import LabelSummary
from posenet_ros.sfm.workspace import Workspace
import pytest
import yaml


def relabel(bag, output, options):
    return label_recordings(open_sources([bag], options), output, options)


@pytest.fixture
def again(labelled, tmp_path):
    """The finished folder, to work on without harm."""
    shutil.copytree(labelled[0], tmp_path / 'out', symlinks=True)
    return tmp_path / 'out'


def test_labels_are_true_in_metres_and_upright(labelled, recorded):
    output, summary = labelled
    labels = Capture.open(output / 'capture').labels
    assert len(labels) == len(recorded.truth) == summary.labelled == 18
    np.testing.assert_array_equal(labels.stamps_ns, recorded.truth.stamps_ns)
    # No fit at all: the map is where odom begins, and this odometry does not err.
    off = np.linalg.norm(labels.translations - recorded.truth.translations, axis=1)
    degrees = np.degrees((labels.rotations.inv() * recorded.truth.rotations).magnitude())
    assert np.median(off) < 0.03
    assert np.median(degrees) < 0.5
    size = fit_similarity(
        labels.translations, recorded.truth.translations, target='truth', source='map'
    ).scale
    assert size == pytest.approx(1.0, abs=0.015)


def test_the_model_on_disk_is_in_the_map_and_finds_its_images(labelled):
    output, _ = labelled
    labels = Capture.open(output / 'capture').labels
    scene = read_colmap(output / 'sfm')
    assert len(scene.train) == len(labels)
    for frame, label in zip(scene.train, labels):
        assert frame.map_from_camera.distance(label)[0] < 1e-6
        assert frame.image.is_file()


def test_the_summary_is_kept_with_the_options_and_says_how_good(labelled):
    output, summary = labelled
    kept = yaml.safe_load((output / 'capture' / 'summary.yaml').read_text())
    assert LabelSummary.from_dict(kept) == summary
    assert kept['options']['rate_hz'] == 2.0
    assert summary.verdict == 'good', summary.remarks
    assert summary.metric.reference == '/odom'
    assert summary.metric.agreement == 1.0
    assert summary.focal_px == pytest.approx(260, rel=0.02)
    text = summary.text()
    assert '18 (100.0%)' in text
    assert max(map(len, text.splitlines())) < 130
    assert set(summary.stage_s) == {'selection', 'features', 'matching', 'mapping'}


def test_a_finished_run_does_nothing_again(labelled, recorded, stages):
    assert relabel(recorded.bag, labelled[0], LabelOptions()) == labelled[1]
    assert stages == []


def test_another_reference_only_aligns_again(again, labelled, recorded, stages):
    summary = relabel(recorded.bag, again, LabelOptions(reference='tf'))
    assert stages == ['placing']
    assert summary.metric.reference == '/tf (odom <- camera_optical)'
    assert summary.metric.scale == pytest.approx(labelled[1].metric.scale, rel=1e-3)


def test_what_somebody_took_away_is_made_again(again, labelled, recorded, stages):
    shutil.rmtree(again / 'sfm' / 'unaligned')
    (again / 'capture' / 'summary.yaml').unlink()
    summary = relabel(recorded.bag, again, LabelOptions())
    assert stages == ['mapping', 'placing']
    assert summary.labelled == labelled[1].labelled


@pytest.mark.parametrize(
    ('damage', 'redone'),
    [
        (lambda out: (out / 'sfm/reconstruction.json').write_text('{"images": '), ['mapping']),
        (lambda out: (out / 'sfm/reconstruction.json').write_text('{}'), ['mapping']),
        (lambda out: (out / 'sfm/unaligned/images.bin').unlink(), ['mapping']),
        (lambda out: (out / 'sfm/stages.yaml').write_text(''), None),
        (lambda out: (out / 'sfm/selection.yaml').unlink(), None),
        (lambda out: next((out / 'capture/images').iterdir()).unlink(), None),
        # Matches stand on features: they go with them.
        (lambda out: (out / 'sfm/database.db').unlink(), None),
        (lambda out: (out / 'capture/labels.tum').unlink(), []),
        (lambda out: (out / 'capture/summary.yaml').write_text('{frames: 3}'), []),
    ],
    ids=range(9),
)
def test_what_is_damaged_is_made_again_with_all_that_follows(
    again, labelled, recorded, stages, damage, redone
):
    (again / 'capture' / 'summary.yaml').unlink()
    damage(again)
    summary = relabel(recorded.bag, again, LabelOptions())
    everything = ['features', 'matching', 'mapping']
    assert stages == [*(everything if redone is None else redone), 'placing']
    assert summary.labelled == labelled[1].labelled
    assert len(Capture.open(again / 'capture').labels) == summary.labelled


@pytest.mark.parametrize('gone', ['images.bin', 'points3D.bin'])
def test_a_run_without_its_model_is_not_finished(again, recorded, stages, gone):
    (again / 'sfm' / gone).unlink()
    relabel(recorded.bag, again, LabelOptions())
    assert stages == ['placing']
    assert (again / 'sfm' / gone).is_file()


def test_look_alikes_are_parted_and_mapped_again(again, recorded, stages, monkeypatch):
    (again / 'capture' / 'summary.yaml').unlink()
    # The first frame is said to belong a hundred metres away.
    piece = Misplaced(
        np.array([0]), Apart(99.0, 1.0, 0.0, 20.0), np.array([[100.0, 0, 0]]), np.array([1.0])
    )
    told = iter([[piece]])
    monkeypatch.setattr(concluding, 'misplaced_pieces', lambda *_, **__: next(told, []))
    summary = relabel(recorded.bag, again, LabelOptions())
    assert stages == ['parting', 'parting', 'mapping', 'placing']
    # Without its matches it is in no map; the others are as before.
    assert summary.labelled == 17
    (rejected,) = Capture.open(again / 'capture').rejected
    assert rejected.stamp_ns == recorded.truth.stamps_ns[0]
    assert summary.parted > 0
    assert f'{summary.parted} pairs that only look alike are parted' in summary.text()


def test_matches_that_one_reference_parted_are_there_again_for_another(
    again, recorded, stages, monkeypatch
):
    (again / 'capture' / 'summary.yaml').unlink()
    piece = Misplaced(
        np.array([0]), Apart(99.0, 1.0, 0.0, 20.0), np.array([[100.0, 0, 0]]), np.array([1.0])
    )
    told = iter([[piece]])
    monkeypatch.setattr(concluding, 'misplaced_pieces', lambda *_, **__: next(told, []))
    before = features_and_matches(str(again / 'sfm' / 'database.db'))[1]
    assert relabel(recorded.bag, again, LabelOptions()).labelled == 17
    first = min(before)
    assert first not in features_and_matches(str(again / 'sfm' / 'database.db'))[1]
    # The same reference again: nothing is to be restored.
    (again / 'capture' / 'summary.yaml').unlink()
    assert relabel(recorded.bag, again, LabelOptions()).labelled == 17
    stages.clear()
    summary = relabel(recorded.bag, again, LabelOptions(reference='tf'))
    assert stages == ['matching', 'mapping', 'placing']
    assert (summary.labelled, summary.parted) == (18, 0)
    after = features_and_matches(str(again / 'sfm' / 'database.db'))[1]
    assert set(after[first]) == set(before[first])


def test_frames_are_chosen_anew_when_another_reference_tells_where_the_robot_stood(
    again, recorded, stages
):
    assert relabel(recorded.bag, again, LabelOptions(reference='tf')).labelled == 18
    # It says the same, so that nothing else is done again.
    assert stages == ['placing']
    path = again / 'sfm' / 'selection.yaml'
    chosen = yaml.safe_load(path.read_text())
    assert chosen['told_by']['reference'] == 'tf'
    # As if the other had taken the second half for standing still.
    chosen['stamps_ns'] = chosen['stamps_ns'][:9]
    path.write_text(yaml.safe_dump(chosen))
    assert relabel(recorded.bag, again, LabelOptions()).labelled == 18
    assert stages[1:] == ['features', 'matching', 'mapping', 'placing']


def test_a_selection_that_is_refused_is_no_obstacle_for_another_reference(again, recorded, stages):
    (again / 'capture' / 'summary.yaml').unlink()
    path = again / 'sfm' / 'selection.yaml'
    chosen = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**chosen, 'stamps_ns': chosen['stamps_ns'][:3], 'still': 15}))
    with pytest.raises(LabellingError, match='hardly moves'):
        relabel(recorded.bag, again, LabelOptions())
    assert relabel(recorded.bag, again, LabelOptions(reference='tf')).labelled == 18


@pytest.mark.parametrize(
    ('asked', 'mapper', 'wanted', 'again_mapped'),
    [
        ('auto', 'incremental', 'auto', False),
        ('auto', 'incremental', 'incremental', False),
        ('auto', 'incremental', 'global', True),
        ('global', 'global', 'auto', True),
        ('incremental', 'incremental', 'auto', True),
    ],
)
def test_a_map_is_kept_where_the_mapper_that_is_asked_for_would_make_it(
    tmp_path, asked, mapper, wanted, again_mapped
):
    space = Workspace(tmp_path)
    space.found.parent.mkdir()
    keep(space.found, {'asked': asked, 'mapper': mapper})
    assert reconstructing._mapped_by(space, wanted) is not again_mapped


def test_what_cannot_be_parted_is_left_out_without_mapping_again(
    again, recorded, stages, monkeypatch
):
    (again / 'capture' / 'summary.yaml').unlink()
    # Out of place, but no match says so: odometry leads close to where it is.
    piece = Misplaced(
        np.array([0]), Apart(2.0, 1.0, 0.0, 20.0), np.array([[0.5, 0, 0]]), np.array([1.0])
    )
    monkeypatch.setattr(concluding, 'misplaced_pieces', lambda *_, **__: [piece])
    summary = relabel(recorded.bag, again, LabelOptions())
    assert stages == ['parting', 'placing']
    assert (summary.labelled, summary.misplaced) == (17, 1)
    assert any('1 frames were joined' in remark for remark in summary.remarks)


def test_labels_are_not_changed_under_a_model(again, labelled, recorded, stages):
    (again / 'model').mkdir()
    assert relabel(recorded.bag, again, LabelOptions()) == labelled[1]
    before = (again / 'capture' / 'labels.tum').read_bytes()
    with pytest.raises(CaptureError, match=r'has a model .* choose another --output'):
        relabel(recorded.bag, again, LabelOptions(reference='tf'))
    assert stages == []
    assert (again / 'capture' / 'labels.tum').read_bytes() == before


def test_a_run_stopped_while_it_moves_the_map_is_finished_by_the_next(
    again, recorded, stages, monkeypatch
):
    def stopped(*args, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Capture, 'create', stopped)
        relabel(recorded.bag, again, LabelOptions(reference='tf'))
    # Labels of before do not lie beside the model as it is now.
    assert not (again / 'capture' / 'labels.tum').exists()
    relabel(recorded.bag, again, LabelOptions())
    assert stages == ['placing', 'placing']
    scene = read_colmap(again / 'sfm')
    for frame, label in zip(scene.train, Capture.open(again / 'capture').labels):
        assert frame.map_from_camera.distance(label)[0] < 1e-6


def test_labels_without_metres_on_request(again, recorded):
    options = LabelOptions(reference='none', allow_unscaled=True)
    summary = relabel(recorded.bag, again, options)
    assert summary.metric is None
    assert 'no metres' in summary.remarks[0]
    labels = Capture.open(again / 'capture').labels
    # Without metres it is still the same path: a similarity explains it.
    fit = fit_similarity(
        labels.translations, recorded.truth.translations, target='truth', source='map'
    )
    off = fit.apply(labels.translations) - recorded.truth.translations
    assert np.linalg.norm(off, axis=1).max() < 0.03


def test_a_mounting_that_is_no_optical_frame_is_refused_with_the_angle(again, recorded):
    options = LabelOptions(base_from_camera=(0.2, 0.05, 0.4, 0, 0, 0))
    with pytest.raises(LabellingError, match=r'mounted 120 deg otherwise.*optical'):
        relabel(recorded.bag, again, options)


def test_another_rate_is_another_run(labelled, recorded):
    with pytest.raises(CaptureError, match=r'rate_hz 2\.0, this one rate_hz 1\.0'):
        relabel(recorded.bag, labelled[0], LabelOptions(rate_hz=1.0))


def test_images_shuffled_against_their_times_are_refused(pictures, write_bag, tmp_path):
    way, room, seen = pictures
    order = np.random.default_rng(0).permutation(list(seen))
    bag = write_bag(way, {i: seen[j] for i, j in zip(seen, order)}, room=room)
    with pytest.raises(
        LabellingError, match=r'\d+% of \d+ motions agree|only \d+ of 18 frames fit'
    ):
        relabel(bag, tmp_path / 'out', LabelOptions())
    assert not (tmp_path / 'out' / 'capture' / 'labels.tum').exists()


def test_a_camera_that_only_looks_at_one_spot_is_refused(pictures, write_bag, tmp_path):
    way, room, seen = pictures
    bag = write_bag(way, dict.fromkeys(seen, seen[0]), room=room)
    with pytest.raises(LabellingError, match='hardly moves: only 1 of 18 frames'):
        relabel(bag, tmp_path / 'out', LabelOptions())


@pytest.mark.parametrize(
    ('recording', 'options', 'message'),
    [
        (
            {'odometry': False, 'moving_tf': False},
            {},
            r'no nav_msgs/Odometry, and no motion on /tf .*--allow-unscaled',
        ),
        ({}, {'reference': 'none'}, r'confirm with --allow-unscaled'),
        ({'mount': False}, {}, r'give --base-from-camera X Y Z ROLL PITCH YAW'),
        ({'odometry': False}, {'reference': 'tf:mars'}, r'its frames: base_link, camera_opt'),
    ],
    ids=['nothing to measure by', 'none asked for', 'no mounting', 'no such frame'],
)
def test_what_lacks_metres_is_refused_at_once(
    pictures, write_bag, tmp_path, recording, options, message
):
    way, room, seen = pictures
    bag = write_bag(way, {0: seen[0]}, room=room, **recording)
    with pytest.raises(LabellingError, match=message):
        relabel(bag, tmp_path / 'out', LabelOptions(**options))
    assert not (tmp_path / 'out').exists()
