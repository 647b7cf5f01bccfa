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

"""Frames as training sees them: where they lie, and in what batches they come."""

from __future__ import annotations

import math

from posenet_ros.data.dataset import as_it_is, FrameDataset
from posenet_ros.machine import cores
from posenet_ros.models.posenet import PoseNet
from posenet_ros.training.closed_form import views, views_of
from posenet_ros.training.config import TrainOptions
from posenet_ros.training.resident import resident, ResidentFrames, ResidentLoader
from posenet_ros.training.scene import cells_kept, SeenCells, steps_an_epoch
import torch
from torch.utils.data import DataLoader

Frames = FrameDataset | ResidentFrames
# Eleven images of the paper's size.
_PIXELS_AT_ONCE = 11 * 224 * 224
# Of batches of training: without gradients they need less memory than one does with them.
_MEASURED_AT_ONCE = 4
# Views whose cells a scene head learns of.
_MOST_SEEN = 8192


def nearest(dataset: FrameDataset, options: TrainOptions) -> Frames:
    """Return a dataset's frames on the GPU where they can stay there, or the dataset."""
    return resident(dataset, _gpu(options)) or dataset


def _gpu(options: TrainOptions) -> torch.device | None:
    """Return the GPU on which frames can stay; several would each need a share of them."""
    if torch.cuda.is_available() and not several(options):
        # Lightning's choice of one.
        return torch.device('cuda', 0)
    return None


def several(options: TrainOptions) -> bool:
    """Tell whether a run is on several devices."""
    return options.devices * options.nodes > 1


def device_of(dataset: Frames) -> torch.device:
    """Return where a dataset's batches are, and a model has to be that sees them."""
    return dataset.device if isinstance(dataset, ResidentFrames) else torch.device('cpu')


def in_parts(batch_size: int, crop: tuple[int, int]) -> tuple[int, int]:
    """Return how many images go through the network at once, and how often for one step."""
    if torch.cuda.is_available():
        return batch_size, 1
    # What a step keeps for its gradients must fit beside everything else into 3 GiB.
    at_once = max(_PIXELS_AT_ONCE // (crop[0] * crop[1]), 1)
    parts = math.ceil(batch_size / at_once)
    return math.ceil(batch_size / parts), parts


def loader(
    dataset: Frames, batch_size: int, *, shuffle: bool = False
) -> DataLoader | ResidentLoader:
    """Return what goes through a dataset; shuffled, it leaves out a last part of a batch."""
    if isinstance(dataset, ResidentFrames):
        at_once = batch_size if shuffle else batch_size * _MEASURED_AT_ONCE
        return ResidentLoader(dataset, min(at_once, len(dataset)), shuffle=shuffle)
    # Cropping takes a few milliseconds a batch. Reading files takes longer than a GPU does; a
    # CPU is the one that would have to do it either way, and each process takes memory.
    idle = dataset.images.all_in_memory or not torch.cuda.is_available()
    workers = 0 if idle else min(max(cores() // 2, 1), 8)
    return DataLoader(
        dataset,
        batch_size=min(batch_size, len(dataset)),
        shuffle=shuffle,
        # Batch normalisation suffers from a last batch of one or two images.
        drop_last=shuffle,
        collate_fn=as_it_is,
        num_workers=workers,
        persistent_workers=workers > 0,
    )


def steps_of(model: PoseNet, dataset: Frames, options: TrainOptions) -> int:
    """Return how many steps of gradients an epoch has."""
    if model.scene is None:
        return max(len(dataset) // options.batch_size, 1)
    seen = views_of(dataset, max(_MOST_SEEN, len(dataset)))
    return steps_an_epoch(seen * cells_kept(model.scene, seen))


def seen_cells(model: PoseNet, dataset: Frames, batch_size: int) -> SeenCells:
    """See the cells that a scene head learns of, of several views of each image."""
    # Of very many images one view each, so that none is left out.
    most = max(_MOST_SEEN, len(dataset))
    seen = views(dataset, batch_size, most, 'looking at cells')
    return SeenCells(model, seen, views_of(dataset, most))
