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

"""Whose an output folder is."""

import multiprocessing
import subprocess
import sys

from posenet_ros.data.run import at_work, claim, describe_recording
from posenet_ros.errors import CaptureError
import pytest


@pytest.fixture
def bag(tmp_path):
    folder = tmp_path / 'run1'
    folder.mkdir()
    (folder / 'run1_0.mcap').write_bytes(bytes(range(256)) * 1000)
    (folder / 'metadata.yaml').write_text('version: 9')
    return folder


def test_a_renamed_recording_is_the_same_run(bag, tmp_path):
    claim(tmp_path / 'out', recording=describe_recording(bag))
    (bag / 'metadata.yaml').write_text('reindexed')
    moved = bag.rename(tmp_path / 'another')
    claim(tmp_path / 'out', recording=describe_recording(moved))


def test_a_recording_of_the_same_size_with_other_data_is_another(bag, tmp_path):
    claim(tmp_path / 'out', recording=describe_recording(bag))
    data = bytearray((bag / 'run1_0.mcap').read_bytes())
    data[len(data) // 2 : len(data) // 2 + 20_000] = bytes(20_000)
    (bag / 'run1_0.mcap').write_bytes(data)
    with pytest.raises(CaptureError, match='belongs to another run: its recording'):
        claim(tmp_path / 'out', recording=describe_recording(bag))


def test_a_single_file_is_a_recording_too(bag, tmp_path):
    described = describe_recording(bag / 'run1_0.mcap')
    assert described['name'] == 'run1_0.mcap'
    assert described['bytes'] == 256_000


def test_other_options_are_another_run_and_named(bag, tmp_path):
    claim(tmp_path / 'out', label={'rate_hz': 2.0, 'image_topic': '/a'})
    with pytest.raises(CaptureError, match=r'its label has rate_hz 2.0, this one rate_hz 6.0'):
        claim(tmp_path / 'out', label={'rate_hz': 6.0, 'image_topic': '/a'})
    with pytest.raises(CaptureError, match='image_topic'):
        claim(tmp_path / 'out', label={'rate_hz': 2.0})


def test_a_section_is_added_to_a_run_and_binds_it_from_then_on(tmp_path):
    claim(tmp_path, label={'rate_hz': 2.0})
    claim(tmp_path, train={'epochs': 3})
    claim(tmp_path, label={'rate_hz': 2.0}, train={'epochs': 3})
    with pytest.raises(CaptureError, match='epochs'):
        claim(tmp_path, train={'epochs': 4})


def test_a_folder_with_something_else_is_left_alone(tmp_path):
    (tmp_path / 'thesis.tex').write_text('do not lose')
    with pytest.raises(CaptureError, match=r'thesis\.tex.*choose another --output'):
        claim(tmp_path, label={})
    assert [path.name for path in tmp_path.iterdir()] == ['thesis.tex']


def test_a_damaged_run_file_is_told(tmp_path):
    (tmp_path / 'run.yaml').write_text('label: 7')
    with pytest.raises(CaptureError, match='damaged'):
        claim(tmp_path, label={'rate_hz': 2.0})


def test_one_process_works_in_a_folder(tmp_path):
    code = (
        'import pathlib, sys\nfrom posenet_ros.data.run import at_work\n'
        'with at_work(pathlib.Path(sys.argv[1])): print("in", flush=True); sys.stdin.read()'
    )
    with subprocess.Popen(
        [sys.executable, '-c', code, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout.readline() == b'in\n'
        with pytest.raises(CaptureError, match='another process is at work'), at_work(tmp_path):
            pass
        # However it ends, the folder is free again.
        other.kill()
        other.wait()
    with at_work(tmp_path):
        pass
    assert multiprocessing.active_children() == []
