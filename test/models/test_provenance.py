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

from posenet_ros.geometry import Pose
from posenet_ros.models.provenance import file_sha256, labels_sha256
import pytest
from scipy.spatial.transform import Rotation


def label(name='a.jpg', stamp_ns=1, x=0.5, z=0.0, degrees=30.0):
    rotation = Rotation.from_euler('z', degrees, degrees=True)
    return name, stamp_ns, Pose(rotation, [x, 0.25, z], 'map', 'camera')


LABELS = [label(), label(name='b.jpg', stamp_ns=2, x=0.7)]


def test_the_order_does_not_matter_and_nor_do_last_digits():
    known = labels_sha256(LABELS)
    assert len(known) == 64
    assert labels_sha256(LABELS[::-1]) == known
    near = [label(x=0.5 + 1e-12, z=-1e-12, degrees=30 + 1e-9), LABELS[1]]
    assert labels_sha256(near) == known


@pytest.mark.parametrize(
    'change',
    [{'name': 'c.jpg'}, {'stamp_ns': 3}, {'x': 0.5001}, {'z': 0.0001}, {'degrees': 30.1}],
)
def test_every_part_of_a_label_matters(change):
    assert labels_sha256([label(**change), LABELS[1]]) != labels_sha256(LABELS)


def test_every_label_matters():
    assert labels_sha256(LABELS[:1]) != labels_sha256(LABELS)


def test_a_file_is_known_by_what_is_in_it(tmp_path):
    (tmp_path / 'one').write_bytes(b'abc')
    expected = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    assert file_sha256(tmp_path / 'one') == expected
