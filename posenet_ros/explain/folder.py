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
A folder of figures, and the page that shows them all.

    NAME.png      the picture
    NAME.json     its title, caption, table and numbers
    report.html   every figure of the folder, whenever it was made; needs no other file
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from posenet_ros.errors import DatasetError
from posenet_ros.explain.exhibit import Exhibit
from posenet_ros.files import write_text
from posenet_ros.reporting.page import data_address, rendered
from posenet_ros.reporting.style import save_figure

PAGE = 'report.html'
_TEMPLATE = 'explain/report.html.j2'
_KEYS = {'name', 'title', 'caption', 'paper', 'of', 'headings', 'rows', 'numbers'}


def keep(folder: Path, exhibit: Exhibit, of: str) -> tuple[Path, Path]:
    """
    Write a figure into a folder; return the paths of its picture and of its numbers.

    `of` says what it was made of: the model, and the frames.
    """
    folder.mkdir(parents=True, exist_ok=True)
    picture, numbers = folder / f'{exhibit.name}.png', folder / f'{exhibit.name}.json'
    save_figure(picture, exhibit.picture)
    values = {
        'name': exhibit.name,
        'title': exhibit.title,
        'caption': exhibit.caption,
        'paper': exhibit.paper,
        'of': of,
        'headings': list(exhibit.headings),
        'rows': [list(row) for row in exhibit.rows],
        'numbers': exhibit.numbers,
    }
    write_text(numbers, json.dumps(values, indent=2, allow_nan=False) + '\n')
    return picture, numbers


def write_page(folder: Path, order: list[str]) -> Path:
    """
    Show all figures of a folder on one page, in this order of names; return its path.

    Raises DatasetError for numbers or a picture that are damaged.
    """
    figures = [_read(folder, path) for path in sorted(folder.glob('*.json'))]
    figures.sort(key=lambda each: order.index(each['name']) if each['name'] in order else 99)
    page = rendered(
        _TEMPLATE,
        title='What the model does, and why',
        subtitle='Figures of the PoseNet paper, made of these frames.',
        headline=[],
        figures=figures,
    )
    write_text(folder / PAGE, page)
    return folder / PAGE


def _read(folder: Path, path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text('utf-8'))
        if not isinstance(values, dict) or set(values) != _KEYS:
            raise ValueError('these are no numbers of a figure')
        picture = (folder / f'{values["name"]}.png').read_bytes()
    except (OSError, ValueError) as error:
        raise DatasetError(
            f'{path} is no figure of this command ({error}); remove it, or choose another --output'
        ) from error
    return {**values, 'image': data_address('image/png', picture)}
