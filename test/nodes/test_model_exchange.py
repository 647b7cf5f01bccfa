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

"""Another model while images are answered, over real DDS."""

from __future__ import annotations

from dataclasses import replace
import threading
from types import SimpleNamespace

from diagnostic_msgs.msg import DiagnosticStatus
from lifecycle_msgs.msg import Transition
from posenet_ros.errors import ModelError
from posenet_ros.geometry import Camera, NS_PER_S
import pytest
from rclpy.parameter import Parameter

PATIENCE_S = 120.0
START_NS = 1_700_000_000 * NS_PER_S
CAMERA = Camera(32, 24, 30.0, 30.0, 15.5, 11.5)


class Other:
    """A localizer of another map, which answers as the first does but 10 m further."""

    def __init__(self, like):
        self.like = like
        self.method, self.device, self.engine = like.method, like.device, like.engine
        self.card = SimpleNamespace()
        vars(self.card).update(vars(like.card))
        self.card.map_frame = 'upstairs'
        self.may_load = threading.Event()

    def load(self):
        assert self.may_load.wait(PATIENCE_S)
        return self

    def locate_batch(self, images):
        answers = self.like.locate_batch(images)
        (estimate,) = answers.estimates
        pose = estimate.map_from_camera
        further = replace(pose, translation=pose.translation + [10, 0, 0])
        return answers._replace(estimates=(replace(estimate, map_from_camera=further),))


@pytest.fixture
def other(localizer):
    other = Other(localizer)
    yield other
    other.may_load.set()


@pytest.fixture
def bench(make_bench, other):
    bench = make_bench().until_active()
    bench.others['upstairs'] = other.load
    bench.answer(START_NS)
    return bench


def set_model(bench, name):
    (result,) = bench.node.set_parameters([Parameter('model', value=name)])
    assert result.successful


def test_the_former_answers_until_the_other_is_whole(bench, other, truth):
    set_model(bench, 'upstairs')
    bench.until_diagnosed(model='somewhere', **{'model that is loading': 'upstairs'})
    bench.answer(START_NS + 1)
    other.may_load.set()
    bench.until_diagnosed(model='upstairs', **{'model that is loading': ''})
    # It counts from the start.
    bench.until_diagnosed(received='0', published='0')
    bench.answer(START_NS + 2)
    assert [each.header.frame_id for each in bench.poses] == ['map', 'map', 'upstairs']
    x = truth.pose.translation[0]
    assert [each.pose.position.x for each in bench.poses] == [x, x, x + 10]
    assert bench.node.get_parameter('model').value == 'upstairs'
    bench.until_diagnosed(state='active', received='1', published='1')


def test_an_image_in_work_goes_nowhere_and_does_not_hold_the_exchange_up(bench, other, localizer):
    localizer.gate = threading.Event()
    bench.send(START_NS + 1)
    bench.until_diagnosed(received='2', pending='1')
    other.like = type(localizer)()
    other.may_load.set()
    set_model(bench, 'upstairs')
    bench.until_diagnosed(model='upstairs')
    bench.answer(START_NS + 2)
    localizer.gate.set()
    bench.answer(START_NS + 3)
    assert bench.stamps(bench.poses) == [START_NS, START_NS + 2, START_NS + 3]


def test_a_model_that_cannot_be_loaded_leaves_the_former(bench, other):
    set_model(bench, 'broken')
    level = bench.until_problem('cannot load the model: broken is truncated', 'somewhere goes on')
    assert level == DiagnosticStatus.WARN
    bench.answer(START_NS + 1)
    assert bench.node.get_parameter('model').value == 'somewhere'
    bench.until_diagnosed(model='somewhere', received='2', published='2')
    # It is told until another is set that can be.
    other.may_load.set()
    set_model(bench, 'upstairs')
    bench.until_diagnosed(model='upstairs')
    assert 'cannot load' not in bench.values()[1]


def test_no_model_leaves_the_former(bench):
    set_model(bench, '')
    bench.until_problem('no model given', 'somewhere goes on')
    bench.answer(START_NS + 1)


def test_the_same_folder_is_loaded_again_where_it_is_set_again(bench, other):
    # Trained anew in the same place.
    bench.others['somewhere'] = other.load
    other.may_load.set()
    set_model(bench, 'somewhere')

    def upstairs():
        bench.send(START_NS + 1)
        return bench.poses[-1].header.frame_id == 'upstairs'

    bench.graph.until(upstairs)


def test_the_last_of_several_is_taken(bench, other, localizer):
    loaded = []

    def third():
        loaded.append('third')
        return localizer

    bench.others['third'] = third
    set_model(bench, 'upstairs')
    bench.until_diagnosed(**{'model that is loading': 'upstairs'})
    set_model(bench, 'third')
    bench.until_diagnosed(**{'model that is loading': 'third'})
    # One after the other, since memory is not for three.
    assert loaded == []
    other.may_load.set()
    bench.until_diagnosed(model='third', **{'model that is loading': ''})
    bench.answer(START_NS + 1)
    assert {each.header.frame_id for each in bench.poses} == {'map'}


def test_images_are_compared_with_the_camera_of_the_new_model(bench, other):
    bench.until_problem('knows no camera')
    other.card.camera = CAMERA
    other.may_load.set()
    set_model(bench, 'upstairs')
    bench.until_diagnosed(model='upstairs')
    bench.graph.until(lambda: 'knows no camera' not in bench.values()[1])


def test_a_paused_node_exchanges_its_model_too(bench, other):
    bench.enable(False)
    other.may_load.set()
    set_model(bench, 'upstairs')
    bench.until_diagnosed(model='upstairs', enabled='false')
    bench.enable(True)
    bench.until_active().answer(START_NS + 1)
    assert bench.poses[-1].header.frame_id == 'upstairs'


def test_cleaning_up_forgets_what_is_loading(bench, other):
    set_model(bench, 'upstairs')
    bench.until_diagnosed(**{'model that is loading': 'upstairs'})
    assert bench.change(Transition.TRANSITION_DEACTIVATE)
    assert bench.change(Transition.TRANSITION_CLEANUP)
    bench.until_diagnosed(state='unconfigured', **{'model that is loading': ''})
    # Its thread is still at work, and a process that ends must not wait for it.
    assert not bench.node._keeper.release()
    other.may_load.set()
    bench.graph.until(bench.node._keeper.release)
    assert bench.node._keeper.running is None


def test_a_defect_while_loading_is_handed_over(bench):
    bench.others['odd'] = lambda: 1 / 0
    set_model(bench, 'odd')
    bench.graph.until(lambda: bench.defects)
    assert isinstance(bench.defects.pop(), ZeroDivisionError)


def test_a_model_that_fails_in_the_library_is_told_as_well(bench):
    def load():
        raise RuntimeError('CUDA out of memory\n  tried to allocate')

    bench.others['large'] = load
    set_model(bench, 'large')
    bench.until_problem('cannot load the model: CUDA out of memory tried to allocate')
    bench.others['large'] = lambda: (_ for _ in ()).throw(ModelError('still too large'))
    set_model(bench, 'large')
    bench.until_problem('still too large')
