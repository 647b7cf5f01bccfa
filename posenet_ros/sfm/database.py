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

"""The database of features and matches, which a killed run may leave in any state."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
import sqlite3
from typing import Any, TYPE_CHECKING

if TYPE_CHECKING:
    import pycolmap

CAMERA_ID = 1


def prepare_database(path: Path, camera: Mapping[str, Any]) -> None:
    """
    Make a database with one camera, or keep the one that is there with all its features.

    COLMAP writes features and matches in transactions, so what a killed run left is sound as
    far as it got; where it is not, or was made with another camera, it is begun anew.
    """
    if path.exists() and not (_is_sound(path) and _has_camera(path, camera)):
        remove_database(path)
    if not path.exists():
        _create(path, camera)


def remove_database(path: Path) -> None:
    """Remove a database with the files that SQLite keeps beside it."""
    for suffix in ('', '-wal', '-shm', '-journal'):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def features_and_matches(path: str) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """Return the features of each frame, and its verified matches with each frame, by name."""
    import pycolmap

    matches: dict[str, dict[str, int]] = defaultdict(dict)
    with pycolmap.Database.open(path) as opened:
        names = {image.image_id: image.name for image in opened.read_all_images()}
        features = {name: opened.num_keypoints_for_image(index) for index, name in names.items()}
        pairs, inliers = opened.read_two_view_geometry_num_inliers()
        for pair, count in zip(pairs, inliers, strict=True):
            first, second = (names[index] for index in pycolmap.pair_id_to_image_pair(pair))
            if count > 0:
                matches[first][second] = matches[second][first] = count
    return features, dict(matches)


def _is_sound(path: Path) -> bool:
    connection = sqlite3.connect(path)
    try:
        return connection.execute('PRAGMA quick_check').fetchone() == ('ok',)
    except sqlite3.DatabaseError:
        return False
    finally:
        connection.close()


def _has_camera(path: Path, camera: Mapping[str, Any]) -> bool:
    import pycolmap

    with pycolmap.Database.open(path) as database:
        if not database.exists_camera(CAMERA_ID) or database.num_rigs() != 1:
            return False
        return _described(database.read_camera(CAMERA_ID)) == _described(_camera(camera))


def _described(camera: pycolmap.Camera) -> tuple[Any, ...]:
    size = (camera.width, camera.height)
    return camera.model_name, size, list(camera.params), camera.has_prior_focal_length


def _create(path: Path, camera: Mapping[str, Any]) -> None:
    import pycolmap

    with pycolmap.Database.open(path) as database, pycolmap.DatabaseTransaction(database):
        written = _camera(camera)
        database.write_camera(written, use_camera_id=True)
        rig = pycolmap.Rig()
        rig.rig_id = 1
        rig.add_ref_sensor(written.sensor_id)
        database.write_rig(rig, use_rig_id=True)


def _camera(camera: Mapping[str, Any]) -> pycolmap.Camera:
    import pycolmap

    made = pycolmap.Camera.create_from_model_name(
        CAMERA_ID, camera['model'], 1.0, camera['width'], camera['height']
    )
    made.params = camera['params']
    made.has_prior_focal_length = camera['calibrated']
    return made
