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

"""A ROS graph of one's own, a localizer with a known answer, and processes that end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
import importlib.util
import os
from pathlib import Path
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
from posenet_ros.errors import ImageError, ModelError
from posenet_ros.geometry import Camera, Pose
from posenet_ros.localization.estimate import Answers, PoseEstimate
import pytest
from scipy.spatial.transform import Rotation

# Without rclpy there is nothing to test here, and saying so once is enough.
HAS_ROS = importlib.util.find_spec('rclpy') is not None
collect_ignore_glob = [] if HAS_ROS else ['test_*.py']

ROOT = Path(__file__).parents[2]
# Long, since machines that run tests are busy; nothing waits that long when all is well.
PATIENCE_S = 120.0

# A wrong quaternion order turns this one by 143 deg.
MAP_FROM_CAMERA = Pose(
    Rotation.from_euler('xyz', (10, 20, 30), degrees=True), [1.0, -2.0, 0.5], 'map', 'camera'
)
COVARIANCE = np.diag([0.04, 0.05, 0.06, 0.007, 0.008, 0.009])
COVARIANCE[0, 1] = COVARIANCE[1, 0] = 0.01
# What the map says of the same image: near, and far more exact.
VERIFIED = Pose(MAP_FROM_CAMERA.rotation, [1.1, -2.1, 0.6], 'map', 'camera')
VERIFIED_COVARIANCE = COVARIANCE / 100


def pytest_report_header() -> str:
    """Say what of ROS 2 is here, and so what is skipped."""
    names = ('rclpy', 'tf2_msgs', 'launch_ros', 'cv_bridge')
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    return f'test/nodes: missing {", ".join(missing) or "nothing"} of {", ".join(names)}'


def _own_domain() -> socket.socket:
    """Choose a ROS domain that no other test run on this machine uses, by holding a port."""
    for domain in random.sample(range(1, 101), 100):
        holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            holder.bind(('127.0.0.1', 21000 + domain))
        except OSError:
            holder.close()
            continue
        os.environ['ROS_DOMAIN_ID'] = str(domain)
        os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
        return holder
    raise RuntimeError('a hundred test runs at once?')


_DOMAIN_HOLDER = _own_domain()


class FakeLocalizer:
    """
    Answers every image with the same pose, and refuses black ones.

    Where `gate` is set, it waits for it before it answers.
    """

    method = 'fake'
    device = 'cpu'
    engine = 'fake'
    training = None

    def __init__(self, camera: Camera | None = None) -> None:
        # A network that looks at all of an image.
        sees = SimpleNamespace(
            centre_box=lambda width, height: (0, 0, width, height),
            ample_size=lambda width, height: (32, 24),
        )
        self.card = SimpleNamespace(
            camera=camera, map_frame='map', sees=sees, metric=True, training={}
        )
        self.seen: list[np.ndarray] = []
        self.gate = None
        self.pose = MAP_FROM_CAMERA

    def locate_batch(self, images: list[np.ndarray]) -> Answers:
        (rgb,) = images
        estimate = self.locate(rgb)
        looks = np.full((1, 4), rgb.max(), dtype=np.float32)
        return Answers((estimate,), looks, np.zeros(1), (self.pose,))

    def locate(self, rgb: np.ndarray) -> PoseEstimate:
        if self.gate is not None:
            assert self.gate.wait(PATIENCE_S)
        self.seen.append(rgb)
        if rgb.max() == 0:
            return PoseEstimate.refused('fake', 'the image is black')
        if rgb.max() == 1:
            raise ImageError('the image is nearly black')
        return PoseEstimate(self.pose, COVARIANCE, 'fake')


class FakeVerifying(FakeLocalizer):
    """
    Answers as `network`, and has a map that confirms every image but those of grey 9.

    Where `map_gate` is set, it waits for it before it looks in the map. `asked` has what it was
    asked of: greys, whether the network answered, features, guesses and cameras.
    """

    def __init__(self, camera: Camera | None = None) -> None:
        super().__init__(camera)
        self.network = FakeLocalizer(camera)
        self.network.card = self.card
        self.map_pose = VERIFIED
        self.asked: list[tuple[int, bool, float, Pose, Camera | None]] = []
        self.map_gate = None

    def verify(
        self,
        rgb: np.ndarray,
        estimate: PoseEstimate,
        feature_K: np.ndarray,
        guess: Pose,
        camera: Camera | None = None,
        *,
        any_focal: bool = False,
    ) -> PoseEstimate:
        grey = int(rgb.max())
        self.asked.append((grey, estimate.answered, float(feature_K[0]), guess, camera))
        self.any_focal = any_focal
        if self.map_gate is not None:
            assert self.map_gate.wait(PATIENCE_S)
        if grey == 9 or self.map_pose is None:
            return replace(estimate, reasons=(*estimate.reasons, 'not verified: no points'))
        return PoseEstimate(self.map_pose, VERIFIED_COVARIANCE, 'landmarks', verified=True)


@pytest.fixture
def truth() -> SimpleNamespace:
    """Return what the fake localizer answers."""
    return SimpleNamespace(
        pose=MAP_FROM_CAMERA,
        covariance=COVARIANCE,
        verified=VERIFIED,
        verified_covariance=VERIFIED_COVARIANCE,
    )


@pytest.fixture
def localizer() -> FakeLocalizer:
    return FakeLocalizer()


@pytest.fixture
def verifying() -> FakeVerifying:
    return FakeVerifying()


@pytest.fixture(scope='session')
def ros() -> Iterator[None]:
    import rclpy
    from rclpy.signals import SignalHandlerOptions

    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    yield
    rclpy.try_shutdown()


class Graph:
    """Nodes of this process on one executor, and waiting for what they do."""

    def __init__(self) -> None:
        import rclpy
        from rclpy.executors import SingleThreadedExecutor

        self.executor = SingleThreadedExecutor()
        self.node = rclpy.create_node('tester')
        self.add(self.node)

    def add(self, node: Any) -> Any:
        self.executor.add_node(node)
        return node

    def until(self, happened: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
        """Spin until something is true, and return it."""
        end = time.monotonic() + patience_s
        while not (result := happened()):
            assert time.monotonic() < end, 'waited in vain'
            self.executor.spin_once(timeout_sec=0.02)
        return result

    def listen(self, kind: type, topic: str, qos: Any = 50) -> list[Any]:
        """Subscribe, and return the list that fills."""
        heard: list[Any] = []
        self.node.create_subscription(kind, topic, heard.append, qos)
        return heard

    def call(self, kind: type, name: str, request: Any) -> Any:
        """Call a service and return its response."""
        client = self.node.create_client(kind, name)
        self.until(client.service_is_ready)
        future = client.call_async(request)
        self.until(future.done)
        self.node.destroy_client(client)
        return future.result()


@pytest.fixture
def graph(ros: None) -> Iterator[Graph]:
    graph = Graph()
    yield graph
    for node in graph.executor.get_nodes():
        if hasattr(node, 'close'):
            node.close()
        graph.executor.remove_node(node)
        node.destroy_node()
    graph.executor.shutdown()


@pytest.fixture
def make_image() -> Callable[..., Any]:
    """Return a maker of Images: a stamp in ns, one grey for all pixels, a size."""
    return _image_message


def _image_message(stamp_ns: int, grey: int = 200, size: tuple[int, int] = (32, 24)) -> Any:
    from posenet_ros.nodes.conversions import stamp_message
    from sensor_msgs.msg import Image

    width, height = size
    message = Image(height=height, width=width, encoding='rgb8', step=3 * width)
    message.data = np.full(3 * width * height, grey, dtype=np.uint8).tobytes()
    message.header.stamp = stamp_message(stamp_ns)
    message.header.frame_id = 'camera_optical'
    return message


class Bench:
    """A node under test, what it says, and a camera."""

    def __init__(self, graph: Graph, localizer: Any, make_image: Any, **parameters: Any) -> None:
        from diagnostic_msgs.msg import DiagnosticArray
        from geometry_msgs.msg import PoseStamped, PoseWithCovarianceStamped
        from posenet_ros.nodes.relocalize_node import RelocalizeNode
        from rclpy.parameter import Parameter
        from rclpy.qos import qos_profile_sensor_data
        from sensor_msgs.msg import Image

        self.refine = self.method = ''
        # What is loaded in place of `localizer` for models of these names.
        self.others: dict[str, Callable[[], Any]] = {}
        self.graph = graph
        self.localizer = localizer
        self.make_image = make_image
        self.defects: list[BaseException] = []
        self.poses = graph.listen(PoseStamped, '/posenet/pose')
        self.covariances = graph.listen(PoseWithCovarianceStamped, '/posenet/pose_with_covariance')
        self.verified = graph.listen(PoseStamped, '/posenet/verified_pose')
        self.verified_covariances = graph.listen(
            PoseWithCovarianceStamped, '/posenet/verified_pose_with_covariance'
        )
        self.diagnostics = graph.listen(DiagnosticArray, '/diagnostics')
        self.camera = graph.node.create_publisher(Image, '/image', qos_profile_sensor_data)
        overrides = {'model': 'somewhere', **parameters}
        self.node = graph.add(
            RelocalizeNode(
                load=self.load,
                fail=self.defects.append,
                overrides=[Parameter(name, value=value) for name, value in overrides.items()],
            )
        )

    def load(
        self, path: Path, device: str, threads: int, refine: str, method: str, engine: str
    ) -> Any:
        if path.name == 'broken':
            raise ModelError(f'{path} is truncated; copy it again')
        self.refine, self.method = refine, method
        if path.name in self.others:
            return self.others[path.name]()
        return self.localizer.network if refine == 'off' else self.localizer

    def until_active(self) -> Bench:
        self.graph.until(lambda: self.camera.get_subscription_count() == 1)
        for topic in ('/posenet/pose', '/posenet/verified_pose'):
            self.graph.until(lambda topic=topic: self.node.count_subscribers(topic) == 1)
        return self

    def send(self, stamp_ns: int, **look: Any) -> None:
        self.camera.publish(self.make_image(stamp_ns, **look))

    def answer(self, stamp_ns: int, **look: Any) -> None:
        """Send an image and wait for its pose."""
        self.send(stamp_ns, **look)
        self.graph.until(lambda: self.poses and self.stamps(self.poses)[-1] == stamp_ns)

    def values(self) -> tuple[bytes, str, dict[str, str]]:
        """Return level, message and values of the newest diagnostics."""
        status = self.diagnostics[-1].status[0]
        return status.level, status.message, {each.key: each.value for each in status.values}

    @staticmethod
    def stamps(messages: list[Any]) -> list[int]:
        from posenet_ros.nodes.conversions import stamp_ns

        return [stamp_ns(message.header.stamp) for message in messages]

    def until_diagnosed(self, **expected: str) -> None:
        self.graph.until(lambda: self.diagnostics and expected.items() <= self.values()[2].items())

    def until_problem(self, *words: str) -> bytes:
        self.graph.until(
            lambda: self.diagnostics and all(word in self.values()[1] for word in words)
        )
        return self.values()[0]

    def enable(self, wanted: bool) -> str:
        """Pause or go on, and return what the node says to that."""
        from std_srvs.srv import SetBool

        response = self.graph.call(SetBool, '/posenet/enable', SetBool.Request(data=wanted))
        assert response.success
        return response.message

    def change(self, transition: int) -> bool:
        from lifecycle_msgs.msg import Transition
        from lifecycle_msgs.srv import ChangeState

        request = ChangeState.Request(transition=Transition(id=transition))
        return self.graph.call(ChangeState, '/posenet/change_state', request).success


@pytest.fixture
def make_bench(
    graph: Graph, localizer: FakeLocalizer, make_image: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Bench]]:
    """Return a maker of benches of parameters, answered by `localizer` or another."""
    from posenet_ros.nodes import relocalize_node

    # Once a second is right for a robot and slow for a test.
    monkeypatch.setattr(relocalize_node, '_REPORT_PERIOD_S', 0.05)
    benches: list[Bench] = []

    def make(*, answered_by: Any = localizer, **parameters: Any) -> Bench:
        benches.append(Bench(graph, answered_by, make_image, **parameters))
        return benches[-1]

    yield make
    for bench in benches:
        assert bench.defects == []


class Command:
    """A process of ours whose output is read while it runs."""

    def __init__(self, arguments: list[str], cwd: Path, **environment: str) -> None:
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get('PYTHONPATH')])])
        descriptor, name = tempfile.mkstemp('.log', dir=cwd)
        self.log, self._file = Path(name), os.fdopen(descriptor, 'w')
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=cwd,
            env={**os.environ, 'PYTHONPATH': path, **environment},
            stdout=self._file,
            stderr=subprocess.STDOUT,
            text=True,
            # A group of its own, as under a terminal.
            start_new_session=True,
        )

    @property
    def output(self) -> str:
        return self.log.read_text()

    def until_says(self, text: str) -> str:
        """Wait until the output contains a text, and return the output."""
        end = time.monotonic() + PATIENCE_S
        while text not in self.output:
            assert self.process.poll() is None, f'ended early:\n{self.output}'
            assert time.monotonic() < end, f'never said {text!r}:\n{self.output}'
            time.sleep(0.02)
        return self.output

    def stop(self, number: signal.Signals = signal.SIGINT, patience_s: float = 5.0) -> int:
        """Send a signal and return the exit code; by default within the five seconds allowed."""
        self.process.send_signal(number)
        return self.process.wait(patience_s)

    def ctrl_c(self, patience_s: float = PATIENCE_S) -> int:
        """Interrupt it and what it started, as a terminal does, and return the exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(patience_s)

    def end(self) -> None:
        # What it started goes with it.
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._file.close()


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Callable[..., Command]]:
    """Start processes of `python ARGUMENTS` that do not outlive the test."""
    started: list[Command] = []

    def start(*arguments: str, **environment: str) -> Command:
        started.append(Command(list(arguments), tmp_path, **environment))
        return started[-1]

    yield start
    for each in started:
        each.end()


@pytest.fixture
def refused() -> Callable[..., Any]:
    """Return a context manager that expects an error of one line with certain words."""

    @contextmanager
    def expect(error: type[Exception], *words: str) -> Iterator[None]:
        with pytest.raises(error) as raised:
            yield
        text = str(raised.value)
        assert '\n' not in text
        for word in words:
            assert word in text

    return expect
