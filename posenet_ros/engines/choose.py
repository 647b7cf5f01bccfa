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

"""The engine that a model answers by: the one asked for, or the fastest of what is there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
import logging
import time

from posenet_ros.engines.difference import difference_of, noise_image, TOLERANCE
from posenet_ros.engines.kinds import AUTOMATIC, KINDS, kinds_of
from posenet_ros.engines.memory import Kept, Memory, memory_of
from posenet_ros.engines.names import AUTO, EAGER, ENGINES
from posenet_ros.engines.trunk import with_trunk
from posenet_ros.errors import ConfigError
from posenet_ros.models.posenet import PoseNet
from posenet_ros.models.preprocessing import Preprocessing
import torch

_LOG = logging.getLogger(__name__)

# What converting and compiling raise where they cannot: all of these have been seen.
_FAILURES = (ArithmeticError, AttributeError, ImportError, LookupError, OSError)
_FAILURES += (RuntimeError, TypeError, ValueError)
_ROUNDS = 5
_REFERENCE = "torch's own layers"


@dataclass(frozen=True, eq=False)
class Engine:
    """
    A network to answer by, and how it runs.

    `difference` is the largest from torch's own layers in single precision, relative, as it was
    measured here; `told` says all of that to a person.
    """

    name: str
    model: PoseNet
    difference: float
    told: str


def memory_for(
    model: PoseNet, preprocessing: Preprocessing, device: torch.device
) -> Memory | None:
    """
    Return what is remembered of a model here, for `choose_engine`.

    None where there is nothing to remember, as nothing is converted and there is one engine to
    choose, and where the user's cache cannot be written to, which is logged.
    """
    there = [kind for kind in KINDS.values() if kind.device == device.type and not kind.missing]
    packages = {name for kind in there for name in kind.packages}
    if not packages:
        return None
    try:
        return memory_of(model, preprocessing, packages)
    except OSError as error:
        _LOG.warning('engines are made and compared at each start: %s', error)
        return None


def choose_engine(
    model: PoseNet,
    preprocessing: Preprocessing,
    device: torch.device,
    name: str = AUTO,
    checked: Collection[str] = (),
    memory: Memory | None = None,
) -> Engine:
    """
    Return a model with the engine that it answers by, after comparing it with torch's own layers.

    `auto` takes the fastest of those of single precision that are installed, as a few answers
    tell, of those for the device. One of half precision has to be among `checked`, those that
    are known to keep the model's errors. By a `memory`, what was the fastest before is taken, and
    what was converted is read; it is compared with torch's own layers all the same. Raises
    ConfigError for an engine that is unknown, missing, unchecked, or that does not compute what
    the model does.
    """
    if name not in ENGINES:
        raise ConfigError(f'unknown engine {name!r}; known are {", ".join(ENGINES)}')
    if name == EAGER:
        return Engine(EAGER, model, 0.0, f'{EAGER} ({_REFERENCE})')
    here = kinds_of(device)
    if name not in (AUTO, *here):
        raise ConfigError(
            f'engine {name} does not run on {device}, where there are '
            f'{", ".join((AUTO, EAGER, *here))}'
        )
    if name != AUTO:
        return _asked_for(model, preprocessing, name, checked, memory)
    if memory is not None and (remembered := _remembered(model, preprocessing, memory)):
        return remembered
    found, failed = [], []
    for each in here:
        if each not in AUTOMATIC or KINDS[each].missing:
            continue
        try:
            found.append(make_engine(model, preprocessing, each, memory))
        except ConfigError as error:
            failed.append(str(error))
    if not found:
        return Engine(EAGER, model, 0.0, f'{EAGER} ({"; ".join(failed) or _REFERENCE})')
    fastest = _fastest(found, preprocessing)
    if memory is not None:
        memory.note_fastest(fastest.name)
    return fastest


def _remembered(model: PoseNet, preprocessing: Preprocessing, memory: Memory) -> Engine | None:
    """Return the engine that was the fastest before, None where none was or it fails now."""
    name = memory.fastest
    if name not in AUTOMATIC or KINDS[name].missing:
        return None
    try:
        engine = make_engine(model, preprocessing, name, memory)
    except ConfigError:
        # All are tried again, and what fails is told then.
        memory.forget()
        return None
    return replace(engine, told=f'{engine.told}, the fastest here as remembered')


def make_engine(
    model: PoseNet, preprocessing: Preprocessing, name: str, memory: Memory | None = None
) -> Engine:
    """
    Return a model with one of KINDS, compared with torch's own layers.

    Raises ConfigError for one that is not installed, cannot run the model, or is further from it
    than TOLERANCE though it computes in single precision. What a `memory` has kept of it and is of
    no use is made anew.
    """
    kind = KINDS[name]
    kept = memory.kept(name, kind.keeps) if memory is not None and kind.keeps else None
    if kind.missing:
        raise ConfigError(
            f'engine {name} needs {kind.missing}: pip install "posenet_ros[engines]"'
        )
    if kept is not None and kept.there:
        try:
            return _compared(model, preprocessing, name, kept)
        except ConfigError:
            kept.file.unlink(missing_ok=True)
    return _compared(model, preprocessing, name, kept)


def _compared(
    model: PoseNet, preprocessing: Preprocessing, name: str, kept: Kept | None
) -> Engine:
    """Make one of KINDS and compare it, as `make_engine` tells."""
    kind = KINDS[name]
    try:
        trunk = kind.make(model, preprocessing.crop, *([kept] if kept else []))
        fast = with_trunk(model, trunk)
        difference = difference_of(model, fast, preprocessing)
    except _FAILURES as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ConfigError(f'engine {name} cannot run this model: {reason}') from error
    # Half precision has three digits left at best: what that is worth, errors tell.
    if not difference <= (TOLERANCE if kind.exact else 1.0):
        raise ConfigError(
            f'engine {name} differs from {_REFERENCE} by {difference:.1e}, relative, and '
            f'{TOLERANCE:.0e} is allowed; use {EAGER}'
        )
    told = f'{name} ({kind.about}{trunk.detail}; {difference:.0e} from {_REFERENCE})'
    if kept and kept.problem:
        told = f'{told}, {kept.problem}'
    return Engine(name, fast, difference, told)


def _asked_for(
    model: PoseNet,
    preprocessing: Preprocessing,
    name: str,
    checked: Collection[str],
    memory: Memory | None,
) -> Engine:
    if not KINDS[name].exact and name not in checked:
        raise ConfigError(
            f'engine {name} computes in half precision, and nothing tells what that does to the '
            'errors of this model; run `export` on it first, which measures them'
        )
    return make_engine(model, preprocessing, name, memory)


@torch.inference_mode()
def _fastest(engines: list[Engine], preprocessing: Preprocessing) -> Engine:
    """Return the engine with the shortest of a few answers, all asked in turns."""
    if len(engines) == 1:
        return engines[0]
    image_B3HW = noise_image(preprocessing).to(engines[0].model.position_mean.device)
    shortest = {engine.name: float('inf') for engine in engines}
    for _ in range(_ROUNDS):
        for engine in engines:
            start = time.perf_counter()
            engine.model(image_B3HW)
            taken = time.perf_counter() - start
            shortest[engine.name] = min(shortest[engine.name], taken)
    return min(engines, key=lambda engine: shortest[engine.name])
