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

"""A page that needs no other file: our templates, with pictures inside."""

from __future__ import annotations

import base64
from importlib import resources
import io
from typing import Any, TYPE_CHECKING

import jinja2

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def rendered(template: str, **values: Any) -> str:
    """
    Return a template with its values, which are text and no markup.

    Templates are named by their path in this package, `evaluation/report.html.j2` say, and
    extend `reporting/page.html.j2`.
    """
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_template),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(template).render(values)


def _template(name: str) -> str:
    return resources.files('posenet_ros').joinpath(name).read_text('utf-8')


def embedded(figure: Figure) -> str:
    """Return a figure as the address of an image that holds the image itself."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format='png')
    return data_address('image/png', buffer.getvalue())


def data_address(kind: str, data: bytes) -> str:
    """Return an address that holds data of a MIME type itself."""
    return f'data:{kind};base64,{base64.b64encode(data).decode("ascii")}'
