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
Figure 11: which pixels the pose depends on.

What a saliency is, and in what it differs from the paper's, is told in `sensitivity`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.frames import Frame
from posenet_ros.data.images import read_image
from posenet_ros.evaluation.metrics import pose_errors
from posenet_ros.evaluation.table import degrees, metres
from posenet_ros.explain.exhibit import Exhibit
from posenet_ros.explain.numbers import plain
from posenet_ros.explain.sensitivity import (
    NOISE_LEVELS,
    NOISY_COPIES,
    plainer_half,
    saliency_maps,
    smooth,
)
from posenet_ros.explain.subject import some, Subject
from posenet_ros.reporting.style import blank_figure, INK
from tqdm import tqdm

_MOST_FRAMES = 6
_CELLS = 9, 12


@dataclass(frozen=True, eq=False)
class Saliency:
    """
    What the network sees of a test image (H, W, 3), and its two saliency maps (H, W).

    `error` is that of the answer to this image, in the unit of the map and in degrees.
    """

    name: str
    rgb: NDArray[np.uint8]
    error: tuple[float, float]
    position: NDArray[np.float64]
    orientation: NDArray[np.float64]


def draw(subject: Subject) -> Exhibit:
    """Show what the position and what the orientation depend on, for some test images."""
    frames = some(subject.test, _MOST_FRAMES)
    shown = list(_saliencies(subject, frames))
    unit = subject.unit
    return Exhibit(
        name='saliency',
        title='Which pixels the pose depends on',
        caption=_caption(shown),
        paper='Figure 11',
        picture=_picture(shown, unit),
        headings=(
            'image',
            f'error [{unit}]',
            '[deg]',
            'position: share of the plainer half',
            'orientation: share of the plainer half',
        ),
        rows=[_row(each) for each in shown],
        numbers={
            'unit': unit,
            'noisy_copies': NOISY_COPIES,
            'noise_grey_levels': NOISE_LEVELS,
            'images': [_told(each) for each in shown],
        },
    )


def _saliencies(subject: Subject, frames: Sequence[Frame]) -> Iterator[Saliency]:
    preprocessing = subject.regressor.preprocessing
    for frame in tqdm(frames, desc='saliency', unit='image'):
        rgb = read_image(frame.image)
        errors = pose_errors([frame.map_from_camera], subject.regressor.regress([rgb]).poses)
        small = preprocessing.resize(rgb)
        crop = np.ascontiguousarray(preprocessing.crop_at(small, *preprocessing.centre(small)))
        error = float(errors.position_m[0]), float(errors.orientation_deg[0])
        yield Saliency(frame.image.name, crop, error, *saliency_maps(subject, crop))


def _picture(shown: Sequence[Saliency], unit: str) -> Figure:
    """Draw a row for each image: itself, and both maps over it in grey."""
    height, width = shown[0].rgb.shape[:2]
    figure = blank_figure(11.0, len(shown) * (3.6 * height / width + 0.3))
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03)
    for row, each in zip(figure.subplots(len(shown), 3, squeeze=False), shown):
        row[0].imshow(each.rgb)
        _overlay(row[1], each.rgb, each.position)
        _overlay(row[2], each.rgb, each.orientation)
        found = f'found {metres(each.error[0])} {unit} and {degrees(each.error[1])} deg off'
        for axes, title in zip(
            row, (found, 'what the position depends on', 'what the orientation depends on')
        ):
            axes.set_axis_off()
            axes.set_title(title, loc='left', fontsize=10, color=INK)
    return figure


def _overlay(axes: Axes, rgb: NDArray[np.uint8], saliency: NDArray[np.float64]) -> None:
    """Show a map in colour over an image in grey, smoothed, and bright at its own largest."""
    shown = smooth(saliency)
    # Dark, so that what is bright is so by the map alone.
    axes.imshow(rgb.mean(axis=2), cmap='gray', vmin=0, vmax=400)
    axes.imshow(shown, cmap='inferno', vmin=0, vmax=np.percentile(shown, 99.5), alpha=0.6)


def _row(each: Saliency) -> tuple[str, ...]:
    half = plainer_half(each.rgb)
    cells = [f'{100 * _share(values, half):.0f} %' for values in (each.position, each.orientation)]
    return each.name, metres(each.error[0]), degrees(each.error[1]), *cells


def _share(saliency: NDArray[np.float64], half: NDArray[np.bool_]) -> float:
    return float(saliency[half].sum() / max(float(saliency.sum()), 1e-30))


def _told(each: Saliency) -> dict[str, Any]:
    half = plainer_half(each.rgb)
    maps = {'position': each.position, 'orientation': each.orientation}
    return {
        'image': each.name,
        'position_error': plain(each.error[0]),
        'orientation_error_deg': plain(each.error[1]),
        **{
            name: {
                'plainer_half': plain(_share(values, half)),
                'mean_of_all_grey_levels': plain(255 * values.mean()),
                'cells': _cells(values),
            }
            for name, values in maps.items()
        },
    }


def _cells(saliency: NDArray[np.float64]) -> list[list[float]]:
    """Return the shares of the cells of a coarse grid, row by row."""
    rows, columns = _CELLS
    cells = cv2.resize(saliency, (columns, rows), interpolation=cv2.INTER_AREA)
    return plain(cells / max(float(cells.sum()), 1e-30))


def _caption(shown: Sequence[Saliency]) -> str:
    position, orientation = (
        np.mean([_share(getattr(each, name), plainer_half(each.rgb)) for each in shown])
        for name in ('position', 'orientation')
    )
    return (
        'Bright is where a change of the pixels would move (middle) or turn (right) the pose '
        'found the most; each map is scaled to its own largest values. The half of the pixels '
        f'with the least texture around them has {100 * position:.0f} % of what the position '
        f'depends on, and {100 * orientation:.0f} % of what the orientation does: 50 % would mean '
        'that texture does not matter.'
    )
