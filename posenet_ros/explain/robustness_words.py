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

"""What figure 8 says in words and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, TYPE_CHECKING

import numpy as np
from posenet_ros.evaluation.degradations import LEVELS
from posenet_ros.evaluation.evaluate import WRONG
from posenet_ros.explain.confirmed import Verified
from posenet_ros.explain.subject import Subject

if TYPE_CHECKING:
    from posenet_ros.explain.robustness import Condition

Kinds = Mapping[str, 'Sequence[Condition]']


def headings(as_are: Condition) -> list[str]:
    """Return the headings of the table; with a map it also counts wrong verified poses."""
    levels = (f'level {level}' for level in LEVELS)
    last = ['wrong verified'] if as_are.verified else []
    return ['kind', 'as they are', *levels, 'answers in their 95 % region', *last]


def rows(as_are: Condition, kinds: Kinds, unit: str) -> list[list[str]]:
    """Return a row for what the network says of each kind, and one for what the map verifies."""
    table = []
    for kind, levels in kinds.items():
        every = (as_are, *levels)
        of_network = [kind, *(_told(each, unit) for each in every), _percent(kept(levels))]
        if not as_are.verified:
            table.append(of_network)
            continue
        wrong = sum(len(each.verified.wrong) for each in levels)
        of_map = [f'{kind}, verified', *(told_verified(each.verified, unit) for each in every)]
        table += [[*of_network, ''], [*of_map, _percent(_sure(levels)), str(wrong or 'none')]]
    return table


def verification(as_are: Condition, kinds: Kinds) -> dict[str, Any]:
    """
    Return what was verified in all, and each wrong one, as plain values; nothing without a map.

    Images as they are have the kind None.
    """
    if not as_are.verified:
        return {}
    conditions = [(None, as_are), *_conditions(kinds)]
    return {
        'asked': sum(each.verified.images for _, each in conditions),
        'verified': sum(each.verified.verified for _, each in conditions),
        'wrong_verified': [
            {'kind': kind, 'level': each.level, **asdict(wrong)}
            for kind, each in conditions
            for wrong in each.verified.wrong
        ],
    }


def kept(levels: Sequence[Condition]) -> float | None:
    """Return the share of the answers that lie in their 95 % region, None without any."""
    inside, outside = (
        sum(getattr(each, name) or 0 for each in levels) for name in ('inside', 'outside')
    )
    return inside / (inside + outside) if inside + outside else None


def _sure(levels: Sequence[Condition]) -> float | None:
    """Return the share of the verified poses that lie in their 95 % region, None without any."""
    verified = sum(each.verified.verified for each in levels)
    return sum(each.verified.inside for each in levels) / verified if verified else None


def caption(subject: Subject, as_are: Condition, kinds: Kinds) -> str:
    """Return what the figure shows, of which frames, and what it cannot show."""
    last = {kind: levels[-1] for kind, levels in kinds.items()}
    by_error = sorted(last, key=lambda kind: last[kind].median_position)
    least, most = (
        f'{_error(last[kind], subject.unit)} ({kind})' for kind in (by_error[0], by_error[-1])
    )
    refused = float(np.mean([each.refused for each in last.values()]))
    whose, told_lens = 'the median error', 'the model of it'
    if as_are.verified:
        whose = "the network's median error"
        told_lens = 'network or map of it, which take the lens for their own'
    return (
        f'Test images made worse, their poses still true, and {whose} of all of them, '
        f'refused or not: {_error(as_are, subject.unit)} as they are, and from {least} '
        f'to {most} at the last level. {_percent(as_are.refused)} of them are refused as they '
        f'are, and {_percent(refused)} at the last level{_misled(subject, kinds)}. '
        f'Another focal length does not move the camera, and nobody tells {told_lens}: what '
        f'looks larger seems nearer.{_verification(as_are, kinds, subject)}{_in_sample(subject)}'
    )


def _verification(as_are: Condition, kinds: Kinds, subject: Subject) -> str:
    """Say how much was verified, how far off the worst was, and of which frames that is."""
    if not as_are.verified:
        return ''
    counts = verification(as_are, kinds)
    wrong = len(counts['wrong_verified'])
    middle = LEVELS[len(LEVELS) // 2]
    shares = {
        level: float(np.mean([levels[level - 1].verified.share for levels in kinds.values()]))
        for level in (middle, LEVELS[-1])
    }
    return (
        f' Green is what the map of landmarks verifies: {_percent(as_are.verified.share)} as they '
        f'are, over all kinds {_percent(shares[middle])} at level {middle} and '
        f'{_percent(shares[LEVELS[-1]])} at the last, and errors of these alone. '
        f'{str(wrong or "None").capitalize()} of {counts["verified"]} verified poses '
        f'{"are" if wrong > 1 else "is"} wrong (more than {WRONG.metres:g} {subject.unit} or '
        f'{WRONG.degrees:g} deg off){_farthest(as_are, kinds, subject.unit)}. '
        f'{_of_which(subject)}'
    )


def _farthest(as_are: Condition, kinds: Kinds, unit: str) -> str:
    conditions = [('as they are', as_are), *_conditions(kinds)]
    known = [(kind, each) for kind, each in conditions if each.verified.verified]
    if not known:
        return ''
    kind, worst = max(known, key=lambda pair: pair[1].verified.most_position)
    at = f', level {worst.level}' if worst.level else ''
    return f'; the farthest is {worst.verified.most_position:.2f} {unit} off ({kind}{at})'


def _of_which(subject: Subject) -> str:
    if subject.calibrated:
        return (
            'The frames are those that training held out; the map was made once more without '
            'them, but what it asks for before it verifies was measured on some of them.'
        )
    return 'Neither network nor map has seen these frames, and no limit was set by them.'


def _in_sample(subject: Subject) -> str:
    if not subject.calibrated:
        return ''
    return (
        ' Covariance and refusal were set on these very frames, as they are and with the first '
        'four levels of motion blur and of dusk: what is said of those is no test.'
    )


def _misled(subject: Subject, kinds: Kinds) -> str:
    """Say where most answers are wrong and promise not to be."""
    if subject.loaded.card.trust is None:
        return ''
    kind, worst = max(_conditions(kinds), key=lambda pair: pair[1].outside)
    said = (
        '; red are answers outside the 95 % region of their covariance, which mislead whoever '
        f'believes it, at most {_percent(worst.outside)} of the images'
    )
    return said + (f' ({kind}, level {worst.level})' if worst.outside else '')


def told_verified(verified: Verified, unit: str) -> str:
    """Return how many were verified, and how well."""
    if not verified.verified:
        return 'none'
    medians = f'{verified.median_position:.3f} {unit}, {verified.median_orientation_deg:.1f} deg'
    wrong = f', {len(verified.wrong)} wrong' if verified.wrong else ''
    return f'{_percent(verified.share)}: {medians}{wrong}'


def _conditions(kinds: Kinds) -> list[tuple[str, Condition]]:
    return [(kind, each) for kind, levels in kinds.items() for each in levels]


def _error(condition: Condition, unit: str) -> str:
    return f'{condition.median_position:.2f} {unit}, {condition.median_orientation_deg:.1f} deg'


def _told(condition: Condition, unit: str) -> str:
    return f'{_error(condition, unit)}; {_percent(condition.refused)} refused'


def _percent(share: float | None) -> str:
    return 'not known' if share is None else f'{100 * share:.0f} %'
