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

"""The depth of training images, where a recipe makes use of it."""

from __future__ import annotations

from pathlib import Path

from posenet_ros.cli.train_folder import is_first
from posenet_ros.cli.train_source import Labelled
from posenet_ros.data.depth import Depths
from posenet_ros.errors import ConfigError, LabellingError
from posenet_ros.sfm.depths import depths_of
from posenet_ros.sfm.scene_map import has_map, RECONSTRUCTION
from posenet_ros.training.config import TrainOptions


def depths_for(output: Path, labelled: Labelled, options: TrainOptions) -> Depths:
    """
    Return inverse depths by image, of all or some; tell why where there are none.

    They serve to move training cameras and to teach a scene head, by its recipe, and to measure
    what errors are outside of the drive. A data set without a map has one made for training
    alone, in the output's folder `reconstruction`.
    """
    if not options.wants_depths and labelled.model is None:
        return {}
    if labelled.camera is None:
        print('no depths are known: they mean nothing without intrinsics, which nobody tells')
        return {}
    if labelled.camera.distortion == 'equidistant':
        print('no depths are known: the images are those of a fisheye')
        return {}
    if not (is_first() or labelled.model or has_map(output / RECONSTRUCTION)):
        raise ConfigError(
            f'{output / RECONSTRUCTION} holds no map yet, and several processes cannot make it: '
            'begin the training on one machine, and start it on all when it says how many depths '
            'are known'
        )
    try:
        depths = depths_of(
            labelled.frames, labelled.camera, model=labelled.model, work=output / RECONSTRUCTION
        )
    except LabellingError as error:
        print(f'no depths are known: {error}', flush=True)
        return {}
    if is_first():
        print(f'depth of {len(depths)} of {len(labelled.frames)} frames is known', flush=True)
    return depths
