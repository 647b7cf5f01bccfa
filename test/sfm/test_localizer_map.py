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

"""Labels in the map of a localizer that was running, from a bag to what is known of that map."""

import numpy as np
from posenet_ros.data.bags import Recording
from posenet_ros.data.capture import Capture
from posenet_ros.data.origin import label_origin
from posenet_ros.data.scenes import scene_origin
from posenet_ros.geometry import Pose
from posenet_ros.sfm.labelling import label_recordings, LabelOptions
from posenet_ros.sfm.sources import open_sources
import pytest
from scipy.spatial.transform import Rotation

MAP_FROM_ODOM = Pose(Rotation.from_euler('z', 2.0), np.array([3.0, 1.5, 0.0]), 'map', 'odom')


@pytest.fixture(scope='module')
def localized(write_bag, pictures, tmp_path_factory):
    """Return the bag, the folder and the summary of labels in the localizer's map."""
    way, room, seen = pictures
    bag = write_bag(way, seen, room=room, map_from_odom=MAP_FROM_ODOM)
    options = LabelOptions(reference='tf:map')
    output = tmp_path_factory.mktemp('localized') / 'out'
    return bag, output, label_recordings(open_sources([bag], options), output, options)


def test_labels_are_in_the_map_of_the_localizer(localized, recorded):
    _, output, summary = localized
    labels = Capture.open(output / 'capture').labels
    truth = [MAP_FROM_ODOM @ pose.renamed(target='odom') for pose in recorded.truth]
    apart = [pose.distance(true) for pose, true in zip(labels, truth, strict=True)]
    metres, radians = np.median(apart, axis=0)
    assert metres < 0.03
    assert np.degrees(radians) < 0.5
    assert summary.metric.frame == 'map'


def test_the_summary_tells_which_map_it_was(localized):
    bag, output, summary = localized
    with Recording(bag) as recording:
        known = recording.map_grid('map').identity
    assert summary.metric.localizer_map == known
    assert f'/map of 100 x 80 cells of 0.1 m, SHA-256 {known["sha256"][:12]}' in summary.text()
    origin = label_origin(output / 'capture')
    assert origin == scene_origin(f'capture:{output}')
    assert origin == {
        'reference': '/tf (map <- camera_optical)',
        'frame': 'map',
        'localizer_map': known,
    }


def test_the_map_lies_below_the_labels_in_the_report(localized):
    _, output, _ = localized
    assert 'Map from above' in (output / 'report' / 'labels.html').read_text()


def test_labels_of_odometry_are_in_a_map_of_their_own(labelled):
    output, summary = labelled
    assert summary.metric.localizer_map is None
    assert label_origin(output / 'capture') == {
        'reference': '/odom',
        'frame': None,
        'localizer_map': None,
    }
