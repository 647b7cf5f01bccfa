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

"""The model in use with its threads, and its exchange for another while images are answered."""

from __future__ import annotations

from collections.abc import Callable
import gc
from pathlib import Path
import sys
import threading
from typing import NamedTuple

from posenet_ros.errors import ConfigError
from posenet_ros.localization.estimate import Localizer
from posenet_ros.nodes.answering import LOAD_ERRORS
from posenet_ros.nodes.bridge import Decoder, make_decoder
from posenet_ros.nodes.pipeline import Pipeline

# Images in work end well within this; a thread that does not is left behind.
_WORKERS_PATIENCE_S = 2.0

Load = Callable[[Path, str, int, str, str, str], Localizer]


class Request(NamedTuple):
    """What is to be loaded: the parameters of the same names."""

    model: str
    device: str
    threads: int
    refine: str
    method: str
    engine: str


class Running(NamedTuple):
    """A model that answers, and by which request."""

    request: Request
    localizer: Localizer
    decoder: Decoder
    pipeline: Pipeline


class ModelKeeper:
    """
    Loads models and keeps the one in use, with the threads that answer by it.

    Another one is loaded in a thread of its own. All methods are called in the executor's, and
    none waits for the GPU or the disk, but for `load` and `release`.
    """

    def __init__(
        self,
        load: Load,
        make_pipeline: Callable[[Localizer, Decoder], Pipeline],
        fail: Callable[[BaseException], None],
    ) -> None:
        """Start without a model; `fail` is told of defects in the thread that loads."""
        self._load = load
        self._make_pipeline = make_pipeline
        self._fail = fail
        self._wanted: Request | None = None
        self._loading: _Loading | None = None
        # Threads that may still be at work when all else has ended.
        self._threads: list[threading.Thread] = []
        self.running: Running | None = None

    @property
    def loading(self) -> str:
        """The model that is loaded in the background, '' where none is."""
        return self._wanted.model if self._wanted else ''

    def load(self, request: Request) -> Running:
        """Load a model and start its threads; raise one of LOAD_ERRORS where that fails."""
        return self._run(request, self._localizer_of(request))

    def _run(self, request: Request, localizer: Localizer) -> Running:
        decoder = self.running.decoder if self.running else make_decoder()
        pipeline = self._make_pipeline(localizer, decoder)
        self.running = Running(request, localizer, decoder, pipeline)
        return self.running

    def _localizer_of(self, request: Request) -> Localizer:
        if not request.model:
            raise ConfigError('no model given: start with --model DIR, or set the parameter model')
        path = Path(request.model).expanduser()
        return self._load(path, *request[1:])

    def load_behind(self, request: Request) -> None:
        """Load another model in the background; the last that was asked for is taken."""
        self._wanted = request
        # One at a time, since two that load and one that answers may be more than fits.
        if self._loading is None:
            self._begin(request)

    def _begin(self, request: Request) -> None:
        self._loading = _Loading(request, self._localizer_of, self._fail)
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        self._threads.append(self._loading)

    def exchange(self) -> str | None:
        """
        Take the model that was loaded in the background, where it is whole.

        Returns None while there is nothing new, '' where it was taken, and where it cannot be
        loaded the reason: then the former goes on.
        """
        loading = self._loading
        if self.running is None or loading is None or loading.is_alive():
            return None
        self._loading = None
        if self._wanted is not loading.request:
            self._begin(self._wanted)
            return None
        self._wanted = None
        if loading.localizer is None:
            return loading.problem
        held = [self.running.pipeline]
        held[0].forget()
        self._run(loading.request, loading.localizer)
        # What is in work ends when it ends.
        ending = threading.Thread(target=_end, args=(held,), name='former model', daemon=True)
        ending.start()
        self._threads.append(ending)
        return ''

    def release(self) -> bool:
        """End the threads and free the model; tell whether all have ended in time."""
        ended = self.running is None or self.running.pipeline.stop(_WORKERS_PATIENCE_S)
        self.running = self._loading = self._wanted = None
        _give_memory_back()
        return ended and not any(thread.is_alive() for thread in self._threads)


class _Loading(threading.Thread):
    """Loads one model, into `localizer`, or says in `problem` why it cannot be loaded."""

    def __init__(
        self,
        request: Request,
        load: Callable[[Request], Localizer],
        fail: Callable[[BaseException], None],
    ) -> None:
        super().__init__(name='loading', daemon=True)
        self.request = request
        self.localizer: Localizer | None = None
        self.problem = ''
        self._load = load
        self._fail = fail
        self.start()

    def run(self) -> None:
        """Load."""
        try:
            self.localizer = self._load(self.request)
        except LOAD_ERRORS as error:
            self.problem = reason_of(error)
        # Nobody joins this thread while the node runs: its end must be told, whatever it was.
        except BaseException as error:
            self._fail(error)


def reason_of(error: BaseException) -> str:
    """Return in one line why a model cannot be loaded."""
    reason = ' '.join(str(error).split()) or type(error).__name__
    return f'cannot load the model: {reason}'


def _end(held: list[Pipeline]) -> None:
    """End the threads of what is held, whatever time that takes, and let it go."""
    while not held[0].stop(_WORKERS_PATIENCE_S):
        pass
    held.clear()
    _give_memory_back()


def _give_memory_back() -> None:
    gc.collect()
    # Only what loaded a model has imported torch, and only then is there memory to give back.
    torch = sys.modules.get('torch')
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
