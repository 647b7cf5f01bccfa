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

"""Pairs out of a device's memory: the same that are read from files, drawn as often."""

from dataclasses import replace

import numpy as np
from posenet_ros.models.relative import RelativeArchitecture, RelativePoseNet
from posenet_ros.training.relative import fit
from posenet_ros.training.relative.batches import batch_of, joined
from posenet_ros.training.relative.module import RelativeOptions
from posenet_ros.training.relative.resident import (
    Drawn,
    fit_into,
    ResidentPairs,
    ResidentScenes,
)
import pytest
import torch

CPU = torch.device('cpu')


@pytest.fixture
def scenes(make_scene):
    """Three scenes of different sizes; at the images of the last there are two looks."""
    rng = np.random.default_rng(9)
    last = make_scene(2, count=10)
    maps = np.concatenate([last.maps_NChw, rng.standard_normal(last.maps_NChw.shape)])
    last = replace(last, maps_NChw=maps.astype(np.float16), looks=2, ray_2hw=2 * last.ray_2hw)
    return [make_scene(0), make_scene(1, count=15), last]


@pytest.fixture
def resident(scenes):
    return ResidentScenes(scenes, CPU)


def assert_same(one, other):
    parts = [(*batch.asked, *batch.known, *batch.target) for batch in (one, other)]
    for mine, theirs in zip(*parts, strict=True):
        assert mine.dtype == theirs.dtype == torch.float32
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-6)


def test_a_batch_of_several_scenes_is_that_of_their_files(scenes, resident):
    numbers = [([3, 5], [7, 2], [0, 1]), ([14, 0], [1, 6], [1, 0]), ([4, 9], [8, 0], [1, 0])]
    looks = [(0, 0), (0, 0), (np.array([1, 0]), np.array([1, 1]))]
    expected = joined(
        [
            batch_of(scene, np.array(asked), np.array(known), np.array(mirrored, bool), *look)
            for scene, (asked, known, mirrored), look in zip(scenes, numbers, looks, strict=True)
        ]
    )
    firsts = np.array([0, 12, 27]).repeat(2)
    asked, known, mirrored = (torch.from_numpy(np.ravel(each)) for each in zip(*numbers))
    asked, known = asked + torch.from_numpy(firsts), known + torch.from_numpy(firsts)
    asked_look, known_look = torch.tensor([0, 0, 0, 0, 1, 0]), torch.tensor([0, 0, 0, 0, 1, 1])
    drawn = Drawn(
        asked,
        known,
        resident.rows(asked, asked_look),
        resident.rows(known, known_look),
        mirrored.bool(),
    )
    assert_same(resident.batch(drawn), expected)


def test_drawn_are_pairs_of_each_scene_alike_either_way_round(scenes, resident):
    drawn = resident.draw(6000, torch.Generator().manual_seed(0), mirrored=True)
    scene = resident.scene_N[drawn.asked_B]
    torch.testing.assert_close(scene, resident.scene_N[drawn.known_B])
    np.testing.assert_allclose(np.bincount(scene) / 6000, 1 / 3, atol=0.03)
    assert float(drawn.mirrored_B.double().mean()) == pytest.approx(0.5, abs=0.03)
    # Of the first scene all its pairs and no other, as likely as they are to be.
    pairs = scenes[0].pairs
    asked, known = (each[scene == 0].numpy() for each in (drawn.asked_B, drawn.known_B))
    assert (asked < known).mean() == pytest.approx(0.5, abs=0.05)
    seen = np.stack([np.minimum(asked, known), np.maximum(asked, known)])
    shares = [(pair == seen.T).all(axis=1).mean() for pair in zip(pairs.first_P, pairs.second_P)]
    assert sum(shares) == pytest.approx(1)
    np.testing.assert_allclose(shares, pairs.chances(), atol=0.03)
    # Either look of the images of the last, and those of no other image.
    last = scene == 2
    rows, numbers = drawn.asked_row_B[last] - 27, drawn.asked_B[last] - 27
    assert set((rows - numbers).tolist()) == {0, 10}


def test_seeded_pairs_are_the_same_again_and_others_are_not(resident):
    held_out = ResidentPairs(resident, 40, mirrored=False, seed=0)
    assert len(held_out) == 40
    first = held_out.__getitems__(range(8))
    assert_same(first, held_out.__getitems__(range(8)))
    other = held_out.__getitems__(range(8, 16))
    assert not torch.equal(first.target.direction_B3, other.target.direction_B3)
    assert held_out[3].asked.map_BChw.shape == (1, 5, 3, 4)
    drawn = ResidentPairs(resident, 40)
    torch.manual_seed(0)
    one, two = drawn.__getitems__(range(16)), drawn.__getitems__(range(16))
    assert not torch.equal(one.target.direction_B3, two.target.direction_B3)


def test_maps_lie_in_memory_where_a_gpu_has_room(scenes, monkeypatch):
    assert not fit_into(CPU, scenes)
    size = sum(scene.maps_NChw.nbytes for scene in scenes)
    gpu = torch.device('cuda')
    for free, fits in ((2 * size, True), (2 * size - 2, False)):
        monkeypatch.setattr(torch.cuda, 'mem_get_info', lambda device, free=free: (free, 0))
        assert fit_into(gpu, scenes) == fits
        assert fit_into(gpu, scenes[:1], scenes[1:]) == fits


def test_a_network_learns_from_them(scenes, tmp_path, monkeypatch):
    monkeypatch.setattr(fit, 'fit_into', lambda device, *parts: True)
    network = RelativePoseNet(RelativeArchitecture(key=8, width=8), 5)
    identity = {'labels_sha256': 'a', 'trained_on_sha256': 'b', 'weights_sha256': None}
    options = RelativeOptions(steps=3, batch_size=8)
    found = fit.fit_relative(scenes[:2], scenes[2:], network, options, tmp_path, identity)
    assert 0 < found.held_out()['direction_deg'] < 180
