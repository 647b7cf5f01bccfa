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
The stage that parts what only looks alike: false matches are taken out before mapping again.

A piece of the map that lies where odometry does not lead was put there by matches with another
place. Where odometry leads instead is known from the pieces beside it; matches between frames
that would be too far apart to see the same things are the false ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Place = Sequence[float]
# Two frames that see the same things stand no further apart than they seemed to, and so much.
_REACH_METRES = 1.0


@dataclass(frozen=True)
class Expected:
    """Where odometry leads to a frame, in the map, and how many metres that may be off."""

    place: Place
    metres: float


def part(
    progress: Callable[[int, int], None],
    *,
    database: str,
    seen: Mapping[str, Place],
    expected: Mapping[str, Mapping[str, float | Place]],
    only_count: bool = False,
) -> int:
    """
    Take false matches out of the database and return how many pairs of frames they are.

    `seen` are the places of all frames in the map as it is, by name; `expected` are those of
    the frames that lie at the wrong place (see Expected, as a mapping). `only_count` leaves all
    matches where they are.
    """
    import pycolmap

    wanted = {name: Expected(each['place'], each['metres']) for name, each in expected.items()}
    with pycolmap.Database.open(database) as opened:
        names = {image.image_id: image.name for image in opened.read_all_images()}
        numbered = [
            pycolmap.pair_id_to_image_pair(pair)
            for pair in opened.read_two_view_geometry_num_inliers()[0]
        ]
        pairs = {(names[first], names[second]): (first, second) for first, second in numbered}
        false = list(false_pairs(pairs, seen, wanted))
        progress(0, len(false))
        if not only_count:
            for pair in false:
                opened.delete_two_view_geometry(*pairs[pair])
        progress(len(false), len(false))
    return len(false)


def false_pairs(
    pairs: Iterable[tuple[str, str]],
    seen: Mapping[str, Place],
    expected: Mapping[str, Expected],
) -> Iterator[tuple[str, str]]:
    """Yield the pairs of a frame at the wrong place and one it cannot have seen anything of."""
    for first, second in pairs:
        for wrong, other in ((first, second), (second, first)):
            if wrong not in expected or other in expected or other not in seen:
                continue
            apart = _distance(expected[wrong].place, seen[other])
            seeming = _distance(seen[wrong], seen[other])
            if apart > expected[wrong].metres + seeming + _REACH_METRES:
                yield first, second


def _distance(one: Place, other: Place) -> float:
    return float(np.linalg.norm(_array(one) - _array(other)))


def _array(place: Place) -> NDArray[np.float64]:
    return np.asarray(place, dtype=np.float64)
