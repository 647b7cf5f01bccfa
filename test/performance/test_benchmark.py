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

"""What is measured and how it is told: with an untrained network, and hardly any time for it."""

import json

import numpy as np
from posenet_ros.errors import ConfigError
from posenet_ros.explain import cost
from posenet_ros.explain.local_features import sift_descriptors
from posenet_ros.localization.posenet import PoseNetLocalizer
from posenet_ros.performance import contest, scene_size
from posenet_ros.performance.benchmark import benchmark, Plan
from posenet_ros.performance.images import camera_images
from posenet_ros.performance.memory import Load, peak_bytes
from posenet_ros.performance.result import figures, save_picture, text
from posenet_ros.performance.sizes import bytes_on_disk
from posenet_ros.performance.untrained import training_of, untrained_model
import pytest
import torch

SMALL = 'mobilenet_v3_small'


@pytest.fixture(scope='module')
def found():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contest, '_LEAST_ROUNDS', 1)
        patch.setattr(contest, '_MOST_ROUNDS', 1)
        patch.setattr(scene_size, 'SIZES', (20, 5000))
        patch.setattr(scene_size, '_DESCRIBED', 2)
        patch.setattr(cost, '_SIFT_SIZES', (1, 2))
        plan = Plan(
            backbone=SMALL,
            device='cpu',
            engines=('torch',),
            crops=(1, 2),
            batches=(1, 2),
            seconds=0.1,
            memory=False,
        )
        return benchmark(plan)


def test_every_engine_has_a_row_for_each_of_crops_and_batch(found):
    cells = [(1, 1), (1, 2), (2, 1)]
    assert found.plan.cells == cells
    names = [engine.name for engine in found.engines]
    assert {'eager', 'torch'} <= set(names)
    assert found.default in names
    asked = [(row.engine, row.crops, row.batch) for row in found.rows]
    assert sorted(asked) == sorted((name, *cell) for name in names for cell in cells)


def test_the_figures_are_plain_and_tell_the_speedup(found, tmp_path):
    told = json.loads(json.dumps(figures(found), allow_nan=False))
    medians = {
        row['engine']: row['median_ms']
        for row in told['rows']
        if (row['crops'], row['batch']) == (1, 1)
    }
    expected = medians['eager'] / medians[told['default_engine']]
    assert told['speedup_over_eager'] == pytest.approx(expected, rel=0.01)
    assert told['engines']['eager']['speedup_over_eager'] == 1
    assert told['engines']['torch']['relative_difference'] < 1e-4
    assert told['machine']['torch'] == torch.__version__.partition('+')[0]
    assert told['model']['backbone'] == SMALL
    assert not told['model']['trained']
    row = told['rows'][0]
    assert row['p99_ms'] >= row['median_ms'] >= row['least_ms'] > 0
    assert row['images_per_second'] == pytest.approx(1000 / row['median_ms'], rel=0.01)
    assert found.default in text(found)
    save_picture(tmp_path / 'picture.png', found)
    assert (tmp_path / 'picture.png').stat().st_size > 1000


def test_memory_by_scene_size_is_bounded_for_posenet_and_not_for_retrieval(found):
    costs = found.scene_size
    assert [each.frames for each in costs[cost.POSENET]] == [20, 5000]
    few, many = (each.memory for each in costs[cost.POSENET])
    width = found.loaded.model.place.width * 4
    assert many - few <= (4096 - 20) * width
    few, many = (each.memory for each in costs[cost.SEARCH])
    assert many - few == (5000 - 20) * width
    assert set(costs) == {cost.POSENET, cost.FEATURE, cost.SEARCH, cost.BRUTE_FORCE, cost.KD_TREES}


@pytest.mark.parametrize(
    'asked', [{'batches': (0,)}, {'threads': -1}, {'seconds': 0.0}, {'crops': (0,)}]
)
def test_numbers_that_cannot_be_meant_are_refused(asked):
    with pytest.raises(ConfigError):
        Plan(**asked)


def test_an_engine_that_was_asked_for_and_is_not_there_is_an_error(monkeypatch):
    plan = Plan(backbone=SMALL, device='cpu', engines=('tensorflow',), memory=False)
    with pytest.raises(ConfigError, match="unknown engine 'tensorflow'"):
        benchmark(plan)


def test_an_untrained_model_answers_every_image_and_not_all_the_same():
    loaded = untrained_model(SMALL, 'default', torch.device('cpu'), frames=30)
    first, second = camera_images(2)
    answers = PoseNetLocalizer(loaded).locate_batch([first, second])
    assert all(estimate.answered for estimate in answers.estimates)
    assert (
        answers.estimates[0].map_from_camera.distance(answers.estimates[1].map_from_camera)[0] > 0
    )
    with pytest.raises(ConfigError, match='unknown recipe'):
        untrained_model(SMALL, 'nonsense', torch.device('cpu'))


def test_images_are_the_same_for_the_same_seed_and_full_of_corners():
    one, other = camera_images(1)[0], camera_images(1, seed=1)[0]
    np.testing.assert_array_equal(one, camera_images(1)[0])
    assert one.shape == (480, 640, 3)
    assert (one != other).any()
    assert len(sift_descriptors(one)) > 500


def test_training_frames_are_made_of_few_and_all_different():
    made = training_of(np.eye(3, 8, dtype=np.float16), 50)
    assert made.features_NK.shape == (50, 8)
    assert len(np.unique(made.features_NK, axis=0)) == 50


def test_bytes_on_disk_are_those_of_the_parts_and_half_of_them():
    model = untrained_model(SMALL, 'default', torch.device('cpu')).model
    whole = bytes_on_disk(model)
    single, half = whole['float32'], whole['float16']
    assert single['trunk'] == 2 * half['trunk']
    assert single['whole'] == single['trunk'] + single['heads'] + single['place feature']
    # Kept in half precision anyway.
    assert half['place feature'] > 0.9 * single['place feature']


def test_memory_is_that_of_a_process_of_its_own():
    load = Load(None, SMALL, 'default', 'cpu', 'torch', 1, 1, 1)
    found = peak_bytes(load)
    assert found is None or 100e6 < found < 4e9
