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

"""What train learns from: recordings, which are labelled first, or a data set with its labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from posenet_ros.cli.train_folder import is_first
from posenet_ros.data.capture import Capture, LABELS
from posenet_ros.data.frames import Frame
from posenet_ros.data.origin import label_origin
from posenet_ros.data.run import claim, RUN
from posenet_ros.data.scenes import has_metres, read_scene, scene_model, scene_origin
from posenet_ros.errors import CaptureError, ConfigError
from posenet_ros.evaluation.labels import read_labels
from posenet_ros.files import read_yaml
from posenet_ros.geometry import Camera
from posenet_ros.models.map_card import MapCard
from posenet_ros.sfm.labelling import claim_labelling, label_recordings
from posenet_ros.sfm.options import LabelOptions
from posenet_ros.sfm.sources import open_sources
from posenet_ros.training.identity import frames_sha256


@dataclass(frozen=True)
class Labelled:
    """
    Frames with poses, from `source`, and what is known of them.

    `camera` is None where nobody tells it; `rejected` frames got no label; `metric` is false
    for poses without metres; `origin` is what the poses were referred to (see `label_origin`);
    `model` is the COLMAP model that the poses came from, where there is one; `recordings` are
    known by their hashes; `facts` are to report.
    """

    source: str
    frames: tuple[Frame, ...]
    camera: Camera | None
    rejected: int = 0
    metric: bool = True
    origin: dict[str, Any] = field(default_factory=dict)
    model: Path | None = None
    recordings: list[dict[str, Any]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)


class Source(Protocol):
    """Something to learn from."""

    def claim(self, output: Path) -> None:
        """Make the folder this run's, or refuse one of another."""
        ...

    def asked(self) -> dict[str, Any]:
        """Return how labels are made, for a continuation to compare with."""
        ...

    def check(self, output: Path, card: MapCard) -> None:
        """Raise ConfigError where the model in the folder was trained on other labels."""
        ...

    def labelled(self, output: Path) -> Labelled:
        """Return the frames and their poses."""
        ...


class Recordings:
    """Recordings that share a map, labelled by structure from motion."""

    def __init__(self, bags: Sequence[Path], options: LabelOptions) -> None:
        """Look into the recordings."""
        self._options = options
        self._sources = open_sources(bags, options)

    def claim(self, output: Path) -> None:
        """Make the folder these recordings', or refuse one of others."""
        claim_labelling(self._sources, output, self._options)

    def asked(self) -> dict[str, Any]:
        """Return the options of labelling."""
        return {f'label_{key}': value for key, value in self._options.to_dict().items()}

    def check(self, output: Path, card: MapCard) -> None:
        """Compare the labels that are there, if they are."""
        if (output / 'capture' / LABELS).is_file():
            read_labels(output / 'capture', card)

    def labelled(self, output: Path) -> Labelled:
        """Label, or wait for nothing: the first process of several has labelled already."""
        metric, facts = True, {}
        if is_first():
            summary = label_recordings(self._sources, output, self._options)
            print(summary.text(), flush=True)
            metric = summary.metric is not None
            facts = {
                'verdict': summary.verdict,
                **{f'remark {number}': text for number, text in enumerate(summary.remarks, 1)},
                'labelled': f'{summary.labelled} of {summary.frames} frames',
            }
        capture = Capture.open(output / 'capture')
        run = read_yaml(output / RUN, CaptureError)
        return Labelled(
            self._sources.name,
            capture.frames(),
            capture.camera,
            rejected=len(capture.rejected),
            metric=metric,
            origin=label_origin(capture.root),
            model=output / 'sfm',
            recordings=[values for name, values in run.items() if name.startswith('recording')],
            facts=facts,
        )


class DataSet:
    """The training part of a public data set or COLMAP model."""

    def __init__(self, spec: str, test_frames: str | None = None) -> None:
        """Read `KIND:DIR`, and keep frames apart (see `FrameRanges`)."""
        self._spec = spec
        self._test_frames = test_frames
        self._scene = read_scene(spec, test_frames)

    def claim(self, output: Path) -> None:
        """Make the folder this data set's, or refuse one of another."""
        kind, _, folder = self._spec.partition(':')
        claim(output, dataset={'kind': kind, 'path': str(Path(folder).expanduser().resolve())})

    def asked(self) -> dict[str, Any]:
        """Return what is kept apart; the labels came with the data set."""
        return {'test_frames': self._test_frames} if self._test_frames else {}

    def check(self, output: Path, card: MapCard) -> None:
        """Compare the labels of the data set as it is now."""
        if frames_sha256(self._scene.train) != card.training.get('labels_sha256'):
            raise ConfigError(
                f'{self._spec} is not what the model in {output} was trained on: its frames or '
                'poses are others now; choose another --output, or remove its model and logs'
            )

    def labelled(self, output: Path) -> Labelled:
        """Return the training part; a COLMAP model has the scale that it happened to get."""
        scene = self._scene
        metric = has_metres(self._spec)
        return Labelled(
            self._spec,
            scene.train,
            scene.camera,
            metric=metric,
            origin=scene_origin(self._spec),
            model=scene_model(self._spec),
        )
