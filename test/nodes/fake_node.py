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
The node with a localizer that needs no model: what `relocalize` runs, without torch.

    python fake_node.py ok|slow|defect [--ros-args ...]

`slow` takes half a minute to load, in code that cannot be interrupted; `defect` fails at the
first image.
"""

from __future__ import annotations

from pathlib import Path
import sys
import time
from types import SimpleNamespace

import numpy as np
from posenet_ros.geometry import Pose
from posenet_ros.localization.estimate import Answers, PoseEstimate
from posenet_ros.nodes.process import run_node, stops_on_signals


class FakeLocalizer:
    method = 'fake'
    device = 'cpu'
    engine = 'fake'
    card = SimpleNamespace(
        camera=None,
        map_frame='map',
        sees=SimpleNamespace(centre_box=None),
        metric=True,
        training={},
    )

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def locate_batch(self, images: list[np.ndarray]) -> Answers:
        if self.kind == 'defect':
            raise ZeroDivisionError('a defect of the localizer')
        estimate = PoseEstimate(Pose.identity('map', 'camera'), np.eye(6) * 0.01, 'fake')
        return Answers((estimate,), np.zeros((1, 4), dtype=np.float32), np.zeros(1))


def load(
    path: Path, device: str, threads: int, refine: str, method: str, engine: str
) -> FakeLocalizer:
    kind = sys.argv[1]
    if kind == 'slow':
        print('loading', flush=True)
        time.sleep(30)
    return FakeLocalizer(kind)


def main() -> None:
    with stops_on_signals() as stops:
        print('up', flush=True)
        from posenet_ros.nodes.relocalize_node import RelocalizeNode
        from rclpy.parameter import Parameter

        model = Parameter('model', value='none')
        run_node(
            lambda fail: RelocalizeNode(load=load, fail=fail, overrides=[model]),
            sys.argv[2:],
            stops,
        )


if __name__ == '__main__':
    main()
