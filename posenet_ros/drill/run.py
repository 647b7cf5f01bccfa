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

"""A whole drill: checked before anything is started, driven, counted, drawn and written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
import json
import os
from pathlib import Path
from typing import Any

from posenet_ros.children import in_environment, own_domain
from posenet_ros.drill.options import DrillOptions
from posenet_ros.drill.record import Record
from posenet_ros.drill.site import Site
from posenet_ros.errors import ConfigError, ModelError
from posenet_ros.files import write_text
from posenet_ros.models.folder import find_model_folder
from posenet_ros.nodes.process import ros_context
from posenet_ros.recovery.rehearsal.table import text_table
from posenet_ros.recovery.rehearsal.tally import Tally

FIGURES, PICTURE = 'drill.json', 'drill.png'
# How long the robot drives until it is clear whether the model knows this world.
_ACQUAINTED_S = 8.0
_LEAST_ANSWERS = 10


@dataclass(frozen=True)
class Result:
    """What a drill has made: the table for a person, and the paths."""

    table: str
    paths: tuple[Path, ...]


@dataclass(frozen=True)
class Telling:
    """Whom to tell how it goes: each trip that is over, what is done, and lines to read."""

    over: Callable[[Record], object] = lambda record: None
    doing: Callable[[str], object] = lambda what: None
    line: Callable[[str], object] = lambda text: None


def drill(
    model: Path, folder: Path, output: Path, options: DrillOptions, telling: Telling | None = None
) -> Result:
    """
    Kidnap a robot in the world of a simulation, with the node and a model around it.

    Raises ModelError for what is no model or does not know this world, ConfigError for what is
    no simulation, InterfaceError where ROS 2 is missing, PosenetError where the node ends early.
    """
    telling = telling or Telling()
    find_model_folder(model)
    site = Site.read(folder)
    _make_folder(output)
    # rclpy reads it when it starts.
    with in_environment(own_domain()), ros_context([]):
        records, node = _driven(model.resolve(), site, output, options, telling)
    return _written(site, output, options, records, node)


def _make_folder(output: Path) -> None:
    if output.exists() and not output.is_dir():
        raise ConfigError(f'--output {output} is a file; name a folder')
    output.mkdir(parents=True, exist_ok=True)


def _driven(
    model: Path, site: Site, output: Path, options: DrillOptions, telling: Telling
) -> tuple[list[Record], dict[str, Any]]:
    """Return what came of the trips, and what the node said of itself at the end."""
    from posenet_ros.drill.stage import on_stage
    from posenet_ros.drill.subject import Subject
    from posenet_ros.drill.trip import Trips

    subject = Subject(model, options.node_parameters(), output, os.environ.copy())
    domain = os.environ['ROS_DOMAIN_ID']
    with on_stage(site, options, subject) as stage:
        trips = Trips(stage, options)
        telling.doing('the node starts')
        trips.begin()
        telling.line(f'$ {subject.command} &')
        telling.line(
            f'to look on: export ROS_DOMAIN_ID={domain} ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST'
        )
        stage.start_node()
        stage.motion.driving = True
        stage.go(_ACQUAINTED_S)
        _check_acquainted(stage.placed, stage.images, model, site, subject.logs[-1])
        records = []
        for record in trips.all(telling.doing):
            records.append(record)
            telling.over(record)
        node = {
            'logs': [str(log) for log in subject.logs],
            'images': stage.images,
            'dropped': stage.dropped,
            'answered': len(stage.placed),
            'answered_within_1_m': sum(stage.placed),
            'pace': stage.pace.present,
            'verified_after_s': stage.pace.verified_after_s,
            'drill_s': stage.now_s,
            'diagnostics': stage.witness.values,
        }
    return records, node


def _check_acquainted(
    placed: Sequence[bool], images: int, model: Path, site: Site, log: Path
) -> None:
    """Refuse a model of another world."""
    world = f'the {site.options.world} of seed {site.options.seed}'
    if len(placed) < _LEAST_ANSWERS:
        raise ModelError(
            f'{model} answered {len(placed)} of {images} images of {world}: it was trained '
            f'elsewhere, or the node says why not in {log}'
        )
    if 2 * sum(placed) < len(placed):
        raise ModelError(
            f'{model} does not know {world}: of {len(placed)} answers {sum(placed)} were within '
            '1 m of the robot; train on the recording of this simulation, or tell where its map '
            'lies with --map-from-model'
        )


def _written(
    site: Site,
    output: Path,
    options: DrillOptions,
    records: Sequence[Record],
    node: dict[str, Any],
) -> Result:
    from posenet_ros.drill.picture import draw
    from posenet_ros.reporting.style import save_figure

    tally = Tally(options.scenario)
    tally.add(record.trip for record in records)
    figures = {
        'options': options.to_dict(),
        'tally': tally.to_dict(),
        'refused_by_amcl': sum(len(record.refused) for record in records),
        'node': node,
        'trips': [record.to_dict() for record in records],
    }
    write_text(output / FIGURES, json.dumps(figures, indent=2) + '\n')
    save_figure(output / PICTURE, draw(site.world, records))
    parts = (
        f'{options.scenario}: {options.about}',
        text_table([tally]),
        _below(tally, options, records, node),
    )
    return Result(
        '\n\n'.join(parts), (output / FIGURES, output / PICTURE, *map(Path, node['logs']))
    )


def _below(
    tally: Tally, options: DrillOptions, records: Sequence[Record], node: dict[str, Any]
) -> str:
    """Return what the table does not say."""
    refused = sum(len(record.refused) for record in records)
    if options.publish_tf_odom:
        said = [f"the node's map -> odom jumped {tally.resets} times"]
    else:
        said = [f'{tally.resets} initial poses sent, {refused} of them such as AMCL refuses']
    said.append(
        f'{node["answered"]} of {node["images"]} images answered, {node["dropped"]} dropped; '
        f'{node["drill_s"] / 60:.1f} minutes of driving'
    )
    if node['verified_after_s'] is not None:
        said.append(f'images verified after {node["verified_after_s"]:.2f} s on the wall (median)')
    if node['pace'] < 1:
        said.append(f'time passed at {node["pace"]:.2f} of its pace, for the machine to keep up')
    return '\n'.join(said)
