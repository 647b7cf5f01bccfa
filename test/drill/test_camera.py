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

"""What the camera shows."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice, pairwise

from posenet_ros.drill.camera import Camera, looks
from posenet_ros.drill.plan import Look
from posenet_ros.recovery.rehearsal.floor import Spot
from posenet_ros.simulation.sensor import SensorErrors
from posenet_ros.simulation.world import make_world
import pytest


@pytest.fixture(scope='module')
def world():
    return make_world(0)


@pytest.fixture
def camera(small, rng):
    # Noise would be detail where there is none.
    camera = Camera(replace(small, sensor=SensorErrors(0.0, 0.0, 0.0)), rng)
    yield camera
    camera.close()


def test_a_clear_image_shows_the_world_and_others_do_not(camera, world, small):
    spot = Spot(4.0, 1.4, 0.5)
    clear, blurred, covered = (
        camera.take(world, spot, look).result().astype(float)
        for look in (Look.CLEAR, Look.BLURRED, Look.COVERED)
    )
    assert clear.shape == (small.height, small.width, 3)
    assert clear.std() > 30
    assert covered.mean() < 0.1 * clear.mean()

    def detail(image):
        return abs(image[:, 1:] - image[:, :-1]).mean()

    assert detail(blurred) < 0.4 * detail(clear)
    assert blurred.mean() == pytest.approx(clear.mean(), rel=0.15)


def test_another_spot_shows_something_else(camera, world):
    one, other = (
        camera.take(world, spot, Look.CLEAR).result().astype(float)
        for spot in (Spot(4.0, 1.4, 0.5), Spot(4.0, 1.4, 3.0))
    )
    assert abs(one - other).mean() > 20


def test_as_many_images_are_spoilt_as_asked_and_in_bursts(rng):
    drawn = list(islice(looks(0.2, 8.0, rng), 8000))
    spoilt = [look is not Look.CLEAR for look in drawn]
    assert 0.14 < sum(spoilt) / len(drawn) < 0.26
    begins = sum(now and not before for before, now in pairwise(spoilt))
    assert sum(spoilt) / begins > 2
    assert {Look.BLURRED, Look.COVERED} <= set(drawn)


def test_without_a_share_every_image_is_clear(rng):
    assert set(islice(looks(0.0, 8.0, rng), 100)) == {Look.CLEAR}
