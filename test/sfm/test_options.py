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

"""The options of labelling."""

import argparse

import numpy as np
from numpy.testing import assert_allclose
from posenet_ros.cli.label import add_label_arguments, default_output, label_options
from posenet_ros.errors import ConfigError
from posenet_ros.sfm.options import LabelOptions
import pytest


def parsed(*words):
    parser = argparse.ArgumentParser()
    add_label_arguments(parser)
    return label_options(parser.parse_args(words))


def test_the_defaults_of_the_command_are_those_of_the_options():
    assert parsed() == LabelOptions()


def test_every_option_arrives():
    words = '--image-topic /a --rate 6 --reference odom --odom-topic /o --allow-unscaled'
    mount = ['--base-from-camera', '1', '2', '3', '-1.5', '0', '-1.5']
    assert parsed(*words.split(), *mount) == LabelOptions(
        image_topic='/a',
        rate_hz=6.0,
        reference='odom',
        odom_topic='/o',
        base_from_camera=(1, 2, 3, -1.5, 0, -1.5),
        allow_unscaled=True,
    )


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        ({'rate_hz': 0.0}, 'rate must be .* got 0.0'),
        ({'rate_hz': float('nan')}, 'rate'),
        ({'reference': 'gps'}, "auto, odom, tf, none or tf:FRAME, got 'gps'"),
        ({'reference': 'tf:map', 'odom_topic': '/o'}, 'contradict each other'),
        ({'base_from_camera': (1, 2, 3)}, 'six finite numbers'),
        ({'base_from_camera': (1, 2, 3, 0, 0, float('inf'))}, 'six finite numbers'),
    ],
)
def test_values_that_cannot_be_are_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        LabelOptions(**values)


def test_the_mounting_given_by_hand_looks_ahead(mount):
    half = np.pi / 2
    options = LabelOptions(base_from_camera=(0.2, 0.05, 0.4, -half, 0, -half))
    found = options.mount('base', 'camera')
    assert_allclose(found.matrix(), mount.matrix(), atol=1e-12)
    assert_allclose(found.rotation.apply([0, 0, 1]), [1, 0, 0], atol=1e-12)
    assert LabelOptions().mount('base', 'camera') is None


def test_options_are_plain_values():
    values = LabelOptions(base_from_camera=(1, 2, 3, 0, 0, 0)).to_dict()
    assert values['base_from_camera'] == [1, 2, 3, 0, 0, 0]
    assert LabelOptions(**values) == LabelOptions(base_from_camera=(1, 2, 3, 0, 0, 0))


def test_the_output_is_named_after_the_recording(tmp_path):
    assert str(default_output(tmp_path / 'run1')) == 'run1_posenet'
    assert str(default_output(tmp_path / 'old.bag')) == 'old_posenet'
