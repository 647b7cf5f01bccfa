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

"""The model that the parameters name: loaded, gone by, and exchanged while images are answered."""

from __future__ import annotations

from collections.abc import Callable

from posenet_ros.errors import ConfigError
from posenet_ros.nodes.answering import LOAD_ERRORS
from posenet_ros.nodes.model_keeper import ModelKeeper, reason_of, Request, Running
from posenet_ros.nodes.parameters import Parameters
from rclpy.lifecycle import LifecycleNode
from rclpy.parameter import Parameter


class ModelUse:
    """
    Has a keeper load what the parameter `model` names, and again where that is set anew.

    `problem` says what is wrong with that, '' where nothing is. All methods are called in the
    executor's thread.
    """

    def __init__(
        self,
        node: LifecycleNode,
        *,
        settings: Parameters,
        keeper: ModelKeeper,
        take_up: Callable[[Running], None],
    ) -> None:
        """
        Take who loads, and who goes by a model that was loaded.

        `take_up` raises ConfigError where the parameters ask for what the model does not allow.
        """
        self.problem = ''
        self._node = node
        self._settings = settings
        self._keeper = keeper
        self._take_up = take_up
        self._times_set = settings.times_set('model')

    def load(self) -> bool:
        """Load it and go by it; tell whether that was possible."""
        self._times_set = self._settings.times_set('model')
        self.problem = self._problem_of_loading()
        return not self.problem

    def _problem_of_loading(self) -> str:
        try:
            running = self._keeper.load(self._request())
        except LOAD_ERRORS as error:
            return reason_of(error)
        try:
            self._take_up(running)
        except ConfigError as error:
            self._keeper.release()
            return str(error)
        return ''

    def _request(self) -> Request:
        return Request(*(self._settings[name] for name in Request._fields))

    def exchange(self, forget: Callable[[], None]) -> bool:
        """
        Have another loaded where the parameter was set, and take it when it is whole.

        Tells whether another answers from now on; `forget` is called before it is gone by.
        """
        running = self._keeper.running
        if running is None:
            return False
        if self._settings.times_set('model') != self._times_set:
            self._times_set = self._settings.times_set('model')
            self._keeper.load_behind(self._request())
            self._node.get_logger().info(f'loading {self._keeper.loading} in the background')
        problem = self._keeper.exchange()
        if problem is None:
            return False
        if problem:
            former = running.request.model
            self.problem = f'{problem}; {former} goes on'
            # The parameter tells what answers.
            self._node.set_parameters([Parameter('model', value=former)])
            self._times_set = self._settings.times_set('model')
            return False
        self.problem = ''
        forget()
        try:
            self._take_up(self._keeper.running)
        except ConfigError as error:
            self.problem = f'nobody watches over the robot: {error}'
        return True
