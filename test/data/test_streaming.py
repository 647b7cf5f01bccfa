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

"""Reading does not keep what was read."""

import subprocess
import sys

import numpy as np
import pytest

IMAGES = 320
SIZE = (160, 120)
BYTES = SIZE[0] * SIZE[1] * 3

# Peak growth while a recording is read, measured in a fresh process.
SCRIPT = """
import sys, tracemalloc
from pathlib import Path
from posenet_ros.data.bags import Recording

with Recording(Path(sys.argv[1])) as bag:
    topic = bag.image_topic()
    tracemalloc.start()
    count = sum(image.decode().shape == (120, 160, 3) for image in bag.images(topic))
    print(count, tracemalloc.get_traced_memory()[1])
"""


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3', 'ros1'])
def test_memory_does_not_grow_with_the_number_of_images(
    tmp_path, messages, write_bag, write_ros1_bag, storage
):
    noise = np.random.default_rng(0).integers(0, 256, BYTES, dtype=np.uint8)

    def entries():
        for index in range(IMAGES):
            stamp_ns = messages.start_ns + index * messages.step_ns
            image = messages.image(stamp_ns, size=SIZE)
            image.data = noise
            yield '/image', stamp_ns, image

    if storage == 'ros1':
        bag = write_ros1_bag(tmp_path / 'bag.bag', entries())
    else:
        bag = write_bag(tmp_path / 'bag', entries(), storage=storage)
    printed = subprocess.run(
        [sys.executable, '-c', SCRIPT, str(bag)], capture_output=True, text=True, check=True
    ).stdout
    count, peak = map(int, printed.split())
    assert count == IMAGES
    # A chunk of an mcap file holds some 20 of these images, and is copied on the way.
    assert peak < BYTES * IMAGES / 2
