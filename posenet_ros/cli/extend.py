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
Add posed images to the database of a model that locates by relative poses.

  extend --model run1_posenet --dataset capture:run2_labels
  extend --model house_posenet --dataset 7scenes:kitchen --scene kitchen

The poses must be in the frame of the map that is there, which nothing can check: that of a
localizer (label --reference tf:map, both times) or of a data set. A recording that is labelled by
itself has a frame of its own; label both together in place of that. Several rooms in one frame
serve as one map, and an answer names the scene that it is of.
What is there is not touched, a node that runs keeps what it has until its model is exchanged, and
images that are added are asked at once. What the card says of errors, covariance and refusal
stays what was measured of the images before.
"""

from __future__ import annotations

import argparse
from pathlib import Path
import time
from typing import TYPE_CHECKING

from posenet_ros.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from posenet_ros.data.frames import Frame
    from posenet_ros.models.checkpoint import TrainingFeatures


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        '--model', type=Path, required=True, metavar='DIR', help='a run, or its model folder'
    )
    parser.add_argument(
        '--dataset',
        required=True,
        metavar='KIND:DIR',
        help='capture:DIR, 7scenes:DIR, cambridge:DIR or colmap:DIR, in the frame of the map',
    )
    parser.add_argument(
        '--test-frames', metavar='START:STOP[:PERIOD]', help='frames to leave out, as for train'
    )
    parser.add_argument('--scene', metavar='NAME', help="what answers call it (the folder's name)")


def run(args: argparse.Namespace) -> None:
    """Describe the images, add them, and say what there is."""
    from posenet_ros.cli.train_database import add_frames, scene_name
    from posenet_ros.data.run import at_work
    from posenet_ros.data.scenes import has_metres, read_scene
    from posenet_ros.localization.posenet import choose_device
    from posenet_ros.models.database import DATABASE
    from posenet_ros.models.relative_map import load_relative_map, open_database

    begin = time.monotonic()
    loaded = load_relative_map(args.model, choose_device())
    if has_metres(args.dataset) != loaded.card.metric:
        raise ConfigError(
            f'{args.dataset} and the map of {args.model} are not both in metres, so that they '
            'cannot be in one frame'
        )
    scene = read_scene(args.dataset, args.test_frames)
    if scene.camera is None:
        raise ConfigError(f'nobody tells the intrinsics of the camera of {args.dataset}')
    _refuse_what_is_there(args.dataset, scene.train, loaded.database.training)
    name = args.scene or scene_name(args.dataset)
    database = loaded.folder / DATABASE
    with at_work(database):
        add_frames(database, name, scene.camera, scene.train, loaded.relative, loaded.place)
    whole = open_database(database, loaded.relative, loaded.place)
    print(
        f'{len(scene.train)} images of {name} added to {len(loaded.database)} in '
        f'{time.monotonic() - begin:.1f} s; scenes: {", ".join(whole.scenes)}\n{database}'
    )


def _refuse_what_is_there(
    dataset: str, frames: Sequence[Frame], training: TrainingFeatures
) -> None:
    from posenet_ros.evaluation.baselines import seen_in_training

    seen = seen_in_training([frame.map_from_camera for frame in frames], training)
    if seen == len(frames):
        raise ConfigError(f'all images of {dataset} are in the database already')
