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

"""Times as a person reads them, and the time axis of the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
import re
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from posenet_ros.geometry import NS_PER_S
from posenet_ros.reporting.style import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Stamps before this are no date: simulators, and robots without a clock, begin at zero.
_FIRST_DATE_NS = 946_684_800 * NS_PER_S
# A pause this long, and longer than this share of all the rest, is cut out of the axis.
_LONG_PAUSE_S = 60.0
_LONG_PAUSE_SHARE = 0.2
# Frames further apart than this many usual intervals are not joined by a line.
_GAP = 3.5
# What is left of it, as a share of the rest.
_CUT_SHARE = 0.03


class Timeline:
    """
    The seconds of a recording, or of several one after the other.

    Where no frame was taken for long, as between recordings, the axis has a cut.
    """

    def __init__(self, stamps_ns: Sequence[int]) -> None:
        """Take the stamps of all frames, in order of time."""
        self._stamps_ns = np.asarray(stamps_ns, dtype=np.int64)
        steps = np.diff(self._stamps_ns) / NS_PER_S
        self.usual_s = float(np.median(steps)) if len(steps) else 1.0
        long = steps > _LONG_PAUSE_S
        rest = float(steps[~long].sum())
        cut = long & (steps > _LONG_PAUSE_SHARE * rest)
        width = max(_CUT_SHARE * rest, 1.0, 2 * self.usual_s)
        shown = np.where(cut, width, steps)
        self._seconds = np.concatenate([[0.0], np.cumsum(shown)])
        self._pauses = [
            (self._seconds[index], self._seconds[index + 1], steps[index])
            for index in np.flatnonzero(cut)
        ]

    @property
    def length_s(self) -> float:
        """The length of the axis."""
        return float(self._seconds[-1])

    @property
    def begin_ns(self) -> int:
        """The stamp of the first frame."""
        return int(self._stamps_ns[0])

    @property
    def end_ns(self) -> int:
        """The stamp of the last frame."""
        return int(self._stamps_ns[-1])

    @property
    def label(self) -> str:
        """What to write beside the axis."""
        since = f' since {self.moment(self.begin_ns)}' if self._has_date else ''
        return f'time [s]{since}{", without long pauses" if self._pauses else ""}'

    def gaps(self, stamps_ns: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell before which of some stamps, but the first, frames are missing (N - 1)."""
        return np.diff(stamps_ns) > _GAP * self.usual_s * NS_PER_S

    def seconds(self, stamps_ns: ArrayLike) -> NDArray[np.float64]:
        """Return where stamps are on the axis."""
        elapsed = (np.asarray(stamps_ns, dtype=np.int64) - self.begin_ns) / NS_PER_S
        return np.interp(elapsed, (self._stamps_ns - self.begin_ns) / NS_PER_S, self._seconds)

    def moment(self, stamp_ns: int) -> str:
        """Return date and time of day in UTC, or seconds where stamps are no dates."""
        if not self._has_date:
            return self.clock(stamp_ns)
        return f'{_utc(stamp_ns):%Y-%m-%d %H:%M:%S} UTC'

    def clock(self, stamp_ns: int) -> str:
        """Return the time of day to a tenth of a second, with the date where there are several."""
        if not self._has_date:
            return f'{stamp_ns / NS_PER_S:.1f} s'
        # Tenths are cut off, not rounded, like all other parts of a time of day.
        time = f'{_utc(stamp_ns):%H:%M:%S}.{stamp_ns % NS_PER_S // 10**8}'
        return time if self._is_one_day else f'{_utc(stamp_ns):%Y-%m-%d} {time}'

    def period(self, begin_ns: int, end_ns: int) -> str:
        """Return two moments as 'A to B', the date once where it is the same."""
        if not self._has_date:
            return f'{self.clock(begin_ns)} to {self.clock(end_ns)}'
        begin, end = _utc(begin_ns), _utc(end_ns)
        form = '%H:%M:%S' if begin.date() == end.date() else '%Y-%m-%d %H:%M:%S'
        return f'{begin:%Y-%m-%d %H:%M:%S} to {end:{form}} UTC'

    def readable(self, text: str) -> str:
        """Return a text with its stamps, seconds with nine places, as moments."""
        return re.sub(
            r'\b\d+\.\d{9}\b', lambda found: self.moment(int(found[0].replace('.', ''))), text
        )

    def draw(self, axes: Axes) -> None:
        """Give the axis its range and label, and show where pauses are cut out."""
        margin = 0.01 * max(self.length_s, 1e-9) + 0.5 * self.usual_s
        axes.set_xlim(-margin, self.length_s + margin)
        axes.set_xlabel(self.label, color=INK)
        self.draw_pauses(axes)

    def draw_pauses(self, axes: Axes) -> None:
        """Show where pauses are cut out, and how long they are."""
        for begin, end, length_s in self._pauses:
            axes.axvspan(begin, end, facecolor='#EEEEEE', hatch='///', edgecolor='#CCCCCC', lw=0)
            axes.annotate(
                duration(length_s),
                ((begin + end) / 2, 0.5),
                xycoords=('data', 'axes fraction'),
                rotation=90,
                ha='center',
                va='center',
                fontsize=7,
                color=INK,
            )

    @property
    def _has_date(self) -> bool:
        return self.begin_ns >= _FIRST_DATE_NS

    @property
    def _is_one_day(self) -> bool:
        return _utc(self.begin_ns).date() == _utc(self.end_ns).date()


def duration(seconds: float) -> str:
    """Return a length of time in the two largest units that it has."""
    if seconds < 60:
        return f'{seconds:.1f} s'
    parts = []
    rest = round(seconds)
    for name, size in (('d', 86400), ('h', 3600), ('min', 60), ('s', 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f'{count} {name}')
    return ' '.join(parts[:2])


def _utc(stamp_ns: int) -> datetime:
    return datetime.fromtimestamp(stamp_ns // NS_PER_S, timezone.utc)
