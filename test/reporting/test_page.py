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

import base64

import cv2
import jinja2
import numpy as np
from posenet_ros.reporting.page import data_address, embedded, rendered
from posenet_ros.reporting.style import new_figure
import pytest


def test_a_page_shows_its_title_and_headline_as_text():
    page = rendered(
        'reporting/page.html.j2',
        title='run & <script>',
        subtitle='four frames',
        headline=[('4', 'frames')],
    )
    assert page.startswith('<!DOCTYPE html>')
    assert page.rstrip().endswith('</html>')
    assert 'run &amp; &lt;script&gt;' in page
    assert '<b>4</b><span>frames</span>' in page


def test_a_page_leads_to_others_beside_it():
    page = rendered(
        'reporting/page.html.j2',
        title='run',
        subtitle='four frames',
        headline=[],
        links=[('How good the labels are', 'labels.html')],
    )
    assert '<a href="labels.html">How good the labels are</a>' in page


def test_a_value_that_is_missing_is_no_empty_place():
    with pytest.raises(jinja2.UndefinedError, match='headline'):
        rendered('reporting/page.html.j2', title='run', subtitle='')


def test_a_figure_travels_inside_the_page():
    figure, axes = new_figure(2, width=6, height=3)
    assert len(axes) == 2
    address = embedded(figure)
    kind, data = address.split(',')
    assert kind == 'data:image/png;base64'
    decoded = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
    assert decoded.shape == (330, 660, 3)
    assert data_address('image/png', base64.b64decode(data)) == address


def test_axes_above_each_other_share_what_runs_to_the_right():
    _, (above, below) = new_figure(rows=2)
    below.set_xlim(3, 7)
    assert above.get_xlim() == (3, 7)
