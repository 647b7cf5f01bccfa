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

from __future__ import annotations

from pathlib import Path

from posenet_ros.errors import ConfigError
from posenet_ros.nodes.parameters import PARAMETERS, Parameters
import pytest
import rclpy
from rclpy.parameter import Parameter
import yaml

CONFIG = Path(__file__).parents[2] / 'config' / 'relocalize.yaml'


class Holder:
    """A node with our parameters on it."""

    def __init__(self, **overrides):
        self.configurable = True
        self.node = rclpy.create_node(
            'holder', parameter_overrides=[Parameter(k, value=v) for k, v in overrides.items()]
        )
        self.parameters = Parameters(self.node, lambda: self.configurable)

    def change(self, name, value):
        (result,) = self.node.set_parameters([Parameter(name, value=value)])
        return result


@pytest.fixture
def hold(ros):
    holders = []

    def make(**overrides):
        holders.append(Holder(**overrides))
        return holders[-1]

    yield make
    for holder in holders:
        holder.node.destroy_node()


def test_defaults(hold):
    holder = hold()
    for name, specification in PARAMETERS.items():
        assert holder.parameters[name] == specification.default


def test_every_parameter_says_what_it_means_and_when_it_is_read(hold):
    holder = hold()
    for name in PARAMETERS:
        descriptor = holder.node.describe_parameter(name)
        assert len(descriptor.description) > 20
        assert descriptor.additional_constraints.startswith('Read at ')


@pytest.mark.parametrize(
    ('name', 'value', 'reason'),
    [
        ('image_transport', 'theora', 'raw, compressed'),
        ('refine', 'on', 'auto, off'),
        ('refine', True, 'auto, off'),
        ('refine', [1, 2], 'auto, off'),
        ('publish_tf', 'base', 'camera, odom, none'),
        ('recovery', 'on', 'off, advise, act'),
        ('map_from_model', '1 2 3', 'six numbers'),
        ('map_from_model', '1 2 3 0 0 nan', 'finite'),
        ('odom_frame', '/odom', 'leading slash'),
        ('device', 'gpu', 'cuda:N'),
        ('camera_frame', '/camera', 'leading slash'),
        ('camera_frame', '', 'frame name'),
        ('map_frame', '/map', 'leading slash'),
        ('base_frame', '/base_link', 'leading slash'),
        ('base_frame', 'base link', 'frame name'),
        ('silence_timeout', 0.0, '0.1'),
        ('camera_tolerance', -1.0, 'range'),
        ('camera_guard', 'off', 'refuse, warn'),
        ('trail_length', 10001, '10000'),
        ('trail_length', 'long', 'type'),
    ],
)
def test_a_bad_value_is_refused_with_the_reason_now_and_at_the_start(
    hold, refused, name, value, reason
):
    holder = hold()
    result = holder.change(name, value)
    assert not result.successful
    assert reason in result.reason
    assert holder.parameters[name] == PARAMETERS[name].default
    with refused(ConfigError, name, reason):
        hold(**{name: value})


def test_what_is_live_changes_at_any_time_and_the_rest_only_before_configure(hold):
    holder = hold()
    assert holder.change('device', 'cuda:1').successful
    holder.configurable = False
    result = holder.change('device', 'cpu')
    assert not result.successful
    assert 'cleanup' in result.reason
    assert holder.parameters['device'] == 'cuda:1'
    assert holder.change('silence_timeout', 2.0).successful
    assert holder.parameters['silence_timeout'] == 2.0


def test_off_without_quotes_is_off_although_yaml_takes_it_for_a_truth_value(hold):
    assert hold(refine=False).parameters['refine'] == 'off'
    holder = hold()
    assert holder.change('refine', False).successful
    assert holder.parameters['refine'] == 'off'
    assert holder.change('refine', 'auto').successful
    assert holder.parameters['refine'] == 'auto'


def test_what_is_fixed_never_changes(hold):
    holder = hold(autostart=False)
    assert not holder.change('autostart', True).successful
    assert holder.parameters['autostart'] is False


def test_parameters_that_are_not_ours_pass(hold):
    assert hold().change('use_sim_time', True).successful


def test_the_configuration_file_has_every_parameter_with_its_default():
    (section,) = yaml.safe_load(CONFIG.read_text()).values()
    written = section['ros__parameters']
    assert written.pop('use_sim_time') is False
    assert written == {name: each.default for name, each in PARAMETERS.items()}


def test_the_configuration_file_comments_every_parameter_and_says_when_it_is_read():
    lines = [line.strip() for line in CONFIG.read_text().splitlines()]
    for name, each in PARAMETERS.items():
        (index,) = [i for i, line in enumerate(lines) if line.startswith(f'{name}:')]
        assert lines[index - 1].startswith('#')
        when = 'live' if each.live else 'start' if each.fixed else 'configure'
        when += ', background' if each.exchanged else ''
        assert lines[index - 1].endswith(f'({when})')


def test_what_is_exchanged_in_the_background_changes_at_any_time_and_setting_it_is_counted(hold):
    holder = hold(model='one')
    holder.configurable = False
    before = holder.parameters.times_set('model')
    assert holder.change('model', 'other').successful
    assert holder.parameters['model'] == 'other'
    assert holder.change('model', 'other').successful
    assert holder.parameters.times_set('model') == before + 2
    assert not holder.change('model', 3).successful
    assert holder.parameters['model'] == 'other'
