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

"""From a reconstruction to labels: metres, what parts look-alikes, gates, and the files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
import logging
from pathlib import Path

import numpy as np
from posenet_ros.data.capture import Capture, LABELS
from posenet_ros.data.origin import SUMMARY
from posenet_ros.files import write_yaml
from posenet_ros.geometry import Sim3
from posenet_ros.sfm import gates
from posenet_ros.sfm.alignment import align, Alignment
from posenet_ros.sfm.clock import reference_at
from posenet_ros.sfm.figures import summarise
from posenet_ros.sfm.options import LabelOptions
from posenet_ros.sfm.pieces import Misplaced, misplaced_pieces
from posenet_ros.sfm.process import run_stage
from posenet_ros.sfm.reconstruction import Reconstruction
from posenet_ros.sfm.reference import Reference
from posenet_ros.sfm.report import LabelResult, loop_closures, write_label_report
from posenet_ros.sfm.selection import Selection
from posenet_ros.sfm.sources import Sources
from posenet_ros.sfm.summary import LabelSummary
from posenet_ros.sfm.upright import unscaled_map
from posenet_ros.sfm.workspace import Workspace

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Conclusion:
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
