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

"""A model as files for other programs, each compared with the model before it is left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
import copy
from dataclasses import dataclass
import importlib.util
import logging
from pathlib import Path
import shutil
from typing import Any

from posenet_ros import __version__
from posenet_ros.engines.choose import make_engine
from posenet_ros.engines.difference import largest_difference, TOLERANCE
from posenet_ros.engines.evidence import Evidence, MOST_WORSE, write_evidence
from posenet_ros.engines.files import Answer, write_onnx, write_openvino
from posenet_ros.engines.kinds import KINDS, kinds_of
from posenet_ros.engines.names import EAGER
from posenet_ros.engines.whole import (
    FEATURE,
    INFORMATION,
    POSE,
    rounded,
    SCENE,
    Whole,
    without_norms,
)
from posenet_ros.errors import ConfigError, ModelError
from posenet_ros.explain.subject import open_subject, Subject
from posenet_ros.files import write_yaml
from posenet_ros.localization.posenet import choose_device
from posenet_ros.models.card import ModelCard
from posenet_ros.models.checkpoint import load_model, LoadedModel
from posenet_ros.models.folder import find_model_folder, WEIGHTS
from posenet_ros.models.posenet import PoseNet, PosePrediction, SceneAnswer
from posenet_ros.models.provenance import file_sha256
from posenet_ros.models.trust import ADDED
from posenet_ros.performance.accuracy import measure_engines
from posenet_ros.performance.images import camera_images
import torch

_LOG = logging.getLogger(__name__)

FORMATS = ('onnx', 'openvino')
HALF = 'half-precision weights'
_CARD = 'export.yaml'
_INFORMATION = (
    'covariance = factor * inverse + diag(added_deviations^2), by `information` of `model` (null: '
    'not measured): x y z in {unit}, turns about them in radians, along and about the axes of the '
    'map; larger in a hole of the map, which this does not tell'
)
_KIND = 'posenet_ros export'
_TOLERANCE_TOLD = 1e-3
# A file with weights in half precision: what it is worth, the errors of the model tell.
_TOLERANCE_HALF = 0.05
_NEEDED = {'onnx': ('onnx', 'onnxscript', 'onnxruntime'), 'openvino': ('openvino',)}
_IMAGES = 3


@dataclass(frozen=True)
class Order:
    """
    What to export, and what to measure first.

    `half` keeps weights in half precision; `pose_only` leaves out the feature that tells how new
    an image is. Errors are measured on the frames of `dataset` and `test_frames`, or those of the
    run that training held out; not at all without `measure`.
    """

    model: Path
    output: Path
    formats: tuple[str, ...] = FORMATS
    half: bool = False
    pose_only: bool = False
    dataset: str | None = None
    test_frames: str | None = None
    measure: bool = True

    def __post_init__(self) -> None:
        """Refuse what cannot be written here, or must not be without having been measured."""
        unknown = set(self.formats) - set(FORMATS)
        if unknown:
            raise ConfigError(f'unknown format {min(unknown)!r}; known are {", ".join(FORMATS)}')
        # OpenVINO reads what was made for ONNX.
        needed = {name for each in ('onnx', *self.formats) for name in _NEEDED[each]}
        missing = sorted(name for name in needed if not importlib.util.find_spec(name))
        if missing:
            raise ConfigError(
                f'exporting needs {", ".join(missing)}: pip install "posenet_ros[engines]"'
            )
        if self.half and not self.measure:
            raise ConfigError('--half is left only where the errors stay: measure them')


@dataclass(frozen=True)
class Exported:
    """The files with their relative differences from the model, and what was measured."""

    folder: Path
    differences: dict[str, float]
    evidence: Evidence | None


def export(order: Order) -> Exported:
    """
    Write the files, whole or not at all, with a card, and what engines do to the model's errors.

    Raises ModelError for a file that does not answer as the model does, or whose errors grow by
    more than two in a hundred; ConfigError where the frames to measure on are missing.
    """
    loaded = load_model(order.model)
    _check_output(order.output)
    plain = without_norms(loaded.model)
    source = rounded(plain) if order.half else plain
    evidence = _measured(order, loaded) if order.measure else None
    if order.half and evidence and not evidence.keeps(HALF):
        raise ModelError(
            f'weights in half precision make errors {100 * evidence.worse(HALF):.0f} % larger, '
            f'and {100 * MOST_WORSE:.0f} % is allowed: export without --half'
        )
    whole = Whole(source, pose_only=order.pose_only).eval()
    size = loaded.card.preprocessing.crop
    differences = {}
    with _replaced(order.output) as folder:
        onnx_path = folder / 'posenet.onnx'
        answer = write_onnx(onnx_path, whole, size)
        if 'onnx' in order.formats:
            differences[onnx_path.name] = _checked(
                onnx_path.name, answer, whole.outputs, loaded, order
            )
        if 'openvino' in order.formats:
            path = folder / 'posenet.xml'
            answer = write_openvino(path, onnx_path, whole)
            differences[path.name] = _checked(path.name, answer, whole.outputs, loaded, order)
        del answer
        if 'onnx' not in order.formats:
            onnx_path.unlink()
        write_yaml(folder / _CARD, _card(order, loaded, whole, folder, differences, evidence))
    return Exported(order.output, differences, evidence)


def _measured(order: Order, loaded: LoadedModel) -> Evidence | None:
    """Measure the model's errors by what computes in half precision, and keep the evidence."""
    capture = find_model_folder(order.model).parent / 'capture'
    if not (order.dataset or capture.is_dir()):
        if order.half:
            raise ConfigError(
                f'--half is left only where the errors stay, and there is no {capture} to measure '
                'them on: give the frames of training, --dataset KIND:DIR'
            )
        return None
    subject = open_subject(order.model, order.dataset, order.test_frames, 'cpu')
    evidence = measure_engines(subject, _networks(subject, half=order.half))
    write_evidence(loaded.folder, evidence)
    return evidence


def _networks(subject: Subject, *, half: bool) -> dict[str, PoseNet]:
    """Return the model by torch's own layers, and by everything in half precision there is."""
    model, preprocessing = subject.loaded.model, subject.loaded.card.preprocessing
    found = {EAGER: model}
    for device in dict.fromkeys(('cpu', choose_device().type)):
        names = [name for name in kinds_of(torch.device(device)) if not KINDS[name].exact]
        for name in names:
            if KINDS[name].missing:
                continue
            try:
                there = model if device == 'cpu' else copy.deepcopy(model).to(device)
                found[name] = make_engine(there, preprocessing, name).model
            except (ConfigError, torch.OutOfMemoryError) as error:
                # What is exported does not need it.
                _LOG.warning('%s is not measured: %s', name, str(error).splitlines()[0])
    return {**found, HALF: rounded(without_norms(model))} if half else found


@torch.inference_mode()
def _checked(
    name: str, answer: Answer, outputs: Sequence[str], loaded: LoadedModel, order: Order
) -> float:
    """Return how far a file's answers are from the model's; raise ModelError where too far."""
    prepare = loaded.card.preprocessing.prepare
    largest = 0.0
    for count in (1, _IMAGES):
        image_B3HW = torch.stack([prepare(rgb) for rgb in camera_images(count)])
        expected, found = loaded.model(image_B3HW), answer(image_B3HW)
        values = dict(zip(outputs, found))
        read = PosePrediction(
            *(values[each] for each in POSE),
            values.get(FEATURE, expected.feature_BK),
            scene=SceneAnswer(*(values[each] for each in SCENE)) if SCENE[0] in values else None,
            information_B66=values.get(INFORMATION),
        )
        largest = max(largest, largest_difference(expected, read, loaded.model))
        if loaded.model.scene is not None:
            _check_told(name, read, loaded.model)
    allowed = _TOLERANCE_HALF if order.half else TOLERANCE
    if not largest <= allowed:
        raise ModelError(
            f'{name} differs from the model by {largest:.1e}, relative, and {allowed:.0e} is '
            'allowed; it is not left'
        )
    return largest


def _check_told(name: str, read: PosePrediction, model: PoseNet) -> None:
    """
    Raise ModelError where a file does not say how surely it tells its poses.

    That is compared with what its own cells tell of them, in units of each axis; the median, since
    of images of nowhere single cells close to the camera decide some.
    """
    expected_B66 = model.information(read)
    size_B6 = expected_B66.diagonal(dim1=1, dim2=2).sqrt()
    apart_B66 = (read.information_B66 - expected_B66) / (size_B6[:, :, None] * size_B6[:, None])
    if not apart_B66.abs().median() <= _TOLERANCE_TOLD:
        raise ModelError(f'{name} does not tell how sure its poses are; it is not left')


def _card(
    order: Order,
    loaded: LoadedModel,
    whole: Whole,
    folder: Path,
    differences: dict[str, float],
    evidence: Evidence | None,
) -> dict[str, Any]:
    """Return what another program has to know to use the files."""
    card = loaded.card
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return {
        'kind': _KIND,
        'input': {
            'image_B3HW': 'float32: RGB scaled and cropped by `preprocessing` (shorter side, then '
            'the centre crop height x width), less mean, over std, of colours from 0 to 1',
            'size': list(card.preprocessing.crop),
        },
        'outputs': {
            name: {
                'position_B3': 'metres in the map' if card.metric else 'units of the map',
                'quaternion_wxyz_B4': 'map_from_camera, w first, of unit length',
                'information_B66': _INFORMATION.format(unit='metres' if card.metric else 'units'),
                'feature_BK': 'what images are compared by: the cosine with training images',
                'start_B3': 'the position from which the pose was searched',
                'start_wxyz_B4': 'the rotation from which the pose was searched',
                'point_BC3': 'the point of the map that each cell of the image shows, row by row',
                'error_BC': 'how many pixels beside its cell that is expected to be seen',
            }[name]
            for name in whole.outputs
        },
        'half': order.half,
        'files': {
            path.name: {'bytes': path.stat().st_size, 'sha256': file_sha256(path)}
            for path in files
        },
        'relative_difference': {name: float(f'{d:.2g}') for name, d in differences.items()},
        'errors': evidence and evidence.to_dict(),
        'model': {
            'weights_sha256': file_sha256(loaded.folder / WEIGHTS),
            'backbone': card.architecture.backbone,
            'map_frame': card.map_frame,
            'preprocessing': card.preprocessing.to_dict(),
            'camera': card.camera and card.camera.to_dict(),
            'covariance': None if card.covariance is None else card.covariance.tolist(),
            'information': _worth(card),
        },
        'made_by': {'posenet_ros': __version__, 'torch': str(torch.__version__)},
    }


def _worth(card: ModelCard) -> dict[str, Any] | None:
    """Return what makes covariances of information; None where that was not measured."""
    if card.cells is None:
        return None
    return {
        'factor': float(card.cells.covariance[0, 0]),
        'added_deviations': ADDED.tolist(),
        'half_reach': card.cells.trust.half_reach,
        'most_reach': card.cells.trust.most_reach,
    }


def _check_output(folder: Path) -> None:
    """Refuse to replace what is no export."""
    if folder.is_dir() and any(folder.iterdir()) and not (folder / _CARD).is_file():
        raise ConfigError(f'--output {folder} holds other files; name a new folder')


@contextmanager
def _replaced(folder: Path) -> Iterator[Path]:
    """Give a folder of another name to write to, which takes the place of `folder` at the end."""
    partial = folder.with_name(f'.{folder.name}.partial')
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
