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

from posenet_ros.errors import ConfigError
from posenet_ros.training import recipes
from posenet_ros.training.config import parse_option, TrainOptions
from posenet_ros.training.recipes import read_recipe, recipe_names
import pytest


def test_values_survive_yaml_and_unknown_ones_are_refused():
    options = TrainOptions(backbone='resnet18', epochs=3)
    assert TrainOptions.from_dict(options.to_dict()) == options
    assert TrainOptions.from_dict({}) == TrainOptions()
    with pytest.raises(ConfigError, match='epoch, lr'):
        TrainOptions.from_dict({'epoch': 3, 'lr': 1})


@pytest.mark.parametrize(
    'values',
    [
        {'loss': 'l2'},
        {'optimizer': 'lion'},
        {'schedule': 'linear'},
        {'step_epochs': 0},
        {'momentum': 1.5},
        {'iterations': -1},
        {'least_images': -1},
        {'depth_px': -1.0},
        {'depth_px': float('inf')},
        {'epochs': 0, 'head': 'hidden'},
        {'epochs': -1},
        {'batch_size': 0},
        {'image_size': 16},
        {'learning_rate': 0},
        {'learning_rate': float('nan')},
        {'beta': -1},
        {'margin': -0.1},
        {'shift': 1.5},
        {'held_out': 0},
        {'held_out': 0.9},
        {'devices': 0},
        {'epochs': 'many'},
        {'rotation': 'euler'},
        {'backbone': 'vgg16'},
        {'dropout': 1.0},
        {'pool': 0},
        {'brightness': 9.0},
        {'margin': float('inf')},
    ],
)
def test_impossible_values_are_refused_by_name(values):
    with pytest.raises(ConfigError, match=next(iter(values))):
        TrainOptions.from_dict(values)


def test_values_from_a_command_line_have_their_kinds():
    assert parse_option('epochs', '7') == 7
    assert parse_option('dropout', '0.25') == 0.25
    assert parse_option('wide', 'True') is True
    assert parse_option('weights', 'none') == 'none'
    for name, text in {'epochs': '1.5', 'dropout': 'half', 'wide': '1', 'depth': '3'}.items():
        with pytest.raises(ConfigError, match=name):
            parse_option(name, text)


@pytest.mark.parametrize('name', recipe_names())
def test_every_recipe_is_one(name):
    assert isinstance(TrainOptions.from_dict(read_recipe(name)), TrainOptions)


def test_recipes_come_from_files_too(tmp_path):
    path = tmp_path / 'mine.yaml'
    path.write_text('epochs: 3\nwide: true\n')
    options = TrainOptions.from_dict(read_recipe(str(path)))
    assert (options.epochs, options.wide) == (3, True)
    path.write_text('epoch: 3\n')
    with pytest.raises(ConfigError, match='epoch'):
        TrainOptions.from_dict(read_recipe(str(path)))
    with pytest.raises(ConfigError, match='cannot read'):
        read_recipe(str(tmp_path / 'gone.yaml'))
    with pytest.raises(
        ConfigError, match=r"'best'; known are caffe-release, default, paper2015, scratch"
    ):
        read_recipe('best')


def test_recipes_are_found_where_pip_and_colcon_put_them(monkeypatch, tmp_path):
    module = tmp_path / 'lib' / 'python3.12' / 'site-packages' / 'posenet_ros' / 'training'
    module.mkdir(parents=True)
    monkeypatch.setattr(recipes, '__file__', str(module / 'recipes.py'))
    with pytest.raises(ConfigError, match='not installed'):
        read_recipe('mine')
    share = tmp_path / 'share' / 'posenet_ros' / 'config' / 'recipes'
    share.mkdir(parents=True)
    (share / 'mine.yaml').write_text('epochs: 3\n')
    assert recipe_names() == ['mine']
    assert read_recipe('mine') == {'epochs': 3}


def test_the_papers_recipe_is_the_papers():
    options = TrainOptions.from_dict(read_recipe('paper2015'))
    assert (options.optimizer, options.learning_rate, options.momentum) == ('sgd', 1e-5, 0.9)
    assert (options.schedule, options.step_epochs, options.step_factor) == ('steps', 80, 0.1)
    assert (options.loss, options.batch_size, options.dropout) == ('paper', 75, 0.5)
    preprocessing = options.preprocessing(480, 640)
    assert (preprocessing.short_side, preprocessing.crop) == (256, (224, 224))
