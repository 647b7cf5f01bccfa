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

"""Finding images of the same place, and the pairs that are matched."""

import tracemalloc

import numpy as np
from posenet_ros.sfm import retrieval
from posenet_ros.sfm.matching import choose_pairs, NEIGHBOURS, SIMILAR
from posenet_ros.sfm.retrieval import aggregate, image_vectors, learn_vocabulary, most_similar
import pytest

SIZE = 16


def places(count, *, seed=0):
    """Descriptors of `count` places, of which each image sees one with noise."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(count, 40, SIZE))

    def image(place, noise_seed):
        noise = np.random.default_rng(noise_seed).normal(size=(40, SIZE))
        return (centres[place] + 0.1 * noise).astype(np.float32)

    return image


def test_the_same_place_is_more_similar_than_any_other():
    image = places(12)
    images = [image(index % 12, index) for index in range(24)]
    vectors = image_vectors(lambda index: images[index], 24)
    best = most_similar(vectors, nearest=1, apart=0)
    assert [found[0] for found in best] == [(index + 12) % 24 for index in range(24)]


def test_vectors_have_unit_length_and_do_not_depend_on_the_run():
    image = places(3)
    images = [image(index, index) for index in range(3)]
    one, two = (image_vectors(lambda index: images[index], 3) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    np.testing.assert_allclose(np.linalg.norm(one.astype(float), axis=1), 1, atol=1e-2)


def test_an_image_without_features_is_similar_to_nothing():
    image = places(6)
    images = [image(place, seed) for seed, place in enumerate([0, 1, 2, 3, 4, 5, 0])]
    images[3] = np.zeros((0, SIZE), np.float32)
    vectors = image_vectors(lambda index: images[index], len(images))
    found = most_similar(vectors, nearest=len(images), apart=0)
    assert list(found[3]) == []
    assert all(3 not in others for others in found)
    assert (found[0][0], found[6][0]) == (6, 0)


def test_a_texture_that_repeats_does_not_outvote_the_rest():
    vocabulary = np.array([[10, 0], [-10, 0], [0, 50]], np.float32)
    # A hundred stones of a wall, and one thing that is there once.
    seen = np.array([[10, 2]] * 100 + [[-10, -1]], np.float32)
    vector = aggregate(seen, vocabulary).astype(float)
    half = 0.5**0.5
    np.testing.assert_allclose(vector, [0, half, 0, -half, 0, 0], atol=1e-3)


def test_the_comparison_holds_a_few_vectors_at_a_time_and_finds_the_same(monkeypatch):
    vectors = np.random.default_rng(0).normal(size=(500, 2000)).astype(np.float16)
    at_once = most_similar(vectors, nearest=5, apart=3, spread=2)
    monkeypatch.setattr(retrieval, '_ROWS_AT_ONCE', 16)
    tracemalloc.start()
    try:
        found = most_similar(vectors, nearest=5, apart=3, spread=2)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found == at_once
    # All of them in 32 bits would take twice the memory of the vectors.
    assert peak < vectors.nbytes / 2


def test_frames_close_in_time_are_left_to_the_neighbours():
    vectors = np.ones((9, 4), dtype=np.float16) / 2
    for index, found in enumerate(most_similar(vectors, nearest=20, apart=2)):
        assert sorted(found) == [other for other in range(9) if abs(other - index) > 2]


def test_a_slow_stretch_of_video_does_not_fill_the_list():
    # A path that dwells, goes away, and passes the same place again for one frame.
    image = places(30)
    path = [*[0] * 20, *range(1, 30), 0]
    images = [image(place, seed) for seed, place in enumerate(path)]
    vectors = image_vectors(lambda index: images[index], len(images))
    varied = most_similar(vectors, nearest=4, apart=2, spread=4)[0]
    assert len(path) - 1 in varied
    assert all(abs(a - b) > 4 for a in varied for b in varied if a != b)


def test_a_vocabulary_is_smaller_where_there_is_little_to_learn_from():
    few = np.random.default_rng(0).normal(size=(60, SIZE)).astype(np.float32)
    vocabulary = learn_vocabulary(few)
    assert vocabulary.shape == (3, SIZE)
    assert aggregate(few, vocabulary).shape == (3 * SIZE,)
    assert learn_vocabulary(few[:1]).shape == (1, SIZE)


def test_pairs_have_every_neighbour_and_the_loop():
    # A path that ends where it began.
    image = places(40)
    images = [image(index, index) for index in [*range(40), 0, 1, 2]]
    pairs = choose_pairs(image_vectors(lambda index: images[index], 43))
    neighbours = {(i, j) for i in range(43) for j in range(i + 1, min(i + 1 + NEIGHBOURS, 43))}
    assert neighbours <= set(pairs)
    assert {(0, 40), (1, 41), (2, 42)} <= set(pairs)
    assert pairs == sorted(set(pairs))
    assert all(first < second for first, second in pairs)


@pytest.mark.parametrize('count', [50, 200, 400])
def test_the_number_of_pairs_grows_with_the_frames_and_not_faster(count):
    vectors = np.random.default_rng(0).normal(size=(count, 64)).astype(np.float16)
    assert len(choose_pairs(vectors)) <= count * (NEIGHBOURS + SIMILAR)
