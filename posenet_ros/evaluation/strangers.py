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

"""What images of elsewhere are to be shown to a model: recordings, folders, or made here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from posenet_ros.errors import ConfigError

NOISE, SCRAMBLED, MIRRORED = 'noise', 'scrambled', 'mirrored'
KINDS = (NOISE, SCRAMBLED, MIRRORED)


@dataclass(frozen=True)
class Strangers:
    """So many images of a kind, to be made (see `made`)."""

    kind: str
    images: int

    def __str__(self) -> str:
        """Return it as a user writes it."""
        return f'{self.kind}:{self.images}'


def foreign_source(text: str) -> Path | Strangers:
    """
    Read what --foreign was given: KIND:N for images to be made, else a path.

    Raises ConfigError for a kind without a number of images.
    """
    kind, _, number = text.partition(':')
    if kind not in KINDS or (text == kind and Path(text).exists()):
        return Path(text)
    if not (number.isascii() and number.isdigit() and int(number)):
        raise ConfigError(f'--foreign {text}: say how many images to make, such as {kind}:200')
    return Strangers(kind, int(number))
