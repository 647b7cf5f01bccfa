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

"""Several recordings of one camera, labelled together."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from posenet_ros.errors import LabellingError
from posenet_ros.geometry import Camera, NS_PER_S
from posenet_ros.sfm import sources
from posenet_ros.sfm.alignment import align
from posenet_ros.sfm.options import LabelOptions
from posenet_ros.sfm.reference import Reference
from posenet_ros.sfm.sources import joined, open_sources, Source
import pytest

CAMERA = Camera(640, 480, 500.0, 500.0, 320.0, 240.0)


@pytest.fixture
def recorded_at(monkeypatch, loop):
    """Pretend that recordings lie at paths: name -> (begin, end) in seconds, with changes."""

    def install(times, **changes):
        def look(path, options):
            begin, end = times[str(path)]
            reference = Reference('/odom', loop.odom())
            source = Source(
                Path(path), '/image', 9, begin * NS_PER_S, end * NS_PER_S, CAMERA, reference, None
            )
            return replace(source, **changes.get(str(path), {}))

        monkeypatch.setattr(sources.Source, 'open', look)

    return install


def test_they_are_put_into_order_of_time(recorded_at):
    recorded_at({'b': (100, 200), 'a': (10, 90)})
    found = open_sources([Path('b'), Path('a')], LabelOptions())
    assert found.name == 'a b'
    assert found.count == 18
    assert [found.index_of(second * NS_PER_S) for second in (10, 90, 100, 150)] == [0, 0, 1, 1]


def test_recordings_that_overlap_are_refused(recorded_at):
    recorded_at({'a': (10, 100), 'b': (90, 200)})
    with pytest.raises(LabellingError, match=r'b begins at 90\.0+, before a ends at 100'):
        open_sources([Path('a'), Path('b')], LabelOptions())


def test_recordings_of_different_cameras_are_refused(recorded_at):
    other = replace(CAMERA, fx=550.0, fy=550.0)
    recorded_at({'a': (10, 90), 'b': (100, 200)}, b={'camera': other})
    with pytest.raises(LabellingError, match=r'different cameras .* length 500.*b .* length 550'):
        open_sources([Path('a'), Path('b')], LabelOptions())


def test_metres_in_one_recording_only_are_refused(recorded_at):
    recorded_at({'a': (10, 90), 'b': (100, 200)}, b={'reference': None})
    with pytest.raises(LabellingError, match='only one of a and b has a reference'):
        open_sources([Path('a'), Path('b')], LabelOptions())


@pytest.mark.parametrize('pause_s', [0.1, 60.0])
def test_odometry_that_begins_anew_with_each_recording_does_no_harm(loop, pause_s):
    # One drive, but the second half in odometry that starts again elsewhere, a pause later.
    odom, sfm = loop.odom(), loop.sfm()
    half = len(odom) // 2
    pause_ns = round(pause_s * NS_PER_S)
    begin_ns = int(odom.stamps_ns[half])
    first, second = odom.select(slice(0, half)), odom.select(slice(half, None))
    second = replace(
        second,
        stamps_ns=second.stamps_ns + pause_ns,
        translations=second.translations + np.array([50.0, 20.0, 0.0]),
    )
    late = np.where(sfm.stamps_ns >= begin_ns, pause_ns, 0)
    found = align(replace(sfm, stamps_ns=sfm.stamps_ns + late), joined([first, second]))
    assert found.scale.scale == pytest.approx(2.5, rel=1e-3)
    assert found.agreement.share == 1.0
