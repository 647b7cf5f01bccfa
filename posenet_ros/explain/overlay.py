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
Figure 3: the map's points on test images, seen from the true pose and from the one found.

The paper lays a rendered view over the image. Points need no dense model, and how far they move
between both poses can be told in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TYPE_CHECKING

import numpy as np
from posenet_ros.data.images import read_image
from posenet_ros.errors import ConfigError, PosenetError
from posenet_ros.evaluation.evaluate import Evaluation
from posenet_ros.evaluation.table import degrees, metres
from posenet_ros.explain.answers import answers
from posenet_ros.explain.exhibit import Exhibit
from posenet_ros.explain.numbers import plain
from posenet_ros.explain.overlay_picture import picture, View
from posenet_ros.explain.points import pixels, PointMap
from posenet_ros.explain.subject import Subject

if TYPE_CHECKING:
    import pycolmap

# Which test frames are shown, by the share of them that are nearer to the truth.
_SHOWN = {'25th percentile': 0.25, 'median': 0.5, '90th percentile': 0.9, 'worst': 1.0}
# More points than that hide the image.
_MOST_POINTS = 350
# Labels of another origin than the points differ by more than that, and it is told.
_LABEL_DEG = 0.1


def draw(subject: Subject, points: Path | None) -> Exhibit:
    """
    Show points of the map on four test images: where they are, and where the model has them.

    `points` is the folder of a COLMAP model in the map of the labels, by default that of the run.
    The images stand at the quarter, half, nine tenths and the end of the order of all answered
    test images by position error. Raises ConfigError where there is no model, or it is in
    another frame.
    """
    space = PointMap.open(points or _own_points(subject), [*subject.train, *subject.test])
    views = _views(subject, answers(subject), space)
    unit = subject.unit
    return Exhibit(
        name='overlay',
        title="The map's points, seen from the true pose and from the one found",
        caption=_caption(subject, views, space),
        paper='Figure 3',
        picture=picture(views, unit),
        headings=('image', 'error', f'[{unit}]', '[deg]', 'points', 'moved [px]', 'still in view'),
        rows=[_row(view) for view in views],
        numbers={
            'unit': unit,
            'map_apart_from_labels': plain(space.apart),
            'views': [_told(view) for view in views],
        },
    )


def _own_points(subject: Subject) -> Path:
    folder = subject.model or subject.run / 'sfm'
    if not folder.is_dir():
        raise ConfigError(
            f'{subject.run} has no reconstruction of its own, since its poses are from elsewhere: '
            'give a COLMAP model in their map, --points DIR'
        )
    return folder


def _views(subject: Subject, evaluation: Evaluation, space: PointMap) -> list[View]:
    """Return the images to show, those found best first."""
    lens = space.lens(subject.camera)
    wrong = evaluation.errors.position_m
    order = np.argsort(wrong)[: int(np.isfinite(wrong).sum())]
    if not len(order):
        raise PosenetError('the model answers no test image, so there is nothing to lay over them')
    places = {rank: order[round(share * (len(order) - 1))] for rank, share in _SHOWN.items()}
    return [_view(subject, evaluation, space, lens, rank, at) for rank, at in places.items()]


def _view(
    subject: Subject,
    evaluation: Evaluation,
    space: PointMap,
    lens: pycolmap.Camera,
    rank: str,
    at: int,
) -> View:
    frame = subject.test[at]
    rgb = read_image(frame.image)
    size = rgb.shape[1], rgb.shape[0]
    near = space.near(frame.map_from_camera)
    true = pixels(near, frame.map_from_camera, lens, *size)
    shown = np.flatnonzero(np.isfinite(true).all(axis=1))
    shown = shown[:: max(1, -(-len(shown) // _MOST_POINTS))]
    found = pixels(near[shown], evaluation.estimates[at], lens, *size)
    errors = evaluation.errors
    error = float(errors.position_m[at]), float(errors.orientation_deg[at])
    return View(rank, frame.image.name, rgb, error, true[shown], found)


def _row(view: View) -> tuple[str, ...]:
    return (
        view.name,
        view.rank,
        metres(view.error[0]),
        degrees(view.error[1]),
        str(len(view.true)),
        '' if view.moved_px is None else f'{view.moved_px:.0f}',
        '' if view.kept is None else f'{100 * view.kept:.0f} %',
    )


def _told(view: View) -> dict[str, Any]:
    return {
        'image': view.name,
        'rank': view.rank,
        'position_error': plain(view.error[0]),
        'orientation_error_deg': plain(view.error[1]),
        'moved_px': view.moved_px and plain(view.moved_px),
        'still_in_view': view.kept and plain(view.kept),
        'true_px': plain(view.true),
        'found_px': plain(view.found),
    }


def _caption(subject: Subject, views: Sequence[View], space: PointMap) -> str:
    typical = next(view for view in views if view.rank == 'median')
    told = (
        'Points of the map on test images, left from the true pose, right from the pose found, '
        'each with a line from where it should be. The images stand at four places in the order '
        'of all answered ones by position error, best first'
    )
    if typical.moved_px is not None:
        told += (
            f': at the median one, points are {typical.moved_px:.0f} of '
            f'{typical.rgb.shape[1]} pixels off'
        )
    apart, turned = space.apart
    if turned < _LABEL_DEG:
        return f'{told}.'
    return (
        f'{told}. The cameras that the points were made with are {metres(apart)} {subject.unit} '
        f'and {degrees(turned)} deg from the labels (medians), so that even on the left points '
        'are off.'
    )
