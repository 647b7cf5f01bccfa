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

"""A run that is stopped at any moment continues, and ends as one that was not."""

import os
import signal
import sqlite3
import subprocess
import sys
import time

import numpy as np
from posenet_ros.data.capture import Capture
from posenet_ros.sfm.database import prepare_database
from posenet_ros.sfm.labelling import label_recordings, LabelOptions
from posenet_ros.sfm.sources import open_sources
import pytest

CAMERA = {
    'model': 'SIMPLE_RADIAL',
    'width': 320,
    'height': 240,
    'params': [260.0, 160.0, 120.0, 0.0],
    'calibrated': True,
}


def stop_when(recorded, output, stage, how):
    """Label in a process of its own, send it a signal when a stage is done, return its code."""
    command = ['-m', 'posenet_ros', 'label', '--bag', str(recorded.bag), '--output', str(output)]
    done = output / 'sfm' / 'stages.yaml'
    temporary = output.parent / 'temporary'
    temporary.mkdir(exist_ok=True)
    with subprocess.Popen(
        [sys.executable, *command],
        stderr=subprocess.PIPE,
        env={**os.environ, 'TMPDIR': str(temporary)},
    ) as process:
        while process.poll() is None:
            if done.exists() and stage in done.read_text():
                process.send_signal(how)
                break
            time.sleep(0.02)
        _, told = process.communicate(timeout=60)
    # COLMAP would leave a log there for each process.
    assert list(temporary.iterdir()) == []
    return process.returncode, told.decode()


def test_stopped_and_killed_runs_continue_to_the_same_labels(recorded, labelled, stages, tmp_path):
    output = tmp_path / 'out'
    code, told = stop_when(recorded, output, 'features', signal.SIGINT)
    assert code == 130
    assert 'run the same command again to continue' in told
    code, _ = stop_when(recorded, output, 'matching', signal.SIGKILL)
    assert code == -signal.SIGKILL
    sources = open_sources([recorded.bag], LabelOptions())
    label_recordings(sources, output, LabelOptions())
    assert 'features' not in stages
    assert 'matching' not in stages
    ours, theirs = (Capture.open(each / 'capture').labels for each in (output, labelled[0]))
    np.testing.assert_array_equal(ours.stamps_ns, theirs.stamps_ns)
    np.testing.assert_allclose(ours.translations, theirs.translations, atol=0.01)


def test_a_sound_database_is_kept_with_what_is_in_it(tmp_path):
    path = tmp_path / 'a.db'
    prepare_database(path, CAMERA)
    with sqlite3.connect(path) as database:
        database.execute("INSERT INTO images VALUES (7, 'kept.jpg', 1)")
    database.close()
    prepare_database(path, CAMERA)
    with sqlite3.connect(path) as database:
        assert database.execute('SELECT name FROM images').fetchall() == [('kept.jpg',)]
    database.close()


@pytest.mark.parametrize('fault', ['no database', 'torn', 'empty', 'another camera'])
def test_a_database_that_cannot_be_used_is_begun_anew(tmp_path, fault):
    path = tmp_path / 'a.db'
    prepare_database(path, CAMERA if fault != 'another camera' else {**CAMERA, 'width': 640})
    if fault == 'no database':
        path.write_bytes(b'not a database at all' * 100)
    elif fault == 'torn':
        os.truncate(path, path.stat().st_size // 2)
    elif fault == 'empty':
        path.write_bytes(b'')
    prepare_database(path, CAMERA)
    with sqlite3.connect(path) as database:
        assert database.execute('SELECT width FROM cameras').fetchall() == [(320,)]
    database.close()
