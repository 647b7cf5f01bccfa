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

"""Where the labels of a capture come from, as the summary beside them tells."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from posenet_ros.errors import CaptureError
from posenet_ros.files import read_yaml

SUMMARY = 'summary.yaml'
_ORIGIN = ('reference', 'frame', 'localizer_map')


def is_metric(capture: Path) -> bool:
    """
    Tell whether the labels of a capture are in metres, as its summary says.

    The summaries of labelling and of importing have `metric`, which is nothing or false for
    units of their own; labels that come without a summary are taken for metres.
    """
    return bool(_read(capture).get('metric', True))


def label_origin(capture: Path) -> dict[str, Any]:
    """
    Return what the labels of a capture were referred to, empty where that is not known.

    `reference` measured the metres; `frame` is the localizer's frame that the labels are in,
    None for a map of their own; `localizer_map` is that map (see OccupancyGrid.identity), None
    where it was not recorded.
    """
    metric = _read(capture).get('metric')
    if not isinstance(metric, Mapping):
        return {}
    return {key: metric.get(key) for key in _ORIGIN}


def _read(capture: Path) -> dict[str, Any]:
    path = capture / SUMMARY
    return read_yaml(path, CaptureError) if path.exists() else {}
