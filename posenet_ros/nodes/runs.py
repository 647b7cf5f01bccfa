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

"""Which model is meant when none is named."""

from __future__ import annotations

from pathlib import Path

from posenet_ros.errors import ModelError

# The output of `train --bag NAME` is NAME_posenet, with the model in a folder of its own.
_PATTERN = '*_posenet'
_CARD = Path('model', 'model.yaml')


def newest_run(folder: Path) -> Path:
    """
    Return the training run in a folder whose model was written last.

    Raises ModelError where no run there has a model.
    """
    runs = [path for path in folder.glob(_PATTERN) if (path / _CARD).is_file()]
    if not runs:
        raise ModelError(
            f'no model given, and no {_PATTERN} folder with a model in {folder.resolve()}; give '
            'model:=DIR, or train one first'
        )
    return max(runs, key=lambda run: (run / _CARD).stat().st_mtime_ns)
