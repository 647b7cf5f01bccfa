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
Does a model know that it is elsewhere: images of other places, which it should refuse.

None of them may be verified. Where none was, their number says how rare that is at least.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.bags import Recording
from posenet_ros.data.images import read_image
from posenet_ros.errors import ConfigError
from posenet_ros.evaluation.bounds import at_most, told
from posenet_ros.evaluation.evaluate import batched
from posenet_ros.evaluation.queries import images_of_recording
from posenet_ros.evaluation.strangers import Strangers
from posenet_ros.localization.estimate import Localizer
from posenet_ros.localization.verified import VerifiedLocalizer
from scipy.stats import rankdata
from tqdm import tqdm

_BATCH = 16
_IMAGES = ('.jpg', '.jpeg', '.png')


@dataclass(frozen=True)
class Foreign:
    """
    How images of another place were told from those of the map.

    `refused` is a share of `images`; `auc` the area under the ROC curve of novelty, the chance
    that an image of elsewhere is newer than one of the map, None where novelty is not known.
    `verified` is how many poses were verified, all of them wrongly; None where nothing verifies.
    `verified_at_most` is the share of such images that would be, with 95 % confidence.
    """

    source: str
    images: int
    refused: float
    auc: float | None
    verified: int | None = None

    @property
    def verified_at_most(self) -> float | None:
        """The bound by Clopper and Pearson, as if no two of the images were alike."""
        return None if self.verified is None else at_most(self.verified, self.images)

    def __str__(self) -> str:
        """Return it for a person."""
        auc = '' if self.auc is None else f'; ROC AUC of novelty {self.auc:.4f}'
        verified = '' if self.verified is None else f'; {_verified(self.verified, self.images)}'
        return (
            f'{100 * self.refused:.1f} % of {self.images} images of {self.source} refused'
            f'{auc}{verified}'
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**asdict(self), 'verified_at_most': self.verified_at_most}


@dataclass(frozen=True)
class ForeignVerified:
    """How many of all images of elsewhere were verified, whatever their source."""

    images: int
    verified: int

    @classmethod
    def of(cls, sources: Sequence[Foreign]) -> ForeignVerified | None:
        """Add up sources; None where nothing verifies, or nothing was shown."""
        counts = [each.verified for each in sources if each.verified is not None]
        if not counts:
            return None
        return cls(sum(each.images for each in sources), sum(counts))

    def __str__(self) -> str:
        """Return it for a person."""
        return f'{self.images} foreign images in all: {_verified(self.verified, self.images)}'

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**asdict(self), 'verified_at_most': at_most(self.verified, self.images)}


def _verified(verified: int, images: int) -> str:
    return f'{verified or "none"} verified ({told(verified, images)})'


def measure_foreign(
    source: Path | Strangers,
    images: Iterable[NDArray[np.uint8]],
    localizer: Localizer,
    own_N: NDArray[np.float64],
) -> Foreign:
    """
    Show a model images of another place, or of none.

    `source` is what they are called, and `own_N` are novelties of images of the map. Raises
    ConfigError where there is no image, and what reading the images raises.
    """
    novelties, refused, verified = [], 0, 0
    for batch in batched(images, _BATCH):
        answers = localizer.locate_batch(batch)
        refused += sum(not estimate.answered for estimate in answers.estimates)
        verified += sum(estimate.verified for estimate in answers.estimates)
        novelties.append(answers.novelty_N)
    if not novelties:
        raise ConfigError(f'--foreign {source}: there is no image that could be shown')
    foreign_N = np.concatenate(novelties)
    return Foreign(
        str(source),
        len(foreign_N),
        refused / len(foreign_N),
        auc(own_N, foreign_N),
        verified if isinstance(localizer, VerifiedLocalizer) else None,
    )


def auc(own_N: NDArray[np.float64], foreign_N: NDArray[np.float64]) -> float | None:
    """Return the area under the ROC curve: ties count half. None where a novelty is unknown."""
    both = np.concatenate([own_N, foreign_N])
    if not len(own_N) or not len(foreign_N) or np.isnan(both).any():
        return None
    ranks = rankdata(both)[len(own_N) :]
    pairs = len(own_N) * len(foreign_N)
    return float((ranks.sum() - len(foreign_N) * (len(foreign_N) + 1) / 2) / pairs)


def images_of_place(source: Path, rate_hz: float | None = None) -> Iterator[NDArray[np.uint8]]:
    """
    Yield the images of a folder, or of a recording at most `rate_hz` a second.

    Raises ConfigError for a folder without images, BagError for a recording that cannot be read.
    """
    paths = sorted(path for path in source.glob('*') if path.suffix.lower() in _IMAGES)
    if paths:
        for path in tqdm(paths, desc=source.name, unit='image'):
            yield read_image(path)
        return
    if source.is_dir() and not list(source.glob('metadata.yaml')):
        raise ConfigError(f'{source} holds neither images (.jpg, .png) nor a recording')
    with Recording(source) as recording:
        for image in images_of_recording(recording, recording.image_topic(None), rate_hz):
            yield image.decode()
