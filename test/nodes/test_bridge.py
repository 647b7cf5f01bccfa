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

"""cv_bridge is tried in a child process and believed only where it gives our array."""

from __future__ import annotations

from contextlib import suppress
import importlib.util
import sys

import numpy as np
from posenet_ros.data.images import decode
from posenet_ros.errors import ImageError
from posenet_ros.nodes import bridge
import pytest

GENUINE = importlib.util.find_spec('cv_bridge') is not None

START = """
class CvBridgeError(TypeError):
    pass

class CvBridge:
    def imgmsg_to_cv2(self, message, desired_encoding):
        assert desired_encoding == 'rgb8'
"""

SAME_FOR_RGB = """
        import numpy as np
        if message.encoding != 'rgb8':
            raise CvBridgeError(message.encoding)
        rows = np.frombuffer(bytes(message.data), np.uint8).reshape(message.height, -1)
        return rows[:, :3 * message.width].reshape(message.height, message.width, 3)
"""

# Seen: what the conversion of a module that was built for another NumPy does.
DIES = """
        import os, signal
        os.kill(os.getpid(), signal.SIGSEGV)
"""

WRONG = """
        import numpy as np
        return np.zeros((message.height, message.width, 3), np.uint8)
"""

FAILS = """
        raise KeyError(7)
"""


@pytest.fixture
def pretend(tmp_path, monkeypatch):
    """Install a module cv_bridge whose conversion has this body."""

    def install(body):
        (tmp_path / 'cv_bridge.py').write_text(START + body)
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(sys.modules, 'cv_bridge', raising=False)

    yield install
    sys.modules.pop('cv_bridge', None)


@pytest.mark.skipif(GENUINE, reason='cv_bridge is installed')
def test_without_cv_bridge_our_decoder_is_used():
    decoder = bridge.make_decoder()
    assert decoder.decode is decode
    assert 'not installed' in decoder.description


def test_cv_bridge_is_used_for_what_it_converts_to_our_array(pretend, make_image):
    pretend(SAME_FOR_RGB)
    decoder = bridge.make_decoder()
    assert decoder.description == 'cv_bridge for rgb8'
    message = make_image(0, grey=9)
    pixels = decoder.decode(message)
    assert pixels.flags.c_contiguous
    np.testing.assert_array_equal(pixels, decode(message))
    message.encoding = 'bgr8'
    np.testing.assert_array_equal(decoder.decode(message), decode(message))


@pytest.mark.parametrize(
    ('body', 'reason'),
    [(DIES, 'SIGSEGV'), (WRONG, 'other arrays'), (FAILS, 'KeyError: 7')],
)
def test_a_cv_bridge_that_does_harm_is_left_alone_and_the_reason_told(pretend, body, reason):
    pretend(body)
    decoder = bridge.make_decoder()
    assert decoder.decode is decode
    assert reason in decoder.description


def test_a_cv_bridge_that_hangs_is_given_up(pretend, monkeypatch):
    pretend('\n        import time; time.sleep(60)\n')
    monkeypatch.setattr(bridge, '_PROBE_TIMEOUT_S', 0.5)
    assert 'did not answer' in bridge.make_decoder().description


@pytest.mark.parametrize(
    ('change', 'suits'),
    [
        ({}, True),
        ({'step': 45}, True),
        ({'step': 46}, False),
        ({'is_bigendian': 1}, False),
        ({'step': 33}, False),
        ({'width': 0}, False),
        ({'height': 0}, False),
        ({'height': 7}, False),
        ({'data': b''}, False),
    ],
)
def test_what_cv_bridge_would_misread_goes_to_our_decoder(change, suits):
    message = bridge._sample('rgb8')
    for name, value in change.items():
        setattr(message, name, value)
    assert bridge._suits(message, frozenset({'rgb8'})) is suits
    assert not bridge._suits(message, frozenset({'bgr8'}))


# For what reads the sample and finds something wrong with a square.
FINDS_FAULT = """
        import cv2
        if message.height == message.width:
            raise {error}('what nobody expected')
"""


@pytest.mark.parametrize(
    'error', ['CvBridgeError', 'TypeError', 'ValueError', 'KeyError', 'RuntimeError', 'cv2.error']
)
def test_what_cv_bridge_cannot_read_is_read_by_our_decoder(pretend, make_image, error):
    pretend(FINDS_FAULT.format(error=error) + SAME_FOR_RGB)
    decoder = bridge.make_decoder()
    assert decoder.description == 'cv_bridge for rgb8'
    message = make_image(0, size=(24, 24))
    np.testing.assert_array_equal(decoder.decode(message), decode(message))


STRANGE = [
    {'data': b'123'},
    {'data': b''},
    {'height': 7},
    {'height': 0},
    {'width': 0},
    {'width': 0, 'height': 0, 'step': 0, 'data': b''},
    {'width': 4_000_000_000},
    {'height': 4_000_000_000, 'step': 4_000_000_000},
    {'step': 0},
    {'step': 1},
]


@pytest.mark.parametrize('change', STRANGE, ids=str)
def test_a_message_that_is_no_image_is_refused_politely(pretend, change):
    if not GENUINE:
        pretend(SAME_FOR_RGB)
    decoder = bridge.make_decoder()
    message = bridge._sample('rgb8')
    for name, value in change.items():
        setattr(message, name, value)
    with pytest.raises(ImageError):
        decoder.decode(message)


@pytest.mark.skipif(not GENUINE, reason='cv_bridge is not installed')
@pytest.mark.parametrize('encoding', ['yuv422', 'bayer_rggb8', 'mono16', '', 'rgb8 '])
def test_the_genuine_cv_bridge_raises_nothing_else(encoding):
    decoder = bridge.make_decoder()
    for width, height in ((11, 6), (1, 1), (1, 5), (5, 1)):
        message = bridge._sample(encoding if encoding in bridge._ENCODINGS else 'rgb8', 12, 6)
        message.encoding, message.width, message.height = encoding, width, height
        with suppress(ImageError):
            assert decoder.decode(message).shape == (height, width, 3)


@pytest.mark.skipif(not GENUINE, reason='cv_bridge is not installed')
def test_the_genuine_cv_bridge_gives_our_array():
    decoder = bridge.make_decoder()
    if decoder.decode is decode:
        pytest.skip(f'cv_bridge is not safe here: {decoder.description}')
    assert 'rgb8' in decoder.description
    for encoding in bridge._ENCODINGS:
        message = bridge._sample(encoding)
        np.testing.assert_array_equal(decoder.decode(message), decode(message))
