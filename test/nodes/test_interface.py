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

"""docs/interface.md against a node that runs: all that it has, and nothing that it has not."""

from __future__ import annotations

import importlib.util
from pathlib import Path
import re

from posenet_ros.nodes.parameter_table import parameter_table
from posenet_ros.nodes.parameters import PARAMETERS, Specification
import pytest
from rclpy.qos import ReliabilityPolicy

DOCUMENT = (Path(__file__).parents[2] / 'docs' / 'interface.md').read_text(encoding='utf-8')
# Of every node in Jazzy and later.
LATER = {'/posenet/get_type_description'}


def section(title):
    """Return the part of the page below a heading."""
    (found,) = re.findall(rf'^## {title}\n(.*?)(?=^## |\Z)', DOCUMENT, re.DOTALL | re.MULTILINE)
    return found


def documented(title):
    """Return what a section's table says: names in full, and their types."""
    rows = re.findall(r'^\| `(\S+)` \| (\S+) \|', section(title), re.MULTILINE)
    return {name.replace('~', '/posenet'): kind for name, kind in rows}


def in_full(names):
    return {name if name.startswith('/') else f'/{name}': kind for name, kind in names.items()}


def of_node(ask):
    """Return what the graph says of the node: names and their types."""
    return {name: kind for name, (kind,) in ask('posenet', '/')}


@pytest.fixture
def in_a_map(localizer):
    """Have the model made in a map that was recorded."""
    localizer.card.training['poses'] = {'frame': 'map', 'localizer_map': {'sha256': '1'}}


@pytest.fixture
def bench(make_bench, in_a_map):
    parameters = {'base_frame': 'base_link', 'offer_global_localization': True}
    bench = make_bench(**parameters).until_active()
    bench.graph.until(lambda: bench.node.count_services('/reinitialize_global_localization'))
    return bench


needs_tf = pytest.mark.skipif(
    importlib.util.find_spec('tf2_msgs') is None,
    reason='tf2_msgs is missing: test/tools/build_tf2_msgs.py builds it',
)


@needs_tf
def test_what_it_offers(bench):
    offered = in_full(documented('Topics it offers'))
    bench.graph.until(lambda: of_node(bench.node.get_publisher_names_and_types_by_node) == offered)


@needs_tf
def test_what_it_takes(bench):
    expected = in_full(documented('Topics it takes'))
    del expected['/image/compressed']
    ask = bench.node.get_subscriber_names_and_types_by_node
    bench.graph.until(lambda: of_node(ask) == expected)


@needs_tf
def test_what_it_takes_of_a_compressed_camera(make_bench, graph):
    bench = make_bench(image_transport='compressed')
    expected = in_full(documented('Topics it takes'))
    for name in ('/image', '/tf', '/tf_static', '/map'):
        del expected[name]
    ask = bench.node.get_subscriber_names_and_types_by_node
    graph.until(lambda: of_node(ask) == expected)


def test_its_services(bench):
    expected = in_full(documented('Services'))
    found = of_node(bench.node.get_service_names_and_types_by_node)
    assert expected.items() >= found.items()
    assert set(expected) - set(found) <= LATER


def test_the_table_of_parameters_is_that_of_the_code():
    told = 'write it anew: python test/tools/write_interface.py'
    assert parameter_table() in section('Parameters'), told
    assert section('Parameters').count('\n| `') == len(PARAMETERS) + 4


def test_all_parameters_of_a_node_that_runs_are_on_the_page(bench):
    known = set(re.findall(r'^\| `([\w.]+)` \|', section('Parameters'), re.MULTILINE))
    sides = {
        'subscription': ('image', 'camera_info', 'tf', 'tf_static', 'map'),
        'publisher': ('pose', 'fix', 'initialpose'),
    }
    for name in bench.node._parameters:
        if name.startswith('qos_overrides.'):
            topic, side, policy = name.removeprefix('qos_overrides.').rsplit('.', 2)
            assert policy in ('reliability', 'history', 'depth')
            assert any(part in topic for part in sides[side])
        else:
            assert name in known
    assert {name for name in known if '.' not in name} >= set(PARAMETERS)


def test_a_row_says_type_default_values_and_when():
    rows = parameter_table(
        {
            'share': Specification(0.5, 'A share.', limits=(0.0, 1.0), live=True),
            'count': Specification(3, 'A|count.', limits=(0, 9)),
            'kind': Specification('', 'A kind.', choices=('a', 'b'), fixed=True),
            'on': Specification(True, 'Whether.'),
        }
    ).splitlines()[2:]
    assert rows == [
        '| `share` | double | `0.5` | 0.0 to 1.0 | any time | A share. |',
        r'| `count` | integer | `3` | 0 to 9 | configure | A\|count. |',
        '| `kind` | string | `""` | a, b | the start | A kind. |',
        '| `on` | boolean | `true` | true, false | configure | Whether. |',
    ]


def test_every_parameter_says_what_it_takes():
    for line in parameter_table().splitlines():
        assert not re.search(r'\|\s+\|', line), line


@pytest.mark.parametrize(
    ('topic', 'parameters'),
    [
        # Not /image: the bench's own camera would not reach a subscription that is reliable.
        ('/camera_info', {}),
        pytest.param('/tf', {'base_frame': 'base_link'}, marks=needs_tf),
        pytest.param('/tf_static', {'base_frame': 'base_link'}, marks=needs_tf),
    ],
)
@pytest.mark.parametrize(
    ('asked', 'policy'),
    [('reliable', ReliabilityPolicy.RELIABLE), ('best_effort', ReliabilityPolicy.BEST_EFFORT)],
)
def test_the_quality_of_what_it_takes_can_be_overridden(
    make_bench, graph, topic, parameters, asked, policy
):
    override = f'qos_overrides.{topic}.subscription.reliability'
    bench = make_bench(**parameters, **{override: asked}).until_active()
    (found,) = graph.until(
        lambda: [
            each
            for each in bench.node.get_subscriptions_info_by_topic(topic)
            if each.node_name == 'posenet'
        ]
    )
    assert found.qos_profile.reliability == policy


def test_what_is_overridden_of_one_topic_stays_with_it(make_bench):
    bench = make_bench(
        **{'qos_overrides./posenet/pose.publisher.reliability': 'best_effort'}, autostart=False
    )

    def reliability(topic):
        found = bench.node.get_publishers_info_by_topic(topic)
        return [each.qos_profile.reliability for each in found]

    assert reliability('/posenet/pose') == [ReliabilityPolicy.BEST_EFFORT]
    assert reliability('/posenet/pose_with_covariance') == [ReliabilityPolicy.RELIABLE]
