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

"""What an evaluation is asked to do, checked before anything heavy is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from posenet_ros.engines.names import AUTO, ENGINES
from posenet_ros.errors import ConfigError
from posenet_ros.evaluation.strangers import Strangers
from posenet_ros.localization.ensemble import CENTRE_CROP, Ensemble
from posenet_ros.localization.methods import AUTO_METHOD, METHODS, OF_DATABASE


@dataclass(frozen=True)
class Request:
    """
    Which model or recorded poses to measure, on which images, against which truth.

    The images are those of `bag`, of which `truth` has the poses (TUM, `map_from_camera`), or
    those of `dataset` (`7scenes:DIR` and so on). `image_topic` and `rate_hz` choose images of
    the bag. `estimates` are poses that a running node
    gave, measured in place of the model's answers. `labels_truth` has the true poses of the
    training recording, in the frame of `truth`, where that is not the map of the model. `crops`
    and `samples` are those of `Ensemble`; `always` has every image answered; `refine` is `auto` or
    `off`, `method` is one of `localization.methods`, with `neighbours` and `solver` of relative
    poses, and `engine` runs the network. `test_frames` are
    the frames of the data set to ask about, as `FrameRanges` writes them. `foreign` are
    recordings or folders of images of other places, and images to be made.
    """

    model: Path | None = None
    bag: Path | None = None
    image_topic: str | None = None
    rate_hz: float | None = None
    dataset: str | None = None
    estimates: Path | None = None
    truth: Path | None = None
    labels_truth: Path | None = None
    device: str = 'auto'
    crops: int = 1
    samples: int = 0
    always: bool = False
    refine: str = 'auto'
    method: str = AUTO_METHOD
    neighbours: int | None = None
    solver: str | None = None
    engine: str = AUTO
    test_frames: str | None = None
    foreign: tuple[Path | Strangers, ...] = ()

    def __post_init__(self) -> None:
        """Refuse options that do not go together."""
        sources = [source for source in (self.bag, self.dataset) if source]
        if self.estimates and (self.dataset or self.rate_hz):
            raise ConfigError('--estimates goes with --truth, and with --bag, --model if you like')
        if not self.estimates and (not self.model or len(sources) != 1):
            raise ConfigError(
                'say what to evaluate: --model DIR with --bag BAG --truth FILE.tum or with '
                '--dataset KIND:DIR, or --estimates FILE.tum --truth FILE.tum'
            )
        if self.dataset and (self.truth or self.labels_truth):
            raise ConfigError('a data set brings its own truth: leave --truth, --labels-truth out')
        if not self.bag and (self.rate_hz or self.image_topic):
            raise ConfigError('--rate and --image-topic choose images of a recording: give --bag')
        if not self.dataset and not self.truth:
            raise ConfigError('nothing to compare with: give the true poses, --truth FILE.tum')
        if self.labels_truth and not self.model:
            raise ConfigError('--labels-truth fits the training labels of a model: give --model')
        other = self.ensemble != CENTRE_CROP or self.method != AUTO_METHOD
        if self.estimates and (other or self.always):
            raise ConfigError(
                '--crops, --samples, --method and --always ask a model; --estimates are answers'
            )
        if self.estimates and self.engine != AUTO:
            raise ConfigError('--engine runs a model; --estimates are answers')
        if self.engine not in ENGINES:
            raise ConfigError(f'--engine must be one of {", ".join(ENGINES)}, not {self.engine}')
        if self.method not in METHODS:
            raise ConfigError(f'--method must be {" or ".join(METHODS)}, not {self.method}')
        if self.method in OF_DATABASE and self.ensemble != CENTRE_CROP:
            raise ConfigError('--crops and --samples are for --method posenet')
        if self.refine not in ('auto', 'off'):
            raise ConfigError(f'--refine must be auto or off, not {self.refine}')
        if self.foreign and (self.estimates or not self.model):
            raise ConfigError('--foreign is shown to a model: give --model, and no --estimates')
        if self.test_frames and not self.dataset:
            raise ConfigError('--test-frames chooses frames of a data set: give --dataset')

    @property
    def ensemble(self) -> Ensemble:
        """How many poses are averaged into an answer."""
        return Ensemble(self.crops, self.samples)

    @property
    def asked(self) -> str:
        """What the images are of, as the user wrote it."""
        return str(self.dataset or self.bag or self.estimates)
