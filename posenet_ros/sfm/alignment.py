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
Place a reconstruction in a metric, upright map by a reference that measures the robot's motion.

Only scale, the upright direction and the origin come from the reference. The shape of the
camera's path is that of the images: odometry that drifts does not bend it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import LabellingError
from posenet_ros.geometry import NS_PER_S, Sim3, Trajectory
from posenet_ros.sfm.agreement import Agreement, compare, seeming_mount
from posenet_ros.sfm.anchor import anchor, AnchorFit
from posenet_ros.sfm.clock import clock_offset, covered, reference_at
from posenet_ros.sfm.motions import motions, windows, with_rotations_of
from posenet_ros.sfm.scale import fit_scale, ScaleFit
from posenet_ros.sfm.upright import average_direction, map_from_sfm, spread, up_directions

SCALE_WINDOWS_S = (1.0, 2.0, 4.0)
_FEWEST_FRAMES = 10


@dataclass(frozen=True, eq=False)
class Alignment:
    """
    A reconstruction in the map.

    `map_from_camera` has every frame. `agreement` is over the frames that the reference covers
    (`checked`, indices); `offset_s` is added to the camera's stamps to have the reference's.
    `up_spread_rad` is the angle that 90 % of the frames' upright directions are within of
    their mean, `tilt_rad` how far that mean is from the map's vertical, `mount_off_rad` how far
    the camera seems to be turned from where it is said to be mounted. `anchor` tells how well
    the map of a localizer fits, where there is one.
    """

    map_from_sfm: Sim3
    map_from_camera: Trajectory
    scale: ScaleFit
    offset_s: float
    up_spread_rad: float
    tilt_rad: float
    mount_off_rad: float
    agreement: Agreement
    checked: NDArray[np.int64]
    anchor: AnchorFit | None = None

    @property
    def checked_share(self) -> float:
        """The share of the frames that the reference covers."""
        return len(self.checked) / len(self.map_from_camera)


def align(sfm: Trajectory, reference: Trajectory, *, anchored: bool = False) -> Alignment:
    """
    Return the alignment of `sfm_from_camera` by `odom_from_camera`.

    Where it is `anchored` the reference is a localizer's, which does not drift, and the map is
    its own; else the map begins where the reference begins. Raises LabellingError where the
    reference covers too few frames, or nothing moves.
    """
    offset_s = clock_offset(sfm, reference)
    checked = np.flatnonzero(covered(sfm.stamps_ns, reference, offset_s))
    if len(checked) < _FEWEST_FRAMES:
        raise LabellingError(
            f'the reference covers only {len(checked)} of {len(sfm)} frames: it has '
            f'{_period(reference)}, the frames {_period(sfm)}; record both together'
        )
    known = sfm.select(checked)
    odom = reference_at(known.stamps_ns, reference, offset_s)
    over = windows(known.stamps_ns, SCALE_WINDOWS_S)
    scale = fit_scale(motions(known, over), motions(with_rotations_of(known, odom), over))
    directions = up_directions(known, odom)
    up = average_direction(directions)
    fit = None
    if anchored and scale.scale > 0:
        placed, fit = anchor(known, odom, scale=scale.scale)
    else:
        placed = map_from_sfm(known, odom, scale=scale.scale, up=up)
    return Alignment(
        map_from_sfm=placed,
        map_from_camera=placed.apply_to(sfm),
        scale=scale,
        offset_s=offset_s,
        up_spread_rad=spread(directions, up),
        tilt_rad=float(np.arccos(np.clip(placed.rotation.apply(up)[2], -1.0, 1.0))),
        mount_off_rad=float(seeming_mount(known, odom).magnitude()),
        agreement=compare(placed.apply_to(known), odom),
        checked=checked,
        anchor=fit,
    )


def wrong_mount_degrees(sfm: Trajectory, reference: Trajectory) -> tuple[float, Alignment]:
    """
    Return by how much the camera seems to be mounted otherwise than said, and what then holds.

    The alignment is the one with the mounting turned accordingly: where it agrees and the plain
    one does not, the mounting is what is wrong.
    """
    known = covered(sfm.stamps_ns, reference, 0.0)
    camera = sfm.select(known)
    mount = seeming_mount(camera, reference_at(camera.stamps_ns, reference, 0.0))
    turned = Trajectory(
        reference.stamps_ns,
        reference.rotations * mount,
        reference.translations,
        reference.target,
        reference.source,
    )
    return float(np.degrees(mount.magnitude())), align(sfm, turned)


def _period(poses: Trajectory) -> str:
    begin, end = (int(poses.stamps_ns[index]) / NS_PER_S for index in (0, -1))
    return f'{len(poses)} poses from {begin:.1f} to {end:.1f} s'
