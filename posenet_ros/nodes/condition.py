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

"""How the node is: what its parts say, gathered for the diagnostics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
import time

from posenet_ros.nodes.answer_watch import AnswerWatch
from posenet_ros.nodes.body import Body
from posenet_ros.nodes.camera_watch import CameraWatch
from posenet_ros.nodes.diagnostics import ERROR, Problem, Report, Verified, WARNING
from posenet_ros.nodes.image_input import ImageInput
from posenet_ros.nodes.meters import Traffic
from posenet_ros.nodes.model_keeper import ModelKeeper
from posenet_ros.nodes.neighbour import Neighbours
from posenet_ros.nodes.parameters import Parameters
from posenet_ros.nodes.recovering import Recovering
from posenet_ros.nodes.transform_input import TransformInput
from posenet_ros.nodes.worker import Counts


@dataclass(frozen=True)
class Condition:
    """The parts of a node that have something to tell."""

    settings: Parameters
    keeper: ModelKeeper
    images: ImageInput
    answers: AnswerWatch
    traffic: Traffic
    camera: CameraWatch
    transforms: TransformInput
    body: Body
    neighbours: Neighbours
    recovering: Recovering

    def report(self, state: str, *, enabled: bool, model_problem: str) -> Report:
        """Return how the node is that is in a state of its life cycle, paused or not."""
        now_ns = time.monotonic_ns()
        running = self.keeper.running
        paused = state == 'active' and not enabled
        return Report(
            state=state,
            enabled=enabled,
            model=running.request.model if running else self.settings['model'],
            loading=self.keeper.loading,
            device=str(running.localizer.device) if running else '',
            decoder=running.decoder.description if running else '',
            image_topic=self.images.topic,
            counts=running.pipeline.counts if running else Counts(),
            received_hz=self.traffic.received.rate_hz(now_ns),
            published_hz=self.traffic.latencies.rate_hz(now_ns),
            latency_ms=self.traffic.latencies.percentiles_ms(50, 99),
            age_ms=self.traffic.ages.percentiles_ms(50, 99),
            beyond_ms=self.traffic.beyond.percentiles_ms(50, 99),
            stages_ms=self.traffic.stages_ms(),
            last_refusal=self.answers.last_refusal,
            scene=self.answers.scene,
            verified=self.verified(now_ns),
            watched=self.recovering.watched(),
            camera=self.camera.view(self.settings['camera_tolerance']).note,
            body=self.body.frame,
            unplaced=self.body.unplaced,
            neighbour=self.neighbours.told,
            problems=tuple(self._problems(now_ns, model_problem, paused)),
        )

    def verified(self, now_ns: int) -> Verified:
        """Return what became of the images that were looked for in the map."""
        running = self.keeper.running
        if running is None:
            return Verified()
        verified = running.pipeline.verified(now_ns)
        if verified is not None:
            return verified
        off = running.request.refine == 'off'
        return Verified('none: refine is off' if off else 'none: the model has no landmarks')

    def _problems(self, now_ns: int, model_problem: str, paused: bool) -> Iterator[Problem]:
        if model_problem:
            # One that goes on with its former model answers all the same.
            yield Problem(WARNING if self.keeper.running else ERROR, model_problem)
        if paused:
            yield Problem(WARNING, 'paused by ~/enable: no image is answered')
        timeout_s = self.settings['silence_timeout']
        silence = (
            self.images.silence(timeout_s)
            or self.body.missing(now_ns)
            or self.answers.drought(timeout_s, now_ns)
        )
        if silence:
            yield Problem(ERROR, silence)
        yield from (Problem(WARNING, text) for text in self._doubts_of_transforms())
        yield from self.recovering.problems()
        if unchecked := self.camera.problem(timeout_s):
            yield Problem(WARNING, unchecked)
        if other := self.camera.view(self.settings['camera_tolerance']).refusal:
            refuses = self.settings['camera_guard'] == 'refuse'
            yield Problem(ERROR if refuses else WARNING, other)

    def _doubts_of_transforms(self) -> Iterator[str]:
        if not self.body.frame:
            return
        if doubt := self.body.doubt():
            yield doubt
        frames = (self.body.frame, self.body.camera_frame, self.settings['camera_frame'])
        yield from self.transforms.conflicts(frames)
