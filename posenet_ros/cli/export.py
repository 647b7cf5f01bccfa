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
Write a model as ONNX and OpenVINO IR for other programs, compared with what it was.

  export --model run1_posenet
  export --model run1_posenet --half --format openvino --output for_the_robot
  export --model kitchen_posenet --dataset 7scenes:redkitchen --test-frames 50:100:200

Each file is read back and asked; one that does not answer as the model does is not left. Where the
frames that training held out are at hand, the model's errors are measured by the engines that
compute in half precision too, and those that keep the medians within 2 % may then be used
(the node's parameter `engine`). The card, export.yaml, says what goes in and what comes out.
Needs `pip install "posenet_ros[engines]"`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from posenet_ros.cli.outputs import check_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        '--model', type=Path, required=True, metavar='DIR', help='folder that train left'
    )
    parser.add_argument(
        '--output', type=Path, metavar='DIR', help='folder to write (default: export in the run)'
    )
    parser.add_argument(
        '--format',
        nargs='+',
        default=('onnx', 'openvino'),
        metavar='NAME',
        help='onnx, openvino (default both)',
    )
    parser.add_argument(
        '--half',
        action='store_true',
        help='keep weights in half precision, which halves the files; left only where the median '
        'errors stay within 2 %%',
    )
    parser.add_argument(
        '--pose-only',
        action='store_true',
        help='leave out the feature that tells how unlike the training images an image is',
    )
    parser.add_argument(
        '--dataset', metavar='KIND:DIR', help='frames the model was trained on, as train had it'
    )
    parser.add_argument(
        '--test-frames', metavar='START:STOP[:PERIOD]', help='those left out, as train had it'
    )
    parser.add_argument(
        '--no-measure', action='store_true', help='measure no errors, and allow nothing by them'
    )


def run(args: argparse.Namespace) -> None:
    """Export, and tell what was found."""
    from posenet_ros.engines.evidence import MOST_WORSE
    from posenet_ros.models.folder import find_model_folder
    from posenet_ros.performance.exporting import export, Order

    folder = find_model_folder(args.model)
    run_folder = folder.parent if folder.name == 'model' else folder
    output = args.output or run_folder / 'export'
    check_folder(f'--output {output}', output.parent)
    order = Order(
        model=args.model,
        output=output,
        formats=tuple(args.format),
        half=args.half,
        pose_only=args.pose_only,
        dataset=args.dataset,
        test_frames=args.test_frames,
        measure=not args.no_measure,
    )
    exported = export(order)
    for name, difference in exported.differences.items():
        size = (output / name).with_suffix('.bin' if name.endswith('.xml') else '.onnx')
        megabytes = size.stat().st_size / 1e6
        print(f'{output / name}: {megabytes:.1f} MB, {difference:.1e} from the model, relative')
    if exported.evidence is None:
        print('errors were not measured: nothing that computes in half precision may answer')
        return
    for name, (metres, degrees) in exported.evidence.medians.items():
        worse = 100 * exported.evidence.worse(name)
        kept = 'kept' if exported.evidence.keeps(name) else f'above {100 * MOST_WORSE:.0f} %'
        print(f'{name}: median {metres:.3f} m, {degrees:.2f} deg ({worse:+.1f} %, {kept})')
