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

"""Thousands of simulated kidnappings of the logic: how often it is right, late or wrong."""

from posenet_ros.recovery.rehearsal.run import rehearse
from posenet_ros.recovery.rehearsal.scenario import Scenario, SCENARIOS
from posenet_ros.recovery.rehearsal.table import text_table
from posenet_ros.recovery.rehearsal.tally import share, Tally

__all__ = ['SCENARIOS', 'Scenario', 'Tally', 'rehearse', 'share', 'text_table']
