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

"""The scenes that relative poses are learned of, and those that they are measured on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from posenet_ros.data.capture import LABELS
from posenet_ros.data.frames import Scene
from posenet_ros.data.scenes import has_metres, read_scene, READERS
from posenet_ros.errors import ConfigError, DatasetError
from posenet_ros.training.splits import hold_out

# One scene of so many is measured on, and of a single scene this share of its time.
_ONE_OF, _SHARE = 8, 0.2


class Scenes(NamedTuple):
    """Scenes to learn of, and others to measure on, each with a name of its own."""

    learned: tuple[Scene, ...]
    held_out: tuple[Scene, ...]


def read_scenes(
    given: Sequence[str], held_out: Sequence[str] = (), test_frames: str | None = None
) -> Scenes:
    """
    Read scenes as `KIND:DIR` (see `read_scene`), a capture's folder, or a folder full of captures.

    Of each only the training part is taken. Without `held_out` every eighth of several scenes is
    measured on, and of a single one blocks of its time. Raises DatasetError or CaptureError for
    what cannot be read, ConfigError for a scene without metres: a network that has learned of
    some lengths could not tell which.
    """
    learned = _read(given, test_frames)
    if held_out:
        apart = _read(held_out, test_frames)
    elif len(learned) > 1:
        step = min(_ONE_OF, len(learned))
        apart = learned[step - 1 :: step]
        learned = [scene for scene in learned if scene not in apart]
    else:
        split = hold_out(learned[0].train, _SHARE)
        apart = [replace(learned[0], train=split.held_out)]
        learned = [replace(learned[0], train=split.train)]
    return Scenes(tuple(learned), tuple(apart))


def _read(given: Sequence[str], test_frames: str | None) -> list[Scene]:
    found: list[Scene] = []
    for spec in (spec for each in given for spec in _specs(each)):
        if not has_metres(spec):
            raise ConfigError(f'{spec} has no metres, and distances are learned in metres')
        scene = read_scene(spec, test_frames)
        names = [other.name for other in found]
        alike = sum(name.split('#')[0] == scene.name for name in names)
        found.append(replace(scene, name=f'{scene.name}#{alike + 1}') if alike else scene)
    return found


def _specs(given: str) -> list[str]:
    """Return what a word means: itself, a capture, or all captures in a folder."""
    if given.partition(':')[0] in READERS:
        return [given]
    folder = Path(given).expanduser()
    if not folder.is_dir():
        raise DatasetError(
            f'no such folder: {given}; scenes are folders of captures, or KIND:DIR '
            f'with a KIND of {", ".join(READERS)}'
        )
    if _is_capture(folder):
        return [f'capture:{folder}']
    inside = sorted(each for each in folder.iterdir() if each.is_dir() and _is_capture(each))
    if not inside:
        raise DatasetError(
            f'{given} is no capture and holds none (a folder with {LABELS}); give KIND:DIR for '
            'another kind of data set'
        )
    return [f'capture:{each}' for each in inside]


def _is_capture(folder: Path) -> bool:
    return any((each / LABELS).is_file() for each in (folder, folder / 'capture'))
