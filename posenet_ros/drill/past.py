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

"""Where the robot was, and where odometry had it, at the stamps that messages carry."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from typing import NamedTuple

from posenet_ros.recovery.rehearsal.floor import Spot

# At 50 Hz a minute: no message is of longer ago.
_KEPT = 3000


class Moment(NamedTuple):
    """One instant."""

    stamp_ns: int
    truth: Spot
    odometry: Spot


class Past:
    """The last minute."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._moments: deque[Moment] = deque(maxlen=_KEPT)

    def add(self, moment: Moment) -> None:
        """Note the present."""
        self._moments.append(moment)

    @property
    def now(self) -> Moment:
        """The newest."""
        return self._moments[-1]

    def at(self, stamp_ns: int) -> Moment:
        """Return the moment nearest to a stamp; the oldest or newest where it is beyond."""
        after = bisect_left(self._moments, stamp_ns, key=lambda moment: moment.stamp_ns)
        near = list(self._moments)[max(after - 1, 0) : after + 1] or [self.now]
        return min(near, key=lambda moment: abs(moment.stamp_ns - stamp_ns))
