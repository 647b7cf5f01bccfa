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

"""The map of the localizer that was running, out of a recording."""

import numpy as np
from posenet_ros.data.bags import Recording
from posenet_ros.errors import BagError
import pytest

GRID = 'nav_msgs/msg/OccupancyGrid'


@pytest.fixture
def grid(messages):
    """Return a maker of OccupancyGrid messages of 3 x 2 cells of 5 cm."""

    def make(cells=(0, 100, -1, 30, 65, 25), *, frame='map', width=3, resolution=0.05, w=1.0):
        point = messages.make('geometry_msgs/msg/Point', -1.0, 2.0, 0.0)
        turn = messages.make('geometry_msgs/msg/Quaternion', 0.0, 0.0, 0.0, w)
        origin = messages.make('geometry_msgs/msg/Pose', point, turn)
        header = messages.header(messages.start_ns, frame)
        info = messages.make(
            'nav_msgs/msg/MapMetaData', header.stamp, resolution, width, 2, origin
        )
        return messages.make(GRID, header, info, np.array(cells, dtype=np.int8))

    return make


def read(path, frame='map'):
    with Recording(path) as recording:
        return recording.map_grid(frame)


@pytest.fixture
def written(tmp_path, write_bag, messages):
    """Return a writer of a bag with grids, (topic, message), one after the other."""

    def write(*entries, name='bag'):
        stamped = [
            (topic, messages.start_ns + index, message)
            for index, (topic, message) in enumerate(entries)
        ]
        return write_bag(tmp_path / name, stamped)

    return write


def test_cells_lie_in_rows_along_x_from_the_origin(written, grid):
    found = read(written(('/map', grid())))
    np.testing.assert_array_equal(found.cells, [[0, 100, -1], [30, 65, 25]])
    np.testing.assert_array_equal(found.occupied, [[0, 1, 0], [0, 1, 0]])
    np.testing.assert_array_equal(found.free, [[1, 0, 0], [0, 0, 1]])
    np.testing.assert_allclose(found.frame_from_grid.translation, [-1, 2, 0])
    assert found.resolution_m == pytest.approx(0.05)


def test_the_newest_map_counts_and_costmaps_do_not(written, grid):
    first, last = grid((0,) * 6), grid((100,) * 6)
    costs = ('/global_costmap/costmap', grid((50,) * 6))
    found = read(written(('/map', first), ('/map', last), costs))
    assert found.topic == '/map'
    assert found.occupied.all()


def test_a_map_in_another_frame_is_not_the_one_asked_for(written, grid):
    path = written(('/robot1/map', grid(frame='robot1/map')))
    assert read(path) is None
    assert read(path, 'robot1/map').frame == 'robot1/map'
    assert read(path, '/robot1/map').topic == '/robot1/map'


def test_no_map_is_none(written, grid):
    assert read(written(('/local_costmap/costmap', grid()))) is None


def test_the_same_map_is_known_again_and_a_changed_one_is_not(written, grid):
    known = read(written(('/map', grid()))).identity
    assert (known['width'], known['height']) == (3, 2)
    again = read(written(('/map', grid()), name='again')).identity
    assert again == known
    for number, other in enumerate(
        (grid((0, 100, -1, 30, 65, 24)), grid(width=3, resolution=0.1), grid((0,) * 6))
    ):
        changed = read(written(('/map', other), name=f'other{number}')).identity
        assert changed['sha256'] != known['sha256']


def test_an_orientation_that_nobody_filled_in_is_none(written, grid):
    found = read(written(('/map', grid(w=0.0))))
    np.testing.assert_allclose(found.frame_from_grid.rotation.as_matrix(), np.eye(3))


@pytest.mark.parametrize(
    ('how', 'named'),
    [
        ({'width': 4}, '6 cells for 4 x 2'),
        ({'resolution': 0.0}, 'of 0.0 m'),
        ({'w': float('nan')}, 'its origin'),
    ],
)
def test_a_damaged_map_is_named(written, grid, how, named):
    with pytest.raises(BagError, match='the map on /map is damaged.*' + named):
        read(written(('/map', grid(**how))))
