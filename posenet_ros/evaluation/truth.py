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

"""True poses for given instants, and the rigid frame between a model's map and the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import GeometryError
from posenet_ros.geometry import fit_similarity, NS_PER_S, Pose, Trajectory
from scipy.spatial.transform import Rotation

# Text files round stamps: within a millisecond it is the same instant.
SAME_INSTANT_NS = NS_PER_S // 1000
# Over a longer gap than this nobody knows where the camera was.
MAX_GAP_NS = NS_PER_S // 5
# Positions nearer to one line than this leave the rotation about it to chance.
_LEAST_WIDTH_M = 0.05


def true_pose(truth: Trajectory, stamp_ns: int) -> Pose | None:
    """
    Return the true pose at an instant, or None where the truth does not tell.

    A row within a millisecond is taken as it is; otherwise the pose is interpolated between
    two rows at most 0.2 s apart. Nothing is extrapolated.
    """
    row = pose_at(truth, stamp_ns)
    if row is not None:
        return row
    after = int(np.searchsorted(truth.stamps_ns, stamp_ns))
    between = truth.select(slice(max(after - 1, 0), after + 1))
    if len(between) < 2 or np.ptp(between.stamps_ns) > MAX_GAP_NS:
        return None
    return between.at(np.array([stamp_ns]))[0]


def pose_at(trajectory: Trajectory, stamp_ns: int) -> Pose | None:
    """Return the pose of the row within a millisecond of an instant, or None."""
    after = int(np.searchsorted(trajectory.stamps_ns, stamp_ns))
    near = range(max(after - 1, 0), min(after + 1, len(trajectory)))
    distance, row = min((abs(int(trajectory.stamps_ns[i]) - stamp_ns), i) for i in near)
    return trajectory[row] if distance <= SAME_INSTANT_NS else None


@dataclass(frozen=True, eq=False)
class LabelFit:
    """
    The rigid motion from the truth's frame to the model's map, and how well it fits.

    `position_rms_m` and `orientation_median_deg` are what is left between the training labels
    and their truth: no model trained on these labels can be expected to be better. `scale` is
    what a similarity would add (true metres per metre of the labels); it is told, not applied.
    """

    map_from_truth: Pose
    pairs: int
    position_rms_m: float
    orientation_median_deg: float
    scale: float

    def __str__(self) -> str:
        """Return the line that is printed."""
        return (
            f'training labels against their truth: {self.pairs} pairs, '
            f'rms {self.position_rms_m:.3f} m, median {self.orientation_median_deg:.2f} deg '
            f'after a rigid fit (a similarity would scale by {self.scale:.4f})'
        )

    def to_dict(self) -> dict[str, float]:
        """Return plain values for JSON."""
        return {
            'pairs': self.pairs,
            'position_rms_m': round(self.position_rms_m, 6),
            'orientation_median_deg': round(self.orientation_median_deg, 6),
            'scale': round(self.scale, 6),
        }


def fit_labels(labels: Trajectory, truth: Trajectory) -> LabelFit:
    """
    Fit the truth of the training labels rigidly to the labels: both `map_from_camera`.

    Only labels take part, never predictions, so the fit cannot hide an error of the model.
    Positions decide; where they lie on one line (a robot that drove straight), orientations
    give the rotation. Raises GeometryError with fewer than three labels that have a truth.
    """
    true = [true_pose(truth, int(stamp)) for stamp in labels.stamps_ns]
    paired = [(label, pose) for label, pose in zip(labels, true) if pose is not None]
    if len(paired) < 3:
        raise GeometryError(
            f'only {len(paired)} of {len(labels)} training labels have a true pose, and a fit '
            'needs 3; is --labels-truth the truth of the training recording?'
        )
    label_points = np.array([label.translation for label, _ in paired])
    true_points = np.array([pose.translation for _, pose in paired])
    turns = Rotation.concatenate([label.rotation * pose.rotation.inv() for label, pose in paired])
    map_from_truth, scale = _fit(label_points, true_points, turns)
    rms = np.sqrt(((map_from_truth @ true_points - label_points) ** 2).sum(axis=1).mean())
    angles = (map_from_truth.rotation.inv() * turns).magnitude()
    return LabelFit(
        map_from_truth, len(paired), float(rms), float(np.degrees(np.median(angles))), scale
    )


def _fit(
    label_points: NDArray[np.float64], true_points: NDArray[np.float64], turns: Rotation
) -> tuple[Pose, float]:
    """Return `map_from_truth` and the scale that is not applied."""
    _, spread, _ = np.linalg.svd(label_points - label_points.mean(axis=0), full_matrices=False)
    if spread[1] / np.sqrt(len(label_points)) > _LEAST_WIDTH_M:
        rigid = fit_similarity(
            true_points, label_points, target='map', source='truth', with_scale=False
        )
        free = fit_similarity(label_points, true_points, target='truth', source='map')
        return rigid.pose(), free.scale
    rotation = turns.mean()
    shift = label_points.mean(axis=0) - rotation.apply(true_points.mean(axis=0))
    lengths = [
        np.linalg.norm(points - points.mean(axis=0)) for points in (true_points, label_points)
    ]
    if lengths[1] == 0:
        raise GeometryError('all training labels are in one place, so nothing can be fitted')
    return Pose(rotation, shift, 'map', 'truth'), float(lengths[0] / lengths[1])
