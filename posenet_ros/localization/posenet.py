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

"""Images through the network, poses and covariances out, by one of two methods."""

from __future__ import annotations

from posenet_ros.errors import ConfigError
from posenet_ros.localization.ensemble import CENTRE_CROP, Ensemble
from posenet_ros.localization.measured import MeasuredLocalizer
from posenet_ros.localization.methods import OF_POSENET, POSENET, RETRIEVAL
from posenet_ros.localization.regressor import PoseRegressor
from posenet_ros.models.checkpoint import LoadedModel
import torch


def choose_device(name: str = 'auto') -> torch.device:
    """
    Return the device to run on; `auto` is CUDA where there is one, else the CPU.

    Raises ConfigError for a device that torch does not know or this machine does not have.
    """
    if name == 'auto':
        return torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(
            f'cannot run on device {name!r} ({str(error).splitlines()[0]}); use auto, cpu or cuda'
        ) from error
    return device


class PoseNetLocalizer(MeasuredLocalizer):
    """Answers with the pose that the network regresses, or by retrieval with its features."""

    def __init__(
        self,
        loaded: LoadedModel,
        ensemble: Ensemble = CENTRE_CROP,
        *,
        always: bool = False,
        method: str = POSENET,
        engine: str = 'eager',
    ) -> None:
        """
        Take a loaded model.

        Raises ModelError when the covariance of the method was never measured.
        """
        if method not in OF_POSENET:
            raise ConfigError(f'method must be {" or ".join(OF_POSENET)}, not {method!r}')
        card = loaded.card
        measured = card.retrieval if method == RETRIEVAL else card.cells or card
        size = card.camera and (card.camera.height, card.camera.width)
        super().__init__(
            PoseRegressor(loaded.model, card.preprocessing, loaded.device, ensemble, size),
            card,
            loaded.features,
            method=method,
            covariance=measured and measured.covariance,
            trust=measured and measured.trust,
            told=measured is not None and measured is card.cells,
            always=always,
            engine=engine,
        )
