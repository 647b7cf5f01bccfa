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

"""What an evaluation found, and what one must know to read it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
import math
from typing import Any

import numpy as np
from posenet_ros.evaluation.baselines import seen_in_training
from posenet_ros.evaluation.bounds import told as bound
from posenet_ros.evaluation.coverage import Coverage, coverage, coverage_of_verified
from posenet_ros.evaluation.evaluate import Evaluation, WRONG
from posenet_ros.evaluation.foreign import Foreign, ForeignVerified
from posenet_ros.evaluation.request import Request
from posenet_ros.evaluation.table import usual_spread
from posenet_ros.evaluation.truth import LabelFit
from posenet_ros.geometry import Pose
from posenet_ros.localization.estimate import Localizer
from posenet_ros.localization.methods import POSENET, RELATIVE, RETRIEVAL
from posenet_ros.localization.retrieval import poses_of

_NAMES = {RETRIEVAL: 'retrieval', RELATIVE: 'relative poses'}


@dataclass(frozen=True, eq=False)
class Measured:
    """
    The answers of a request, in the map of the model, and what belongs to them.

    `localizer` is None where only recorded poses were compared; `fit` is the frame between the
    truth and the map where the training labels gave one. `same_recording` is true where the bag
    is one that the model was trained on. `foreign` is how it took images of other places.
    """

    request: Request
    evaluation: Evaluation
    localizer: Localizer | None = None
    fit: LabelFit | None = None
    same_recording: bool = False
    foreign: tuple[Foreign, ...] = ()

    @property
    def name(self) -> str:
        """What tables call the answers."""
        if self.request.estimates or self.localizer is None:
            return 'recorded poses'
        if self.localizer.method != POSENET:
            return _NAMES[self.localizer.method] + self._how()
        crops, samples = self.request.crops, self.request.samples
        of_crops = f', {crops} crops' if crops > 1 else ''
        return f'PoseNet{of_crops}' + (f', {samples} samples' if samples else '')

    def _how(self) -> str:
        """Return how relative poses were asked for, where that is not as usual."""
        asked = f', {self.request.neighbours} neighbours' if self.request.neighbours else ''
        return asked + (f', {self.request.solver} solver' if self.request.solver else '')

    @cached_property
    def trained_on(self) -> int:
        """How many of the frames the model was trained on, as far as its folder tells."""
        training = self.localizer and self.localizer.training
        if training is None:
            return 0
        if self.request.dataset:
            return seen_in_training(self.evaluation.truth, training)
        # Another recording may have the same stamps: simulated ones begin at the same instant.
        stamps = training.stamps_ns_N if self.same_recording else []
        return int(np.isin(self.evaluation.stamps_ns, stamps).sum())

    @cached_property
    def coverage(self) -> Coverage | None:
        """How true the covariances were, where the model told any."""
        trust = self.localizer and self.localizer.trust
        return coverage(self.evaluation, trust) if trust else None

    @cached_property
    def coverage_of_verified(self) -> Coverage | None:
        """How true the covariances of verified poses were, where there were any."""
        return coverage_of_verified(self.evaluation)

    @property
    def foreign_verified(self) -> ForeignVerified | None:
        """How many images of elsewhere were verified in all, where anything verifies."""
        return ForeignVerified.of(self.foreign)

    def training_poses(self) -> tuple[Pose, ...]:
        """Return where the training images were taken, as far as the model folder tells."""
        training = self.localizer and self.localizer.training
        return poses_of(training) if training else ()

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain values for JSON."""
        values = self.evaluation.to_dict()
        if self.localizer:
            values['trained_on'] = self.trained_on
            values['engine'] = self.localizer.engine
        if self.coverage:
            values['covariance'] = self.coverage.to_dict()
        if self.coverage_of_verified:
            values['covariance_of_verified'] = self.coverage_of_verified.to_dict()
        if self.fit:
            values['label_fit'] = self.fit.to_dict()
        if self.foreign:
            values['foreign'] = [each.to_dict() for each in self.foreign]
        if self.foreign_verified:
            values['foreign_verified'] = self.foreign_verified.to_dict()
        return values

    def facts(self) -> dict[str, Any]:
        """Return further tables for the report, by heading."""
        facts: dict[str, Any] = {}
        if self.foreign:
            facts['Images of elsewhere'] = {
                str(n): str(each) for n, each in enumerate(self.foreign, 1)
            }
            if self.foreign_verified:
                facts['Images of elsewhere']['all'] = str(self.foreign_verified)
        if self.localizer:
            facts['Training'] = self.localizer.card.training
        return facts

    def notes(self) -> Iterator[str]:
        """Yield the lines that one must know to read the table."""
        request, summary = self.request, self.evaluation.summary
        recorded_only = request.estimates and not request.bag
        yield (
            f'{summary.frames} of {self.evaluation.images} '
            f'{"poses" if recorded_only else "images"} of {request.asked} have a true pose; '
            f'{summary.localized} of them answered ({100 * summary.localized_share:.1f} %)'
        )
        if self.fit:
            yield str(self.fit)
        if recorded_only:
            yield 'only recorded poses are counted; --bag BAG counts the images without one too'
        yield from map(str, self.foreign)
        if self.foreign_verified and len(self.foreign) > 1:
            yield str(self.foreign_verified)
        if self.localizer:
            if not request.estimates:
                yield f'the network runs by {self.localizer.engine}'
            yield from self._notes_on_model(self.localizer, summary.median_position_m)

    def _notes_on_model(self, localizer: Localizer, median_m: float) -> Iterator[str]:
        card, unit = localizer.card, self.evaluation.unit
        if not card.metric:
            yield 'the map of the model has no metres: lengths are in units of its own'
        if localizer.training is None:
            yield 'no baselines: the model folder holds no training features'
        if self.same_recording or self.trained_on:
            same = 'this is the recording it was trained on; ' if self.same_recording else ''
            yield (
                f'{same}{self.trained_on} of these frames were trained on; errors on new ones are '
                'larger'
            )
        if self.coverage:
            usual = usual_spread(self.evaluation.unverified_covariances, unit)
            yield (
                f'published covariance: usually {usual}; '
                f'{self.coverage.half} of the answers lie in the region for 50 %, '
                f'{self.coverage.most} in that for 95 %'
            )
        if self.evaluation.verified:
            yield self._verification()
        size = math.dist(*card.extent)
        if self.request.truth and not self.fit:
            large = f': the median error is larger than the map ({size:.1f} {unit})'
            yield (
                'the truth is taken to be in the map of the model; where it has a frame of its '
                f'own, give --labels-truth too{large if median_m > size else ""}'
            )

    def _verification(self) -> str:
        """Say how many poses the images confirmed, and whether any of these was wrong."""
        confirmed = sum(self.evaluation.verified)
        total = len(self.evaluation.verified)
        told = f'{confirmed} of {total} poses verified ({100 * confirmed / total:.1f} %)'
        wrong = self.evaluation.wrong_verified
        told += f', {wrong or "none"} of them more than {WRONG.metres:g} {self.evaluation.unit}'
        told += f' or {WRONG.degrees:g} deg off ({bound(wrong, confirmed)})'
        if self.coverage_of_verified:
            inside = self.coverage_of_verified
            told += f'; {inside.half} lie in their region for 50 %, {inside.most} in that for 95 %'
        return told
