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

"""The map of cameras: distances by hand, and what is drawn where."""

import json

from matplotlib.colors import to_hex
from matplotlib.quiver import Quiver
import numpy as np
from posenet_ros.explain.folder import keep
from posenet_ros.explain.map import draw
from posenet_ros.geometry import Pose
from posenet_ros.reporting.style import ESTIMATE, TRAIN, TRUTH
import pytest
from scipy.spatial.transform import Rotation

# The test frames are 8 to 11, 24 to 27 and 40 to 43, a tenth of a metre apart along x.
AT_TEN = Pose(Rotation.identity(), [1.02, 1, 2], 'map', 'camera')


@pytest.fixture(scope='module')
def exhibit(answering):
    return draw(answering(AT_TEN))


def test_distances_to_where_it_was_found_and_to_training(exhibit):
    (_, median, _, largest), (_, nearest, _, furthest) = exhibit.rows
    # Of 0.02, 0.08, 0.12, 0.22 | 1.38, 1.48, 1.58, 1.68 | 2.98, 3.08, 3.18, 3.28.
    assert (median, largest) == ('1.530', '3.280')
    # A block of four has training frames on both sides: 1, 2, 2 and 1 frames away.
    assert (nearest, furthest) == ('0.150', '0.200')
    # The second, third and fourth are found nearer than 0.2, 0.2 and 0.1.
    assert '3 of 12 are found nearer' in exhibit.caption


def test_numbers_are_those_of_each_camera(exhibit):
    first = exhibit.numbers['test'][0]
    assert first['image'] == 'frame-000008.color.jpg'
    assert first['truth'] == pytest.approx([0.8, 1, 2])
    assert first['found'] == pytest.approx([1.02, 1, 2])
    assert (first['to_found'], first['to_nearest_training']) == pytest.approx((0.22, 0.1))
    assert len(exhibit.numbers['training']) == 36


def test_arrows_of_each_colour_point_where_cameras_look(exhibit):
    (axes,) = exhibit.picture.axes
    arrows = {
        to_hex(each.get_facecolor()[0]).upper(): each
        for each in axes.collections
        if isinstance(each, Quiver)
    }
    assert set(arrows) == {TRAIN, TRUTH, ESTIMATE}
    # The data set has y down, so that the page shows z to the right and x upwards.
    found = arrows[ESTIMATE]
    np.testing.assert_allclose(found.get_offsets(), [[1.02, 2]] * 12, atol=1e-6)
    assert (found.U == 0).all() and (found.V > 0).all()


def test_cameras_without_an_answer_are_infinitely_far(answering, tmp_path):
    exhibit = draw(answering(None))
    assert exhibit.rows[0][1:] == ('inf', 'inf', 'inf')
    _, numbers = keep(tmp_path, exhibit, 'a model that answers nothing')
    told = json.loads(numbers.read_text())['numbers']['test']
    assert {(each['found'], each['to_found']) for each in told} == {(None, None)}
