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

"""What is said of one parameter: what it means, what it takes, and when it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
import re
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor

# What tf2 takes as a frame: names and slashes, but no leading slash.
_FRAME = re.compile(r'[A-Za-z_][\w./-]*')


def frame(value: Any) -> str:
    """Return why a value is not a frame, or ''."""
    return '' if _FRAME.fullmatch(value) else 'must be a TF frame name without a leading slash'


def frame_or_none(value: Any) -> str:
    """Return why a value is neither a frame nor empty, or ''."""
    return frame(value) if value else ''


@dataclass(frozen=True)
class Specification:
    """
    One parameter: its default, what it means, and what values it takes.

    Those are the `choices` where there are some, with `reasons` why others that one might expect
    are refused; numbers within `limits`; and what `check` returns no reason against, which `takes`
    puts in words. `live` tells that a change takes effect
    at once; one that is not live is read in `configure`, and where it is `exchanged`, a change
    after that is worked on in the background. `fixed` is read once, at the start.
    `spellings` are values of other types that stand for one of these: ROS reads what is written
    without quotes as YAML, to which `off` is a truth value.
    """

    default: Any
    meaning: str
    choices: tuple[str, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)
    check: Callable[[Any], str] = lambda value: ''
    takes: str = ''
    limits: tuple[float, float] | None = None
    live: bool = False
    fixed: bool = False
    exchanged: bool = False
    spellings: Mapping[bool, Any] = field(default_factory=dict)

    def read(self, value: Any) -> Any:
        """Return the value that is meant."""
        return self.spellings.get(value, value) if isinstance(value, bool) else value

    def refusal(self, value: Any) -> str:
        """Return why a value of the right type is refused, or ''."""
        if self.choices and value not in self.choices:
            # What is not text may have no hash.
            return self.reasons.get(str(value), f'must be one of {", ".join(self.choices)}')
        return self.check(value)

    @property
    def when(self) -> str:
        """When a value takes effect, in words."""
        if self.live:
            return 'any time'
        if self.fixed:
            return 'the start'
        return 'configure, or loaded in the background after it' if self.exchanged else 'configure'

    def descriptor(self) -> ParameterDescriptor:
        """Return the descriptor that `ros2 param describe` shows."""
        descriptor = ParameterDescriptor(description=self.meaning, read_only=self.fixed)
        descriptor.additional_constraints = f'Read at {self.when}.'
        # Else rclpy refuses another type before anybody can say what it stands for.
        descriptor.dynamic_typing = bool(self.spellings)
        if self.limits and isinstance(self.default, float):
            low, high = self.limits
            descriptor.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
        elif self.limits:
            low, high = map(int, self.limits)
            descriptor.integer_range = [IntegerRange(from_value=low, to_value=high, step=1)]
        return descriptor
