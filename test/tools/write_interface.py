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
Write the table of parameters into docs/interface.md, as a test compares it.

    python test/tools/write_interface.py
"""

from __future__ import annotations

from pathlib import Path
import sys

from posenet_ros.nodes.parameter_table import parameter_table

DOCUMENT = Path(__file__).parents[2] / 'docs' / 'interface.md'
BEGIN = '<!-- parameters: test/tools/write_interface.py -->\n'
END = '<!-- end of parameters -->\n'


def main() -> int:
    """Replace what is between the marks."""
    before, _, rest = DOCUMENT.read_text(encoding='utf-8').partition(BEGIN)
    _, _, after = rest.partition(END)
    DOCUMENT.write_text(before + BEGIN + parameter_table() + END + after, encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(main())
