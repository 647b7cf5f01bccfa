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

"""From options to a folder: a training and an unseen recording, their truth, a picture."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
import shutil
from typing import Any

import cv2
import numpy as np
from posenet_ros import __version__
from posenet_ros.errors import ConfigError
from posenet_ros.files import read_yaml, write_yaml
from posenet_ros.geometry import NS_PER_S, Trajectory, write_tum
from posenet_ros.machine import cores
from posenet_ros.simulation.mipmaps import Texture
from posenet_ros.simulation.options import SimulationOptions
from posenet_ros.simulation.path import training_offsets, unseen_offsets
from posenet_ros.simulation.preview import preview
from posenet_ros.simulation.recording import camera_poses, record
from posenet_ros.simulation.world import Lane, World
from tqdm import tqdm

# When the training drive begins: any time will do, as long as it is always the same.
START_NS = 1_700_000_000 * NS_PER_S
PAUSE_NS = 3600 * NS_PER_S

# Says what a folder holds; written last, so that its presence tells that the folder is whole.
FACTS = 'simulation.yaml'


@dataclass(frozen=True)
class Simulation:
    """
    A folder that holds a simulation.

    `recordings` are the names of its bags, training first; each has its truth beside it.
    `made` is False when it was there already.
    """

    folder: Path
    recordings: tuple[str, ...]
    images: tuple[int, ...]
    made: bool

    def bag(self, name: str) -> Path:
        """Return the folder of a recording."""
        return self.folder / name

    def truth(self, name: str) -> Path:
        """Return the TUM file with the true `map_from_camera` of a recording's images."""
        return self.folder / f'{name}.groundtruth.tum'

    @property
    def picture(self) -> Path:
        """The floor plan with the drives, and some frames."""
        return self.folder / 'preview.png'

    def missing(self) -> list[str]:
        """Return the names of what should be in the folder and is not."""
        expected = [self.picture]
        for name in self.recordings:
            bag = self.bag(name)
            expected += [bag / 'metadata.yaml', bag / f'{name}.mcap', self.truth(name)]
        return [str(path.relative_to(self.folder)) for path in expected if not path.is_file()]


def simulate(
    output: Path, options: SimulationOptions | None = None, *, jobs: int | None = None
) -> Simulation:
    """
    Render a world and drives through it to the folder `output`.

    The folder appears when everything in it is whole, and not before. If the same simulation is
    there already it is left as it is; anything else that is there, or only a part of it, raises
    ConfigError. `jobs` is the number of threads that render, one for each core unless given.
    Progress goes to stderr.
    """
    options = options or SimulationOptions()
    found = find_simulation(output, options)
    if found is not None:
        return found
    with _appearing_whole(output) as folder:
        images = _fill(folder, options, cores() if jobs is None else jobs)
    return Simulation(output, tuple(images), tuple(images.values()), made=True)


def find_simulation(output: Path, options: SimulationOptions) -> Simulation | None:
    """
    Return the simulation in a folder, None where there is nothing.

    Raises ConfigError where it is another, or where files of it are gone.
    """
    if not output.exists() or (output.is_dir() and not any(output.iterdir())):
        return None
    facts = output / FACTS
    if not facts.is_file():
        raise ConfigError(
            f'{output} exists and is no simulation; choose another --output or remove it'
        )
    values = read_yaml(facts, ConfigError)
    if (values.get('version'), values.get('options')) != (__version__, options.to_dict()):
        raise ConfigError(
            f'{output} holds another simulation (its options are in {facts}); '
            'choose another --output or remove it'
        )
    images = values['images']
    found = Simulation(output, tuple(images), tuple(images.values()), made=False)
    if missing := found.missing():
        raise ConfigError(
            f'{output} is a simulation without its {", ".join(missing)}; '
            'remove that folder to have it made again, or choose another --output'
        )
    return found


@contextmanager
def _appearing_whole(output: Path) -> Iterator[Path]:
    """Give a folder to fill that takes its name when the block succeeds, and is removed if not."""
    partial = output.absolute().with_name(f'.{output.absolute().name}.partial')
    # Left there by a run that was killed.
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        if output.exists():
            output.rmdir()
        partial.rename(output)
    except KeyboardInterrupt:
        raise KeyboardInterrupt('nothing was kept; the same command starts anew') from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def drives(lane: Lane, options: SimulationOptions) -> dict[str, Trajectory]:
    """
    Return `map_from_base` of each recording: `train`, then `test`.

    The training drive does its laps side by side. The laps of the test drive lie between those,
    begin elsewhere in the lane, and are driven an hour later.
    """
    rng = np.random.default_rng([options.seed, 1])
    half_width = lane.half_width - options.robot.half_width
    plans = {'train': training_offsets(options.laps, half_width)}
    if options.test_laps:
        unseen = rng.permutation(unseen_offsets(options.laps, half_width))
        plans['test'] = np.resize(unseen, options.test_laps)
    driven = {}
    for index, (name, offsets) in enumerate(plans.items()):
        trajectory = options.setting.drive(
            lane,
            offsets,
            robot=options.robot,
            rng=rng,
            phase=0.37 * index,
            rate_hz=options.odometry_rate_hz,
        )
        stamps_ns = START_NS + index * PAUSE_NS + trajectory.stamps_ns
        driven[name] = replace(trajectory, stamps_ns=stamps_ns)
    return driven


def _fill(folder: Path, options: SimulationOptions, jobs: int) -> dict[str, int]:
    """Make everything; return how many images each recording has."""
    world = options.made()
    driven = drives(world.lane, options)
    expected = sum(len(camera_poses(each, options)) for each in driven.values())
    truths = {}
    with tqdm(total=expected, unit='frame', desc='rendering', dynamic_ncols=True) as progress:
        for index, (name, map_from_base) in enumerate(driven.items()):
            rng = np.random.default_rng([options.seed, 2 + index])
            truths[name] = record(
                folder / name,
                world,
                map_from_base,
                options,
                rng,
                jobs=jobs,
                frame_done=progress.update,
            )
            write_tum(folder / f'{name}.groundtruth.tum', truths[name])
    train, *unseen = truths.values()
    picture = preview(world, options.camera, train, unseen, laps=options.laps)
    write_png(folder / 'preview.png', picture)
    images = {name: len(truth) for name, truth in truths.items()}
    write_yaml(folder / FACTS, _facts(options, world, images))
    return images


def _facts(options: SimulationOptions, world: World, images: dict[str, int]) -> dict[str, Any]:
    return {
        'images': images,
        'world_size_m': list(world.size),
        'places_m': {name: list(place) for name, place in world.places.items()},
        'camera': options.camera.to_dict(),
        'version': __version__,
        'options': options.to_dict(),
    }


def write_png(path: Path, rgb: Texture) -> None:
    """Write an RGB image as PNG."""
    path.write_bytes(cv2.imencode('.png', cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1].tobytes())
