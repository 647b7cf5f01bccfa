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

"""From a recording to a capture with labels: the whole of labelling, stage by stage."""

from __future__ import annotations

import logging
from pathlib import Path

from posenet_ros.data.capture import Capture
from posenet_ros.data.colmap_files import has_model
from posenet_ros.data.origin import SUMMARY
from posenet_ros.data.run import at_work, claim, describe_recording
from posenet_ros.errors import CaptureError
from posenet_ros.files import read_yaml
from posenet_ros.sfm import gates
from posenet_ros.sfm.concluding import Conclusion
from posenet_ros.sfm.options import LabelOptions
from posenet_ros.sfm.reconstructing import choose_frames, reconstruct_frames, restore_parted
from posenet_ros.sfm.sources import Sources
from posenet_ros.sfm.summary import LabelSummary
from posenet_ros.sfm.workspace import Workspace

_LOG = logging.getLogger(__name__)

# Times to map again without matches of places that only look alike.
_PARTINGS = 3

__all__ = ['LabelOptions', 'LabelSummary', 'claim_labelling', 'label_recordings']


def label_recordings(sources: Sources, output: Path, options: LabelOptions) -> LabelSummary:
    """
    Label the images of recordings (see `open_sources`): `output` has `capture` and `sfm` then.

    Several recordings share one map, whose origin is where the first begins. A folder where
    this was begun is continued, one where it is finished is left as it is. Raises BagError for
    a recording that cannot be read, CaptureError for an output folder of another run or with a
    model whose labels would change, and LabellingError, with figures, where poses cannot be
    found or trusted.
    """
    claim_labelling(sources, output, options)
    with at_work(output):
        space = Workspace(output)
        finished = _finished(space, options)
        if finished is not None:
            return finished
        _check_no_model(output)
        restore_parted(space, options)
        selection = choose_frames(space, sources, options)
        gates.check_selection(selection)

        def mapped() -> Conclusion:
            found = reconstruct_frames(space, selection, sources.camera, options.mapper)
            gates.check_share(found)
            return Conclusion(sources, options, space, selection, found)

        conclusion = mapped()
        for _ in range(_PARTINGS):
            if not conclusion.part_lookalikes():
                break
            conclusion = mapped()
        return conclusion.finish()


def claim_labelling(sources: Sources, output: Path, options: LabelOptions) -> None:
    """
    Make an output folder that of labelling these recordings, or continue it (see `run.claim`).

    What binds the folder is what the images depend on: the rest may change between runs, and
    only what depends on it is done again.
    """
    sampling = {
        'recordings': len(sources.each),
        'image_topic': sources.each[0].topic,
        'rate_hz': options.rate_hz,
        'min_translation_m': options.min_translation_m,
        'min_rotation_deg': options.min_rotation_deg,
    }
    names = ['recording', *(f'recording_{2 + k}' for k in range(len(sources.each) - 1))]
    recordings = {
        name: describe_recording(source.path)
        for name, source in zip(names, sources.each, strict=True)
    }
    claim(output, **recordings, label=sampling)


def _finished(space: Workspace, options: LabelOptions) -> LabelSummary | None:
    """Return the summary of a capture that is whole and was made with the same options."""
    path = space.capture / SUMMARY
    if not path.exists() or not has_model(space.sfm):
        return None
    try:
        values = read_yaml(path, CaptureError)
        if values.get('options') != options.to_dict():
            return None
        Capture.open(space.capture)
        return LabelSummary.from_dict(values)
    except CaptureError as error:
        _LOG.warning('%s: what is missing is made again', error)
        return None


def _check_no_model(output: Path) -> None:
    """Refuse to change labels that a model beside them was trained on."""
    if (output / 'model').is_dir():
        raise CaptureError(
            f'{output} has a model that was trained on its labels, and these would change; '
            f'choose another --output, or remove {output / "model"} first'
        )
