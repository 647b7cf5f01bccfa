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
Figure 13: what an answer costs in time and memory, against the number of training frames.

The regressed pose, the nearest training image by the network's feature, and the training image
with most SIFT matches. The last two have only found an image then; a pose of its matches costs
more. Everything is measured on this machine, nothing extrapolated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
import time
from typing import Any, NamedTuple, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.images import read_image
from posenet_ros.explain.answers import training_features
from posenet_ros.explain.exhibit import Exhibit
from posenet_ros.explain.local_features import sift_descriptors, SiftMatcher
from posenet_ros.explain.numbers import plain
from posenet_ros.explain.subject import some, Subject
from posenet_ros.localization.retrieval import FeatureIndex
from posenet_ros.machine import cores
from posenet_ros.models.checkpoint import TrainingFeatures
from posenet_ros.models.posenet import PoseNet
from posenet_ros.reporting.style import BASELINES, ESTIMATE, INK, new_figure
from tqdm import tqdm

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POSENET = 'PoseNet'
FEATURE = 'nearest image by its feature'
SEARCH = 'its search alone'
BRUTE_FORCE = 'SIFT, brute force'
KD_TREES = 'SIFT, kd-trees'

_LOOKS = {
    POSENET: (ESTIMATE, '-'),
    FEATURE: (BASELINES[0], 'o-'),
    SEARCH: (BASELINES[0], 'o:'),
    BRUTE_FORCE: (BASELINES[1], 's-'),
    # Its memory is the same.
    KD_TREES: (BASELINES[2], 'd--'),
}
_INDEX_SIZES = (10, 100, 1_000, 10_000, 100_000)
# Each takes a tenth of a second to describe, and twenty milliseconds to match exactly.
_SIFT_SIZES = (2, 8, 32, 128)
_QUERIES = 9
_SIFT_QUERIES = 3


class Cost(NamedTuple):
    """Time of an answer in milliseconds, and memory in bytes, with so many training frames."""

    frames: int
    ms: float
    memory: int


def draw(subject: Subject) -> Exhibit:
    """
    Measure what an answer costs, and draw it against the number of training frames.

    Raises ModelError where the model has no features of its training images.
    """
    costs = measure(subject)
    frames = len(subject.train)
    return Exhibit(
        name='cost',
        title='What an answer costs',
        caption=_caption(subject, costs),
        paper='Figure 13',
        picture=_picture(costs, frames),
        headings=['method', 'training frames', 'time of an answer', 'memory'],
        rows=[
            [name, _count(name, each), f'{each.ms:.3g} ms', f'{each.memory / 1e6:.3g} MB']
            for name, measured in costs.items()
            for each in measured
        ],
        numbers={
            'training_frames': frames,
            'device': str(subject.loaded.device),
            'cores': cores(),
            'methods': {
                name: [_numbers(each) for each in each_of] for name, each_of in costs.items()
            },
        },
    )


def measure(subject: Subject) -> dict[str, tuple[Cost, ...]]:
    """
    Return what each method costs by the number of training frames.

    PoseNet's costs are the same for any number; they are told for all that there are.
    """
    training = training_features(subject)
    images = [read_image(frame.image) for frame in some(subject.test, _QUERIES)]
    frames = some(subject.train, _SIFT_SIZES[-1])
    described = [
        sift_descriptors(read_image(frame.image))
        for frame in tqdm(frames, desc='describing by SIFT', unit='image')
    ]
    network = Cost(
        len(subject.train),
        median_ms(lambda rgb: subject.regressor.regress([rgb]), images),
        weights_bytes(subject.loaded.model),
    )
    features = [feature[None] for feature in subject.regressor.regress(images).features]
    searches = search_costs(training, features)
    return {
        POSENET: (network,),
        FEATURE: tuple(
            Cost(each.frames, network.ms + each.ms, network.memory + each.memory)
            for each in searches
        ),
        SEARCH: searches,
        **sift_costs(described, images[:_SIFT_QUERIES]),
    }


def median_ms(answer: Callable[[Any], object], queries: Sequence[Any]) -> float:
    """Return the median time of an answer in milliseconds, after a first one to warm up."""
    answer(queries[0])
    times = []
    for query in queries:
        start = time.perf_counter()
        answer(query)
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times))


def weights_bytes(model: PoseNet) -> int:
    """Return the memory of all weights, those of batch norms too, in bytes."""
    return sum(value.nbytes for value in model.state_dict().values())


def search_costs(
    training: TrainingFeatures, features: Sequence[NDArray[np.float32]]
) -> tuple[Cost, ...]:
    """
    Measure searches among 10 to 100,000 features, and among those at hand.

    `features` (1, K) are searched for. Where there are less than so many, they are repeated.
    """
    costs = []
    for size in sorted({*_INDEX_SIZES, len(training.features_NK)}):
        index = FeatureIndex(repeated(training, size))
        costs.append(Cost(size, median_ms(index.nearest, features), index.nbytes))
    return tuple(costs)


def repeated(training: TrainingFeatures, size: int) -> TrainingFeatures:
    """Return features of so many training images: those at hand, again and again."""
    return TrainingFeatures(
        np.resize(training.features_NK, (size, training.features_NK.shape[1])),
        np.resize(training.positions_N3, (size, 3)),
        np.resize(training.quaternions_wxyz_N4, (size, 4)),
        np.resize(training.stamps_ns_N, size),
    )


def sift_costs(
    described: Sequence[NDArray[np.float32]], images: Sequence[NDArray[np.uint8]]
) -> dict[str, tuple[Cost, ...]]:
    """
    Measure the search for the training image with most matches to each of `images`, both ways.

    `described` are the SIFT descriptors of up to 128 training images, and no more are measured.
    """
    sizes = sorted({min(size, len(described)) for size in _SIFT_SIZES})
    costs: dict[str, list[Cost]] = {BRUTE_FORCE: [], KD_TREES: []}
    for size in tqdm(sizes, desc='matching SIFT', unit='size'):
        for name, measured in costs.items():
            matcher = SiftMatcher(some(described, size), exact=name == BRUTE_FORCE)
            ms = median_ms(lambda rgb, of=matcher: of.nearest(sift_descriptors(rgb)), images)
            measured.append(Cost(size, ms, matcher.nbytes))
    return {name: tuple(measured) for name, measured in costs.items()}


def _picture(costs: dict[str, tuple[Cost, ...]], frames: int) -> Figure:
    figure, axes = new_figure(2, width=10.5, height=4.6)
    draw_costs(axes, costs)
    for each in axes:
        each.axvline(frames, color=INK, linewidth=0.8, linestyle=':', zorder=1)
    axes[0].set_title(f'dotted: the {frames} frames of this model', fontsize=9, loc='left')
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc='outside lower center', ncols=5, frameon=False, fontsize=9)
    return figure


def draw_costs(axes: Sequence[Axes], costs: dict[str, tuple[Cost, ...]]) -> None:
    """Draw time and memory by the number of training frames into two axes."""
    times, memories = axes
    for name, measured in costs.items():
        at = [cost.frames for cost in measured]
        _line(times, name, at, [cost.ms for cost in measured])
        _line(memories, name, at, [cost.memory / 1e6 for cost in measured])
    for each, label in zip(axes, ('time of an answer [ms]', 'memory [MB]')):
        each.set_xscale('log')
        each.set_yscale('log')
        each.xaxis.set_major_formatter('{x:,g}')
        each.yaxis.set_major_formatter('{x:g}')
        each.set_xlabel('training frames', color=INK)
        each.set_ylabel(label, color=INK)


def _line(axes: Axes, name: str, frames: Sequence[int], values: Sequence[float]) -> None:
    colour, line = _LOOKS[name]
    if len(values) == 1:
        axes.axhline(values[0], color=colour, linewidth=2.2, label=name)
    else:
        wide = 2.2 if name == POSENET else 1.6
        axes.plot(frames, values, line, color=colour, markersize=4, linewidth=wide, label=name)


def _caption(subject: Subject, costs: dict[str, tuple[Cost, ...]]) -> str:
    (network,) = costs[POSENET]
    search, exact, trees = (costs[name][-1] for name in (SEARCH, BRUTE_FORCE, KD_TREES))
    return (
        f'A regressed pose takes {network.ms:.0f} ms and {network.memory / 1e6:.0f} MB of weights '
        f'({subject.loaded.device}, {cores()} cores), however many frames were trained on. The '
        f'search of the nearest feature comes on top, {search.ms:.1f} ms and '
        f'{search.memory / 1e6:.0f} MB among {search.frames:,} (above {len(subject.train)} by '
        'repeating them); a model that refuses images of other places needs it too. SIFT takes '
        f'{exact.ms:.0f} ms at {exact.frames} frames by brute force and {trees.ms:.0f} ms with '
        'kd-trees and has found an image then, not yet a pose; its memory is that of the '
        'descriptors (float32), without trees and points.'
    )


def _count(name: str, cost: Cost) -> str:
    return 'any' if name == POSENET else f'{cost.frames:,}'


def _numbers(cost: Cost) -> dict[str, float]:
    return {'frames': cost.frames, 'ms': plain(cost.ms), 'bytes': cost.memory}
