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

"""Why a frame is not in the reconstruction."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from posenet_ros.sfm.database import features_and_matches

_FEW_FEATURES = 100


def reasons_for_dropping(
    database: str,
    names: Sequence[str],
    registered: Collection[str],
    elsewhere: Sequence[Collection[str]],
) -> dict[str, str]:
    """
    Return a reason, with its number, for each of `names` that is not registered.

    `elsewhere` are the frames of the other models, the larger ones first.
    """
    features, matches = features_and_matches(database)
    other = {name: model for model in reversed(elsewhere) for name in model}
    reasons = {}
    for name in names:
        if name in registered:
            continue
        if name in other:
            reasons[name] = f'in a separate model of {len(other[name])} frames'
        elif features.get(name, 0) < _FEW_FEATURES:
            reasons[name] = f'blurred, dark or blank: only {features.get(name, 0)} features'
        elif not matches.get(name):
            reasons[name] = 'matches no other frame'
        else:
            linked = [count for mate, count in matches[name].items() if mate in registered]
            reasons[name] = f'too few matches with the map: {max(linked, default=0)} at best'
    return reasons
