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

import math

from posenet_ros.engines.evidence import (
    checked_engines,
    EVIDENCE,
    Evidence,
    Medians,
    read_evidence,
    write_evidence,
)
from posenet_ros.errors import ModelError
from posenet_ros.models.folder import WEIGHTS
from posenet_ros.models.provenance import file_sha256
import pytest


@pytest.fixture
def folder(tmp_path):
    (tmp_path / WEIGHTS).write_bytes(b'weights')
    return tmp_path


def evidence(folder, **medians):
    found = {'eager': Medians(0.1, 2.0), **medians}
    return Evidence(file_sha256(folder / WEIGHTS), 'capture:somewhere', 20, found)


def test_an_engine_keeps_the_errors_where_neither_median_grows_by_more_than_two_percent(folder):
    found = evidence(
        folder,
        good=Medians(0.1019, 1.5),
        far=Medians(0.103, 2.0),
        turned=Medians(0.1, 2.05),
        silent=Medians(math.inf, math.inf),
        none=Medians(math.nan, 2.0),
    )
    assert [name for name in found.medians if found.keeps(name)] == ['eager', 'good']
    assert found.worse('far') == pytest.approx(0.03)
    assert not found.keeps('unheard of')


def test_what_is_kept_in_the_model_folder_allows_its_engines(folder):
    assert checked_engines(folder) == frozenset()
    write_evidence(folder, evidence(folder, good=Medians(0.1, 2.0), bad=Medians(1.0, 2.0)))
    assert read_evidence(folder) == evidence(folder, good=Medians(0.1, 2.0), bad=Medians(1.0, 2.0))
    assert checked_engines(folder) == {'eager', 'good'}


def test_other_weights_were_not_measured(folder):
    write_evidence(folder, evidence(folder, good=Medians(0.1, 2.0)))
    (folder / WEIGHTS).write_bytes(b'trained again')
    assert checked_engines(folder) == frozenset()


@pytest.mark.parametrize('text', ['{}', 'medians: 3', 'medians: {eager: {position_m: 1}}'])
def test_damaged_evidence_is_one_line(folder, text):
    (folder / EVIDENCE).write_text(text)
    with pytest.raises(ModelError, match='is damaged'):
        checked_engines(folder)
