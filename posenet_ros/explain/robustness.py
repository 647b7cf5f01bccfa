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
Figure 8: blur, night, fog, rain, people and other lenses, each at five levels.

The paper shows single photographs without a true pose. Here the test images themselves are
changed (`evaluation.degradations`), so that their poses stay known, and the errors can be told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product

import numpy as np
from posenet_ros.data.frames import Frame
from posenet_ros.data.images import read_image
from posenet_ros.evaluation.covariance import residuals, squared_distances
from posenet_ros.evaluation.degradations import DEGRADATIONS, degraded, LEVELS
from posenet_ros.evaluation.metrics import pose_errors, quantile
from posenet_ros.explain.answers import training_features
from posenet_ros.explain.exhibit import Exhibit
from posenet_ros.explain.numbers import plain
from posenet_ros.explain.robustness_picture import picture
from posenet_ros.explain.subject import some, Subject
from posenet_ros.geometry import Pose
from posenet_ros.localization.estimate import PoseEstimate
from posenet_ros.localization.posenet import PoseNetLocalizer
from posenet_ros.models.trust import Trust
from posenet_ros.training.allocator import keep_freed_memory
from tqdm import tqdm

_MOST_FRAMES = 60
_CONDITIONS = (('', 0), *product(DEGRADATIONS, LEVELS))


@dataclass(frozen=True)
class Condition:
    """
    What became of the test images at one level of one kind; level 0 is the images as they are.

    The medians are of all images, refused or not, infinite where the network put out no pose for
    most. `inside` and `outside` are the shares of all images that were answered with a pose in the
    95 % region of its covariance, and out of it; both are None where the model has no `Trust`, and
    so no such region. The rest is `refused`.
    """

    level: int
    median_position: float
    median_orientation_deg: float
    refused: float
    inside: float | None
    outside: float | None

    def to_dict(self) -> dict[str, float | None]:
        """Return plain values; what is infinite or not known is None."""
        values = asdict(self)
        return {
            name: value if value is None or name == 'level' else plain(value)
            for name, value in values.items()
        }


def draw(subject: Subject) -> Exhibit:
    """
    Show how errors grow when images get worse, and whether the model then refuses or misleads.

    Raises ModelError for a model whose covariance was never measured, or that lacks the features
    of its training images.
    """
    frames = some(subject.test, _MOST_FRAMES)
    as_are, kinds = measure(subject, frames)
    shown = frames[len(frames) // 2]
    return Exhibit(
        name='robustness',
        title='Images in blur, at night, in fog, in rain, with people, through other lenses',
        caption=_caption(subject, as_are, kinds),
        paper='Figure 8',
        picture=picture(read_image(shown.image), as_are, kinds, subject.unit),
        headings=[
            'kind',
            'as they are',
            *(f'level {level}' for level in LEVELS),
            'answers in their 95 % region',
        ],
        rows=[
            [
                kind,
                *(_told(each, subject.unit) for each in (as_are, *levels)),
                _percent(kept(levels)),
            ]
            for kind, levels in kinds.items()
        ],
        numbers={
            'images': len(frames),
            'unit': subject.unit,
            'as_they_are': as_are.to_dict(),
            'kinds': {kind: [each.to_dict() for each in levels] for kind, levels in kinds.items()},
        },
    )


def measure(
    subject: Subject, frames: Sequence[Frame]
) -> tuple[Condition, dict[str, tuple[Condition, ...]]]:
    """Ask about frames as they are, and at all levels of each kind of degradation."""
    if subject.loaded.device.type == 'cpu':
        keep_freed_memory()
    loaded = replace(subject.loaded, features=training_features(subject))
    localizer = PoseNetLocalizer(loaded, always=True)
    answers = []
    for number, frame in enumerate(tqdm(frames, desc='images made worse', unit='image')):
        rgb = read_image(frame.image)
        images = [
            degraded(rgb, kind, level, number) if level else rgb for kind, level in _CONDITIONS
        ]
        found = localizer.locate_batch(images)
        answers.append(list(zip(found.estimates, found.novelty_N.tolist())))
    truth = [frame.map_from_camera for frame in frames]
    as_are, *worse = (
        _condition(level, truth, of_one, subject.loaded.card.trust)
        for (_, level), of_one in zip(_CONDITIONS, zip(*answers))
    )
    levels = [worse[start : start + len(LEVELS)] for start in range(0, len(worse), len(LEVELS))]
    return as_are, dict(zip(DEGRADATIONS, map(tuple, levels), strict=True))


def _condition(
    level: int,
    truth: Sequence[Pose],
    answers: Sequence[tuple[PoseEstimate, float]],
    trust: Trust | None,
) -> Condition:
    """Sum up the answers to all images of one condition."""
    errors = pose_errors(truth, [estimate.map_from_camera for estimate, _ in answers])
    answered = [
        (true, estimate)
        for true, (estimate, novelty) in zip(truth, answers)
        if estimate.answered and not (trust and trust.refuses(novelty))
    ]
    inside = None if trust is None else _inside(answered, trust) / len(truth)
    return Condition(
        level,
        quantile(errors.position_m, 0.5),
        quantile(errors.orientation_deg, 0.5),
        refused=1 - len(answered) / len(truth),
        inside=inside,
        outside=None if inside is None else len(answered) / len(truth) - inside,
    )


def _inside(answered: Sequence[tuple[Pose, PoseEstimate]], trust: Trust) -> int:
    """Count the answers whose error lies in the 95 % region of their covariance."""
    if not answered:
        return 0
    truth, estimates = zip(*answered)
    errors = residuals(truth, [estimate.map_from_camera for estimate in estimates])
    covariance_N66 = np.stack([estimate.covariance for estimate in estimates])
    return int((squared_distances(errors, covariance_N66) <= trust.most_reach).sum())


def kept(levels: Sequence[Condition]) -> float | None:
    """Return the share of the answers that lie in their 95 % region, None without any."""
    inside, outside = (
        sum(getattr(each, name) or 0 for each in levels) for name in ('inside', 'outside')
    )
    return inside / (inside + outside) if inside + outside else None


def _caption(subject: Subject, as_are: Condition, kinds: Mapping[str, Sequence[Condition]]) -> str:
    last = {kind: levels[-1] for kind, levels in kinds.items()}
    by_error = sorted(last, key=lambda kind: last[kind].median_position)
    least, most = (
        f'{_error(last[kind], subject.unit)} ({kind})' for kind in (by_error[0], by_error[-1])
    )
    refused = float(np.mean([each.refused for each in last.values()]))
    return (
        'Test images made worse, their poses still true, and the median error of all of them, '
        f'refused or not: {_error(as_are, subject.unit)} as they are, and from {least} to {most} '
        f'at the last level. {_percent(as_are.refused)} of them are refused as they are, and '
        f'{_percent(refused)} at the last level{_misled(subject, kinds)}. '
        'Another focal length does not move the camera, and nobody tells the model of it: what '
        f'looks larger seems nearer.{_in_sample(subject)}'
    )


def _in_sample(subject: Subject) -> str:
    if not subject.calibrated:
        return ''
    return (
        ' Covariance and refusal were set on these very frames, as they are and with the first '
        'four levels of motion blur and of dusk: what is said of those is no test.'
    )


def _misled(subject: Subject, kinds: Mapping[str, Sequence[Condition]]) -> str:
    """Say where most answers are wrong and promise not to be."""
    if subject.loaded.card.trust is None:
        return ''
    conditions = [(kind, each) for kind, levels in kinds.items() for each in levels]
    kind, worst = max(conditions, key=lambda pair: pair[1].outside)
    said = (
        '; red are answers outside the 95 % region of their covariance, which mislead whoever '
        f'believes it, at most {_percent(worst.outside)} of the images'
    )
    return said + (f' ({kind}, level {worst.level})' if worst.outside else '')


def _error(condition: Condition, unit: str) -> str:
    return f'{condition.median_position:.2f} {unit}, {condition.median_orientation_deg:.1f} deg'


def _told(condition: Condition, unit: str) -> str:
    return f'{_error(condition, unit)}; {_percent(condition.refused)} refused'


def _percent(share: float | None) -> str:
    return 'not known' if share is None else f'{100 * share:.0f} %'
