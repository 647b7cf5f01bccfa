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

"""The recordings that are labelled together: their images, their camera, and their odometry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from posenet_ros.data.bags import Recording, StampedImage
from posenet_ros.data.grids import OccupancyGrid
from posenet_ros.errors import BagError, LabellingError
from posenet_ros.geometry import Camera, NS_PER_S, seconds_text, Trajectory
from posenet_ros.sfm.alignment import SCALE_WINDOWS_S
from posenet_ros.sfm.options import LabelOptions
from posenet_ros.sfm.reference import find_reference, find_second_reference, Reference
from scipy.spatial.transform import Rotation

# Focal lengths of one camera, as two drivers may round them.
_SAME_FOCAL = 0.01
# No motion that is compared may begin in one recording and end in the next.
_APART_NS = round(1.5 * max(SCALE_WINDOWS_S) * NS_PER_S)


@dataclass(frozen=True, eq=False)
class Source:
    """
    One recording of a labelling: its image topic, how many images, and what measures it.

    `grid` is the map of the localizer whose frame the labels shall be in, if it was recorded.
    """

    path: Path
    topic: str
    count: int
    start_ns: int
    end_ns: int
    camera: Camera | None
    reference: Reference | None
    second: Reference | None
    grid: OccupancyGrid | None = None

    @classmethod
    def open(cls, path: Path, options: LabelOptions) -> Source:
        """Look into a recording; raise BagError or LabellingError for what it lacks."""
        with Recording(path) as recording:
            topic = recording.image_topic(options.image_topic)
            first = next(iter(recording.images(topic)), None)
            if first is None:
                raise BagError(f'{topic} of {path} has no image with a stamp')
            reference = find_reference(recording, options, first.frame_id)
            second = None
            if reference is not None:
                second = find_second_reference(recording, options, first.frame_id, reference)
            frame = options.anchor_frame
            _, _, recorded_ns, _ = next(recording.messages([topic]))
            length_ns = recording.end_ns - recorded_ns
            return cls(
                path=path,
                topic=topic,
                count=recording.count(topic),
                start_ns=first.stamp_ns,
                end_ns=first.stamp_ns + length_ns,
                camera=recording.camera(topic),
                reference=reference,
                second=second,
                grid=None if frame is None else recording.map_grid(frame),
            )

    def images(self) -> Iterator[StampedImage]:
        """Stream the images."""
        with Recording(self.path) as recording:
            yield from recording.images(self.topic)


@dataclass(frozen=True, eq=False)
class Sources:
    """
    Recordings by one camera, in order of time; made by `open_sources`.

    They share one map: where they show the same places, structure from motion joins them.
    """

    each: tuple[Source, ...]

    @property
    def name(self) -> str:
        """What a person calls them."""
        return ' '.join(str(source.path) for source in self.each)

    @property
    def count(self) -> int:
        """How many images they have."""
        return sum(source.count for source in self.each)

    @property
    def camera(self) -> Camera | None:
        """The camera that took them, None where no recording tells."""
        return next((source.camera for source in self.each if source.camera), None)

    @property
    def reference(self) -> Reference | None:
        """
        The motion of all recordings in one, each in the odometry's coordinates of its own.

        Motions are compared within a recording only, so that is all they need.
        """
        return _together([source.reference for source in self.each])

    @property
    def second(self) -> Reference | None:
        """Another reference of all recordings, to compare with, or None."""
        return _together([source.second for source in self.each])

    @property
    def restarts_ns(self) -> list[int]:
        """Stamps of the first images of all recordings but the first."""
        return [source.start_ns for source in self.each[1:]]

    @property
    def grid(self) -> OccupancyGrid | None:
        """The localizer's map as it was at last, None where it was not recorded."""
        return next((each.grid for each in reversed(self.each) if each.grid is not None), None)

    def images(self) -> Iterator[StampedImage]:
        """Stream the images of one recording after the other."""
        for source in self.each:
            yield from source.images()

    def index_of(self, stamp_ns: int) -> int:
        """Return which recording an image belongs to, by its stamp."""
        starts = [source.start_ns for source in self.each]
        return max(0, int(np.searchsorted(starts, stamp_ns, side='right')) - 1)


def open_sources(paths: Sequence[Path], options: LabelOptions) -> Sources:
    """
    Open recordings that are to be labelled together.

    Raises LabellingError where they are not of one camera, overlap in time, or only some of
    them have a reference; BagError where one cannot be read.
    """
    each = sorted((Source.open(Path(path), options) for path in paths), key=_start)
    for before, after in pairwise(each):
        if after.start_ns <= before.end_ns:
            raise LabellingError(
                f'{after.path} begins at {seconds_text(after.start_ns)}, before {before.path} '
                f'ends at {seconds_text(before.end_ns)}; recordings labelled together follow '
                'each other'
            )
    for source in each[1:]:
        _check_same_camera(each[0], source)
        if (source.reference is None) != (each[0].reference is None):
            raise LabellingError(
                f'only one of {each[0].path} and {source.path} has a reference for metres; '
                'record it in both'
            )
    return Sources(tuple(each))


def _together(references: Sequence[Reference | None]) -> Reference | None:
    found = [each for each in references if each is not None]
    if len(found) < 2:
        return found[0] if found else None
    return replace(found[0], odom_from_camera=joined([each.odom_from_camera for each in found]))


def joined(paths: Sequence[Trajectory]) -> Trajectory:
    """
    Return several trajectories, in order of time, as one.

    Where one begins within seconds of the end of another its first samples are left out: no
    motion shall seem to lead from the one into the other.
    """
    kept, end_ns = [], None
    for path in paths:
        late = path
        if end_ns is not None:
            late = path.select(path.stamps_ns > end_ns + _APART_NS)
        if len(late):
            kept.append(late)
            end_ns = int(late.stamps_ns[-1])
    return Trajectory(
        np.concatenate([path.stamps_ns for path in kept]),
        Rotation.concatenate([path.rotations for path in kept]),
        np.concatenate([path.translations for path in kept]),
        kept[0].target,
        kept[0].source,
    )


def _start(source: Source) -> int:
    return source.start_ns


def _check_same_camera(first: Source, other: Source) -> None:
    if first.camera is None or other.camera is None:
        return
    sizes = [(camera.width, camera.height) for camera in (first.camera, other.camera)]
    if sizes[0] != sizes[1] or abs(other.camera.fx / first.camera.fx - 1) > _SAME_FOCAL:
        described = [
            f'{source.path} {width}x{height} pixels, focal length {source.camera.fx:.1f}'
            for source, (width, height) in zip((first, other), sizes, strict=True)
        ]
        raise LabellingError(
            f'the recordings are of different cameras or settings: {"; ".join(described)}; '
            'label them apart'
        )
