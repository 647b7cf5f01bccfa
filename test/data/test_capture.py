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

"""A capture on disk: whole, or refused."""

import numpy as np
from posenet_ros.data.capture import Capture, image_path, Rejected
from posenet_ros.data.images import encode_jpeg
from posenet_ros.errors import CaptureError
from posenet_ros.geometry import Camera, Trajectory
import pytest
from scipy.spatial.transform import Rotation

STAMPS_NS = [1_700_000_000_000_000_001, 1_700_000_000_500_000_000, 1_700_000_001_000_000_000]
CAMERA = Camera(8, 6, 10, 11, 4, 3, 'plumb_bob', (0.1, 0.2, 0, 0, 0.3))
REJECTED = (Rejected(STAMPS_NS[2], 'not registered: "blurred", few features'),)


def labels(count=2):
    turned = Rotation.from_euler(
        'xyz', [[10, 20, 30 + index] for index in range(count)], degrees=True
    )
    return Trajectory(
        STAMPS_NS[:count], turned, np.arange(3.0 * count).reshape(-1, 3), 'map', 'camera'
    )


@pytest.fixture
def root(tmp_path):
    root = tmp_path / 'capture'
    (root / 'images').mkdir(parents=True)
    for index, stamp_ns in enumerate(STAMPS_NS):
        encode_jpeg(image_path(root, stamp_ns), np.full((6, 8, 3), 50 * index, np.uint8))
    return root


@pytest.fixture
def whole(root):
    return Capture.create(root, camera=CAMERA, labels=labels(), rejected=REJECTED)


def test_what_was_created_opens_again(whole):
    opened = Capture.open(whole.root)
    assert opened.camera == CAMERA
    assert opened.rejected == REJECTED
    np.testing.assert_array_equal(opened.labels.stamps_ns, STAMPS_NS[:2])
    for frame, expected, stamp_ns in zip(opened.frames(), labels(), STAMPS_NS[:2], strict=True):
        assert frame.stamp_ns == stamp_ns
        assert frame.image == opened.image_path(stamp_ns)
        assert frame.image.is_file()
        assert frame.map_from_camera.distance(expected) == pytest.approx((0, 0), abs=1e-7)


def test_the_layout_is_for_other_tools_too(whole):
    names = {str(path.relative_to(whole.root)) for path in whole.root.rglob('*') if path.is_file()}
    images = {f'images/{stamp_ns}.jpg' for stamp_ns in STAMPS_NS}
    assert names == {'camera.yaml', 'labels.tum', 'rejected.csv'} | images
    row = (whole.root / 'labels.tum').read_text().splitlines()[1]
    assert row.startswith('1700000000.000000001 0.0')
    assert (whole.root / 'rejected.csv').read_text() == (
        f'stamp_ns,reason\n{STAMPS_NS[2]},"not registered: ""blurred"", few features"\n'
    )


def test_names_of_images_sort_in_order_of_time(root):
    stamps_ns = [5, 10**9, 17 * 10**17]
    names = [image_path(root, stamp_ns).name for stamp_ns in stamps_ns]
    assert names == sorted(names)


def test_labels_without_their_image_are_not_written(root):
    image_path(root, STAMPS_NS[1]).unlink()
    with pytest.raises(CaptureError, match=f'lacks 1 of 2 labelled .* {STAMPS_NS[1]}'):
        Capture.create(root, camera=CAMERA, labels=labels())
    assert not (root / 'labels.tum').exists()


def test_a_second_labelling_that_dies_leaves_no_whole_capture(whole, monkeypatch):
    def disk_full(*_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('posenet_ros.data.capture.write_yaml', disk_full)
    with pytest.raises(OSError, match='No space'):
        Capture.create(whole.root, camera=CAMERA, labels=labels(3))
    with pytest.raises(CaptureError, match=r'incomplete: it has no labels\.tum'):
        Capture.open(whole.root)


@pytest.mark.parametrize(
    ('name', 'complaint'),
    [
        ('labels.tum', 'incomplete'),
        ('camera.yaml', r'cannot read .*camera\.yaml'),
        ('rejected.csv', r'cannot read .*rejected\.csv'),
        (f'images/{STAMPS_NS[0]}.jpg', 'lacks 1 of 2 labelled images'),
    ],
)
def test_a_capture_that_lacks_a_file_is_refused(whole, name, complaint):
    (whole.root / name).unlink()
    with pytest.raises(CaptureError, match=complaint):
        Capture.open(whole.root)


@pytest.mark.parametrize(
    ('name', 'content', 'complaint'),
    [
        ('labels.tum', '1.0 2 3\n', r'labels\.tum:1: expected'),
        ('labels.tum', '', 'holds no poses'),
        ('camera.yaml', 'width: 640\n', 'not a camera'),
        ('camera.yaml', '{', 'not YAML'),
        ('rejected.csv', 'stamp_ns,reason\nsoon,why\n', 'expected rows stamp_ns,reason'),
        ('rejected.csv', 'frame\n5\n', 'expected rows stamp_ns,reason'),
        ('rejected.csv', 'stamp_ns,reason\n5,"open', 'expected rows stamp_ns,reason'),
    ],
)
def test_a_damaged_file_is_named(whole, name, content, complaint):
    (whole.root / name).write_text(content)
    with pytest.raises(CaptureError, match=complaint):
        Capture.open(whole.root)


def test_labels_match_images_by_exact_stamp(whole):
    text = (whole.root / 'labels.tum').read_text()
    (whole.root / 'labels.tum').write_text(text.replace('.000000001 ', '.000000002 '))
    with pytest.raises(CaptureError, match='the first is 1700000000000000002'):
        Capture.open(whole.root)


def test_no_such_capture(tmp_path):
    with pytest.raises(CaptureError, match='no such capture'):
        Capture.open(tmp_path / 'gone')
