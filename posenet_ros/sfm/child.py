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
The process in which one stage of a reconstruction runs: `python -m posenet_ros.sfm.child STAGE`.

The arguments come as one line of JSON on standard input, which then stays open: when it ends,
the parent is gone, and this process ends too instead of writing on. Progress, the result or the
error leave as lines of JSON on standard output; everything else that is printed, COLMAP's own
log above all, goes where standard error points.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Any

from posenet_ros.errors import LabellingError


def main(stage: str) -> int:
    """Run a stage of `posenet_ros.sfm.stages` and return the exit code."""
    channel = os.fdopen(os.dup(sys.stdout.fileno()), 'w', encoding='utf-8')
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def tell(**message: Any) -> None:
        channel.write(json.dumps(message) + '\n')
        channel.flush()

    arguments = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # pycolmap takes a while to load; not before someone watches over this process.
    from posenet_ros.sfm import stages
    import pycolmap

    # Or each child leaves a log of its own in the folder for temporary files.
    pycolmap.logging.logtostderr = True
    try:
        result = stages.STAGES[stage](
            lambda done, total: tell(done=done, total=total), **arguments
        )
    except LabellingError as error:
        tell(error=str(error))
        return 1
    tell(result=result)
    return 0


def _end_with_parent() -> None:
    # Not through sys.stdin, whose lock the interpreter wants when it ends.
    while os.read(0, 4096):
        pass
    os._exit(1)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
