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

"""By what recipe the figures that train do so: the model's own, changed in one respect."""

from __future__ import annotations

from dataclasses import replace
import math

from posenet_ros.errors import ConfigError
from posenet_ros.explain.subject import Subject
from posenet_ros.training.config import TrainOptions


def recipe_of(subject: Subject, epochs: int | None) -> TrainOptions:
    """
    Return a model's own recipe on one device, for so many epochs where they are given.

    Raises ConfigError where they are not, and the model's own learned nothing in epochs.
    """
    options = replace(subject.options, devices=1, nodes=1)
    if epochs is None and not (options.epochs or options.iterations):
        raise ConfigError('the model was trained with --epochs 0: say here how many, --epochs N')
    return options if epochs is None else options.for_epochs(epochs)


def with_paper_head(options: TrainOptions) -> TrainOptions:
    """
    Return a recipe with the paper's head, which learns by gradients alone.

    A hidden layer on the last map, and a quaternion (section 3). A head that is solved for in
    closed form has its optimum whatever the loss is, and from the first epoch.
    """
    return replace(options, head='hidden', rotation='quaternion', levels=1, pool=1)


def in_as_many_steps(options: TrainOptions, of_frames: int, frames: int) -> TrainOptions:
    """
    Return a recipe that takes as many gradient steps on some frames as it does on others.

    Fewer frames are seen more often. Batches are made equal, so that no rest of an epoch is left
    out, or is a step by itself.
    """
    each = max(of_frames // options.batch_size, 1)
    steps = options.epochs_for(of_frames) * each
    batch = max(frames // math.ceil(frames / options.batch_size), 1)
    return replace(options, iterations=steps, batch_size=batch)
