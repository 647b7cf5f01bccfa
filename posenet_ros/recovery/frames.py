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

"""The recent observations, in the order of their images, whatever order they came in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from posenet_ros.geometry import NS_PER_S
from posenet_ros.recovery.drift import Reading
from posenet_ros.recovery.observation import Kind, Observation
from posenet_ros.recovery.odometry import Missing, OdometryBuffer

# Cameras and computers differ a little in what time it is.
_CLOCKS_NS = NS_PER_S // 5
# Where nobody asks, nothing is dropped for its age.
_MOST = 1000


@dataclass(eq=False)
class Frame:
    """An observation, and odometry at its stamp once that is known."""

    observation: Observation
    reading: Reading | None = None

    @property
    def stamp_ns(self) -> int:
        """The stamp of the image."""
        return self.observation.stamp_ns

    @property
    def answered(self) -> bool:
        """Whether there is a pose."""
        return self.observation.map_from_base is not None

    @property
    def verified(self) -> bool:
        """Whether points of the map confirm it."""
        return self.answered and self.observation.kind is Kind.VERIFIED


class Frames:
    """Keeps what the network and the map say of each image, once each."""

    def __init__(self, window_s: float) -> None:
        """Keep what is at most so old."""
        self._window_ns = round(window_s * NS_PER_S)
        self._frames: dict[tuple[int, Kind], Frame] = {}

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._frames)

    def clear(self) -> None:
        """Forget all."""
        self._frames.clear()

    def add(self, observation: Observation) -> None:
        """Take an observation; a pose goes before a refusal, the same again changes nothing."""
        key = (observation.stamp_ns, observation.kind)
        there = self._frames.get(key)
        if there is None or (not there.answered and observation.map_from_base is not None):
            self._frames[key] = Frame(observation)
        if len(self._frames) > _MOST:
            del self._frames[min(self._frames, key=lambda each: each[0])]

    def recent(self, now_ns: int) -> tuple[list[Frame], list[Frame]]:
        """
        Return the frames with a pose, and a refused one for each image without any, by stamp.

        What is not of this window is dropped, also what a clock had ahead that was set back.
        """
        self._frames = {
            key: frame
            for key, frame in self._frames.items()
            if abs(now_ns - key[0]) <= self._window_ns
        }
        frames = [each for each in self._frames.values() if each.stamp_ns <= now_ns + _CLOCKS_NS]
        frames.sort(key=lambda each: each.stamp_ns)
        answered = [each for each in frames if each.answered]
        stamps_ns = {each.stamp_ns for each in answered}
        refused = {each.stamp_ns: each for each in frames if each.stamp_ns not in stamps_ns}
        return answered, list(refused.values())


def with_odometry(frames: Sequence[Frame], odometry: OdometryBuffer) -> tuple[list[Frame], str]:
    """Return the frames at whose stamps odometry is known, and why it is not at another."""
    known, missing = [], ''
    for frame in frames:
        if frame.reading is None or frame.reading.epoch != odometry.epoch:
            found = odometry.at(frame.stamp_ns)
            frame.reading = None if isinstance(found, Missing) else found
            missing = found.reason if isinstance(found, Missing) else missing
        if frame.reading is not None:
            known.append(frame)
    return known, missing


def thinned(frames: list[Frame], most: int) -> list[Frame]:
    """Return at most so many frames, verified ones first, the others evenly over time."""
    if len(frames) <= most:
        return frames
    verified = [each for each in frames if each.verified]
    others = [each for each in frames if not each.verified]
    # Some of the network's stay in any case: they may speak for another place.
    others = _evenly(others, max(most - len(verified), most // 2))
    kept = _evenly(verified, most - len(others)) + others
    return sorted(kept, key=lambda each: each.stamp_ns)


def _evenly(frames: list[Frame], room: int) -> list[Frame]:
    """Return at most so many frames, evenly spread, the newest always."""
    if len(frames) <= room:
        return frames
    return [frames[index] for index in np.linspace(0, len(frames) - 1, room).round().astype(int)]
