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
torchvision, imported in half the time: without torch's compiler, which answering does not use.

torchvision asks the compiler one question, when regions are pooled on a GPU, and imports all of it
(torch._dynamo, with SymPy) beforehand. Import this before anything else imports torchvision.
"""

from __future__ import annotations

from importlib import import_module
import sys
from types import ModuleType
from typing import Any

# Not for its own sake: it is whole before torchvision is looked at.
import torch

_COMPILER = 'torch._dynamo.utils'
_QUESTION = 'is_compile_supported'


class _Unasked(ModuleType):
    """Stands in for the compiler's module until somebody wants more than to ask the question."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith('__'):
            raise AttributeError(name)
        if name == _QUESTION:
            return _ask
        _forget()
        return getattr(import_module(_COMPILER), name)


def _ask(device: str) -> bool:
    return getattr(import_module(_COMPILER), _QUESTION)(device)


def _forget() -> None:
    if isinstance(sys.modules.get(_COMPILER), _Unasked):
        del sys.modules[_COMPILER]


def _imported() -> ModuleType:
    if _COMPILER in sys.modules:
        return import_module('torchvision')
    sys.modules[_COMPILER] = _Unasked(_COMPILER)
    try:
        return import_module('torchvision')
    finally:
        _forget()


torchvision = _imported()
__all__ = ['torch', 'torchvision']
