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

"""How the demo keeps to itself, and how it drives its commands, which are stubs here."""

from __future__ import annotations

import json
import os
import sys

from posenet_ros import children
from posenet_ros.children import own_domain
from posenet_ros.cli import demo
from posenet_ros.data import bags
from posenet_ros.errors import PosenetError
import pytest

# Leaves what it was given in NAME.json. The node waits for its signal and the replay for the
# other two; CODES names who ends with another code than 0, HANGS who does not end by itself.
STUB = """
import json, os, pathlib, signal, sys, time
here, name = pathlib.Path(__file__).parent, sys.argv[1]
codes = json.loads(os.environ['CODES'])
signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
told = {'pid': os.getpid(), 'arguments': sys.argv[2:], 'environment': dict(os.environ)}
(here / 'partial').mkdir(exist_ok=True)
(here / 'partial' / name).write_text(json.dumps(told))
(here / 'partial' / name).rename(here / f'{name}.json')
def ended(other):
    pid = json.loads((here / f'{other}.json').read_text())['pid']
    return ') Z ' in pathlib.Path(f'/proc/{pid}/stat').read_text()
if name == 'replay':
    while not all((here / f'{other}.json').exists() for other in ('relocalize', 'record')):
        time.sleep(0.01)
    while 'relocalize' in codes and not ended('relocalize'):
        time.sleep(0.01)
waits = name == 'relocalize' and name not in codes
while waits or name == os.environ.get('HANGS'):
    time.sleep(0.01)
sys.exit(codes.get(name, 0))
"""


class OneCamera:
    """A recording of which only the image topic matters."""

    topic = '/camera/image_raw'

    def __init__(self, path):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def image_topic(self):
        return self.topic


@pytest.fixture
def drive(tmp_path, monkeypatch):
    """Drive with stubs, the ends of some of them named, and return what each was given."""
    stub = tmp_path / 'stub.py'
    stub.write_text(STUB)
    monkeypatch.setattr(bags, 'Recording', OneCamera)
    for module in (children, demo):
        monkeypatch.setattr(
            module, 'command', lambda *words: [sys.executable, str(stub), *map(str, words)]
        )

    def drive(hangs='', **codes):
        monkeypatch.setenv('CODES', json.dumps(codes))
        monkeypatch.setenv('HANGS', hangs)
        demo._drive(tmp_path / 'bag', tmp_path / 'model', tmp_path)
        names = ('relocalize', 'record', 'replay')
        return {name: json.loads((tmp_path / f'{name}.json').read_text()) for name in names}

    yield drive
    for path in tmp_path.glob('*.json'):
        with pytest.raises(ProcessLookupError):
            os.kill(json.loads(path.read_text())['pid'], 0)


@pytest.mark.parametrize('taken', [None, '0', '7', '42', '101', '232', 'nonsense'])
def test_no_process_of_the_demo_takes_the_domain_of_the_robot(monkeypatch, taken):
    if taken is None:
        monkeypatch.delenv('ROS_DOMAIN_ID', raising=False)
    else:
        monkeypatch.setenv('ROS_DOMAIN_ID', taken)
    domains = set()
    for pid in range(1000, 1300):
        monkeypatch.setattr(os, 'getpid', lambda pid=pid: pid)
        domains.add(own_domain()['ROS_DOMAIN_ID'])
    assert taken not in domains
    assert domains <= {str(domain) for domain in range(1, 102)}
    assert len(domains) >= 100


def test_what_would_reach_another_machine_is_overruled(monkeypatch):
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'SUBNET')
    monkeypatch.setenv('ROS_STATIC_PEERS', '192.168.0.7')
    monkeypatch.setenv('ROS_DISCOVERY_SERVER', '192.168.0.7:11811')
    monkeypatch.setenv('SOMETHING_ELSE', 'stays')
    environment = own_domain()
    assert environment['ROS_AUTOMATIC_DISCOVERY_RANGE'] == 'LOCALHOST'
    assert not {'ROS_STATIC_PEERS', 'ROS_DISCOVERY_SERVER'} & set(environment)
    assert environment['SOMETHING_ELSE'] == 'stays'


@pytest.mark.parametrize(
    ('distribution', 'expected'), [('humble', '1'), ('jazzy', None), ('kilted', None), ('', None)]
)
def test_the_older_setting_is_for_humble_alone(monkeypatch, distribution, expected):
    monkeypatch.delenv('ROS_LOCALHOST_ONLY', raising=False)
    monkeypatch.setenv('ROS_DISTRO', distribution)
    assert own_domain().get('ROS_LOCALHOST_ONLY') == expected


def test_all_three_are_in_one_domain_that_is_not_the_robots(drive, monkeypatch):
    monkeypatch.setenv('ROS_DOMAIN_ID', '42')
    given = drive()
    domains = {each['environment']['ROS_DOMAIN_ID'] for each in given.values()}
    ranges = {each['environment']['ROS_AUTOMATIC_DISCOVERY_RANGE'] for each in given.values()}
    assert len(domains) == 1
    assert domains != {'42'}
    assert ranges == {'LOCALHOST'}


@pytest.mark.parametrize(
    ('topic', 'transport'),
    [('/camera/image_raw', 'raw'), ('/camera/image_raw/compressed', 'compressed')],
)
def test_the_node_hears_what_is_replayed(drive, monkeypatch, topic, transport):
    monkeypatch.setattr(OneCamera, 'topic', topic)
    given = {name: each['arguments'] for name, each in drive().items()}
    assert 'image:=/camera/image_raw' in given['relocalize']
    assert f'image_transport:={transport}' in given['relocalize']
    assert given['record'][given['record'].index('--image') + 1] == topic
    assert topic in given['replay']
    # For the node and the recorder.
    assert given['replay'][-2:] == ['--wait-for-subscribers', '2']


@pytest.mark.parametrize(
    ('codes', 'words'),
    [
        ({'relocalize': 1}, 'the node ended early: see'),
        ({'replay': 2}, 'replay ended with exit code 2'),
        ({'record': 2}, 'the poses could not be recorded: see'),
    ],
)
def test_who_fails_is_named(drive, codes, words):
    with pytest.raises(PosenetError, match=words):
        drive(**codes)


def test_where_no_pose_comes_the_drive_ends(drive, monkeypatch):
    monkeypatch.setattr(demo, '_LATEST_START_S', 0.2)
    with pytest.raises(PosenetError, match='no pose came: see'):
        drive(hangs='record')


def test_an_interrupted_replay_is_an_interrupted_demo(drive):
    with pytest.raises(KeyboardInterrupt):
        drive(replay=130)
