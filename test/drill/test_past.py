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

"""Where the robot was at a stamp."""

from __future__ import annotations


def test_the_moment_nearest_to_a_stamp_is_found(past):
    assert past.at(20_000_000).truth.x == 0.02
    assert past.at(1_009_000_000).truth.x == 1.0
    assert past.at(1_011_000_000).truth.x == 1.02


def test_beyond_either_end_it_is_the_last_one_known(past):
    assert past.at(-5).truth.x == 0
    assert past.at(10**12) == past.now
    assert past.now.truth.x == 2.0
