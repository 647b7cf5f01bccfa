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

"""The parameters of the node: declared with what they mean, and refused with the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
import re
from typing import Any

from posenet_ros.engines.names import AUTO, ENGINES
from posenet_ros.errors import ConfigError
from posenet_ros.localization.methods import AUTO_METHOD, METHODS
from posenet_ros.nodes.recovery_parameters import RECOVERY_PARAMETERS
from posenet_ros.nodes.specification import frame, frame_or_none, Specification
from rcl_interfaces.msg import SetParametersResult
from rclpy.exceptions import ParameterException
from rclpy.node import Node
from rclpy.parameter import Parameter

_DEVICE = re.compile(r'auto|cpu|cuda(:\d+)?')


def _device(value: Any) -> str:
    return '' if _DEVICE.fullmatch(value) else 'must be auto, cpu, cuda or cuda:N'


PARAMETERS: Mapping[str, Specification] = {
    'model': Specification(
        '',
        'Folder of the model, or of the training run that holds it (train --output). Set while '
        'images are answered, it is loaded in the background and taken when it is whole.',
        takes='a folder',
        exchanged=True,
    ),
    'device': Specification(
        'auto',
        'Where the network runs: auto (CUDA when there is one, else the CPU), cpu, cuda, cuda:N.',
        check=_device,
        takes='auto, cpu, cuda, cuda:N',
    ),
    'threads': Specification(
        0,
        'CPU threads of the network; 0 takes half of the cores, which leaves room for the rest.',
        limits=(0, 256),
    ),
    'engine': Specification(
        AUTO,
        'What runs the network: auto takes the fastest of torch and, where they are '
        'installed, openvino and onnxruntime; on CUDA cuda, recorded as one graph; eager is torch '
        'as it trains. Those in bf16 and half want a model that export measured.',
        choices=ENGINES,
    ),
    'method': Specification(
        AUTO_METHOD,
        'auto answers by what the model is made for: posenet, the pose that the network '
        'regresses, or relative, one made of relative poses to similar images. retrieval is the '
        'pose of the training image that looks most alike.',
        choices=METHODS,
    ),
    'refine': Specification(
        'auto',
        'auto verifies poses where the model has a map of landmarks, on ~/verified_pose; off '
        'does not.',
        choices=('auto', 'off'),
        spellings={False: 'off'},
    ),
    'image_transport': Specification(
        'raw',
        'raw subscribes to image, compressed to image/compressed, as image_transport names it.',
        choices=('raw', 'compressed'),
    ),
    'publish_tf': Specification(
        'camera',
        'camera broadcasts map -> camera_frame on /tf; odom broadcasts map -> odom_frame, as the '
        'only localizer there is, and needs base_frame; none broadcasts nothing.',
        choices=('camera', 'odom', 'none'),
    ),
    'map_frame': Specification(
        '',
        'Frame of the published poses; empty takes the one the model was trained in.',
        check=frame_or_none,
        takes='a frame, or empty',
    ),
    'base_frame': Specification(
        '',
        'Frame of the robot whose poses are published; empty publishes those of the camera.',
        check=frame_or_none,
        takes='a frame, or empty',
    ),
    'camera_frame': Specification(
        'posenet_camera',
        'Child frame of the transform: one of its own, since the camera already has a parent.',
        check=frame,
        takes='a frame',
    ),
    **RECOVERY_PARAMETERS,
    'camera_tolerance': Specification(
        0.02,
        'Largest difference from the training camera, as a share of the image width, that passes.',
        limits=(0.0, 1.0),
        live=True,
    ),
    'camera_guard': Specification(
        'refuse',
        'What becomes of images of another camera that cannot be made those of training: refuse '
        'gives no answer to them, warn answers all the same.',
        choices=('refuse', 'warn'),
        live=True,
    ),
    'silence_timeout': Specification(
        5.0,
        'Seconds without an image, a pose or a CameraInfo after which diagnostics tell of it.',
        limits=(0.1, 3600.0),
        live=True,
    ),
    'trail_length': Specification(
        300, 'How many past poses ~/trail shows; 0 turns it off.', limits=(0, 10000), live=True
    ),
    'autostart': Specification(
        True, 'Configure and activate at the start; false leaves that to a manager.', fixed=True
    ),
}


class Parameters:
    """The node's parameters, declared on it; read one with `parameters['name']`."""

    def __init__(self, node: Node, may_configure: Callable[[], bool]) -> None:
        """
        Declare everything; raise ConfigError with one line for a value that is refused.

        `may_configure` tells whether parameters that are read in `configure` can still change.
        """
        self._node = node
        self._may_configure = may_configure
        # What else may speak against a value, by parameter: the reason, or ''.
        self.vetoes: dict[str, Callable[[Any], str]] = {}
        self._times_set = Counter[str]()
        node.add_on_set_parameters_callback(self._check)
        for name, specification in PARAMETERS.items():
            try:
                node.declare_parameter(name, specification.default, specification.descriptor())
            except ParameterException as error:
                # rclpy wraps the reason: "Invalid parameter value (...). Reason: ...: NAME".
                reason = str(error).removesuffix(f': {name}').rpartition('Reason: ')[2]
                raise ConfigError(f'parameter refused: {reason}') from error

    def __getitem__(self, name: str) -> Any:
        """Return the present value."""
        return PARAMETERS[name].read(self._node.get_parameter(name).value)

    def times_set(self, name: str) -> int:
        """Return how often a parameter was set, to the value that it had or another."""
        return self._times_set[name]

    def _check(self, changes: Sequence[Parameter]) -> SetParametersResult:
        """Accept or refuse a change as a whole, with the reason."""
        for change in changes:
            reason = self._refusal(change)
            if reason:
                return SetParametersResult(
                    successful=False, reason=f'{change.name} = {change.value!r}: {reason}'
                )
        self._times_set.update(change.name for change in changes)
        return SetParametersResult(successful=True)

    def _refusal(self, change: Parameter) -> str:
        specification = PARAMETERS.get(change.name)
        if specification is None:
            return ''
        value = specification.read(change.value)
        if not isinstance(value, type(specification.default)) and not specification.spellings:
            # Of another type, which rclpy refuses itself.
            return ''
        declared = self._node.has_parameter(change.name)
        changeable = specification.live or specification.exchanged
        if declared and not changeable and not self._may_configure():
            return (
                'is read in configure; clean the node up first (ros2 lifecycle set NODE cleanup)'
            )
        veto = self.vetoes.get(change.name)
        return specification.refusal(value) or (veto(value) if veto else '')
