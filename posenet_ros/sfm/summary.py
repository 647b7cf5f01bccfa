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

"""What labelling found, as figures to keep and to judge by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timezone
import math
from typing import Any

from posenet_ros.errors import CaptureError
from posenet_ros.sfm.remarks import remarks_on
from posenet_ros.sfm.screen import screen


@dataclass(frozen=True)
class MetricSummary:
    """
    How the map got its metres: scale, agreement with the reference, and what seems off.

    `scale` is that of the labels, `scale_by_motions` what single motions give. Errors are
    standard errors; `scale_assumed` is how wrong the reference's own metres may be
    (a share), `second_scale` the metres of a second reference by those of the first, `frame`
    the frame that the labels are in where it is not a map of their own, and `anchor` how well
    they fit into it (see AnchorFit); `localizer_map` tells which map that is, where it was
    recorded (see OccupancyGrid.identity). `checked` is the share of the frames that the reference
    covers, `agreement` the share of `compared` motions that agree.
    """

    reference: str
    scale: float
    scale_by_motions: float
    scale_error: float
    scale_assumed: float
    scale_spread: float
    checked: float
    agreement: float
    compared: int
    median_difference_m: float
    median_difference_deg: float
    drift_deg_per_m: float
    up_spread_deg: float
    tilt_deg: float
    clock_offset_s: float
    lever_arm_error_m: float
    mount_error_deg: float
    frame: str | None = None
    anchor: Mapping[str, float] | None = None
    localizer_map: Mapping[str, Any] | None = None
    second: str | None = None
    second_scale: float | None = None

    @property
    def scale_uncertainty(self) -> float:
        """How wrong the metres of the labels may be in all, a share (one deviation)."""
        return math.hypot(self.scale_error / self.scale, self.scale_assumed)


@dataclass(frozen=True)
class ModelSummary:
    """One of the models that mapping ended with: its frames, and their first and last second."""

    frames: int
    begin_s: float
    end_s: float

    def __str__(self) -> str:
        """Return frames and times as a person writes them."""
        begin, end = (
            datetime.fromtimestamp(each, timezone.utc) for each in (self.begin_s, self.end_s)
        )
        return f'{self.frames} frames from {begin:%H:%M:%S} to {end:%H:%M:%S}'


@dataclass(frozen=True)
class LabelSummary:
    """
    The figures of one labelling; `metric` is None for labels without metres.

    Distances are in metres of the map, times in seconds, `rejected` counts by kind of reason,
    `misplaced` frames were joined to a place that only looks alike, `parted` counts the pairs of
    frames that were taken apart for it, `seen_again` is the share of the labels that show a
    place which another one shows much later or earlier. `models` are the largest first,
    `recordings` has labelled and chosen frames by recording.
    """

    recording: str
    recordings: Mapping[str, Sequence[int]]
    options: Mapping[str, Any]
    images: int
    damaged: int
    still: int
    frames: int
    labelled: int
    rejected: Mapping[str, int]
    longest_gap_s: float
    longest_gap_from: str
    misplaced: int
    parted: int
    seen_again: float
    mapper: str
    models: Sequence[ModelSummary]
    points: int
    mean_error_px: float
    mean_track_length: float
    focal_px: float
    known_focal_px: float | None
    path_m: float
    extent_m: Sequence[float]
    metric: MetricSummary | None
    stage_s: Mapping[str, float]

    @property
    def remarks(self) -> list[str]:
        """What keeps the labels from being good, worst first; empty where they are."""
        return remarks_on(self)

    @property
    def verdict(self) -> str:
        """Return 'good' or 'usable'; what is not usable has been refused."""
        return 'usable' if self.remarks else 'good'

    def text(self) -> str:
        """Return one screen for a person."""
        return screen(self)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for YAML; `from_dict` reads them back."""
        return {'verdict': self.verdict, 'remarks': self.remarks, **asdict(self)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> LabelSummary:
        """Read what `to_dict` wrote; raise CaptureError for anything else."""
        try:
            own = {field.name: values[field.name] for field in fields(cls)}
            own['models'] = [ModelSummary(**model) for model in own['models']]
            if own['metric'] is not None:
                own['metric'] = MetricSummary(**own['metric'])
        except (KeyError, TypeError) as error:
            raise CaptureError(f'the summary of the labels is damaged ({error})') from error
        return cls(**own)
