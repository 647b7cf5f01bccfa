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

"""The command `drill` around a scripted node: python scripted_drill.py MODE drill WORDS..."""

from __future__ import annotations

from pathlib import Path
import sys

from posenet_ros import children
from posenet_ros.__main__ import main

if __name__ == '__main__':
    mode, *arguments = sys.argv[1:]
    script = Path(__file__).with_name('scripted_node.py')
    children.command = lambda *words: [sys.executable, str(script), mode, *map(str, words)]
    sys.exit(main(arguments))
