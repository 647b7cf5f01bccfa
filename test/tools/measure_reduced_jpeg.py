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

"""
Measure what decoding large JPEGs at reduced size saves, and what it does to poses.

    python test/tools/measure_reduced_jpeg.py RUN BAG TRUTH.tum LABELS_TRUTH.tum [IMAGES]

RUN is what train left, BAG a recording of large compressed images with their true poses, and
LABELS_TRUTH the true poses of the training recording. Prints, for the whole image and for a half,
a quarter and an eighth, the CPU's time to decode and prepare one and the median errors: the
figures under "The path of an image" in docs/performance.md.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path
import sys
import time

import cv2
import numpy as np
from posenet_ros.data.bags import Recording
from posenet_ros.evaluation.labels import read_labels
from posenet_ros.evaluation.metrics import ErrorSummary, pose_errors
from posenet_ros.evaluation.truth import fit_labels, true_pose
from posenet_ros.geometry import read_tum
from posenet_ros.localization.load import load_localizer
import torch

_WAYS = {
    1: cv2.IMREAD_COLOR_RGB,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


def main() -> int:
    """Measure, and print."""
    run, bag, truth_path, labels_path = map(Path, sys.argv[1:5])
    count = int(sys.argv[5]) if len(sys.argv) > 5 else 60
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    localizer = load_localizer(run, 'cpu', refine='off', engine='torch', always=True)
    labels = read_labels(run / 'capture', localizer.card)
    fit = fit_labels(labels, read_tum(labels_path, target='truth'))
    truth = read_tum(truth_path, target='truth').transformed(fit.map_from_truth)
    with Recording(bag) as recording:
        images = list(islice(recording.images(recording.image_topic(None)), count))
    known = [(image, true_pose(truth, image.stamp_ns)) for image in images]
    known = [(image, pose) for image, pose in known if pose is not None]
    for share, flag in _WAYS.items():
        times, poses, size = [], [], (0, 0)
        for image, _ in known:
            data = np.frombuffer(bytes(image.message.data), np.uint8)
            start = time.thread_time()
            rgb = cv2.imdecode(data, flag)
            if share > 1:
                rgb = cv2.cvtColor(rgb, cv2.COLOR_BGR2RGB)
            localizer.regressor.preprocessing.prepare(rgb)
            times.append(time.thread_time() - start)
            size = rgb.shape[1::-1]
            poses.append(localizer.locate(rgb).map_from_camera)
        found = ErrorSummary.of(pose_errors([pose for _, pose in known], poses)).to_dict()
        print(
            f'1/{share}: {size[0]}x{size[1]}, {1000 * np.median(times):.1f} ms, '
            f'{found["median_position_m"]:.3f} m, {found["median_orientation_deg"]:.2f} deg'
        )
    return 0


if __name__ == '__main__':
    sys.exit(main())
