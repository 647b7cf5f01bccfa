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

import importlib.util

import numpy as np
from posenet_ros.engines import choose
from posenet_ros.engines.choose import choose_engine, make_engine
from posenet_ros.engines.difference import largest_difference, noise_image, TOLERANCE
from posenet_ros.engines.kinds import Kind, KINDS, kinds_of
from posenet_ros.engines.names import ENGINES
from posenet_ros.errors import ConfigError
from posenet_ros.localization.regressor import PoseRegressor
import pytest
import torch

CPU = torch.device('cpu')


def there(name):
    missing = KINDS[name].missing
    return pytest.param(
        name, marks=pytest.mark.skipif(bool(missing), reason=f'{missing} is not installed')
    )


@pytest.mark.parametrize('name', [there(name) for name in kinds_of(CPU) if KINDS[name].exact])
def test_every_engine_of_single_precision_answers_as_torch_does(network, preprocessing, name):
    engine = make_engine(network, preprocessing, name)
    assert engine.difference < TOLERANCE
    assert engine.name in engine.told
    # Batches of any size, and images after one another.
    images = [np.random.default_rng(n).integers(0, 255, (72, 96, 3), np.uint8) for n in range(3)]
    for asked in (images[:1], images, images[1:]):
        expected = PoseRegressor(network, preprocessing, 'cpu').regress(asked)
        found = PoseRegressor(engine.model, preprocessing, 'cpu').regress(asked)
        for one, other in zip(expected.poses, found.poses, strict=True):
            metres, radians = one.distance(other)
            assert metres < 1e-3
            assert radians < 1e-3
        np.testing.assert_allclose(found.features, expected.features, atol=1e-4)


@pytest.mark.parametrize('name', [there(name) for name in kinds_of(CPU) if KINDS[name].exact])
def test_cells_show_every_engine_what_they_show_torch(scene_network, preprocessing, name):
    assert make_engine(scene_network, preprocessing, name).difference < TOLERANCE


def test_cells_that_show_something_else_are_noticed(scene_network, preprocessing):
    image_B3HW = noise_image(preprocessing)
    with torch.inference_mode():
        answer = scene_network(image_B3HW)
    assert largest_difference(answer, answer, scene_network) == 0
    for name, change in (('point_BC3', 0.1), ('error_BC', 0.01), ('start_B3', 0.1)):
        other = answer.scene._replace(**{name: getattr(answer.scene, name) + change})
        difference = largest_difference(answer, answer._replace(scene=other), scene_network)
        assert difference > 10 * TOLERANCE, name


@pytest.mark.parametrize('name', [there(name) for name in kinds_of(CPU) if not KINDS[name].exact])
def test_half_precision_answers_only_for_a_model_that_was_measured(network, preprocessing, name):
    with pytest.raises(ConfigError, match='run `export`'):
        choose_engine(network, preprocessing, CPU, name)
    engine = choose_engine(network, preprocessing, CPU, name, {name})
    assert engine.name == name
    assert engine.difference < 0.2


def test_eager_is_the_model_itself(network, preprocessing):
    engine = choose_engine(network, preprocessing, CPU, 'eager')
    assert engine.model is network
    assert engine.difference == 0


def test_auto_is_of_single_precision_and_leaves_the_model_alone(network, preprocessing):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    engine = choose_engine(network, preprocessing, CPU)
    assert engine.name in ('torch', 'openvino', 'onnxruntime')
    assert engine.difference < TOLERANCE
    after = network.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())


def kinds(monkeypatch, **changed):
    for name, kind in changed.items():
        monkeypatch.setitem(KINDS, name, kind)
    monkeypatch.setattr(choose, 'AUTOMATIC', tuple(changed))


def test_auto_takes_the_fastest(network, preprocessing, monkeypatch):
    torch_kind = KINDS['torch']
    kinds(monkeypatch, slow=torch_kind, fast=torch_kind)
    clock = iter(range(1000))

    class Ticks:
        """A clock that stands still while the second one answers."""

        turn = 0

        def __call__(self):
            self.turn += 1
            return next(clock) if self.turn % 4 in (1, 2) else 0.0

    monkeypatch.setattr(choose.time, 'perf_counter', Ticks())
    assert choose_engine(network, preprocessing, CPU).name == 'fast'


def test_one_that_computes_something_else_is_left_out_and_told(
    network, preprocessing, monkeypatch
):
    other = torch.nn.Module()
    other.maps = lambda image, names: {
        name: 1.5 + each.relu() for name, each in network.trunk.maps(image, names).items()
    }
    kinds(monkeypatch, wrong=Kind(lambda model, size: other, 'wrong'))
    with pytest.raises(ConfigError, match=r'engine wrong differs .* 1e-04 is allowed'):
        make_engine(network, preprocessing, 'wrong')
    engine = choose_engine(network, preprocessing, CPU)
    assert engine.name == 'eager'
    assert engine.model is network
    assert 'engine wrong differs' in engine.told


def test_one_that_breaks_is_one_line(network, preprocessing, monkeypatch):
    def broken(model, size):
        raise RuntimeError('no such operator\nat line 3 of something')

    kinds(monkeypatch, broken=Kind(broken, 'broken'))
    with pytest.raises(ConfigError, match=r'broken cannot run this model: no such operator$'):
        make_engine(network, preprocessing, 'broken')


def test_one_that_is_not_installed_says_how_it_would_be(network, preprocessing, monkeypatch):
    kinds(monkeypatch, openvino=replace_packages(KINDS['openvino'], ('no_such_package',)))
    with pytest.raises(ConfigError, match=r'needs no_such_package: pip install "posenet_ros\['):
        choose_engine(network, preprocessing, CPU, 'openvino')
    assert choose_engine(network, preprocessing, CPU).name == 'eager'


def replace_packages(kind, packages):
    return kind._replace(packages=packages)


def test_unknown_engines_and_other_devices_are_refused(network, preprocessing):
    with pytest.raises(ConfigError, match='known are auto, eager, torch'):
        choose_engine(network, preprocessing, CPU, 'tensorflow')
    with pytest.raises(ConfigError, match='torch does not run on cuda, where there are auto, ea'):
        choose_engine(network, preprocessing, torch.device('cuda'), 'torch')


def test_the_table_names_packages_that_can_be_looked_for():
    assert set(KINDS) == set(ENGINES) - {'auto', 'eager'}
    for kind in KINDS.values():
        for name in kind.packages:
            assert (importlib.util.find_spec(name) is None) == (name in kind.missing)
