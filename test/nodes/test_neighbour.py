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

"""Which training image goes out on ~/neighbour/compressed, and when none does."""

from __future__ import annotations

import numpy as np
from posenet_ros.data.capture import image_path
from posenet_ros.errors import ModelError
from posenet_ros.geometry import NS_PER_S
from posenet_ros.models.checkpoint import TrainingFeatures
from posenet_ros.nodes.neighbour import capture_of, TrainingImages
import pytest
from rclpy.parameter import Parameter
from sensor_msgs.msg import CompressedImage

START_NS = 1_700_000_000 * NS_PER_S
# Two training images: what looks along the first axis, and what looks along the second.
STAMPS_NS = (123 * NS_PER_S, 456 * NS_PER_S + 7)


def training_features(count=2):
    return TrainingFeatures(
        np.eye(2, 4, dtype=np.float16)[:count],
        np.zeros((count, 3), np.float32),
        np.tile(np.float32([1, 0, 0, 0]), (count, 1)),
        np.array(STAMPS_NS[:count], dtype=np.int64),
    )


@pytest.fixture
def run(tmp_path):
    """Make the folder of a run; its images are not JPEGs, since nothing looks into them."""
    run = tmp_path / 'run1_posenet'
    (run / 'model').mkdir(parents=True)
    for number, stamp_ns in enumerate(STAMPS_NS):
        path = image_path(run / 'capture', stamp_ns)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b'image %d' % number)
    return run


@pytest.mark.parametrize(
    ('feature', 'number'),
    [((1, 0, 0, 0), 0), ((0, 1, 0, 0), 1), ((0.9, 0.1, 0, 0), 0), ((0, 3, 0, 4), 1)],
)
def test_the_nearest_feature_names_the_file(run, feature, number):
    images = TrainingImages(training_features(), run / 'capture')
    assert images.nearest(np.float32(feature)).read_bytes() == b'image %d' % number


@pytest.mark.parametrize('feature', [(0, 0, 0, 0), (np.nan, 0, 0, 0)])
def test_what_points_nowhere_has_no_neighbour(run, feature):
    images = TrainingImages(training_features(), run / 'capture')
    assert images.nearest(np.float32(feature)) is None


def test_features_of_another_model_are_refused(run, refused):
    with refused(ModelError, '3 numbers', 'the 4'):
        TrainingImages(training_features(), run / 'capture').nearest(np.ones(3, np.float32))


def test_the_capture_is_found_by_run_model_and_link(run, tmp_path):
    link = tmp_path / 'current'
    link.symlink_to(run / 'model')
    for path in (run, run / 'model', link):
        assert capture_of(path) == (run / 'capture').resolve()


def test_a_model_folder_alone_has_no_capture(run, tmp_path):
    alone = tmp_path / 'elsewhere' / 'home'
    (run / 'model').rename(alone.parent.parent / 'home')
    assert capture_of(tmp_path / 'home') is None
    assert capture_of(alone) is None


@pytest.fixture
def answering(localizer, monkeypatch):
    """Have images of grey 200 look along the first axis, others along the second."""
    localizer.training = training_features()
    locate = localizer.locate_batch

    def locate_batch(images):
        looks = np.eye(2, 4, dtype=np.float32)[[0 if images[0].max() == 200 else 1]]
        return locate(images)._replace(features=looks)

    monkeypatch.setattr(localizer, 'locate_batch', locate_batch)
    return localizer


@pytest.fixture
def bench(make_bench, answering, run):
    return make_bench(model=str(run)).until_active()


def listen(bench):
    heard = bench.graph.listen(CompressedImage, '/posenet/neighbour/compressed')
    bench.graph.until(lambda: bench.node.count_subscribers('/posenet/neighbour/compressed') == 1)
    return heard


def test_the_neighbour_of_the_newest_answer_goes_out(bench, run):
    heard = listen(bench)
    bench.answer(START_NS)
    bench.graph.until(lambda: heard)
    bench.answer(START_NS + 1, grey=100)
    bench.graph.until(lambda: len(heard) == 2)
    assert [bytes(each.data) for each in heard] == [b'image 0', b'image 1']
    assert bench.stamps(heard) == [START_NS, START_NS + 1]
    assert {each.format for each in heard} == {'jpeg'}
    assert {each.header.frame_id for each in heard} == {'camera_optical'}
    path = image_path(run / 'capture', STAMPS_NS[1])
    bench.until_diagnosed(**{'nearest training image': str(path)})


def test_each_goes_out_once_and_a_refused_image_has_none(bench):
    heard = listen(bench)
    bench.answer(START_NS)
    bench.graph.until(lambda: heard)
    bench.send(START_NS + 1, grey=0)
    bench.until_diagnosed(refused='1')
    reports = len(bench.diagnostics)
    bench.graph.until(lambda: len(bench.diagnostics) > reports + 5)
    assert bench.stamps(heard) == [START_NS]


def test_nothing_is_searched_for_where_nobody_looks(bench):
    bench.answer(START_NS)
    reports = len(bench.diagnostics)
    bench.graph.until(lambda: len(bench.diagnostics) > reports + 5)
    bench.until_diagnosed(**{'nearest training image': ''})
    # Who comes later sees the newest.
    heard = listen(bench)
    bench.graph.until(lambda: heard)
    assert bench.stamps(heard) == [START_NS]


@pytest.mark.parametrize(
    ('damage', 'words'),
    [
        ('no capture', 'none: no capture/images beside the model'),
        ('no image', 'none: cannot read'),
        ('no features', 'none: the model folder has no features'),
        ('no training', 'none: the model folder has no features'),
    ],
)
def test_without_images_it_is_silent_and_says_why(make_bench, answering, run, damage, words):
    if damage == 'no capture':
        (run / 'capture').rename(run / 'away')
    elif damage == 'no image':
        image_path(run / 'capture', STAMPS_NS[0]).unlink()
    else:
        answering.training = training_features(0) if damage == 'no features' else None
    bench = make_bench(model=str(run)).until_active()
    heard = listen(bench)
    bench.answer(START_NS)
    bench.graph.until(lambda: words in bench.values()[2]['nearest training image'])
    assert heard == []


def test_another_model_brings_its_own_images(bench, answering, run, tmp_path):
    heard = listen(bench)
    bench.answer(START_NS)
    bench.graph.until(lambda: heard)
    other = tmp_path / 'other_posenet'
    run.rename(other)
    image_path(other / 'capture', STAMPS_NS[0]).write_bytes(b'upstairs')
    bench.others['other_posenet'] = lambda: answering
    bench.node.set_parameters([Parameter('model', value=str(other))])
    bench.until_diagnosed(model=str(other))
    bench.answer(START_NS + 1)
    bench.graph.until(lambda: len(heard) == 2)
    assert bytes(heard[1].data) == b'upstairs'
