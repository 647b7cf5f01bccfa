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

"""How often an image is asked about before it is answered."""

from __future__ import annotations

from dataclasses import dataclass

from posenet_ros.errors import ConfigError


@dataclass(frozen=True)
class Ensemble:
    """
    How many poses are averaged into the answer to one image.

    `crops` are spread over the image (the paper's dense evaluation has 128; 1 is the centre
    crop); of each, `samples` are drawn with dropout left on (Bayesian PoseNet has 40; 0 leaves
    dropout off).
    """

    crops: int = 1
    samples: int = 0

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be meant."""
        if not 1 <= self.crops <= 1024:
            raise ConfigError(f'crops must be 1 to 1024, got {self.crops}')
        if not 0 <= self.samples <= 1024:
            raise ConfigError(f'samples must be 0 to 1024, got {self.samples}')


CENTRE_CROP = Ensemble()
