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

"""The poses of a topic as they came, what is left out of them, and how fast they were."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from posenet_ros.geometry import NS_PER_S, Pose, Trajectory


@dataclass
class _Track:
    """What came in one frame: the poses by their stamps, and times in ns."""

    poses: dict[int, Pose] = field(default_factory=dict)
    arrivals_ns: list[int] = field(default_factory=list)
    latencies_ns: list[int] = field(default_factory=list)


class PoseLog:
    """
    Poses, their arrivals on one clock, and how long they took from their images.

    The trajectory is that of the frame (`target`) in which most poses came. What is not in it is
    counted: messages that hold no pose, poses in another frame, and of several poses with one
    stamp all but the last.
    """

    def __init__(self) -> None:
        self._tracks: dict[str, _Track] = {}
        self._no_pose = 0

    def add(self, stamp_ns: int, pose: Pose, *, now_ns: int, image_ns: int | None) -> None:
        """Keep a pose that came now; `image_ns` is when its image came, where that is known."""
        track = self._tracks.setdefault(pose.target, _Track())
        track.poses[stamp_ns] = pose
        track.arrivals_ns.append(now_ns)
        if image_ns is not None:
            track.latencies_ns.append(now_ns - image_ns)

    def count_no_pose(self) -> None:
        """Count a message that holds no pose."""
        self._no_pose += 1

    @property
    def frames(self) -> tuple[str, ...]:
        """The frames in which poses came."""
        return tuple(self._tracks)

    @property
    def _track(self) -> _Track:
        return max(self._tracks.values(), key=lambda track: len(track.poses), default=_Track())

    def __len__(self) -> int:
        """Return how many poses the trajectory has."""
        return len(self._track.poses)

    def left_out(self) -> dict[str, int]:
        """Return how many messages are not in the trajectory, by why."""
        track = self._track
        counts = {'no pose': self._no_pose}
        for frame, other in self._tracks.items():
            if other is not track:
                counts[f'in frame {frame}'] = len(other.arrivals_ns)
        counts['with the stamp of a later one'] = len(track.arrivals_ns) - len(track.poses)
        return {why: count for why, count in counts.items() if count}

    def trajectory(self) -> Trajectory:
        """Return the poses by their stamps; raise GeometryError where there are none."""
        poses = self._track.poses
        return Trajectory.from_poses(list(poses), list(poses.values()))

    def statistics(self) -> dict[str, object]:
        """
        Return counts, rate and latency as plain values, for JSON.

        `poses` are those of the trajectory; the rate counts every pose in its frame as it came.
        What could not be measured is None.
        """
        arrivals_ns = self._track.arrivals_ns
        span_s = (arrivals_ns[-1] - arrivals_ns[0]) / NS_PER_S if arrivals_ns else 0.0
        return {
            'poses': len(self),
            'left_out': self.left_out(),
            'duration_s': span_s,
            'rate_hz': (len(arrivals_ns) - 1) / span_s if span_s > 0 else None,
            'latency_ms': self._latency(),
        }

    def _latency(self) -> dict[str, float] | None:
        if not self._track.latencies_ns:
            return None
        values = np.array(self._track.latencies_ns) / 1e6
        return {
            'poses': len(values),
            'p50': float(np.percentile(values, 50)),
            'p90': float(np.percentile(values, 90)),
            'p99': float(np.percentile(values, 99)),
            'max': float(values.max()),
        }
