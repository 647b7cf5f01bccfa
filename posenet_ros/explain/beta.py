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
Figure 2: the weight of orientation in the loss, and separate networks.

One network learns both parts of the pose by eq. (2), with one beta after the other; beside it one
that learns the weights along (Kendall and Cipolla 2017), and two that learn one part each (section
3.1). All start from the same weights and see the same images, and have the paper's head: one that
is solved for in closed form has its optimum whatever the loss is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
import math
from pathlib import Path

from matplotlib.figure import Figure
from posenet_ros.errors import ConfigError
from posenet_ros.evaluation.table import degrees, metres
from posenet_ros.explain.exhibit import Exhibit
from posenet_ros.explain.found import columns, Errors
from posenet_ros.explain.panels import finish_panels, new_panels, plot_level, plot_medians
from posenet_ros.explain.recipes import recipe_of, with_paper_head
from posenet_ros.explain.subject import Subject
from posenet_ros.explain.trial import train_all, Trial
from posenet_ros.reporting.style import BASELINES, ESTIMATE, TRUTH

TRAINS = True

# Around the ratio of the errors of a room at the end of training, in metres and of quaternions.
BETAS = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
_OTHERS = {
    'learned': 'weights learned along',
    'position': 'position alone',
    'orientation': 'orientation alone',
}


def draw(
    subject: Subject, *, output: Path, epochs: int | None, betas: Sequence[float] | None = None
) -> Exhibit:
    """
    Train with each beta, with learned weights, and for each part alone; show the test errors.

    Raises ConfigError for a beta that is no weight, and what `train_all` raises.
    """
    tried = sorted(set(betas or BETAS))
    if not all(0 < beta < math.inf for beta in tried):
        raise ConfigError(f'--betas takes weights above zero, got {" ".join(map(str, tried))}')
    options = with_paper_head(recipe_of(subject, epochs))
    trials = [
        *(
            Trial(f'beta {beta:g}', replace(options, loss='paper', beta=beta), subject.train)
            for beta in tried
        ),
        *(
            # A trial that figure 10 has too, where the recipe's own loss is `learned`.
            Trial(label, replace(options, loss=loss), subject.train, curve=loss == 'learned')
            for loss, label in _OTHERS.items()
        ),
    ]
    found = [each.errors for each in train_all(subject, trials, output)]
    by_beta, others = dict(zip(tried, found)), dict(zip(_OTHERS, found[len(tried) :]))
    best = _best(by_beta)
    return Exhibit(
        name='beta',
        title='The weight of orientation in the loss',
        caption=_caption(by_beta, others, best, subject.unit),
        paper='Figure 2',
        picture=_picture(by_beta, others, subject.unit),
        headings=['trained with', *columns(subject.unit)],
        rows=[[trial.label, *errors.cells()] for trial, errors in zip(trials, found)],
        numbers={
            'unit': subject.unit,
            'epochs': options.epochs_for(len(subject.train)),
            'training_images': len(subject.train),
            'test_images': len(subject.test),
            'betas': tried,
            'by_beta': [errors.to_dict() for errors in by_beta.values()],
            'best_beta': best,
            **{name: errors.to_dict() for name, errors in others.items()},
        },
    )


def _best(by_beta: Mapping[float, Errors]) -> float | None:
    """Return the beta with the least product of both errors, which knows no units."""
    products = {
        beta: each.position * each.orientation_deg
        for beta, each in by_beta.items()
        if each.position is not None and each.orientation_deg is not None
    }
    return min(products, key=products.__getitem__) if products else None


def _caption(
    by_beta: Mapping[float, Errors],
    others: Mapping[str, Errors],
    best: float | None,
    unit: str,
) -> str:
    told = 'No beta gave poses for most test images.'
    if best is not None:
        told = f'Beta {best:g} is the best compromise: {by_beta[best].told(unit)}.'
    alone = metres(others['position'].position), degrees(others['orientation'].orientation_deg)
    return (
        'A small beta weighs position, a large one orientation, as one trunk serves both in '
        "eq. (2); the recipe is the model's, but for the paper's head, which learns by gradients "
        f'alone. {told} Learned weights reach {others["learned"].told(unit)} without a search, '
        f'and separate networks {alone[0]} {unit} and {alone[1]} deg.'
    )


def _picture(by_beta: Mapping[float, Errors], others: Mapping[str, Errors], unit: str) -> Figure:
    figure, axes = new_panels(unit, 'beta', [*by_beta])
    plot_medians(axes, [*by_beta], [*by_beta.values()], 'o-', ESTIMATE, 'one network, eq. (2)')
    learned = others['learned']
    plot_level(
        axes,
        (learned.position, learned.orientation_deg),
        '-',
        TRUTH,
        'one network, learned weights',
    )
    separate = others['position'].position, others['orientation'].orientation_deg
    plot_level(axes, separate, '--', BASELINES[0], 'separate networks')
    return finish_panels(figure, axes)
