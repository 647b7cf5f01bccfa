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

"""Loop closures from the database of matches."""

import sqlite3

from posenet_ros.geometry import NS_PER_S
from posenet_ros.sfm.report.loops import loop_closures
from posenet_ros.sfm.workspace import Workspace
import pytest


@pytest.fixture
def space(tmp_path):
    (tmp_path / 'sfm').mkdir()
    return Workspace(tmp_path)


def write_database(space, seconds, matches):
    """Write images taken at `seconds`, and matches (index, index, verified) between them."""
    with sqlite3.connect(space.database) as database:
        database.execute('CREATE TABLE images (image_id INTEGER, name TEXT)')
        database.execute('CREATE TABLE two_view_geometries (pair_id INTEGER, rows INTEGER)')
        names = [space.image_name(each * NS_PER_S) for each in seconds]
        database.executemany('INSERT INTO images VALUES (?, ?)', enumerate(names, start=1))
        database.executemany(
            'INSERT INTO two_view_geometries VALUES (?, ?)',
            [(2147483647 * (1 + i) + 1 + j, count) for i, j, count in matches],
        )
    database.close()


def in_seconds(loops):
    return [tuple(each // NS_PER_S for each in pair) for pair in loops.tolist()]


def test_a_place_seen_again_is_a_loop_and_a_neighbour_is_none(space):
    write_database(space, [0, 1, 60], [(0, 1, 500), (0, 2, 80)])
    assert in_seconds(loop_closures(space)) == [(0, 60)]


def test_of_many_matches_each_frame_shows_its_best(space):
    matches = [(0, 1, 50), (0, 2, 90), (0, 3, 70), (1, 3, 40)]
    write_database(space, [0, 30, 60, 90], matches)
    # Frames 1 and 3 match too, but each matches frame 0 better.
    assert in_seconds(loop_closures(space)) == [(0, 30), (0, 60), (0, 90)]


def test_pairs_without_verified_matches_are_none(space):
    write_database(space, [0, 60], [(0, 1, 0)])
    assert loop_closures(space).shape == (0, 2)


def test_reading_leaves_nothing_beside_the_database(space):
    write_database(space, [0, 60], [(0, 1, 30)])
    loop_closures(space)
    assert [path.name for path in space.sfm.iterdir()] == ['database.db']


def test_the_ids_of_pairs_are_those_of_colmap(labelled):
    pycolmap = pytest.importorskip('pycolmap')
    from posenet_ros.sfm.report.loops import _verified

    space = Workspace(labelled[0])
    with pycolmap.Database.open(space.database) as database:
        names = {image.image_id: image.name for image in database.read_all_images()}
        pairs, counts = database.read_two_view_geometry_num_inliers()
    expected = {
        (*(names[each] for each in pycolmap.pair_id_to_image_pair(pair)), count)
        for pair, count in zip(pairs, counts)
        if count
    }
    assert set(_verified(space.database)) == expected


@pytest.mark.parametrize('content', [None, b'no database'])
def test_a_database_that_is_gone_or_damaged_gives_none(space, content, caplog):
    if content is not None:
        space.database.write_bytes(content)
    assert loop_closures(space).shape == (0, 2)
    assert 'no loop closures' in caplog.text
