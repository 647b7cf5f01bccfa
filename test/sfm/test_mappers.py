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

"""Which mapper is asked, and which is believed."""

from types import SimpleNamespace

from posenet_ros.sfm import mappers
from posenet_ros.sfm.mappers import map_frames
import pytest

FRAMES = 100
NAMES = ('incremental', 'global')


@pytest.fixture
def ask(monkeypatch, tmp_path):
    """Return what runs `map_frames` with mappers that place so many frames, and who was asked."""

    def run(mapper='auto', *, incremental, world, blank=0):
        asked = []

        def placing(name, sizes):
            def place(*arguments):
                asked.append(name)
                return {
                    index: SimpleNamespace(num_reg_images=lambda size=size: size)
                    for index, size in enumerate(sizes)
                }

            return place

        matches = {f'{frame}': {'other': 10 if frame < blank else 200} for frame in range(FRAMES)}
        monkeypatch.setattr(mappers, 'features_and_matches', lambda path: ({}, matches))
        monkeypatch.setattr(
            mappers,
            '_MAPPERS',
            {
                name: placing(name, sizes)
                for name, sizes in zip(NAMES, (incremental, world), strict=True)
            },
        )
        used, models = map_frames(
            lambda done, total: None,
            mapper,
            database='',
            images='',
            count=FRAMES,
            refine_distortion=False,
            work=tmp_path,
        )
        return used, [model.num_reg_images() for model in models], asked

    return run


def test_the_incremental_mapper_is_enough_where_it_places_most(ask):
    assert ask(incremental=[3, 95], world=[100]) == ('incremental', [95, 3], ['incremental'])


def test_frames_that_match_nothing_are_no_reason_to_ask_again(ask):
    found = ask(incremental=[80], world=[100], blank=15)
    assert found == ('incremental', [80], ['incremental'])


def test_the_global_mapper_is_believed_where_it_places_clearly_more(ask):
    both = ['incremental', 'global']
    assert ask(incremental=[50, 40], world=[95, 2]) == ('global', [95, 2], both)
    assert ask(incremental=[80], world=[82]) == ('incremental', [80], both)
    assert ask(incremental=[], world=[60]) == ('global', [60], both)
    assert ask(incremental=[40], world=[]) == ('incremental', [40], both)


@pytest.mark.parametrize('mapper', ['incremental', 'global'])
def test_a_mapper_that_was_named_is_the_only_one(ask, mapper):
    used, _, asked = ask(mapper, incremental=[10], world=[10])
    assert (used, asked) == (mapper, [mapper])
