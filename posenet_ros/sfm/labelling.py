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

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
import logging
import math
from pathlib import Path
import shutil

import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.capture import Capture, LABELS
from posenet_ros.data.images import encode_jpeg
from posenet_ros.data.origin import SUMMARY
from posenet_ros.data.run import at_work, claim, describe_recording
from posenet_ros.errors import CaptureError
from posenet_ros.files import read_yaml, write_yaml
from posenet_ros.geometry import Camera, Sim3
from posenet_ros.sfm import gates
from posenet_ros.sfm.alignment import align, Alignment
from posenet_ros.sfm.cameras import colmap_camera
from posenet_ros.sfm.clock import reference_at
from posenet_ros.sfm.figures import summarise
from posenet_ros.sfm.options import LabelOptions
from posenet_ros.sfm.pieces import Misplaced, misplaced_pieces
from posenet_ros.sfm.process import run_stage
from posenet_ros.sfm.reconstruction import keep, kept, Reconstruction
from posenet_ros.sfm.reference import Reference
from posenet_ros.sfm.report import LabelResult, loop_closures, write_label_report
from posenet_ros.sfm.selection import select_frames, Selection
from posenet_ros.sfm.sources import Sources
from posenet_ros.sfm.standing import StandStill
from posenet_ros.sfm.summary import LabelSummary
from posenet_ros.sfm.upright import unscaled_map
from posenet_ros.sfm.workspace import has_model, Workspace
from tqdm import tqdm

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
        _restore_parted(space, options)
        selection = _selected(space, sources, options)
        gates.check_selection(selection)
        for _ in range(_PARTINGS):
            found = _reconstructed(space, selection, sources.camera, options.mapper)
            gates.check_share(found)
            labelling = _Labelling(sources, options, space, selection, found)
            if not labelling.part_lookalikes():
                break
        return labelling.finish()


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


def _restore_parted(space: Workspace, options: LabelOptions) -> None:
    """Have matches verified again that were taken out because another reference said so."""
    if not space.parted.exists():
        return
    if read_yaml(space.parted, CaptureError).get('by') != options.told_by:
        # What was matched is still there; verifying what lacks its geometry restores it.
        space.forget('matching')
        space.parted.unlink()


def _selected(space: Workspace, sources: Sources, options: LabelOptions) -> Selection:
    """Choose the frames, or return those that were chosen by the same reference."""
    before, times = None, space.stage_times()
    if space.is_done('selection'):
        before = space.read_selection()
        if space.selected_by() == options.told_by:
            return before
    # What a killed run chose is chosen again: it may have ended in the middle of an interval.
    shutil.rmtree(space.images, ignore_errors=True)
    space.images.mkdir(parents=True)
    space.sfm.mkdir(exist_ok=True)

    def keep_image(stamp_ns: int, rgb: NDArray[np.uint8]) -> None:
        encode_jpeg(space.images / space.image_name(stamp_ns), rgb)

    with (
        space.stage('selection'),
        tqdm(
            sources.images(), desc='choosing frames', total=sources.count, unit='image'
        ) as images,
    ):
        selection = select_frames(
            images, rate_hz=options.rate_hz, keep=keep_image, stood=_standing(sources, options)
        )
        space.write_selection(selection, options.told_by)
    if selection == before:
        space.restore(times)
    else:
        space.remove_database()
    return selection


def _standing(sources: Sources, options: LabelOptions) -> Callable[[int, int], bool]:
    """Return what tells whether the robot hardly moved between two frames."""
    reference = sources.reference
    if reference is None:
        return lambda before_ns, now_ns: False
    return StandStill(
        reference.odom_from_camera,
        metres=options.min_translation_m,
        radians=math.radians(options.min_rotation_deg),
    ).between


def _reconstructed(
    space: Workspace, selection: Selection, known: Camera | None, mapper: str
) -> Reconstruction:
    """Run the stages that are not done yet."""
    names = [space.image_name(stamp_ns) for stamp_ns in selection.stamps_ns]
    camera = colmap_camera(known, selection.width, selection.height)
    database, images = str(space.database), str(space.images)
    if not space.is_done('features'):
        with space.stage('features'):
            run_stage(
                'features',
                log=space.log,
                title='finding features',
                unit='frame',
                database=database,
                images=images,
                names=names,
                camera=camera,
            )
    if not space.is_done('matching'):
        with space.stage('matching'):
            run_stage(
                'matching',
                log=space.log,
                title='matching frames',
                unit='pair',
                database=database,
                names=names,
                work=str(space.sfm),
            )
    if not space.is_done('mapping') or not _mapped_by(space, mapper):
        with space.stage('mapping'):
            result = run_stage(
                'mapping',
                log=space.log,
                title='mapping frames',
                unit='frame',
                database=database,
                images=images,
                names=names,
                camera=camera,
                model=str(space.unaligned),
                mapper=mapper,
            )
            keep(space.found, {**result, 'asked': mapper})
    return space.read_reconstruction()


@dataclass(frozen=True, eq=False)
class _Labelling:
    """What comes after the reconstruction: metres, gates, and the files."""

    sources: Sources
    options: LabelOptions
    space: Workspace
    selection: Selection
    found: Reconstruction

    @cached_property
    def reference(self) -> Reference | None:
        """What the metres come from."""
        return self.sources.reference

    def part_lookalikes(self) -> bool:
        """
        Take matches of places that only look alike out of the database.

        Returns whether there were any: then it is time to map again.
        """
        alignment = self.alignment
        if alignment is None or not gates.moves_as_told(alignment):
            return False
        sfm = self.found.sfm_from_camera
        names = [self.space.image_name(int(stamp_ns)) for stamp_ns in sfm.stamps_ns]
        expected = {
            names[index]: {'place': place.tolist(), 'metres': float(metres)}
            for piece in self._misplaced()
            for index, place, metres in zip(piece.frames, piece.expected, piece.reach, strict=True)
        }
        if not expected:
            return False
        places = dict(zip(names, alignment.map_from_camera.translations.tolist(), strict=True))

        def part(only_count: bool) -> int:
            return run_stage(
                'parting',
                log=self.space.log,
                title='parting look-alikes',
                unit='pair',
                database=str(self.space.database),
                seen=places,
                expected=expected,
                only_count=only_count,
            )

        false = part(only_count=True)
        if false == 0:
            return False
        # Before the matches go: a run that is killed in between maps again too.
        self.space.forget('mapping')
        pairs = self.space.parted_pairs() + false
        write_yaml(self.space.parted, {'by': self.options.told_by, 'pairs': pairs})
        part(only_count=False)
        _LOG.warning(
            '%d frames were mapped at a place that only looks alike: %d pairs of frames are '
            'taken apart, and the map is made again',
            len(expected),
            false,
        )
        return True

    def finish(self) -> LabelSummary:
        """Check, write the capture, the model and the page, and return the summary."""
        alignment, name = self.alignment, ''
        placed = unscaled_map(self.found.sfm_from_camera)
        if alignment is not None and self.reference is not None:
            placed, name = alignment.map_from_sfm, self.reference.name
            gates.check_trust(self.found, self.reference.odom_from_camera, alignment, name)
        labelled, rejected = gates.reject_frames(self.found, alignment, name, self._misplaced())
        gates.check_left(labelled, rejected)
        labels = placed.apply_to(self.found.sfm_from_camera).select(labelled)
        # A summary speaks of the labels and the model beside it: older ones go first.
        for stale in (SUMMARY, LABELS):
            (self.space.capture / stale).unlink(missing_ok=True)
        self._place(placed)
        Capture.create(
            self.space.capture, camera=self.found.camera, labels=labels, rejected=rejected
        )
        result = LabelResult(
            chosen_ns=self.selection.stamps_ns,
            found=self.found,
            placed=placed,
            labels=labels,
            rejected=rejected,
            reference=self.reference,
            alignment=alignment,
            grid=self.sources.grid,
            loops=loop_closures(self.space),
        )
        summary = summarise(
            self.sources,
            self.options,
            self.selection,
            result,
            stage_s=self.space.stage_times(),
            parted=self.space.parted_pairs(),
        )
        write_label_report(self.space, summary, result)
        write_yaml(self.space.capture / SUMMARY, summary.to_dict())
        return summary

    @cached_property
    def alignment(self) -> Alignment | None:
        """The reconstruction in the map, None without a reference; not yet checked."""
        if self.reference is None:
            return None
        return align(
            self.found.sfm_from_camera,
            self.reference.odom_from_camera,
            anchored=self.options.anchor_frame is not None,
        )

    def _misplaced(self) -> list[Misplaced]:
        """Return what does not lie where the reference leads, by indices of all frames."""
        alignment = self.alignment
        if alignment is None or self.reference is None:
            return []
        camera = alignment.map_from_camera.select(alignment.checked)
        path = self.reference.odom_from_camera
        told = reference_at(camera.stamps_ns, path, alignment.offset_s)
        found = misplaced_pieces(
            camera,
            told,
            path,
            # Where frames between two are not checked, the least that holds any of them.
            np.minimum.reduceat(
                self.found.points_shared, np.append(0, alignment.checked[:-1] + 1)
            ),
            drift_rad_per_m=float(np.linalg.norm(alignment.agreement.drift)),
            restarts_ns=self.sources.restarts_ns,
        )
        return [replace(piece, frames=alignment.checked[piece.frames]) for piece in found]

    def _place(self, placed: Sim3) -> None:
        run_stage(
            'placing',
            log=self.space.log,
            title='writing the map',
            unit='model',
            model=str(self.space.unaligned),
            output=str(self.space.sfm),
            scale=placed.scale,
            rotation=placed.rotation.as_matrix().tolist(),
            translation=placed.translation.tolist(),
        )
        # COLMAP's tools look for the images beside the model.
        link = self.space.sfm / 'images'
        if not link.is_symlink():
            link.symlink_to(Path('..') / 'capture' / 'images')


def _mapped_by(space: Workspace, mapper: str) -> bool:
    """Tell whether the mapper that is asked for would make the map that is there."""
    values = kept(space.found)
    asked = values.get('asked')
    return asked == mapper or (asked == 'auto' and values.get('mapper') == mapper)
