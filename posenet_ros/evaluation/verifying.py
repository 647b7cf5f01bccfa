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
Measure what verifies a pose: on held-out frames, and on images that must not be verified.

A map without the held-out frames is asked about them, as they are, blurred and darkened; about
mirrored frames, which have the colours and shapes of the map and are nowhere in it; and about
held-out frames whose own place was taken out of the map. What wrong poses show is never enough,
with a margin; what right ones are off by becomes the covariance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.frames import Frame
from posenet_ros.data.images import read_image
from posenet_ros.evaluation.covariance import residuals, squared_distances
from posenet_ros.evaluation.disturbed import disturbances
from posenet_ros.evaluation.metrics import pose_errors
from posenet_ros.geometry import Pose
from posenet_ros.landmarks.gate import Gate
from posenet_ros.landmarks.landmark_map import LandmarkMap
from posenet_ros.landmarks.thinning import without_place
from posenet_ros.landmarks.verifier import Verdict, Verifier
from posenet_ros.localization.regressor import Regressor
from scipy.stats import chi2
from tqdm import tqdm

Rgb = NDArray[np.uint8]
# An image, and where it was taken; None for nowhere in the map.
Shown = tuple[Rgb, Pose | None]

_MOST = 60
_MOST_DISTURBED = 12
# With so many times the features that agreed with any wrong pose, one is verified.
_MARGIN = 1.25
# Of what all but so few of the map's own images show, such parts count; and so many times what
# they miss is too much, but for as much as a person in the view may hide.
_RARE, _SHARE, _CELLS, _MORE = 0.02, 0.4, 0.45, 1.5
_USUALLY_MISSED, _USUALLY_UNLIKE = 0.22, 0.2
# A pose so near the map's frames is no guess (see `Evidence.afar`).
_NEAR = 0.3
# A pose farther from the truth is wrong: a share of the size of the drive, and degrees.
_WRONG_SHARE = 0.1
_WRONG_DEG = 10.0
# A few frames cannot tell that a map is better than this.
_LEAST_M, _LEAST_RAD = 0.003, math.radians(0.1)
_STEPS = 40
# A covariance of the points alone.
_BARE = Gate(floor_m=1e-6, floor_rad=1e-6)


@dataclass(frozen=True)
class MeasuredGate:
    """
    A gate, and what it was measured on.

    Of `own` held-out images as they are `verified` were, with errors of `median_m` and
    `median_deg`. Of `others`, disturbed, mirrored or of a place that was taken out, `wrong` had a
    wrong pose before the gate, the best of them with `most_agreed` features.
    """

    gate: Gate
    own: int
    verified: int
    median_m: float
    median_deg: float
    others: int
    wrong: int
    most_agreed: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def measure_gate(
    part: LandmarkMap,
    regressor: Regressor,
    train: Sequence[Frame],
    blocks: Sequence[Sequence[Frame]],
) -> MeasuredGate:
    """Measure the gate of a map that lacks the frames of `blocks`, which were held out."""
    few = [_spread(block, _MOST // len(blocks)) for block in blocks]
    hard = [*chain(*(_spread(block, _MOST_DISTURBED // len(blocks)) for block in few))]
    strangers, ways = _spread(train, _MOST), disturbances()
    total = 2 * sum(map(len, few)) + len(strangers) + len(hard) * len(ways)
    with tqdm(total=total, desc='calibrating verification', unit='image', delay=2) as progress:
        whole = Verifier(part, _BARE)
        own = _ask(whole, regressor, _as_they_are([*chain(*few)]), progress)
        disturbed = (
            made
            for way in ways
            for number, frame in enumerate(hard)
            if (made := way(read_image(frame.image), frame, number)) is not None
        )
        others = _ask(whole, regressor, disturbed, progress)
        others += _ask(whole, regressor, _mirrored(strangers), progress)
        for block in few:
            centres = np.array([frame.map_from_camera.translation for frame in block])
            elsewhere = Verifier(without_place(part, centres), _BARE)
            others += _ask(elsewhere, regressor, _as_they_are(block), progress)
    size = float(np.linalg.norm(np.ptp(part.centres_F3, axis=0)))
    return conclude(own, others, _WRONG_SHARE * size)


def _ask(
    verifier: Verifier, regressor: Regressor, shown: Iterator[Shown], progress: tqdm
) -> list[tuple[Pose | None, Verdict]]:
    answers = []
    for rgb, true in shown:
        found = regressor.regress([rgb])
        guess = (found.guesses or found.poses)[0]
        answers.append((true, verifier.verify(rgb, found.features[0], guess)))
        progress.update()
    return answers


def _as_they_are(frames: Sequence[Frame]) -> Iterator[Shown]:
    for frame in frames:
        yield read_image(frame.image), frame.map_from_camera


def _mirrored(frames: Sequence[Frame]) -> Iterator[Shown]:
    for frame in frames:
        yield np.ascontiguousarray(read_image(frame.image)[:, ::-1]), None


def conclude(
    own: Sequence[tuple[Pose | None, Verdict]],
    others: Sequence[tuple[Pose | None, Verdict]],
    wrong_m: float,
) -> MeasuredGate:
    """
    Return the gate that no wrong pose passes, with the covariance of those that do.

    Each image is its true pose, None for nowhere in the map, and what was said of it by a gate
    that asks for as little as any. More than `wrong_m` metres or 10 degrees off is wrong. `own`
    images, as they are, say what the map's images usually show.
    """
    wrong = [verdict for true, verdict in [*own, *others] if _is_wrong(true, verdict, wrong_m)]
    most = max((verdict.evidence.agreed for verdict in wrong), default=0)
    gate = replace(Gate(), agreed=max(Gate().agreed, math.ceil(_MARGIN * most)))
    gate = _as_usual(gate, [verdict for _, verdict in own if _passes(gate, verdict)])
    right = [(true, verdict) for true, verdict in own if _passes(gate, verdict)]
    if right:
        gate = _with_covariance(gate, right)
    errors = pose_errors([true for true, _ in right], [v.map_from_camera for _, v in right])
    both = (errors.position_m, errors.orientation_deg)
    middle = [float(np.median(each)) if right else math.inf for each in both]
    return MeasuredGate(gate, len(own), len(right), *middle, len(others), len(wrong), most)


def _passes(gate: Gate, verdict: Verdict) -> bool:
    return verdict.evidence is not None and not gate.objections(verdict.evidence)


def _as_usual(gate: Gate, verdicts: Sequence[Verdict]) -> Gate:
    """
    Return the gate that also asks for nearly as much as the map's own images show.

    Where these find points all over the image, an image that finds them in one part of it shows
    one thing that is also in the map, in another place.
    """
    if not verdicts:
        return gate
    shares, cells, missed, unlike, afar = (
        np.array([getattr(each.evidence, name) for each in verdicts])
        for name in ('share', 'cells', 'missed', 'unlike', 'afar')
    )
    return replace(
        gate,
        share=max(gate.share, _SHARE * float(np.quantile(shares, _RARE))),
        cells=max(gate.cells, math.floor(_CELLS * float(np.quantile(cells, _RARE)))),
        missed=max(_USUALLY_MISSED, _MORE * float(np.quantile(missed, 1 - _RARE))),
        unlike=max(_USUALLY_UNLIKE, _MORE * float(np.quantile(unlike, 1 - _RARE))),
        afar=min(gate.afar, max(_NEAR, _MORE * float(np.quantile(afar, 1 - _RARE)))),
    )


def _is_wrong(true: Pose | None, verdict: Verdict, wrong_m: float) -> bool:
    if verdict.map_from_camera is None:
        return False
    if true is None:
        return True
    error = pose_errors([true], [verdict.map_from_camera])
    return bool(error.position_m[0] > wrong_m or error.orientation_deg[0] > _WRONG_DEG)


def _with_covariance(gate: Gate, right: Sequence[tuple[Pose | None, Verdict]]) -> Gate:
    """
    Return the gate with the least floors at which errors are as its covariances say.

    Half of them are to lie in the region for half, and 95 % in that for 95 %, of positions and of
    rotations each; whichever asks for more decides.
    """
    errors_N6 = residuals([true for true, _ in right], [v.map_from_camera for _, v in right])
    points = np.stack([verdict.covariance for _, verdict in right])
    found = []
    for part, least in ((slice(0, 3), _LEAST_M), (slice(3, 6), _LEAST_RAD)):
        errors, spread = errors_N6[:, part], points[:, part, part]
        largest = float(np.linalg.norm(errors, axis=1).max()) + least
        for floor in np.geomspace(least, max(largest, 2 * least), _STEPS):
            distances = squared_distances(errors, spread + floor**2 * np.eye(3))
            inside = [(distances <= chi2.ppf(share, df=3)).mean() for share in (0.5, 0.95)]
            if inside[0] >= 0.5 and inside[1] >= 0.95:
                break
        found.append(float(floor))
    return replace(gate, floor_m=found[0], floor_rad=found[1])


def _spread(frames: Sequence[Frame], most: int) -> list[Frame]:
    """Return at most so many frames, evenly spread over all."""
    chosen = np.unique(np.linspace(0, len(frames) - 1, min(max(most, 1), len(frames))).round())
    return [frames[int(number)] for number in chosen]
