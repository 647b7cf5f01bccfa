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

"""Figure 4: the map from above, with the cameras of training, of test, and where found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.frames import Frame
from posenet_ros.evaluation.evaluate import Evaluation
from posenet_ros.evaluation.metrics import quantile
from posenet_ros.evaluation.plots import map_figure
from posenet_ros.evaluation.table import metres
from posenet_ros.explain.answers import answers
from posenet_ros.explain.exhibit import Exhibit
from posenet_ros.explain.numbers import plain
from posenet_ros.explain.subject import Subject
from posenet_ros.geometry import Pose
from posenet_ros.reporting.maps import draw_directions, TopView
from posenet_ros.reporting.style import ESTIMATE, TRAIN, TRUTH
from scipy.spatial import KDTree

# More arrows than that hide each other.
_MOST_ARROWS = 40


def draw(subject: Subject) -> Exhibit:
    """
    Show where cameras of training and test are, and where the model finds the latter.

    The table compares two distances of each test camera: to where it was found, and to the
    nearest training camera, which is how much there was to interpolate. A test camera without an
    answer is infinitely far from where it was found.
    """
    evaluation = answers(subject)
    training = [frame.map_from_camera for frame in subject.train]
    found = evaluation.errors.position_m
    nearest = _to_nearest(training, evaluation.truth)
    unit = subject.unit
    return Exhibit(
        name='map',
        title='Where the cameras are, and where the model finds them',
        caption=_caption(subject, found, nearest),
        paper='Figure 4',
        picture=_picture(training, evaluation),
        headings=(f'distance of a test camera [{unit}]', 'median', '95 %', 'largest'),
        rows=(
            _row('to where it was found', found),
            _row('to the nearest training camera', nearest),
        ),
        numbers={
            'unit': unit,
            'training': [plain(pose.translation) for pose in training],
            'test': [
                _told(*each) for each in zip(subject.test, evaluation.estimates, found, nearest)
            ],
        },
    )


def _picture(training: Sequence[Pose], evaluation: Evaluation) -> Figure:
    """Draw the map of an evaluation, with arrows where some of its cameras look."""
    truth, estimates = evaluation.truth, evaluation.estimates
    figure = map_figure(training, truth, estimates, evaluation.unit)
    (axes,) = figure.axes
    view = TopView.of_cameras([*training, *truth])
    limits = np.array([axes.get_xlim(), axes.get_ylim()]).T
    answered = [pair for pair in zip(truth, estimates) if pair[1] is not None]
    asked = answered[:: _step(answered)]
    shown = {
        TRAIN: training[:: _step(training)],
        TRUTH: [true for true, _ in asked],
        ESTIMATE: [estimate for _, estimate in asked],
    }
    for colour, poses in shown.items():
        draw_directions(axes, view, poses, limits, colour=colour)
    return figure


def _step(items: Sequence[object]) -> int:
    """Return which of many items, every so manieth, get an arrow."""
    return max(1, -(-len(items) // _MOST_ARROWS))


def _to_nearest(training: Sequence[Pose], truth: Sequence[Pose]) -> NDArray[np.float64]:
    """Return how far each camera (N,) is from the nearest of training."""
    tree = KDTree([pose.translation for pose in training])
    return tree.query([pose.translation for pose in truth])[0]


def _row(name: str, distances: NDArray[np.float64]) -> tuple[str, ...]:
    return (name, *(metres(quantile(distances, share)) for share in (0.5, 0.95, 1.0)))


def _told(
    frame: Frame, estimate: Pose | None, distance: float, to_training: float
) -> dict[str, Any]:
    return {
        'image': frame.image.name,
        'truth': plain(frame.map_from_camera.translation),
        'found': None if estimate is None else plain(estimate.translation),
        'to_found': plain(distance),
        'to_nearest_training': plain(to_training),
    }


def _caption(subject: Subject, found: NDArray[np.float64], nearest: NDArray[np.float64]) -> str:
    nearer = int((found < nearest).sum())
    return (
        f'The map from above: {len(subject.train)} cameras of training (green), '
        f'{len(found)} of test (blue), and where the model finds these (red, with a line to the '
        'truth); arrows of some show where they look. '
        f'Half of the test cameras are found within {metres(quantile(found, 0.5))} '
        f'{subject.unit}; {nearer} of {len(found)} are found nearer than the nearest training '
        'camera is, which no copy of a training pose could be.'
    )
