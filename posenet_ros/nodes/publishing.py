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

"""What becomes of answers and refusals: noted, made the body's, and published."""

from __future__ import annotations

from collections.abc import Callable
import time

from posenet_ros.errors import PosenetError, TransformError
from posenet_ros.geometry import Pose
from posenet_ros.localization.estimate import PoseEstimate
from posenet_ros.machine import process_age_s
from posenet_ros.nodes.answer_watch import AnswerWatch
from posenet_ros.nodes.answering import Answered, Arrival
from posenet_ros.nodes.body import Body, Placed
from posenet_ros.nodes.conversions import stamp_ns
from posenet_ros.nodes.meters import Traffic
from posenet_ros.nodes.outputs import Outputs
from posenet_ros.nodes.parameters import Parameters
from posenet_ros.recovery import Kind, Observation
from posenet_ros.stages import PUBLISH
from rclpy.lifecycle import LifecycleNode
from std_msgs.msg import Header


class Publishing:
    """
    The way from a pipeline to the topics; its methods are called in the pipeline's threads.

    `map_frame` is that of the poses that go out, and `map_from_model` where the map of the model
    in use lies in that, None where it is the same.
    """

    def __init__(
        self,
        node: LifecycleNode,
        *,
        settings: Parameters,
        outputs: Outputs,
        body: Body,
        answers: AnswerWatch,
        traffic: Traffic,
        observe: Callable[[Observation], None],
    ) -> None:
        """
        Take the parts of a node that an answer goes through.

        `observe` is told what each image says of where the base is, where there is one.
        """
        self.map_frame = ''
        self.map_from_model: Pose | None = None
        self._observe = observe
        self._node = node
        self._settings = settings
        self._outputs = outputs
        self._body = body
        self._answers = answers
        self._traffic = traffic
        self._told_first = False

    def publish(self, answered: Answered) -> None:
        """Broadcast where the camera is, and publish where the body is, by the network."""
        start_ns = time.monotonic_ns()
        arrival, estimate = answered.arrival, self._referred(answered.estimate)
        header = arrival.message.header
        if self._settings['publish_tf'] == 'camera':
            self._outputs.broadcast(
                estimate.map_from_camera,
                header.stamp,
                parent=self.map_frame,
                child=self._settings['camera_frame'],
            )
        placed = self._place(estimate, header)
        if placed is None:
            return
        self._outputs.publish(placed, header.stamp, map_frame=self.map_frame)
        self._tell(placed, header, Kind.REGRESSED)
        self._answers.answered(estimate.scene)
        now_ns = time.monotonic_ns()
        age_ns = self._node.get_clock().now().nanoseconds - stamp_ns(header.stamp)
        self._traffic.answered(
            now_ns,
            latency_ns=now_ns - arrival.received_ns,
            age_ns=age_ns,
            stages_ns={**answered.stages_ns, PUBLISH: now_ns - start_ns},
        )
        self._tell_first()

    def _tell_first(self) -> None:
        """Say once how long it took from the start of the process to a pose."""
        if self._told_first:
            return
        self._told_first = True
        age_s = process_age_s()
        if age_s is not None:
            self._node.get_logger().info(f'first pose, {age_s:.1f} s after the process began')

    def publish_verified(self, answered: Answered, estimate: PoseEstimate) -> None:
        """Publish where the body is, by the map."""
        header = answered.arrival.message.header
        placed = self._place(self._referred(estimate), header)
        if placed is None:
            return
        self._outputs.publish_verified(placed, header.stamp, map_frame=self.map_frame)
        self._tell(placed, header, Kind.VERIFIED)
        # Also of an image that the network refused: the camera is known to be somewhere.
        self._answers.answered()

    def refuse(self, arrival: Arrival, error: PosenetError) -> None:
        """Note an image that got no answer."""
        self._answers.refused(str(error))
        if self._body.frame:
            taken_ns = stamp_ns(arrival.message.header.stamp)
            self._observe(Observation.refused(taken_ns, str(error)))
        self._node.get_logger().warning(f'image refused: {error}', throttle_duration_sec=5.0)

    def _referred(self, estimate: PoseEstimate) -> PoseEstimate:
        """Return an estimate in the map of the poses that go out."""
        return estimate if self.map_from_model is None else estimate.referred(self.map_from_model)

    def _tell(self, placed: Placed, header: Header, kind: Kind) -> None:
        if self._body.frame:
            map_from_base = placed.map_from_body.renamed(source='base')
            taken_ns = stamp_ns(header.stamp)
            self._observe(Observation(taken_ns, map_from_base, placed.covariance, kind))

    def _place(self, estimate: PoseEstimate, header: Header) -> Placed | None:
        """Return what is published of a pose of the camera; diagnostics tell why nothing is."""
        try:
            return self._body.place(estimate, header)
        except TransformError as error:
            self._answers.refused(str(error))
            return None
