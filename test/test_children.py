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

"""Commands of ours beside this one, and the environment that they get."""

from __future__ import annotations

import os

from posenet_ros.children import in_environment
import pytest


def test_another_environment_holds_for_a_while(monkeypatch):
    monkeypatch.setenv('KEPT', 'before')
    monkeypatch.delenv('NEW', raising=False)
    with pytest.raises(ZeroDivisionError), in_environment({'NEW': '1'}):
        assert dict(os.environ) == {'NEW': '1'}
        raise ZeroDivisionError
    assert os.environ['KEPT'] == 'before'
    assert 'NEW' not in os.environ
