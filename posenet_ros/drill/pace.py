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

"""How fast time passes: at most as asked, and slower where the machine does not keep up."""

from __future__ import annotations

from collections import deque
from statistics import median

# On a robot that is not busy the map has verified an image after so long.
VERIFIED_S = 0.5
# A tick that comes late is made up for, if it is not more than this.
_CATCH_UP_S = 0.1
_REMEMBERED = 40
_LEAST_PACE = 0.05
# An answer is waited for so many times as long as nine of ten take; images that are refused have
# none, so that it is not worth to wait for the longest.
_PATIENCE, _MOST, _LEAST_WAIT_S, _FIRST_WAIT_S = 3.0, 0.9, 0.05, 1.0


class Pace:
    """
    Says when the next tick is due, by what it is told of how long answers take on the wall.

    So what comes of a trip does not depend on what else the machine does.
    """

    def __init__(self, asked: float) -> None:
        """Take how fast time may pass, 1 for as on the wall."""
        self._asked = asked
        self._due_s = 0.0
        self._answers_s: deque[float] = deque(maxlen=_REMEMBERED)
        self._verified_s: deque[float] = deque(maxlen=_REMEMBERED)

    def answered(self, took_s: float) -> None:
        """Note how long the answer to an image took on the wall."""
        self._answers_s.append(took_s)

    def verified(self, took_s: float) -> None:
        """Note how long it took until an image was verified."""
        self._verified_s.append(took_s)

    @property
    def verified_after_s(self) -> float | None:
        """How long that takes lately, None where nothing was verified."""
        return median(self._verified_s) if self._verified_s else None

    @property
    def present(self) -> float:
        """How fast time passes: verification then takes what it does on an idle machine."""
        if not self._verified_s:
            return self._asked
        kept_up = VERIFIED_S / max(median(self._verified_s), 1e-3)
        return max(min(self._asked, kept_up), min(_LEAST_PACE, self._asked))

    @property
    def wait_s(self) -> float:
        """How long on the wall to wait for an answer before the next image is sent."""
        if not self._answers_s:
            return _FIRST_WAIT_S
        long_s = sorted(self._answers_s)[int(_MOST * (len(self._answers_s) - 1))]
        return min(max(_PATIENCE * long_s, _LEAST_WAIT_S), _FIRST_WAIT_S)

    def due(self, wall_s: float, tick_s: float) -> float:
        """Return when on the wall the next tick of so many seconds is due."""
        self._due_s = max(self._due_s + tick_s / self.present, wall_s - _CATCH_UP_S)
        return self._due_s
