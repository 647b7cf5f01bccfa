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

"""The stage that writes the model in the coordinates of the map."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
import shutil

import numpy as np


def place(
    progress: Callable[[int, int], None],
    *,
    model: str,
    output: str,
    scale: float,
    rotation: Sequence[Sequence[float]],
    translation: Sequence[float],
) -> None:
    """
    Write the COLMAP model in folder `model`, moved by a similarity, to the folder `output`.

    Each file appears whole; files of another name in `output` stay.
    """
    import pycolmap

    progress(0, 1)
    moved = pycolmap.Reconstruction(model)
    turn = pycolmap.Rotation3d(np.array(rotation))
    moved.transform(pycolmap.Sim3d(scale, turn, np.array(translation)))
    partial = Path(output) / '.partial'
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    moved.write(partial)
    for file in partial.iterdir():
        file.replace(Path(output) / file.name)
    partial.rmdir()
    progress(1, 1)
