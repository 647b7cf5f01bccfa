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

from posenet_ros.geometry import NS_PER_S
from posenet_ros.nodes.answer_watch import AnswerWatch
import pytest


@pytest.fixture
def watch():
    """At second 10 an image came that was refused, and another at second 12."""
    watch = AnswerWatch()
    watch.arrived(10 * NS_PER_S)
    watch.refused('the image is black')
    watch.arrived(12 * NS_PER_S)
    return watch


def test_images_that_are_all_refused(watch):
    assert watch.drought(5.0, 15 * NS_PER_S) == ''
    text = watch.drought(5.0, 16 * NS_PER_S)
    assert text == 'images come, and none was answered for 6 s: the image is black'


def test_an_answer_ends_it_and_the_wait_begins_with_the_next_image(watch):
    watch.answered()
    assert watch.drought(5.0, 99 * NS_PER_S) == ''
    assert watch.last_refusal == 'the image is black'
    watch.arrived(100 * NS_PER_S)
    assert watch.drought(5.0, 104 * NS_PER_S) == ''
    # The refusal of before is not the reason now.
    assert 'none was answered for 6 s: the first is still' in watch.drought(5.0, 106 * NS_PER_S)


def test_no_image_no_drought(watch):
    assert AnswerWatch().drought(5.0, 99 * NS_PER_S) == ''
    watch.clear()
    assert watch.drought(5.0, 99 * NS_PER_S) == ''
