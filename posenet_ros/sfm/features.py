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

"""The stage that finds SIFT features in the frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from posenet_ros.sfm import limits
from posenet_ros.sfm.database import CAMERA_ID, prepare_database
from posenet_ros.sfm.device import sift_device

Progress = Callable[[int, int], None]

_IMAGES_AT_ONCE = 40


def extract(
    progress: Progress,
    *,
    database: str,
    images: str,
    names: Sequence[str],
    camera: Mapping[str, Any],
) -> None:
    """
    Write the features of all images to the database.

    Images that have theirs already are not done again, so a killed run goes on where it was.
    """
    import pycolmap

    prepare_database(Path(database), camera)
    reader = pycolmap.ImageReaderOptions()
    reader.existing_camera_id = CAMERA_ID
    options = pycolmap.FeatureExtractionOptions()
    options.num_threads = limits.feature_threads(camera['width'], camera['height'])
    options.max_image_size = limits.LARGEST_SIDE
    options.sift.max_num_features = limits.feature_count(len(names))
    options.sift.first_octave = limits.first_octave(camera['width'], camera['height'])
    device = sift_device()
    progress(0, len(names))
    for start in range(0, len(names), _IMAGES_AT_ONCE):
        some = names[start : start + _IMAGES_AT_ONCE]
        pycolmap.extract_features(
            database,
            images,
            image_names=some,
            camera_mode=pycolmap.CameraMode.SINGLE,
            reader_options=reader,
            extraction_options=options,
            device=device,
        )
        progress(start + len(some), len(names))
