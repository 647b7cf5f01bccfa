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

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
import logging
import math
from pathlib import Path
import shutil
from typing import Any

import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.capture import Capture, Rejected
from posenet_ros.data.images import encode_jpeg
from posenet_ros.data.run import at_work, claim, describe_recording
from posenet_ros.errors import CaptureError, LabellingError
from posenet_ros.files import read_yaml, write_yaml
from posenet_ros.geometry import Camera, NS_PER_S, Sim3, Trajectory
from posenet_ros.sfm import gates
from posenet_ros.sfm.alignment import align, Alignment
from posenet_ros.sfm.cameras import colmap_camera
from posenet_ros.sfm.clock import reference_at
from posenet_ros.sfm.options import LabelOptions
from posenet_ros.sfm.pieces import Misplaced, misplaced_pieces
from posenet_ros.sfm.process import run_stage
from posenet_ros.sfm.reconstruction import keep, Reconstruction
from posenet_ros.sfm.reference import Reference
from posenet_ros.sfm.report import LabelResult, write_label_report
from posenet_ros.sfm.selection import select_frames, Selection
from posenet_ros.sfm.sources import Sources
from posenet_ros.sfm.standing import StandStill
from posenet_ros.sfm.summary import LabelSummary, MetricSummary, ModelSummary
from posenet_ros.sfm.upright import unscaled_map
from posenet_ros.sfm.workspace import has_model, Workspace
from tqdm import tqdm

_LOG = logging.getLogger(__name__)

SUMMARY = 'summary.yaml'
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


def _selected(space: Workspace, sources: Sources, options: LabelOptions) -> Selection:
    if space.is_done('selection'):
        return space.read_selection()
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
        space.write_selection(selection)
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
            keep(space.found, result)
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
        if self.reference is None:
            return False
        anchored = self.options.anchor_frame is not None
        sfm = self.found.sfm_from_camera
        alignment = align(sfm, self.reference.odom_from_camera, anchored=anchored)
        if not gates.moves_as_told(alignment):
            return False
        names = [self.space.image_name(int(stamp_ns)) for stamp_ns in sfm.stamps_ns]
        expected = {
            names[index]: {'place': place.tolist(), 'metres': float(metres)}
            for piece in self._misplaced(alignment)
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

        if part(only_count=True) == 0:
            return False
        # Before the matches go: a run that is killed in between maps again too.
        self.space.forget('mapping')
        parted = part(only_count=False)
        _LOG.warning(
            '%d frames were mapped at a place that only looks alike: %d pairs of frames are '
            'taken apart, and the map is made again',
            len(expected),
            parted,
        )
        return True

    def finish(self) -> LabelSummary:
        """Align, check, write the capture and the model, and return the summary."""
        alignment = self._aligned()
        placed = unscaled_map(self.found.sfm_from_camera)
        if alignment is not None:
            placed = alignment.map_from_sfm
        name = '' if self.reference is None else self.reference.name
        misplaced = self._misplaced(alignment)
        labelled, rejected = gates.reject_frames(self.found, alignment, name, misplaced)
        gates.check_left(labelled, rejected)
        labels = placed.apply_to(self.found.sfm_from_camera).select(labelled)
        # A summary speaks of the labels and the model beside it: an older one goes first.
        (self.space.capture / SUMMARY).unlink(missing_ok=True)
        self._place(placed)
        Capture.create(
            self.space.capture, camera=self.found.camera, labels=labels, rejected=rejected
        )
        summary = self._summary(labels, rejected, alignment)
        write_label_report(
            self.space,
            summary,
            LabelResult(
                chosen_ns=self.selection.stamps_ns,
                found=self.found,
                placed=placed,
                labels=labels,
                rejected=rejected,
                reference=self.reference,
                alignment=alignment,
            ),
        )
        write_yaml(self.space.capture / SUMMARY, summary.to_dict())
        return summary

    def _aligned(self) -> Alignment | None:
        if self.reference is None:
            return None
        reference = self.reference.odom_from_camera
        anchored = self.options.anchor_frame is not None
        alignment = align(self.found.sfm_from_camera, reference, anchored=anchored)
        gates.check_trust(self.found, reference, alignment, self.reference.name)
        return alignment

    def _misplaced(self, alignment: Alignment | None) -> list[Misplaced]:
        """Return what does not lie where the reference leads, by indices of all frames."""
        if alignment is None or self.reference is None:
            return []
        camera = alignment.map_from_camera.select(alignment.checked)
        path = self.reference.odom_from_camera
        told = reference_at(camera.stamps_ns, path, alignment.offset_s)
        found = misplaced_pieces(
            camera,
            told,
            path,
            self.found.points_shared[alignment.checked],
            drift_rad_per_m=float(np.linalg.norm(alignment.agreement.drift)),
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

    def _summary(
        self, labels: Trajectory, rejected: list[Rejected], alignment: Alignment | None
    ) -> LabelSummary:
        source_of = np.array([self.sources.index_of(int(each)) for each in labels.stamps_ns])
        steps = np.linalg.norm(np.diff(labels.translations, axis=0), axis=1)
        gap_s, gap_from = max(
            gates.longest_gap(labels.stamps_ns[source_of == index].tolist(), chosen_ns)
            for index, chosen_ns in self._chosen().items()
        )
        known = self.sources.camera
        kinds = Counter(gates.reason_kind(each.reason) for each in rejected)
        return LabelSummary(
            recording=self.sources.name,
            recordings=self._by_recording(labels),
            options=self.options.to_dict(),
            images=self.selection.seen,
            damaged=self.selection.damaged,
            still=self.selection.still,
            frames=len(self.selection.stamps_ns),
            labelled=len(labels),
            rejected=dict(kinds.most_common()),
            longest_gap_s=round(gap_s, 3),
            longest_gap_from=gap_from,
            misplaced=sum(gates.is_misplaced(each.reason) for each in rejected),
            mapper=self.found.mapper,
            models=[_described(model) for model in self.found.models],
            points=self.found.points,
            mean_error_px=self.found.mean_error_px,
            mean_track_length=self.found.mean_track_length,
            focal_px=self.found.camera.fx,
            known_focal_px=None if known is None else known.fx,
            path_m=float(steps[np.diff(source_of) == 0].sum()),
            extent_m=np.ptp(labels.translations, axis=0).tolist(),
            metric=self._metric(alignment),
            stage_s=self.space.stage_times(),
        )

    def _by_recording(self, labels: Trajectory) -> dict[str, list[int]]:
        """Return labelled and chosen frames by the name of the recording."""
        labelled = Counter(self.sources.index_of(int(each)) for each in labels.stamps_ns)
        return {
            str(self.sources.each[index].path): [labelled[index], len(chosen)]
            for index, chosen in self._chosen().items()
        }

    def _chosen(self) -> dict[int, list[int]]:
        """Return the stamps of the chosen frames by the index of their recording."""
        chosen: dict[int, list[int]] = {}
        for stamp_ns in self.selection.stamps_ns:
            chosen.setdefault(self.sources.index_of(stamp_ns), []).append(stamp_ns)
        return chosen

    def _second(self, alignment: Alignment) -> dict[str, Any]:
        """Return what a second reference says of the metres of the first."""
        second = self.sources.second
        if second is None:
            return {}
        try:
            other = align(self.found.sfm_from_camera, second.odom_from_camera).scale.scale
        except LabellingError as error:
            _LOG.warning('%s cannot be compared: %s', second.name, error)
            return {}
        return {'second': second.name, 'second_scale': other / alignment.scale.scale}

    def _metric(self, alignment: Alignment | None) -> MetricSummary | None:
        if alignment is None or self.reference is None:
            return None
        return MetricSummary(
            reference=self.reference.name,
            scale=alignment.scale.scale,
            scale_error=alignment.scale.standard_error,
            scale_assumed=self.reference.scale_error,
            scale_spread=alignment.scale.spread,
            checked=alignment.checked_share,
            agreement=alignment.agreement.share,
            compared=alignment.agreement.windows,
            median_difference_m=alignment.agreement.median_metres,
            median_difference_deg=alignment.agreement.median_degrees,
            drift_deg_per_m=float(np.degrees(np.linalg.norm(alignment.agreement.drift))),
            up_spread_deg=float(np.degrees(alignment.up_spread_rad)),
            clock_offset_s=alignment.offset_s,
            lever_arm_error_m=float(np.linalg.norm(alignment.scale.lever_arm)),
            mount_error_deg=float(np.degrees(alignment.mount_off_rad)),
            frame=self.options.anchor_frame,
            anchor=None if alignment.anchor is None else asdict(alignment.anchor),
            **self._second(alignment),
        )


def _mapped_by(space: Workspace, mapper: str) -> bool:
    """Tell whether the map that is there was made by the mapper that is asked for."""
    return mapper in ('auto', space.read_reconstruction().mapper)


def _described(model: Sequence[int]) -> ModelSummary:
    """Return how many frames a model has, and from when to when they are."""
    return ModelSummary(len(model), min(model) / NS_PER_S, max(model) / NS_PER_S)
