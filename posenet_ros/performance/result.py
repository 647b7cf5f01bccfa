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

"""What a benchmark found, as a table, as figures for programs, and as a picture."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
import platform
from typing import Any, TYPE_CHECKING

import numpy as np
from posenet_ros.engines.kinds import KINDS
from posenet_ros.engines.names import EAGER
from posenet_ros.explain.cost import draw_costs, POSENET
from posenet_ros.machine import cores
from posenet_ros.performance.benchmark import Found, Row
from posenet_ros.performance.images import CAMERA
from posenet_ros.reporting.style import (
    BASELINES,
    dress,
    ESTIMATE,
    INK,
    new_figure,
    save_figure,
    TRAIN,
)
import torch

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PACKAGES = ('torch', 'torchvision', 'openvino', 'onnxruntime')
_HEADINGS = ('engine', 'crops', 'batch', 'median', 'p99', 'images/s', 'speedup', 'memory')


def figures(found: Found) -> dict[str, Any]:
    """Return everything that was measured in plain values, for JSON."""
    preprocessing = found.loaded.card.preprocessing
    return {
        'speedup_over_eager': round(found.speedup(found.default), 3),
        'default_engine': found.default,
        'baseline': 'eager: the layers of torchvision as torch runs them, float32',
        'from_to': f'{CAMERA[0]}x{CAMERA[1]} uint8 RGB on the host to the pose',
        'machine': machine(found),
        'model': {
            'folder': None if found.plan.model is None else str(found.plan.model),
            'trained': found.plan.model is not None,
            'backbone': found.loaded.card.architecture.backbone,
            'head': found.loaded.card.architecture.head,
            'recipe': None if found.plan.model else found.plan.recipe,
            'crop': list(preprocessing.crop),
            'bytes_on_disk': found.sizes,
        },
        'engines': {
            engine.name: {
                'about': engine.told,
                'single_precision': engine.name == EAGER or KINDS[engine.name].exact,
                'relative_difference': float(f'{engine.difference:.2g}'),
                'speedup_over_eager': round(found.speedup(engine.name), 3),
                'seconds_to_make': round(found.made_s[engine.name], 2),
            }
            for engine in found.engines
        },
        'absent': list(found.absent),
        'rows': [_row(row) for row in found.rows],
        'scene_size': {
            name: [{'frames': c.frames, 'ms': round(c.ms, 4), 'bytes': c.memory} for c in costs]
            for name, costs in found.scene_size.items()
        },
    }


def machine(found: Found) -> dict[str, Any]:
    """Return what the figures were measured on."""
    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = None
    return {
        'processor': _processor(),
        'cores': cores(),
        'threads': found.threads,
        'device': _device(found.loaded.device),
        'load_average': round(found.load_average, 2),
        'system': platform.platform(),
        'python': platform.python_version(),
        **versions,
    }


def _device(device: torch.device) -> str:
    """Return the type of a device, and the name of a GPU."""
    if device.type != 'cuda':
        return str(device)
    return f'{device}: {torch.cuda.get_device_name(device)}'


def _processor() -> str:
    """Return what the processor calls itself."""
    try:
        lines = Path('/proc/cpuinfo').read_text(encoding='utf-8').splitlines()
    except OSError:
        return platform.processor()
    named = [line.split(':', 1)[1].strip() for line in lines if line.startswith('model name')]
    return named[0] if named else platform.processor()


def _row(row: Row) -> dict[str, Any]:
    low, median, high, most = np.percentile(row.times_ms, (25, 50, 75, 99)).round(3).tolist()
    return {
        'engine': row.engine,
        'crops': row.crops,
        'batch': row.batch,
        'median_ms': median,
        'quartiles_ms': [low, high],
        'p99_ms': most,
        'least_ms': round(float(row.times_ms.min()), 3),
        'images_per_second': round(1000 * row.batch / median, 2),
        'answers': len(row.times_ms),
        'peak_bytes': row.peak_bytes,
    }


def text(found: Found) -> str:
    """Return what was measured as a person reads it, the default engine marked by a star."""
    told, sizes = machine(found), found.sizes
    lines = [
        f'{told["processor"]}, {found.threads} threads on {told["device"]}, '
        f'load {told["load_average"]} before',
        *(f'{engine.told}; made in {found.made_s[engine.name]:.1f} s' for engine in found.engines),
        *found.absent,
        '',
        _table(found),
        '',
        f'{found.default} is {found.speedup(found.default):.2f} times as fast as eager',
        'on disk: '
        + '; '.join(
            f'{name} {each["whole"] / 1e6:.1f} MB, of these the feature that tells new images '
            f'{each["place feature"] / 1e6:.1f} MB'
            for name, each in sizes.items()
        ),
        *(
            f'{name}: '
            + ', '.join(
                f'{c.ms:.3g} ms and {c.memory / 1e6:.3g} MB at {c.frames:,}' for c in costs
            )
            for name, costs in found.scene_size.items()
        ),
    ]
    return '\n'.join(lines)


def _table(found: Found) -> str:
    rows = [_HEADINGS, *(_cells(found, row) for row in found.rows)]
    widths = [max(map(len, column)) for column in zip(*rows)]
    return '\n'.join(
        '  '.join(
            cell.ljust(width) if number == 0 else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths))
        ).rstrip()
        for row in rows
    )


def _cells(found: Found, row: Row) -> tuple[str, ...]:
    eager = found.row(EAGER, row.crops, row.batch).median_ms
    star = ' *' if row.engine == found.default else ''
    memory = '' if row.peak_bytes is None else f'{row.peak_bytes / 2**20:.0f} MiB'
    return (
        f'{row.engine}{star}',
        str(row.crops),
        str(row.batch),
        f'{row.median_ms:.1f} ms',
        f'{np.percentile(row.times_ms, 99):.1f} ms',
        f'{1000 * row.batch / row.median_ms:.1f}',
        f'{eager / row.median_ms:.2f}',
        memory,
    )


def save_picture(path: Path, found: Found) -> None:
    """Draw the times of what was asked first, and what an answer costs by the size of a scene."""
    panels = 3 if found.scene_size else 1
    figure, axes = new_figure(panels, width=5.2 * panels, height=4.6)
    _bars(axes[0], found)
    if found.scene_size:
        draw_costs(axes[1:], found.scene_size)
        handles, labels = axes[1].get_legend_handles_labels()
        place = 'outside lower center'
        figure.legend(handles, labels, loc=place, ncols=5, frameon=False, fontsize=9)
        axes[1].set_title(f'{POSENET} by {found.default}', fontsize=9, loc='left')
    save_figure(path, figure)


def _bars(axes: Axes, found: Found) -> None:
    crops, batch = found.plan.cells[0]
    names = [engine.name for engine in found.engines]
    rows = [found.row(name, crops, batch) for name in names]
    colours = {EAGER: BASELINES[0], found.default: ESTIMATE}
    medians = [row.median_ms for row in rows]
    axes.barh(names, medians, color=[colours.get(name, TRAIN) for name in names], height=0.6)
    for number, row in enumerate(rows):
        most = float(np.percentile(row.times_ms, 99))
        axes.plot([row.median_ms, most], [number, number], color=INK, linewidth=1.2)
        told = f' {row.median_ms:.1f} ms, {found.speedup(row.engine):.2f} x'
        axes.text(most, number, told, va='center', fontsize=9, color=INK)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.5 * max(float(np.percentile(row.times_ms, 99)) for row in rows))
    axes.set_xlabel('image to pose: median, line to 99th percentile [ms]', color=INK)
    backbone = found.loaded.card.architecture.backbone
    axes.set_title(
        f'{backbone}, {crops} crop{"s" * (crops > 1)} of {batch} image{"s" * (batch > 1)}, '
        f'{found.threads} threads',
        fontsize=9,
        loc='left',
    )
    dress(axes)
