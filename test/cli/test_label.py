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

"""The options of labelling as they are typed."""

import argparse

from posenet_ros.cli.label import add_label_arguments, label_options
import pytest


@pytest.mark.parametrize(
    'typed', ['-1e-3 0 0 -1.5708 0 -1.5708', '0 0 -2E5 -.5 -0.5e+1 -3', '-1 -2 -3 -4 -5. -6']
)
def test_a_mounting_is_made_of_negative_numbers_in_any_form(typed):
    parser = argparse.ArgumentParser()
    add_label_arguments(parser)
    args = parser.parse_args(['--base-from-camera', *typed.split(), '--allow-unscaled'])
    assert label_options(args).base_from_camera == tuple(map(float, typed.split()))
    assert args.allow_unscaled


def test_what_is_no_number_is_still_an_option(capsys):
    parser = argparse.ArgumentParser()
    add_label_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(['--base-from-camera', '0', '0', '0', '0', '0', '-x'])
    assert 'expected 6 arguments' in capsys.readouterr().err
