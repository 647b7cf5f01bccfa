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
Figure 12: what the trunk makes of the frames, on a plane by t-SNE, coloured by time.

t-SNE (van der Maaten and Hinton, JMLR 2008) lays vectors out so that neighbours stay neighbours.
The vectors are what the pose head sees of an image (`PoseNet.describe`), the same for all trunks:
the trunk's maps at its last levels, averaged over the cells of a grid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.frames import Frame
from posenet_ros.data.images import read_image
from posenet_ros.errors import ModelError
from posenet_ros.evaluation.metrics import PoseErrors, quantile
from posenet_ros.explain.exhibit import Exhibit
from posenet_ros.explain.layout import lay_out, Layout
from posenet_ros.explain.numbers import plain
from posenet_ros.explain.other import open_other
from posenet_ros.explain.subject import some, Subject
from posenet_ros.models.backbones import Trunk
from posenet_ros.models.posenet import PoseNet
from posenet_ros.reporting.style import blank_figure, INK
from posenet_ros.training.allocator import keep_freed_memory
from posenet_ros.training.fit import make_trunk
import torch
from tqdm import tqdm

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CLASSIFIER = 'trained to classify images'
RANDOM = 'not trained'
OTHER = 'trained on another scene'
OWN = 'trained on this scene'

_MOST_FRAMES = 200


def draw(subject: Subject, trunk: Path | None = None) -> Exhibit:
    """
    Lay out the frames by three trunks: as the training began, of another scene, and this model's.

    `trunk` is the folder of a model of another scene; without it there are two. Raises ModelError
    where the weights that the training began with cannot be had, ConfigError for a `trunk` of this
    scene or with another backbone.
    """
    trunks = _trunks(subject, trunk)
    train, test = some(subject.train, _MOST_FRAMES), some(subject.test, _MOST_FRAMES)
    features = describe(subject, trunks, [*train, *test])
    layouts = {name: lay_out(each, train, test) for name, each in features.items()}
    order_N = time_order([*train, *test])
    return Exhibit(
        name='features',
        title='What the trunk makes of the frames',
        caption=_caption(layouts, subject.unit),
        paper='Figure 12',
        picture=_picture(layouts, order_N, len(train), subject.unit),
        headings=['trunk', 'linear fit', 'nearest frame', 'trustworthiness of the picture'],
        rows=[
            [
                name,
                _error(layout.linear, subject.unit),
                _error(layout.nearest, subject.unit),
                f'{layout.faithful:.3f}',
            ]
            for name, layout in layouts.items()
        ],
        numbers={
            'training_frames': len(train),
            'test_frames': len(test),
            'order': order_N.tolist(),
            'trunks': {name: _plain(layout) for name, layout in layouts.items()},
        },
    )


def _trunks(subject: Subject, other: Path | None) -> dict[str, Trunk]:
    """Return the trunks to compare by what they are, in the order of the paper's figure."""
    trunks = _first_trunk(subject)
    if other is not None:
        trunks[OTHER] = open_other(subject, other).model.trunk
    return {**trunks, OWN: subject.loaded.model.trunk}


def _first_trunk(subject: Subject) -> dict[str, Trunk]:
    """Return the trunk that training began with, by what it had learned before."""
    weights = subject.options.weights
    if weights not in ('imagenet', 'none') and not Path(weights).is_file():
        raise ModelError(
            f'the training of {subject.run} began with the weights {weights}, which are not there '
            'any more (as seen from this folder); put them back'
        )
    return {RANDOM if weights == 'none' else CLASSIFIER: make_trunk(subject.options)}


@torch.inference_mode()
def describe(
    subject: Subject, trunks: Mapping[str, Trunk], frames: Sequence[Frame]
) -> dict[str, NDArray[np.float32]]:
    """Return what the model's head would see of frames (N, D), if it had each of the trunks."""
    device, card = subject.loaded.device, subject.loaded.card
    if device.type == 'cpu':
        keep_freed_memory()
    models = {
        name: PoseNet(card.architecture, trunk, auxiliary=False).eval().to(device)
        for name, trunk in trunks.items()
    }
    described: dict[str, list[torch.Tensor]] = {name: [] for name in trunks}
    for frame in tqdm(frames, desc='features of frames', unit='image'):
        image_13HW = card.preprocessing.prepare(read_image(frame.image))[None].to(device)
        for name, model in models.items():
            described[name].append(model.describe(image_13HW).float().cpu())
    return {name: torch.cat(rows).numpy() for name, rows in described.items()}


def time_order(frames: Sequence[Frame]) -> NDArray[np.int64]:
    """Return each frame's place in time (N,), one sequence after the other."""
    order = sorted(
        range(len(frames)), key=lambda number: (frames[number].sequence, frames[number].stamp_ns)
    )
    place_N = np.empty(len(frames), dtype=np.int64)
    place_N[order] = np.arange(len(frames))
    return place_N


def _picture(
    layouts: Mapping[str, Layout], order_N: NDArray[np.int64], training: int, unit: str
) -> Figure:
    figure = blank_figure(4.0 * len(layouts) + 0.8, 4.4)
    panels = figure.subplots(1, len(layouts), squeeze=False)[0]
    for axes, (name, layout) in zip(panels, layouts.items()):
        for part, marker, size, label in (
            (slice(training), 'o', 16, 'training frames'),
            (slice(training, None), '^', 22, 'test frames'),
        ):
            points = axes.scatter(
                *layout.place_N2[part].T,
                s=size,
                c=order_N[part],
                marker=marker,
                vmin=0,
                vmax=len(order_N) - 1,
                cmap='turbo',
                linewidths=0.5 if marker == '^' else 0,
                edgecolors=INK,
                label=label,
            )
        axes.set_title(
            f'{name}\nlinear fit: {_error(layout.linear, unit)}', fontsize=10, color=INK
        )
        axes.set_aspect('equal', 'datalim')
        axes.set_xticks([])
        axes.set_yticks([])
    bar = figure.colorbar(points, ax=panels, ticks=[0, len(order_N) - 1], fraction=0.03, pad=0.01)
    bar.ax.set_yticklabels(['first', 'last'])
    bar.set_label('frames in order of time', color=INK)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc='outside lower center', ncols=2, frameon=False, fontsize=9)
    return figure


def _caption(layouts: Mapping[str, Layout], unit: str) -> str:
    missing = '' if OTHER in layouts else ' (--trunk adds one that was trained on another scene)'
    fits = ', '.join(f'{_error(each.linear, unit)} ({name})' for name, each in layouts.items())
    own = _error(layouts[OWN].nearest, unit)
    return (
        'What the pose head sees of each frame, on a plane by t-SNE: where colour changes '
        'smoothly along a line, a trunk tells places apart, trained for it or not'
        f'{missing}. How simply their features tell the pose, a linear fit on the training frames '
        f'shows by its median error on the test frames: {fits}; the nearest training frame by the '
        f'last is {own} away. Distances between lines on the plane mean nothing.'
    )


def _error(errors: PoseErrors, unit: str) -> str:
    position, orientation = _medians(errors)
    return f'{position:.2f} {unit}, {orientation:.1f} deg'


def _medians(errors: PoseErrors) -> tuple[float, float]:
    return quantile(errors.position_m, 0.5), quantile(errors.orientation_deg, 0.5)


def _plain(layout: Layout) -> dict[str, Any]:
    parts = {'linear': layout.linear, 'nearest': layout.nearest}
    medians = {name: plain(_medians(errors)) for name, errors in parts.items()}
    return {
        'places': plain(layout.place_N2),
        'trustworthiness': plain(layout.faithful),
        **{
            name: {'median_position': position, 'median_orientation_deg': orientation}
            for name, (position, orientation) in medians.items()
        },
    }
