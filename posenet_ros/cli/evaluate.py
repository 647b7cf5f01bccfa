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
Measure a model against poses it has not seen, beside two baselines.

  evaluate --model run1_posenet --bag run2 --truth run2.tum
  evaluate --model kitchen_posenet --dataset 7scenes:redkitchen
  evaluate --estimates recorded.tum --truth run2.tum

Every figure counts all frames asked: an image without an answer is infinitely wrong. Truth is
`map_from_camera` in TUM format (time tx ty tz qx qy qz qw). Where the map of the model is not
the frame of the truth, --labels-truth gives the true poses of the training recording: the
training labels are fitted to them rigidly, and that is applied. Nothing is fitted on
predictions.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
import math
from pathlib import Path
from typing import TYPE_CHECKING

from posenet_ros.errors import ConfigError

if TYPE_CHECKING:
    from posenet_ros.data.bags import Recording
    from posenet_ros.data.frames import Frame
    from posenet_ros.evaluation.baselines import Baselines
    from posenet_ros.evaluation.evaluate import Evaluation
    from posenet_ros.evaluation.truth import LabelFit
    from posenet_ros.geometry import Trajectory
    from posenet_ros.localization.estimate import Localizer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    asked = parser.add_argument_group('what is asked')
    asked.add_argument('--model', type=Path, metavar='DIR', help='folder that train left')
    asked.add_argument('--bag', type=Path, help='recording whose images are asked about')
    asked.add_argument('--image-topic', metavar='TOPIC', help='where the bag has several')
    asked.add_argument('--rate', type=hertz, metavar='HZ', help='ask at most so often a second')
    asked.add_argument(
        '--dataset',
        metavar='KIND:DIR',
        help='7scenes:DIR, cambridge:DIR or colmap:DIR; its test part, or all of it where it '
        'keeps none apart',
    )
    asked.add_argument(
        '--estimates',
        type=Path,
        metavar='FILE.tum',
        help='poses recorded from the running node, in place of asking the model; with --bag '
        'every image without a recorded pose counts as unanswered',
    )
    asked.add_argument('--device', default='auto', help='auto (default), cpu or cuda')
    truth = parser.add_argument_group('what is true')
    truth.add_argument('--truth', type=Path, metavar='FILE.tum', help='true poses of the camera')
    truth.add_argument(
        '--labels-truth',
        type=Path,
        metavar='FILE.tum',
        help='true poses of the training recording, in the frame of --truth',
    )
    written = parser.add_argument_group('what is written')
    written.add_argument('--json', type=Path, metavar='FILE', help='figures for programs')
    written.add_argument('--report', type=Path, metavar='DIR', help='report.html with plots')


def run(args: argparse.Namespace) -> None:
    """Evaluate, print the table, and write what was asked for."""
    _check(args)
    from posenet_ros.evaluation.table import text_table
    from posenet_ros.localization.load import load_localizer

    localizer = load_localizer(args.model, args.device) if args.model else None
    fit = _fit_labels(args) if args.labels_truth else None
    evaluation = _evaluation(args, localizer, fit)
    notes = list(_notes(args, evaluation, localizer, fit))
    print(*notes, '', text_table(evaluation, _method(args)), '', sep='\n')
    _write(args, evaluation, localizer, fit, notes)


def _check(args: argparse.Namespace) -> None:
    """Refuse options that do not go together, before anything heavy is loaded."""
    sources = [name for name in ('bag', 'dataset') if getattr(args, name)]
    if args.estimates and (args.dataset or args.rate):
        raise ConfigError('--estimates goes with --truth, and with --bag, --model if you like')
    if not args.estimates and (not args.model or len(sources) != 1):
        raise ConfigError(
            'say what to evaluate: --model DIR with --bag BAG --truth FILE.tum or with '
            '--dataset KIND:DIR, or --estimates FILE.tum --truth FILE.tum'
        )
    if args.dataset and (args.truth or args.labels_truth):
        raise ConfigError('a data set brings its own truth: leave --truth, --labels-truth out')
    if not args.dataset and not args.truth:
        raise ConfigError('there is nothing to compare with: give the true poses, --truth FILE')
    if args.labels_truth and not args.model:
        raise ConfigError('--labels-truth fits the training labels of a model: give --model DIR')
    if args.json and args.json.is_dir():
        raise ConfigError(f'--json {args.json} is a folder: name a file')
    if args.report and args.report.exists() and not args.report.is_dir():
        raise ConfigError(f'--report {args.report} is a file: name a folder')


def _method(args: argparse.Namespace) -> str:
    return 'recorded poses' if args.estimates else 'PoseNet'


def hertz(text: str) -> float:
    """Read a rate; argparse turns what is raised into its one line."""
    rate = float(text)
    if not 0 < rate < math.inf:
        raise argparse.ArgumentTypeError(f'a rate is above zero, got {text}')
    return rate


def _fit_labels(args: argparse.Namespace) -> LabelFit:
    from posenet_ros.data.capture import LABELS
    from posenet_ros.evaluation.truth import fit_labels
    from posenet_ros.geometry import read_tum
    from posenet_ros.models.checkpoint import find_model_folder

    labels = find_model_folder(args.model).parent / 'capture' / LABELS
    if not labels.is_file():
        raise ConfigError(
            f'--labels-truth needs the labels the model was trained on, and there is no {labels}; '
            'give the whole folder that train left as --model'
        )
    return fit_labels(read_tum(labels), read_tum(args.labels_truth, target='truth'))


def _truth(args: argparse.Namespace, fit: LabelFit | None) -> Trajectory:
    """Return the truth in the map of the model."""
    from posenet_ros.geometry import read_tum

    if fit is None:
        return read_tum(args.truth)
    return read_tum(args.truth, target='truth').transformed(fit.map_from_truth)


def _evaluation(
    args: argparse.Namespace, localizer: Localizer | None, fit: LabelFit | None
) -> Evaluation:
    from posenet_ros.evaluation.baselines import Baselines
    from posenet_ros.evaluation.evaluate import evaluate
    from posenet_ros.evaluation.queries import queries_of_frames, queries_of_recording

    training = localizer and localizer.training
    baselines = Baselines(training) if training else None
    if args.dataset:
        return evaluate(localizer, queries_of_frames(_frames(args), 'evaluating'), baselines)
    truth = _truth(args, fit)
    if args.estimates:
        return _recorded(args, truth, baselines, localizer)
    with _recording(args) as (recording, topic):
        queries = queries_of_recording(recording, topic, truth, args.rate)
        return evaluate(localizer, queries, baselines)


def _recorded(
    args: argparse.Namespace,
    truth: Trajectory,
    baselines: Baselines | None,
    localizer: Localizer | None,
) -> Evaluation:
    """Compare recorded poses; a bag tells which images were asked, and feeds the baselines."""
    from posenet_ros.evaluation.evaluate import evaluate, evaluate_recorded, recorded_at
    from posenet_ros.evaluation.queries import images_of_recording, queries_of_recording
    from posenet_ros.geometry import read_tum

    estimates = read_tum(args.estimates)
    if not args.bag:
        return evaluate_recorded(estimates, truth)
    with _recording(args) as (recording, topic):
        if not baselines:
            images = images_of_recording(recording, topic)
            return evaluate_recorded(estimates, truth, [image.stamp_ns for image in images])
        asked = evaluate(localizer, queries_of_recording(recording, topic, truth), baselines)
        return replace(asked, estimates=recorded_at(estimates, asked.stamps_ns))


def _frames(args: argparse.Namespace) -> tuple[Frame, ...]:
    from posenet_ros.data.scenes import read_scene

    scene = read_scene(args.dataset)
    return scene.test or scene.train


@contextmanager
def _recording(args: argparse.Namespace) -> Iterator[tuple[Recording, str]]:
    from posenet_ros.data.bags import Recording

    with Recording(args.bag) as recording:
        yield recording, recording.image_topic(args.image_topic)


def _notes(
    args: argparse.Namespace,
    evaluation: Evaluation,
    localizer: Localizer | None,
    fit: LabelFit | None,
) -> Iterator[str]:
    """Yield what must be known to read the table."""
    from posenet_ros.evaluation.baselines import seen_in_training

    asked = args.dataset or args.bag or args.estimates
    summary = evaluation.summary
    yield (
        f'{summary.frames} frames of {asked}: {summary.localized} answered '
        f'({100 * summary.localized_share:.1f} %)'
    )
    if args.estimates and not args.bag:
        yield 'only recorded poses are counted; --bag BAG counts the images without one too'
    if fit:
        yield str(fit)
    if localizer and not localizer.training:
        yield 'no baselines: the model folder holds no training features'
    if args.dataset and localizer and localizer.training:
        seen = seen_in_training(evaluation.truth, localizer.training)
        if seen:
            yield f'{seen} of these frames were trained on, so errors on new ones are larger'
    if localizer and not fit and not args.dataset:
        size = math.dist(*localizer.card.extent)
        if summary.median_position_m > size:
            yield (
                f'the median error is larger than the map ({size:.1f} m): if the truth is in a '
                'frame of its own, give --labels-truth too'
            )


def _write(
    args: argparse.Namespace,
    evaluation: Evaluation,
    localizer: Localizer | None,
    fit: LabelFit | None,
    notes: Sequence[str],
) -> None:
    from posenet_ros.evaluation.report import write_metrics, write_report
    from posenet_ros.localization.retrieval import poses_of

    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        labels = {'label_fit': fit.to_dict()} if fit else {}
        write_metrics(args.json, {**evaluation.to_dict(), **labels})
        print(args.json)
    if args.report:
        training = localizer and localizer.training
        page = write_report(
            args.report,
            evaluation,
            method=_method(args),
            title=f'{args.model or args.estimates} on {args.dataset or args.bag or args.truth}',
            subtitle='; '.join(notes),
            training_poses=poses_of(training) if training else (),
            facts={'Training': localizer.card.training} if localizer else None,
        )
        print(page)
