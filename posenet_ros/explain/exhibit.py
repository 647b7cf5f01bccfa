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

"""What a figure is: a picture, what it shows, and its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Exhibit:
    """
    A figure to be kept.

    `name` is its file's and its command's, `paper` where the paper has it ('figure 8').
    `headings` and `rows` are a table of text beside the picture; `numbers` are plain values, for
    programs, without infinity or NaN.
    """

    name: str
    title: str
    caption: str
    paper: str
    picture: Figure
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: Mapping[str, Any]
