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

"""Frames chosen by their numbers, such as 350:650 or 50:100:200."""

from __future__ import annotations

from dataclasses import dataclass, replace
import re

from posenet_ros.data.frames import Frame, Scene
from posenet_ros.errors import ConfigError, DatasetError


@dataclass(frozen=True)
class FrameRanges:
    """
    Ranges of frame numbers: from `start` up to before `stop`, anew every `period` where it is set.

    A frame's number is the last one in the name of its image.
    """

    ranges: tuple[tuple[int, int, int | None], ...]

    @classmethod
    def parse(cls, text: str) -> FrameRanges:
        """Read `START:STOP` or `START:STOP:PERIOD`, several with commas; raise ConfigError."""
        ranges = []
        for part in text.split(','):
            found = re.fullmatch(r'(\d+):(\d+)(?::(\d+))?', part.strip())
            start, stop, period = map(int, found.groups('0')) if found else (0, 0, 0)
            if not start < stop or 0 < period < stop:
                raise ConfigError(
                    f'frames are START:STOP or START:STOP:PERIOD, such as 350:650 or 50:100:200, '
                    f'got {part!r}'
                )
            ranges.append((start, stop, period or None))
        return cls(tuple(ranges))

    def __contains__(self, number: int) -> bool:
        """Tell whether a frame of this number is chosen."""
        return any(
            start <= (number if period is None else number % period) < stop
            for start, stop, period in self.ranges
        )

    def apart(self, scene: Scene) -> Scene:
        """
        Return a scene whose test part are these frames, wherever they were.

        Raises DatasetError where nothing is left on one side.
        """
        frames = [*scene.train, *scene.test]
        test = tuple(frame for frame in frames if frame_number(frame) in self)
        train = tuple(frame for frame in frames if frame_number(frame) not in self)
        if not test or not train:
            raise DatasetError(
                f'{len(test)} of the {len(frames)} frames of {scene.name} have the numbers of '
                'the test frames: some must, and some must not'
            )
        return replace(scene, train=train, test=test)


def frame_number(frame: Frame) -> int:
    """Return the last number in the name of a frame's image; raise DatasetError without any."""
    numbers = re.findall(r'\d+', frame.image.stem)
    if not numbers:
        raise DatasetError(f'{frame.image} has no number in its name to choose it by')
    return int(numbers[-1])
