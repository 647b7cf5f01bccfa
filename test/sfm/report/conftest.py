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

"""What labelling knows at its end, of a drive with known truth and without any images."""

import numpy as np
from posenet_ros.data.capture import Rejected
from posenet_ros.geometry import Camera
from posenet_ros.sfm.alignment import align
from posenet_ros.sfm.reconstruction import Reconstruction
from posenet_ros.sfm.reference import Reference
from posenet_ros.sfm.report import LabelResult
from posenet_ros.sfm.upright import unscaled_map
import pytest


def reconstruction(poses, models=None):
    count = len(poses)
    return Reconstruction(
        poses,
        np.full(count, 200),
        np.full(count, 100),
        np.full(count, 0.5),
        Camera(640, 480, 500, 500, 320, 240),
        {},
        models or [poses.stamps_ns.tolist()],
        1000,
        0.5,
        6.0,
        'incremental',
    )


@pytest.fixture(scope='session')
def make_result(loop):
    """Return a maker of results: frames by index of the drive at five frames a second."""

    def make(*, drive=loop, chosen=slice(None), dropped=(), rejected=(), odom=None, models=None):
        """Of the `chosen` frames, `dropped` are not reconstructed, `rejected` have no label."""
        frames = drive.sfm()
        chosen_ns = frames.stamps_ns[chosen].tolist()
        reasons = {int(frames.stamps_ns[i]): reason for i, reason in dict(dropped).items()}
        is_found = np.isin(frames.stamps_ns, chosen_ns) & ~np.isin(frames.stamps_ns, list(reasons))
        sfm = frames.select(is_found)
        reasons |= {int(frames.stamps_ns[i]): reason for i, reason in dict(rejected).items()}
        alignment = None if odom is None else align(sfm, odom)
        placed = unscaled_map(sfm) if alignment is None else alignment.map_from_sfm
        labels = placed.apply_to(sfm.select(~np.isin(sfm.stamps_ns, list(reasons))))
        return LabelResult(
            chosen_ns=chosen_ns,
            found=reconstruction(sfm, models),
            placed=placed,
            labels=labels,
            rejected=sorted(Rejected(*each) for each in reasons.items()),
            reference=None if odom is None else Reference('/odom', odom),
            alignment=alignment,
        )

    return make
