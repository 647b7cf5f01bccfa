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

"""What a reconstruction must show before its poses are taken for labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
import math

import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.capture import Rejected
from posenet_ros.errors import LabellingError
from posenet_ros.geometry import NS_PER_S, seconds_text, Trajectory
from posenet_ros.sfm.alignment import Alignment, wrong_mount_degrees
from posenet_ros.sfm.pieces import cut, FEWEST_SHARED, Misplaced
from posenet_ros.sfm.reconstruction import Reconstruction
from posenet_ros.sfm.selection import Selection

FEWEST_FRAMES = 10
SMALLEST_SHARE = 0.5
SMALLEST_AGREEMENT = 0.7
FEWEST_COMPARED = 5
SMALLEST_CHECKED = 0.5
LARGEST_SCALE_ERROR = 0.1
FEWEST_POINTS = 30
LARGEST_ERROR_PX = 3.0
# A frame this far in time from any motion that was compared has nothing to be checked by.
UNCHECKED_S = 5.0
# So many times the speed that nine of ten frames keep within is more than a robot has.
_FASTEST = 5.0
_MISPLACED = 'not where'
# A mounting that is this much off is a mistake, not a tolerance.
_WRONG_MOUNT_DEGREES = 20.0


def check_selection(selection: Selection) -> None:
    """Refuse a recording with too few frames, or of a camera that stands still."""
    count = len(selection.stamps_ns)
    if count >= FEWEST_FRAMES:
        return
    if selection.still > count:
        raise LabellingError(
            f'the camera hardly moves: only {count} of {count + selection.still} frames show '
            f'something new, at least {FEWEST_FRAMES} must; move around while recording'
        )
    raise LabellingError(
        f'only {count} frames of {selection.seen} images in {selection.duration_s:.1f} s, at '
        f'least {FEWEST_FRAMES} are needed; record longer, or use a higher --rate'
    )


def reason_kind(reason: str) -> str:
    """Return a reason without its numbers, to count by."""
    return reason.partition(':')[0]


def is_misplaced(reason: str) -> bool:
    """Tell whether a reason is that a frame was joined to the wrong place."""
    return reason_kind(reason).startswith(_MISPLACED)


def check_share(reconstruction: Reconstruction) -> None:
    """Refuse a reconstruction that has too few of the frames."""
    found, dropped = len(reconstruction.sfm_from_camera), reconstruction.dropped
    count = found + len(dropped)
    if found >= max(FEWEST_FRAMES, math.ceil(SMALLEST_SHARE * count)):
        return
    kinds = Counter(map(reason_kind, dropped.values())).most_common(2)
    why = ', '.join(f'{reason} ({times})' for reason, times in kinds)
    raise LabellingError(
        f'only {found} of {count} frames fit into one map, at least {SMALLEST_SHARE:.0%} must: '
        f'{why}; record slower and with more overlap, or use a higher --rate'
    )


def check_trust(
    reconstruction: Reconstruction, reference: Trajectory, alignment: Alignment, name: str
) -> None:
    """
    Refuse poses that the reference contradicts, or whose scale it cannot tell.

    `reference` is `odom_from_camera` and `name` what it is called.
    """
    agreement, fit = alignment.agreement, alignment.scale
    if alignment.checked_share < SMALLEST_CHECKED:
        raise LabellingError(
            f'{name} covers only {alignment.checked_share:.0%} of the frames, at least '
            f'{SMALLEST_CHECKED:.0%} must be checked by it; record both from beginning to end'
        )
    if agreement.windows < FEWEST_COMPARED:
        raise LabellingError(
            f'{name} and the camera hardly move: {agreement.windows} motions to compare, at '
            f'least {FEWEST_COMPARED} are needed; drive around while recording'
        )
    if not moves_as_told(alignment):
        raise LabellingError(
            f'the camera did not move as {name} says: {agreement.share:.0%} of '
            f'{agreement.windows} motions agree, at least {SMALLEST_AGREEMENT:.0%} must (median '
            f'difference {agreement.median_metres:.2f} m, {agreement.median_degrees:.0f} deg); '
            f'{_likely_cause(reconstruction, reference)}'
        )
    if fit.standard_error > LARGEST_SCALE_ERROR * fit.scale:
        raise LabellingError(
            f'the scale is uncertain by {fit.standard_error / fit.scale:.0%}, at most '
            f'{LARGEST_SCALE_ERROR:.0%} is allowed: {name} is too noisy, or the camera turns '
            'and hardly travels; record a longer drive'
        )


def moves_as_told(alignment: Alignment) -> bool:
    """Tell whether enough of the camera's motions are those of the reference."""
    return alignment.agreement.share >= SMALLEST_AGREEMENT and alignment.scale.scale > 0


def _likely_cause(reconstruction: Reconstruction, reference: Trajectory) -> str:
    degrees, turned = wrong_mount_degrees(reconstruction.sfm_from_camera, reference)
    if degrees > _WRONG_MOUNT_DEGREES and turned.agreement.share >= SMALLEST_AGREEMENT:
        return (
            f'they would with the camera mounted {degrees:.0f} deg otherwise: is the frame of '
            'the images the optical one (z forward)? Mend it with --base-from-camera'
        )
    return (
        'are the stamps of the images right, and is it the odometry of this robot? Where few '
        'frames were taken, a higher --rate may mend it'
    )


def reject_frames(
    reconstruction: Reconstruction,
    alignment: Alignment | None,
    name: str,
    misplaced: Iterable[Misplaced] = (),
) -> tuple[NDArray[np.bool_], list[Rejected]]:
    """
    Return the mask (N,) of frames to label, and the others of the recording with reasons.

    A frame needs enough points, a small reprojection error, and, where there is a reference, to
    be covered by it or close in time to frames that are and held to one by images, motions to
    its neighbours of which at least one agrees, and to lie where the reference leads from the
    other frames (`misplaced` are those that do not). No frame may need more speed than the robot
    has.
    """
    stamps_ns = reconstruction.sfm_from_camera.stamps_ns
    keep = np.ones(len(stamps_ns), dtype=bool)
    rejected = [Rejected(*each) for each in reconstruction.dropped.items()]
    contradicted = np.zeros(len(stamps_ns), dtype=bool)
    unchecked_s = np.zeros(len(stamps_ns))
    elsewhere = {int(index): piece for piece in misplaced for index in piece.frames}
    alone: set[int] = set()
    speeds, fastest = _speeds(reconstruction, alignment)
    if alignment is not None:
        contradicted[alignment.checked] = ~alignment.agreement.frames
        unchecked_s = _seconds_to_nearest(stamps_ns, stamps_ns[alignment.checked])
        held_by = _held_by(reconstruction, alignment.checked)
        alone = {index for index, holder in held_by.items() if holder is None}
        elsewhere |= {
            index: elsewhere[holder] for index, holder in held_by.items() if holder in elsewhere
        }
    for index, stamp_ns in enumerate(stamps_ns):
        points, error = reconstruction.points_seen[index], reconstruction.errors_px[index]
        reason = None
        if points < FEWEST_POINTS:
            reason = f'too few points of the map: {points}'
        elif not error <= LARGEST_ERROR_PX:
            reason = f'large reprojection error: {error:.1f} px'
        elif contradicted[index]:
            reason = f'moves otherwise than {name}: all motions around it'
        elif index in elsewhere:
            piece = elsewhere[index]
            reason = f'{_MISPLACED} {name} leads: {piece.off}; another place looks like it'
        elif speeds[index] > fastest:
            reason = f'needs too much speed: {speeds[index]:.1f}, the others {fastest:.1f} at most'
        elif unchecked_s[index] > UNCHECKED_S:
            reason = f'not covered by {name}: {unchecked_s[index]:.1f} s away from it'
        elif index in alone:
            reason = f'not covered by {name}: held to no frame that is by {FEWEST_SHARED} points'
        if reason is not None:
            keep[index] = False
            rejected.append(Rejected(int(stamp_ns), reason))
    return keep, sorted(rejected)


def _held_by(reconstruction: Reconstruction, checked: NDArray[np.int64]) -> dict[int, int | None]:
    """
    Return for each frame that the reference does not cover the nearest that it does cover.

    None where images hold a frame to no such one: frames share the fate of those that hold them.
    """
    stamps_ns = reconstruction.sfm_from_camera.stamps_ns
    holders: dict[int, int | None] = {}
    for piece in cut(stamps_ns, reconstruction.points_shared):
        covered = np.isin(piece, checked)
        known = piece[covered]
        for index in piece[~covered]:
            nearest = np.argmin(abs(stamps_ns[known] - stamps_ns[index])) if len(known) else None
            holders[int(index)] = None if nearest is None else int(known[nearest])
    return holders


def _seconds_to_nearest(
    stamps_ns: NDArray[np.int64], marks_ns: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return how far each stamp is from the nearest of some others, both in order."""
    after = np.minimum(np.searchsorted(marks_ns, stamps_ns), len(marks_ns) - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.minimum(abs(marks_ns[after] - stamps_ns), abs(stamps_ns - marks_ns[before]))
    return nearest / NS_PER_S


def _speeds(
    reconstruction: Reconstruction, alignment: Alignment | None
) -> tuple[NDArray[np.float64], float]:
    """
    Return the least speed (N,) that brings the camera to a frame or on from it, and the limit.

    Both in metres a second, or in the reconstruction's units. The limit is generous: it is
    for frames that were put far away, where there is no reference to contradict them.
    """
    poses = reconstruction.sfm_from_camera if alignment is None else alignment.map_from_camera
    steps = np.linalg.norm(np.diff(poses.translations, axis=0), axis=1)
    speeds = steps / (np.diff(poses.stamps_ns) / NS_PER_S)
    ends = np.concatenate([speeds[:1], np.minimum(speeds[:-1], speeds[1:]), speeds[-1:]])
    return ends, _FASTEST * float(np.percentile(speeds, 90)) if len(speeds) else 0.0


def check_left(labelled: NDArray[np.bool_], rejected: list[Rejected]) -> None:
    """Refuse a recording of which too few frames passed, whatever kept the others back."""
    count, left = int(labelled.sum()) + len(rejected), int(labelled.sum())
    if left >= max(FEWEST_FRAMES, math.ceil(SMALLEST_SHARE * count)):
        return
    kinds = Counter(reason_kind(each.reason) for each in rejected).most_common(2)
    why = ', '.join(f'{reason} ({times})' for reason, times in kinds)
    raise LabellingError(
        f'only {left} of {count} frames can be labelled, at least {SMALLEST_SHARE:.0%} must be: '
        f'{why}'
    )


def longest_gap(labelled_ns: Iterable[int], all_ns: Iterable[int]) -> tuple[float, str]:
    """Return the longest time without a label in seconds, and when it begins."""
    every = sorted(all_ns)
    marks = [every[0], *sorted(labelled_ns), every[-1]]
    begin, end = max(pairwise(marks), key=lambda pair: pair[1] - pair[0])
    return (end - begin) / 1e9, seconds_text(begin)
