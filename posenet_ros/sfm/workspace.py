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

"""The folder of a run: what is where, which stages are done, and how long they took."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
import logging
from pathlib import Path
import time
from typing import Any

from posenet_ros.data.capture import image_path
from posenet_ros.data.colmap_files import has_model
from posenet_ros.errors import CaptureError
from posenet_ros.files import read_yaml, write_yaml
from posenet_ros.sfm.reconstruction import kept, Reconstruction
from posenet_ros.sfm.selection import Selection

_LOG = logging.getLogger(__name__)

# Each works with what those before it have made.
STAGES = ('selection', 'features', 'matching', 'mapping')
_TOLD_BY = 'told_by'


@dataclass(frozen=True)
class Workspace:
    """
    The paths under an output folder `root`.

    A stage is done when `stages.yaml` says so, which is written after all that the stage makes,
    and what it made is still there and whole. What is not is made again, with all that follows.
    """

    root: Path

    @property
    def capture(self) -> Path:
        """The capture, with its images before it has labels."""
        return self.root / 'capture'

    @property
    def images(self) -> Path:
        """The frames that were chosen."""
        return image_path(self.capture, 0).parent

    @property
    def sfm(self) -> Path:
        """The model in the map, and the database."""
        return self.root / 'sfm'

    @property
    def database(self) -> Path:
        """Features and matches."""
        return self.sfm / 'database.db'

    @property
    def unaligned(self) -> Path:
        """The model in its own coordinates."""
        return self.sfm / 'unaligned'

    @property
    def found(self) -> Path:
        """What the mapping stage returned."""
        return self.sfm / 'reconstruction.json'

    @property
    def parted(self) -> Path:
        """How many matches of look-alike places were taken out of the database, and by what."""
        return self.sfm / 'parted.yaml'

    def parted_pairs(self) -> int:
        """Return how many pairs of frames were taken apart so far."""
        if not self.parted.exists():
            return 0
        return int(read_yaml(self.parted, CaptureError).get('pairs', 0))

    @property
    def log(self) -> Path:
        """What the stages print."""
        return self.root / 'logs' / 'sfm.log'

    def image_name(self, stamp_ns: int) -> str:
        """Return the file name of a frame."""
        return image_path(self.capture, stamp_ns).name

    def stamp_ns(self, name: str) -> int:
        """Return the stamp of a frame by its file name."""
        return int(Path(name).stem)

    def stage_times(self) -> dict[str, float]:
        """Return the seconds that each finished stage took."""
        path = self.sfm / 'stages.yaml'
        try:
            return read_yaml(path, CaptureError) if path.exists() else {}
        except CaptureError as error:
            _LOG.warning('%s: every stage is done again', error)
            return {}

    def is_done(self, stage: str) -> bool:
        """Tell whether a stage has finished and what it made is there."""
        if stage not in self.stage_times():
            return False
        try:
            return self._is_whole(stage)
        except CaptureError as error:
            _LOG.warning('%s: the stage %r is done again', error, stage)
            return False

    def _is_whole(self, stage: str) -> bool:
        if stage == 'selection':
            stamps_ns = self.read_selection().stamps_ns
            return all((self.images / self.image_name(each)).is_file() for each in stamps_ns)
        if stage == 'mapping':
            self.read_reconstruction()
            return has_model(self.unaligned)
        return self.database.is_file()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Take the time of a stage, and mark it as done when the block succeeds."""
        begin = time.monotonic()
        # What follows would stand on what is about to change.
        self.forget(name)
        yield
        seconds = round(time.monotonic() - begin, 2)
        write_yaml(self.sfm / 'stages.yaml', {**self.stage_times(), name: seconds})

    def restore(self, times: Mapping[str, float]) -> None:
        """Have stages done again that were, since what they stand on has come out the same."""
        write_yaml(self.sfm / 'stages.yaml', dict(times))

    def forget(self, stage: str) -> None:
        """Have a stage done again, and all that follow it."""
        before = STAGES[: STAGES.index(stage)]
        times = {each: taken for each, taken in self.stage_times().items() if each in before}
        write_yaml(self.sfm / 'stages.yaml', times)

    def read_reconstruction(self) -> Reconstruction:
        """Read what the mapping stage found; raise CaptureError where it is damaged."""
        return Reconstruction.from_stage(kept(self.found), self.stamp_ns)

    def write_selection(self, selection: Selection, told_by: Mapping[str, Any]) -> None:
        """Keep a selection, and what told where the robot stood."""
        values = {**asdict(selection), 'stamps_ns': list(selection.stamps_ns)}
        write_yaml(self.sfm / 'selection.yaml', {**values, _TOLD_BY: dict(told_by)})

    def selected_by(self) -> dict[str, Any] | None:
        """Return what told where the robot stood when the frames were selected."""
        return read_yaml(self.sfm / 'selection.yaml', CaptureError).get(_TOLD_BY)

    def read_selection(self) -> Selection:
        """Read the selection that was kept; raise CaptureError where it is damaged."""
        path = self.sfm / 'selection.yaml'
        values = read_yaml(path, CaptureError)
        values.pop(_TOLD_BY, None)
        try:
            return Selection(**{**values, 'stamps_ns': tuple(values['stamps_ns'])})
        except (KeyError, TypeError) as error:
            raise CaptureError(f'{path} is damaged') from error
