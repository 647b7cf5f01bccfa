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

"""Our decoder against the genuine cv_bridge, in a process of its own that may die of it."""

import importlib.util
import json
import subprocess
import sys

import pytest

ENCODINGS = {
    'rgb8': 3,
    'bgr8': 3,
    'rgba8': 4,
    'bgra8': 4,
    'mono8': 1,
    'mono16': 2,
    'rgb16': 6,
    'bgr16': 6,
    'rgba16': 8,
    'bgra16': 8,
    'yuv422': 2,
    'yuv422_yuy2': 2,
    **{f'bayer_{pattern}8': 1 for pattern in ('rggb', 'bggr', 'gbrg', 'grbg')},
    **{f'bayer_{pattern}16': 2 for pattern in ('rggb', 'bggr', 'gbrg', 'grbg')},
}

SCRIPT = """
import json, sys
import cv2
from cv_bridge import CvBridge, CvBridgeError
import numpy as np
from posenet_ros.data.images import decode
from sensor_msgs.msg import CompressedImage, Image

bridge, differences = CvBridge(), {}
generator = np.random.default_rng(0)
for encoding, pixel_bytes in json.loads(sys.argv[1]).items():
    # Padding of whole pixels: cv_bridge reads no other.
    message = Image(height=6, width=12, encoding=encoding, step=15 * pixel_bytes)
    message.data = generator.integers(0, 256, 6 * message.step, dtype=np.uint8).tobytes()
    try:
        theirs = bridge.imgmsg_to_cv2(message, 'rgb8')
    except CvBridgeError:
        differences[encoding] = None
        continue
    differences[encoding] = int(np.abs(theirs.astype(int) - decode(message)).max())
for name in ('jpeg', 'png'):
    picture = cv2.resize(generator.integers(0, 256, (3, 4, 3), dtype=np.uint8), (64, 48))
    message = CompressedImage(format=name, data=cv2.imencode('.' + name, picture)[1].tobytes())
    theirs = bridge.compressed_imgmsg_to_cv2(message, 'rgb8')
    differences[name] = int(np.abs(theirs.astype(int) - decode(message)).max())
print(json.dumps(differences))
"""


@pytest.fixture(scope='module')
def differences():
    """Return the largest difference of any pixel, by encoding."""
    for package in ('cv_bridge', 'sensor_msgs'):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f'{package} is not installed')
    child = subprocess.run(
        [sys.executable, '-c', SCRIPT, json.dumps(ENCODINGS)], capture_output=True, text=True
    )
    if child.returncode < 0:
        pytest.skip(f'cv_bridge dies of signal {-child.returncode} under this NumPy')
    assert child.returncode == 0, child.stderr
    return json.loads(child.stdout)


@pytest.mark.parametrize('encoding', [*ENCODINGS, 'jpeg', 'png'])
def test_our_array_is_that_of_cv_bridge(differences, encoding):
    if differences[encoding] is None:
        pytest.skip(f'this cv_bridge does not know {encoding}')
    assert differences[encoding] == 0
