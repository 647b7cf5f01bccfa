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

"""The folder that an import leaves, when it is stopped, and what it refuses."""

import shutil

import cv2
import numpy as np
from posenet_ros.data.capture import Capture
from posenet_ros.data.images import read_image
from posenet_ros.data.importing.capture import import_poses
from posenet_ros.data.importing.from_colmap import source_from_colmap
from posenet_ros.data.importing.from_tum import source_from_tum, TumOptions
from posenet_ros.data.importing.summary import ImportSummary
from posenet_ros.data.run import claim
from posenet_ros.data.scenes import has_metres, read_scene
from posenet_ros.errors import CaptureError, DatasetError
from posenet_ros.files import read_yaml, write_yaml
import pytest

pycolmap = pytest.importorskip('pycolmap')


@pytest.fixture
def output(tmp_path):
    return tmp_path / 'out'


@pytest.fixture
def project_to(project, output):
    """Import the project to `output`."""

    def importing(metric=False, **options):
        return import_poses(source_from_colmap(project), output, metric=metric, options=options)

    return importing


@pytest.fixture
def desk(tmp_path, drive):
    """Images that are no JPEG, with a trajectory."""
    images = drive.write_images(tmp_path / 'rgb', drive.names('.png'))
    path = drive.write_tum(tmp_path / 'truth.tum')
    return lambda: source_from_tum(path, images, drive.camera, TumOptions())


def files(root):
    return {str(path.relative_to(root)) for path in root.rglob('*') if path.is_file()}


def test_a_capture_with_every_pose(project_to, output, drive):
    project_to()
    capture = Capture.open(output / 'capture')
    assert capture.camera == drive.camera
    assert capture.labels.stamps_ns.tolist() == list(drive.stamps_ns)
    for label, expected in zip(capture.labels, drive.poses(), strict=True):
        assert label.distance(expected) == pytest.approx((0, 0), abs=1e-8)
    images = {f'images/{name}' for name in drive.names()}
    others = {'camera.yaml', 'labels.tum', 'rejected.csv', 'summary.yaml'}
    assert files(output / 'capture') == others | images


def test_every_image_without_a_pose_is_listed(project, project_to, output, drive):
    extra = drive.write_images(project / 'images', ['1305031102100000000.jpg'])
    (extra / drive.names()[0]).unlink()
    damaged = extra / drive.names()[5]
    damaged.write_bytes(damaged.read_bytes()[:100])
    summary = project_to()
    rejected = {each.stamp_ns: each.reason for each in Capture.open(output / 'capture').rejected}
    assert list(rejected) == [1305031102100000000, drive.stamps_ns[0], drive.stamps_ns[5]]
    assert [reason.partition(':')[0] for reason in rejected.values()] == [
        'not in the model',
        'the image is missing',
        'the image is damaged',
    ]
    assert summary.labelled == 10
    assert summary.rejected == {kind.partition(':')[0]: 1 for kind in rejected.values()}
    assert 'labelled  10 of 13\nrejected  1: not in the model\n' in summary.text()
    assert {path.name for path in (output / 'capture' / 'images').iterdir()} == {
        name for index, name in enumerate(drive.names()) if index not in (0, 5)
    }


def noise():
    """Return pixels that are not the same when they are compressed again."""
    return np.random.default_rng(0).integers(0, 255, (6, 8, 3), np.uint8)


def test_a_jpeg_is_copied_as_it_is(tmp_path, desk, output, drive):
    # Whatever its name, and where it is a link.
    content = cv2.imencode('.jpg', noise(), [cv2.IMWRITE_JPEG_QUALITY, 50])[1].tobytes()
    (tmp_path / 'elsewhere').write_bytes(content)
    first = tmp_path / 'rgb' / drive.names('.png')[0]
    first.unlink()
    first.symlink_to(tmp_path / 'elsewhere')
    import_poses(desk(), output, metric=True, options={})
    shutil.rmtree(tmp_path / 'rgb')
    copy = Capture.open(output / 'capture').image_path(drive.stamps_ns[0])
    assert copy.read_bytes() == content
    assert not copy.is_symlink()


def test_anything_else_is_compressed_well(tmp_path, desk, output, drive):
    cv2.imwrite(str(tmp_path / 'rgb' / drive.names('.png')[0]), noise())
    import_poses(desk(), output, metric=True, options={})
    expected = cv2.imencode('.jpg', noise(), [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    capture = Capture.open(output / 'capture')
    assert capture.image_path(drive.stamps_ns[0]).read_bytes() == expected
    assert read_image(capture.image_path(drive.stamps_ns[3])).mean() == pytest.approx(35, abs=1)
    assert not (output / 'sfm').exists()


def test_the_model_has_the_names_of_the_capture(tmp_path, drive, output):
    names = [f'IMG_{index:03}.png' for index in range(12)]
    drive.write_images(tmp_path / 'images', names)
    drive.write_model(tmp_path / 'model', names, text=True)
    (tmp_path / 'images' / names[2]).unlink()
    import_poses(source_from_colmap(tmp_path / 'model'), output, metric=False, options={})
    model = pycolmap.Reconstruction(str(output / 'sfm'))
    scene = read_scene(f'colmap:{output}/sfm')
    expected = Capture.open(output / 'capture')
    assert sorted(image.name for image in model.images.values()) == [
        f'{10**9 * index:019d}.jpg' for index in range(12) if index != 2
    ]
    for frame, label in zip(scene.train, expected.labels, strict=True):
        assert frame.image.is_file()
        assert frame.map_from_camera.distance(label) == pytest.approx((0, 0), abs=1e-8)
    # What the missing image saw is gone, the rest is seen by the others still.
    (point,) = model.points3D.values()
    assert point.track.length() == 11
    assert (output / 'sfm' / 'images').resolve() == output / 'capture' / 'images'
    output.rename(tmp_path / 'moved')
    assert len(read_scene(f'colmap:{tmp_path}/moved/sfm').train) == 11


def test_the_model_imported_again_gives_the_same_poses(project_to, output, tmp_path):
    project_to()
    again = source_from_colmap(output / 'sfm')
    import_poses(again, tmp_path / 'again', metric=False, options={})
    first, second = (Capture.open(each / 'capture') for each in (output, tmp_path / 'again'))
    assert first.labels.stamps_ns.tolist() == second.labels.stamps_ns.tolist()
    assert first.camera == second.camera
    for mine, other in zip(first.labels, second.labels):
        assert mine.distance(other) == pytest.approx((0, 0), abs=1e-8)


def test_whether_it_is_in_metres_is_kept(project_to, output):
    assert 'units of their own' in project_to().text()
    assert read_yaml(output / 'capture' / 'summary.yaml', CaptureError)['metric'] is False
    assert not has_metres(f'capture:{output}')
    # The same images, and other labels: those that are there are used.
    image = next((output / 'capture' / 'images').iterdir())
    before = image.stat().st_mtime_ns
    assert 'scale     metres' in project_to(metric=True).text()
    assert has_metres(f'capture:{output}/capture')
    assert image.stat().st_mtime_ns == before


def test_what_is_finished_is_left_as_it_is(project_to, output):
    first = project_to(max_gap_s=0.1)
    before = {name: (output / name).stat().st_mtime_ns for name in files(output)}
    assert project_to(max_gap_s=0.1) == first
    after = {name: (output / name).stat().st_mtime_ns for name in files(output)}
    before.pop('run.yaml'), after.pop('run.yaml'), before.pop('.lock'), after.pop('.lock')
    assert after == before


@pytest.mark.parametrize('gone', ['sfm/images.bin', 'capture/summary.yaml', 'capture/camera.yaml'])
def test_what_is_gone_is_made_again(project_to, output, gone):
    project_to()
    before = files(output)
    (output / gone).unlink()
    project_to()
    assert files(output) == before


def test_one_image_that_is_gone_is_copied_again(project_to, output, drive):
    project_to()
    image = output / 'capture' / 'images' / drive.names()[7]
    image.unlink()
    project_to()
    assert image.is_file()


def test_stopped_before_the_end_it_is_no_capture_and_goes_on(project_to, output, monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(ImportSummary, 'write', stopped)
        with pytest.raises(KeyboardInterrupt):
            project_to()
    with pytest.raises(CaptureError, match='incomplete'):
        Capture.open(output / 'capture')
    with pytest.raises(CaptureError, match='incomplete'):
        read_scene(f'capture:{output}')
    images = output / 'capture' / 'images'
    times = {path: path.stat().st_mtime_ns for path in images.iterdir()}
    assert project_to().labelled == len(times) == 12
    assert times == {path: path.stat().st_mtime_ns for path in images.iterdir()}


def test_labels_of_before_do_not_stand_beside_what_follows(project_to, output, monkeypatch):
    project_to()

    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(ImportSummary, 'write', stopped)
    with pytest.raises(KeyboardInterrupt):
        project_to(metric=True)
    with pytest.raises(CaptureError, match='incomplete'):
        Capture.open(output / 'capture')


def test_images_of_another_size_are_refused_and_nothing_is_made(project, project_to, output):
    for path in (project / 'images').iterdir():
        cv2.imwrite(str(path), np.zeros((12, 16, 3), np.uint8))
    with pytest.raises(DatasetError, match='has 16x12 pixels and the camera 8x6'):
        project_to()
    assert not output.exists()


def test_one_image_of_another_size_is_refused_too(project, project_to, output, drive):
    drive.write_images(project / 'images', drive.names()[8:9], size=(6, 8))
    with pytest.raises(DatasetError, match=rf'{drive.names()[8]} has 6x8 pixels'):
        project_to()
    with pytest.raises(CaptureError, match='incomplete'):
        Capture.open(output / 'capture')


def test_too_few_images_are_refused_with_what_is_wrong(project, project_to, output, drive):
    for name in drive.names()[:3]:
        (project / 'images' / name).unlink()
    complaint = (
        rf'only 9 images .* at least 10 .* 3 have none, as in "the image is missing: {name}'
    )
    with pytest.raises(DatasetError, match=complaint.replace(name, drive.names()[0])):
        project_to()
    assert not output.exists()


def test_too_many_damaged_images_are_too_few(project, project_to, output, drive):
    for name in drive.names()[:3]:
        (project / 'images' / name).write_bytes(b'')
    with pytest.raises(DatasetError, match=r'only 9 images .* as in "the image is damaged'):
        project_to()


def test_one_pose_for_all_is_none(tmp_path, drive, output):
    images = drive.write_images(tmp_path / 'rgb', drive.names())
    rows = [f'{ns / 1e9:.6f} 1 2 3 0 0 0 1' for ns in drive.stamps_ns]
    (tmp_path / 'still.tum').write_text('\n'.join(rows))
    source = source_from_tum(tmp_path / 'still.tum', images, drive.camera, TumOptions())
    with pytest.raises(DatasetError, match=r'all 12 poses of .* are the same'):
        import_poses(source, output, metric=True, options={})


def test_a_folder_of_something_else_is_left_alone(project_to, output):
    output.mkdir()
    (output / 'thesis.tex').write_text('mine')
    with pytest.raises(CaptureError, match=r'thesis\.tex'):
        project_to()
    assert [path.name for path in output.iterdir()] == ['thesis.tex']


@pytest.mark.parametrize('section', ['recording', 'dataset'])
def test_a_folder_of_another_command_is_left_alone(project_to, output, section):
    claim(output, **{section: {'name': 'run1', 'bytes': 7}})
    with pytest.raises(CaptureError, match='belongs to another run, which imported nothing'):
        project_to()
    assert read_yaml(output / 'run.yaml', CaptureError) == {section: {'name': 'run1', 'bytes': 7}}


def test_an_imported_folder_is_left_alone_by_labelling(project_to, output):
    project_to()
    with pytest.raises(CaptureError, match='belongs to another run: its recording has name 0'):
        claim(output, recording={'name': 'run1', 'bytes': 7}, label={'rate_hz': 2.0})


def test_other_poses_or_images_want_another_folder(project, project_to, desk, output, drive):
    project_to()
    with pytest.raises(CaptureError, match='belongs to another run'):
        import_poses(desk(), output, metric=True, options={})
    drive.write_images(project / 'images', ['1305031102100000000.jpg'])
    with pytest.raises(CaptureError, match='its images has number 12, this one number 13'):
        project_to()


def test_an_output_among_the_images_is_refused(project, drive):
    source = source_from_colmap(project)
    with pytest.raises(CaptureError, match='among the images'):
        import_poses(source, project / 'images' / 'out', metric=False, options={})
    assert not (project / 'images' / 'out').exists()


def test_labels_that_a_model_was_trained_on_do_not_change(project_to, output):
    project_to()
    (output / 'model').mkdir()
    project_to()
    with pytest.raises(CaptureError, match='has a model that was trained on its labels'):
        project_to(metric=True)
    assert not has_metres(f'capture:{output}')


def test_a_summary_of_labelling_is_told_from_one_of_importing(project_to, output):
    project_to()
    write_yaml(output / 'capture' / 'summary.yaml', {'verdict': 'good', 'metric': None})
    assert not has_metres(f'capture:{output}')
    with pytest.raises(CaptureError, match='is not the summary of an import'):
        ImportSummary.read(output / 'capture')
