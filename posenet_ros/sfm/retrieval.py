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

"""
Find images that show the same place by their SIFT descriptors, with nothing downloaded.

Each image becomes one vector of locally aggregated descriptors (VLAD, Jegou et al., CVPR 2010)
over a small vocabulary that k-means learns from the recording itself; images that see the same
things have vectors of large inner product.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

WORDS = 64
_TRAINING_DESCRIPTORS = 20_000
_DESCRIPTORS_A_WORD = 20
_KMEANS_ROUNDS = 12
_ROWS_AT_ONCE = 512


def learn_vocabulary(descriptors: NDArray[np.float32], *, seed: int = 0) -> NDArray[np.float32]:
    """Return up to `WORDS` centres (K, D) of descriptors (N, D) by k-means (Lloyd)."""
    rng = np.random.default_rng(seed)
    words = min(WORDS, max(1, len(descriptors) // _DESCRIPTORS_A_WORD))
    centres = descriptors[rng.choice(len(descriptors), words, replace=False)]
    for _ in range(_KMEANS_ROUNDS):
        nearest = _nearest(descriptors, centres)
        sums = np.zeros_like(centres)
        np.add.at(sums, nearest, descriptors)
        counts = np.bincount(nearest, minlength=words)[:, None]
        # A centre that lost all its descriptors stays where it is.
        centres = np.where(counts > 0, sums / np.maximum(counts, 1), centres).astype(np.float32)
    return centres


def aggregate(
    descriptors: NDArray[np.float32], vocabulary: NDArray[np.float32]
) -> NDArray[np.float16]:
    """
    Return the VLAD vector (K * D,) of one image's descriptors (N, D), of unit length.

    Residuals are normalised word by word, so that one repeated texture (a grid, a brick wall)
    does not outvote the rest. An image without descriptors gives zeros, similar to nothing.
    """
    words, size = vocabulary.shape
    vector = np.zeros((words, size), dtype=np.float32)
    if len(descriptors):
        nearest = _nearest(descriptors, vocabulary)
        np.add.at(vector, nearest, descriptors - vocabulary[nearest])
        vector /= np.maximum(np.linalg.norm(vector, axis=1, keepdims=True), 1e-12)
        vector /= max(float(np.linalg.norm(vector)), 1e-12)
    return vector.ravel().astype(np.float16)


def image_vectors(
    read: Callable[[int], NDArray[np.float32]], count: int, *, seed: int = 0
) -> NDArray[np.float16]:
    """
    Return one vector per image (count, K * D); `read(index)` gives an image's descriptors.

    The images are read twice, one at a time, so memory holds one image's descriptors, a sample
    for the vocabulary, and the vectors.
    """
    rng = np.random.default_rng(seed)
    share = max(1, _TRAINING_DESCRIPTORS // max(count, 1))
    sample = []
    for index in range(count):
        descriptors = read(index)
        chosen = rng.permutation(len(descriptors))[:share]
        sample.append(descriptors[chosen])
    vocabulary = learn_vocabulary(np.concatenate(sample), seed=seed)
    return np.stack([aggregate(read(index), vocabulary) for index in range(count)])


def most_similar(
    vectors: NDArray[np.float16], *, nearest: int, apart: int, spread: int = 0
) -> list[list[int]]:
    """
    Return, for each row, the `nearest` most similar rows more than `apart` rows away.

    Most similar first. Rows within `spread` of one that was taken are passed over, so that a
    slow stretch of video does not fill the list with one view. The comparison is of all with
    all, but one inner product costs a millionth of matching two images.
    """
    count = len(vectors)
    found: list[list[int]] = []
    for start in range(0, count, _ROWS_AT_ONCE):
        rows = np.arange(start, min(start + _ROWS_AT_ONCE, count))
        similarity = _inner_products(vectors[rows], vectors)
        _pass_over(similarity, rows, apart)
        taken: list[list[int]] = [[] for _ in rows]
        for _ in range(min(nearest, count)):
            best = similarity.argmax(axis=1)
            for row in np.flatnonzero(similarity[np.arange(len(rows)), best] > 0):
                taken[row].append(int(best[row]))
            _pass_over(similarity, best, spread)
        found.extend(taken)
    return found


def _inner_products(some: NDArray[np.float16], every: NDArray[np.float16]) -> NDArray[np.float32]:
    """Return all inner products (N, M); twice as many bits are held of a few vectors at a time."""
    products = np.empty((len(some), len(every)), dtype=np.float32)
    rows = some.astype(np.float32)
    for start in range(0, len(every), _ROWS_AT_ONCE):
        block = slice(start, start + _ROWS_AT_ONCE)
        products[:, block] = rows @ every[block].astype(np.float32).T
    return products


def _pass_over(similarity: NDArray[np.float32], centres: NDArray[np.int64], apart: int) -> None:
    """Take the columns around one centre a row out of the comparison."""
    rows, last = np.arange(len(similarity)), similarity.shape[1] - 1
    for offset in range(-apart, apart + 1):
        similarity[rows, np.clip(centres + offset, 0, last)] = -np.inf


def _nearest(descriptors: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.int64]:
    # |d - c|^2 = |d|^2 - 2 d.c + |c|^2, and |d|^2 is the same for every centre.
    scores = descriptors @ centres.T - 0.5 * (centres**2).sum(axis=1)
    return scores.argmax(axis=1)
