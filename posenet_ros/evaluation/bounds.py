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

"""What a count of rare events allows to say of how rare they are."""

from __future__ import annotations

from scipy.stats import beta

# How sure one may be of a bound.
SURE = 0.95


def at_most(count: int, trials: int) -> float:
    """
    Return the share below which the chance of an event lies, with 95 % confidence.

    It came `count` times in so many independent `trials`. The one-sided bound of Clopper and
    Pearson (Biometrika 26, 1934): were the chance larger, so few events would come in less than
    5 % of all series. Of n trials with none it is about 3 / n; of no trial it is 1.
    """
    return float(beta.ppf(SURE, count + 1, trials - count)) if count < trials else 1.0


def told(count: int, trials: int) -> str:
    """Return the bound for a person, who has read the count."""
    percent = 100 * at_most(count, trials)
    return (
        f'at most {percent:.{3 if percent >= 99.5 else 2}g} % with {100 * SURE:.0f} % confidence'
    )
