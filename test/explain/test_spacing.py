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

from dataclasses import replace
import json

import numpy as np
from posenet_ros.errors import ConfigError
from posenet_ros.explain import spacing as module
from posenet_ros.explain.found import Errors, Found
from posenet_ros.explain.spacing import draw, thinned
import pytest


def test_every_kth_frame_of_each_sequence_is_kept(subject):
    first = subject.train[:21]
    second = [replace(frame, sequence='other') for frame in subject.train[21:33]]
    sets = thinned([*second[::-1], *first])
    assert [each.every for each in sets] == [1, 2]
    assert set(sets[1].frames) == {*first[::2], *second[::2]}


def test_spacing_is_the_median_step_within_sequences(subject):
    (camera,) = {frame.map_from_camera for frame in subject.train[:1]}
    frames = [
        replace(
            subject.train[0],
            map_from_camera=replace(camera, translation=np.array([2.0 * n + 100 * s, 0, 0])),
            stamp_ns=n,
            sequence=str(s),
        )
        for s in range(5)
        for n in range(8)
    ]
    assert [(each.every, len(each.frames), each.spacing) for each in thinned(frames)] == [
        (1, 40, 2.0),
        (2, 20, 4.0),
        (4, 10, 8.0),
    ]


def test_too_few_frames_are_refused(subject):
    with pytest.raises(ConfigError, match='18 training frames cannot be thinned out'):
        thinned(subject.train[:18])


def test_frames_without_neighbours_are_refused(subject):
    alone = [replace(frame, sequence=str(n)) for n, frame in enumerate(subject.train)]
    with pytest.raises(ConfigError, match='in sequences of several'):
        thinned(alone)


@pytest.fixture
def drawn(subject, tmp_path, monkeypatch):
    """Draw with known results; return the trials asked for, and the figure."""
    asked = []

    def found(subject, trials, output):
        asked.extend(trials)
        own = [Errors(0.1 * n, 1.0 * n, 0.3, 4.0) for n in range(1, len(trials) + 1)]
        nearest = [Errors(0.15, 5.0, 0.3, 4.0), None]
        return [Found(*each, (), 1.0) for each in zip(own, nearest)]

    monkeypatch.setattr(module, 'train_all', found)
    return asked, draw(subject, output=tmp_path, epochs=3)


def test_all_sets_take_as_many_steps(drawn, subject):
    trials, exhibit = drawn
    assert [len(trial.train) for trial in trials] == [36, 18]
    steps = [
        trial.options.epochs_for(len(trial.train)) * (len(trial.train) // trial.options.batch_size)
        for trial in trials
    ]
    assert np.ptp(steps) <= 4
    assert exhibit.numbers['steps'] == 12
    # But for steps and batches it is the model's own recipe.
    known = {'iterations': 0, 'batch_size': 0, 'epochs': 0}
    expected = subject.options.to_dict() | known
    assert all(trial.options.to_dict() | known == expected for trial in trials)


def test_numbers_have_spacing_and_both_errors(drawn):
    _, exhibit = drawn
    json.dumps(exhibit.numbers, allow_nan=False)
    first, second = exhibit.numbers['sets']
    assert (first['every'], first['images'], first['spacing']) == (1, 36, pytest.approx(0.1))
    assert (second['every'], second['images'], second['spacing']) == (2, 18, pytest.approx(0.2))
    assert first['nearest_image']['position'] == 0.15
    assert second['posenet']['position'] == 0.2
    assert second['nearest_image'] is None
    assert 'In 1 of 1 sets' in exhibit.caption
    for axes in exhibit.picture.axes:
        own, nearest = axes.lines
        assert list(own.get_xdata()) == pytest.approx([0.1, 0.2])
        assert np.isnan(nearest.get_ydata()).tolist() == [False, True]
