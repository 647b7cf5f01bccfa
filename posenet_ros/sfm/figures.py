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

"""The figures of a labelling, gathered for its summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
import logging
from typing import Any

import numpy as np
from posenet_ros.errors import LabellingError
from posenet_ros.geometry import NS_PER_S
from posenet_ros.sfm import gates
from posenet_ros.sfm.alignment import align, Alignment
from posenet_ros.sfm.options import LabelOptions
from posenet_ros.sfm.report import LabelResult
from posenet_ros.sfm.selection import Selection
from posenet_ros.sfm.sources import Sources
from posenet_ros.sfm.summary import LabelSummary, MetricSummary, ModelSummary

_LOG = logging.getLogger(__name__)


def summarise(
    sources: Sources,
    options: LabelOptions,
    selection: Selection,
    result: LabelResult,
    *,
    stage_s: Mapping[str, float],
    parted: int,
) -> LabelSummary:
    """
    Return the summary of what was labelled.

    `stage_s` are the seconds of each stage, `parted` counts pairs of frames that only look alike.
    """
    labels, found, known = result.labels, result.found, sources.camera
    source_of = np.array([sources.index_of(int(each)) for each in labels.stamps_ns])
    steps = np.linalg.norm(np.diff(labels.translations, axis=0), axis=1)
    chosen = _by_recording(sources, selection.stamps_ns)
    labelled = _by_recording(sources, labels.stamps_ns.tolist())
    gap_s, gap_from = max(
        gates.longest_gap(labelled.get(index, []), stamps_ns)
        for index, stamps_ns in chosen.items()
    )
    kinds = Counter(gates.reason_kind(each.reason) for each in result.rejected)
    return LabelSummary(
        recording=sources.name,
        recordings={
            str(sources.each[index].path): [len(labelled.get(index, [])), len(stamps_ns)]
            for index, stamps_ns in chosen.items()
        },
        options=options.to_dict(),
        images=selection.seen,
        damaged=selection.damaged,
        still=selection.still,
        frames=len(selection.stamps_ns),
        labelled=len(labels),
        rejected=dict(kinds.most_common()),
        longest_gap_s=round(gap_s, 3),
        longest_gap_from=gap_from,
        misplaced=sum(gates.is_misplaced(each.reason) for each in result.rejected),
        parted=parted,
        seen_again=result.seen_again,
        mapper=found.mapper,
        models=[
            ModelSummary(len(model), min(model) / NS_PER_S, max(model) / NS_PER_S)
            for model in found.models
        ],
        points=found.points,
        mean_error_px=found.mean_error_px,
        mean_track_length=found.mean_track_length,
        focal_px=found.camera.fx,
        known_focal_px=None if known is None else known.fx,
        path_m=float(steps[np.diff(source_of) == 0].sum()),
        extent_m=np.ptp(labels.translations, axis=0).tolist(),
        metric=_metric(sources, options, result),
        stage_s=stage_s,
    )


def _by_recording(sources: Sources, stamps_ns: Sequence[int]) -> dict[int, list[int]]:
    """Return stamps by the index of their recording."""
    found: dict[int, list[int]] = {}
    for stamp_ns in stamps_ns:
        found.setdefault(sources.index_of(stamp_ns), []).append(stamp_ns)
    return found


def _metric(sources: Sources, options: LabelOptions, result: LabelResult) -> MetricSummary | None:
    alignment, reference = result.alignment, result.reference
    if alignment is None or reference is None:
        return None
    return MetricSummary(
        reference=reference.name,
        scale=alignment.map_from_sfm.scale,
        scale_by_motions=alignment.scale.scale,
        scale_error=alignment.scale.standard_error,
        scale_assumed=reference.scale_error,
        scale_spread=alignment.scale.spread,
        checked=alignment.checked_share,
        agreement=alignment.agreement.share,
        compared=alignment.agreement.windows,
        median_difference_m=alignment.agreement.median_metres,
        median_difference_deg=alignment.agreement.median_degrees,
        drift_deg_per_m=float(np.degrees(np.linalg.norm(alignment.agreement.drift))),
        up_spread_deg=float(np.degrees(alignment.up_spread_rad)),
        tilt_deg=float(np.degrees(alignment.tilt_rad)),
        clock_offset_s=alignment.offset_s,
        lever_arm_error_m=float(np.linalg.norm(alignment.scale.lever_arm)),
        mount_error_deg=float(np.degrees(alignment.mount_off_rad)),
        frame=options.anchor_frame,
        anchor=None if alignment.anchor is None else asdict(alignment.anchor),
        localizer_map=None if sources.grid is None else sources.grid.identity,
        **_second(sources, result, alignment),
    )


def _second(sources: Sources, result: LabelResult, alignment: Alignment) -> dict[str, Any]:
    """Return what a second reference says of the metres of the first."""
    second = sources.second
    if second is None:
        return {}
    try:
        other = align(result.found.sfm_from_camera, second.odom_from_camera).scale.scale
    except LabellingError as error:
        _LOG.warning('%s cannot be compared: %s', second.name, error)
        return {}
    return {'second': second.name, 'second_scale': other / alignment.map_from_sfm.scale}
