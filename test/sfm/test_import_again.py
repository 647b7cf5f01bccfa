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

"""What labelling leaves, taken for a model from elsewhere."""

import numpy as np
from posenet_ros.__main__ import main
from posenet_ros.data.capture import Capture
from posenet_ros.data.scenes import has_metres


def test_its_model_imported_again_gives_the_same_labels(labelled, tmp_path):
    first = labelled[0]
    words = ['--colmap', first / 'sfm', '--output', tmp_path / 'again', '--metric']
    assert main(['import', *map(str, words)]) == 0
    label, again = (Capture.open(each / 'capture') for each in (first, tmp_path / 'again'))
    np.testing.assert_array_equal(again.labels.stamps_ns, label.labels.stamps_ns)
    for mine, other in zip(again.labels, label.labels, strict=True):
        assert max(mine.distance(other)) < 1e-6
    np.testing.assert_allclose(again.camera.matrix, label.camera.matrix, atol=1e-6)
    for frame, other in zip(again.frames(), label.frames(), strict=True):
        assert frame.image.read_bytes() == other.image.read_bytes()
    assert has_metres(f'capture:{first}')
    assert has_metres(f'capture:{tmp_path}/again')


def test_an_import_does_not_go_into_its_folder(labelled, capsys):
    before = (labelled[0] / 'run.yaml').read_text()
    words = ['--colmap', labelled[0] / 'sfm', '--output', labelled[0]]
    assert main(['import', *map(str, words)]) == 2
    assert 'belongs to another run' in capsys.readouterr().err
    assert (labelled[0] / 'run.yaml').read_text() == before
