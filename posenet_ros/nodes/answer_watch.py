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

"""Whether the images that come are answered."""

from __future__ import annotations

from posenet_ros.geometry import NS_PER_S


class AnswerWatch:
    """
    Notes images, answers and refusals, to tell when images come and nothing goes out.

    Images are noted by one thread and what became of them by another; times are of the monotonic
    clock.
    """

    def __init__(self) -> None:
        self.last_refusal = ''
        self.scene = ''
        self._unanswered_since_ns: int | None = None
        self._reason = ''

    def arrived(self, now_ns: int) -> None:
        """Note an image."""
        if self._unanswered_since_ns is None:
            self._unanswered_since_ns = now_ns

    def answered(self, scene: str = '') -> None:
        """Note an answer, of a scene where the map has names for some; the next image waits."""
        self.scene = scene or self.scene
        self.clear()

    def refused(self, reason: str) -> None:
        """Note an image that got no answer, and why."""
        self.last_refusal = self._reason = reason

    def clear(self) -> None:
        """Forget that images wait; the last refusal stays to be looked at."""
        self._unanswered_since_ns = None
        self._reason = ''

    def drought(self, timeout_s: float, now_ns: int) -> str:
        """Return why images were not answered for longer than the timeout, or ''."""
        since_ns = self._unanswered_since_ns
        if since_ns is None or now_ns - since_ns <= timeout_s * NS_PER_S:
            return ''
        reason = self._reason or 'the first is still in work'
        dry_s = (now_ns - since_ns) / NS_PER_S
        return f'images come, and none was answered for {dry_s:.0f} s: {reason}'
