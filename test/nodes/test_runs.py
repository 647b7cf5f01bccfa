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

from __future__ import annotations

import os

from posenet_ros.errors import ModelError
from posenet_ros.nodes.runs import newest_run


def make_run(folder, name, age_s, with_model=True):
    run = folder / name
    (run / 'model').mkdir(parents=True)
    if with_model:
        card = run / 'model' / 'model.yaml'
        card.write_text('')
        os.utime(card, (1_000_000 - age_s, 1_000_000 - age_s))
    return run


def test_the_run_with_the_newest_model(tmp_path):
    make_run(tmp_path, 'a_posenet', 50)
    newest = make_run(tmp_path, 'b_posenet', 10)
    make_run(tmp_path, 'c_posenet', 30)
    make_run(tmp_path, 'half_posenet', 0, with_model=False)
    make_run(tmp_path, 'other', 0)
    assert newest_run(tmp_path) == newest


def test_no_run_at_all(tmp_path, refused):
    make_run(tmp_path, 'half_posenet', 0, with_model=False)
    with refused(ModelError, 'model:=DIR', str(tmp_path)):
        newest_run(tmp_path)
