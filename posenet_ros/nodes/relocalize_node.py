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

"""The node that tells where the camera is: images in, poses out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
import time

from diagnostic_msgs.msg import DiagnosticArray
from posenet_ros.data.topics import is_rectified
from posenet_ros.localization.estimate import Localizer
from posenet_ros.nodes.answer_watch import AnswerWatch
from posenet_ros.nodes.answering import Arrival, load_localizer
from posenet_ros.nodes.body import Body
from posenet_ros.nodes.bridge import Decoder
from posenet_ros.nodes.camera_view import AS_IT_IS, View
from posenet_ros.nodes.camera_watch import CameraWatch
from posenet_ros.nodes.condition import Condition
from posenet_ros.nodes.diagnostics import diagnostic_array, ProblemLog
from posenet_ros.nodes.image_input import ImageInput
from posenet_ros.nodes.map_relation import read_map_from_model
from posenet_ros.nodes.meters import Traffic
from posenet_ros.nodes.model_keeper import Load, ModelKeeper, Running
from posenet_ros.nodes.model_use import ModelUse
from posenet_ros.nodes.neighbour import Neighbours
from posenet_ros.nodes.outputs import Outputs
from posenet_ros.nodes.parameters import Parameters
from posenet_ros.nodes.pipeline import Pipeline
from posenet_ros.nodes.publishing import Publishing
from posenet_ros.nodes.recovering import Recovering
from posenet_ros.nodes.transform_input import TransformInput
from rclpy.clock import Clock, ClockType, JumpThreshold, TimeJump
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from sensor_msgs.msg import CompressedImage, Image
from std_srvs.srv import SetBool

_REPORT_PERIOD_S = 1.0
_RETRY_PERIOD_S = 10.0


class RelocalizeNode(LifecycleNode):
    """
    Node `posenet`: subscribes to images, answers the newest, publishes what it found.

    Where the model has a map of landmarks, a second thread looks for the newest answered or
    refused image in it, and publishes what is found there as verified poses. The model is
    loaded in `configure` and freed in `cleanup`; images are answered while active. With
    `autostart` it brings itself to active, and tries again every ten seconds while the model
    cannot be loaded. Diagnostics go out in every state. The service `~/enable` pauses it without
    a transition, and setting `model` exchanges the model while images are answered.
    """

    def __init__(
        self,
        *,
        load: Load = load_localizer,
        fail: Callable[[BaseException], None],
        overrides: Sequence[Parameter] = (),
    ) -> None:
        """
        Declare the interface; raise ConfigError for a parameter that cannot be used.

        `load` makes the localizer from the parameters `model`, `device`, `threads`, `refine`,
        `method` and `engine`; `fail` is told of defects, which rclpy would swallow; `overrides` go
        before what ROS arguments say.
        """
        super().__init__('posenet', parameter_overrides=list(overrides))
        self._fail = fail
        self._keeper = ModelKeeper(load, self._make_pipeline, fail)
        self._state = 'unconfigured'
        self._enabled = True
        self._problem_log = ProblemLog(self.get_logger())
        self._traffic = Traffic()
        self._answers = AnswerWatch()
        self._settings = Parameters(self, lambda: self._state == 'unconfigured')
        self._outputs = Outputs(self)
        self._neighbours = Neighbours(self)
        self._images = ImageInput(self, self._on_image)
        self._camera = CameraWatch(self)
        self._transforms = TransformInput(self)
        self._body = Body(self._transforms)
        self._recovering = Recovering(
            self,
            settings=self._settings,
            transforms=self._transforms,
            broadcast=self._outputs.send_transform,
            clock_jumped=self._on_clock_jump,
        )
        self._settings.vetoes['recovery'] = self._recovering.refusal
        self._publishing = Publishing(
            self,
            settings=self._settings,
            outputs=self._outputs,
            body=self._body,
            answers=self._answers,
            traffic=self._traffic,
            observe=self._recovering.observe,
        )
        self._model = ModelUse(
            self, settings=self._settings, keeper=self._keeper, take_up=self._take_up
        )
        self._condition = Condition(
            settings=self._settings,
            keeper=self._keeper,
            images=self._images,
            answers=self._answers,
            traffic=self._traffic,
            camera=self._camera,
            transforms=self._transforms,
            body=self._body,
            neighbours=self._neighbours,
            recovering=self._recovering,
        )
        self.create_service(SetBool, '~/enable', self._on_enable)
        self._diagnostics = self.create_publisher(DiagnosticArray, '/diagnostics', 10)
        self._say_once_what_is_missing()
        # Steady clocks: with use_sim_time and a silent /clock, ROS time stands still.
        self._steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._report_timer = self.create_timer(_REPORT_PERIOD_S, self._tick, clock=self._steady)
        self._jump_handle = self.get_clock().create_jump_callback(
            JumpThreshold(min_forward=None, min_backward=Duration(nanoseconds=-1)),
            post_callback=self._on_clock_jump,
        )
        self._start_timer = None
        if self._settings['autostart']:
            self._start_timer = self.create_timer(0.0, self._start, clock=self._steady)

    def _say_once_what_is_missing(self) -> None:
        if self._settings['publish_tf'] != 'none' and not self._outputs.can_broadcast:
            self.get_logger().warning(
                'tf2_msgs is not installed: nothing is broadcast on /tf (publish_tf:=none '
                'silences this)'
            )
        if self._settings['base_frame'] and not self._transforms.can_listen:
            self.get_logger().error(
                'tf2_msgs is not installed: no transform is heard, and so nothing of base_frame '
                'can be published'
            )

    # -- life cycle -----------------------------------------------------------------------------

    def _start(self) -> None:
        """Bring the node to active; come back later where the model cannot be loaded."""
        with self._defects_told():
            self._start_timer.cancel()
            self.destroy_timer(self._start_timer)
            self._start_timer = None
            if self._state != 'unconfigured':
                return
            if self.trigger_configure() == TransitionCallbackReturn.SUCCESS:
                self.trigger_activate()
            elif self._state == 'unconfigured':
                self._start_timer = self.create_timer(
                    _RETRY_PERIOD_S, self._start, clock=self._steady
                )

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the model; FAILURE, with the reason in log and diagnostics, where it cannot be."""
        with self._defects_told():
            self._state = 'configuring'
            self._tick()
            self._body.frame = self._settings['base_frame']
            if not self._model.load():
                self._state = 'unconfigured'
                self._tick()
                return TransitionCallbackReturn.FAILURE
            if self._body.frame:
                self._transforms.subscribe()
            self._state = 'inactive'
        return super().on_configure(state)

    def _make_pipeline(self, localizer: Localizer, decoder: Decoder) -> Pipeline:
        return Pipeline(
            localizer,
            decoder,
            view=self._view,
            lens=lambda: self._camera.lens(self._settings['camera_tolerance']),
            urgent=lambda: self._recovering.urgent,
            publish=self._neighbours.noting(self._publishing.publish),
            publish_verified=self._publishing.publish_verified,
            refuse=self._publishing.refuse,
            fail=self._fail,
        )

    def _take_up(self, running: Running) -> None:
        """Go by what a model says of itself, and tell which it is."""
        card, device = running.localizer.card, str(running.localizer.device)
        map_frame = self._settings['map_frame'] or card.map_frame
        self._publishing.map_frame = map_frame
        self._publishing.map_from_model = read_map_from_model(self._settings['map_from_model'])
        self._camera.expect(card.camera, card.sees.centre_box)
        self.get_logger().info(
            f'model {running.request.model} ({running.localizer.method}) on {device} by '
            f'{running.localizer.engine}; images by {running.decoder.description}; '
            f'verification: {self._condition.verified(0).by}'
        )
        if device == 'cpu' and running.request.device == 'auto':
            self.get_logger().warning('no CUDA device: the network runs on the CPU')
        self._recovering.begin(card, map_frame)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe; from here on images are answered."""
        with self._defects_told():
            result = super().on_activate(state)
            self._state = 'active'
            if self._enabled:
                self._open_inputs()
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unsubscribe; what is in work is dropped."""
        with self._defects_told():
            self._close_inputs('the node is not active')
            self._state = 'inactive'
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free the model and the memory of its device."""
        with self._defects_told():
            self._release()
            self._state = 'unconfigured'
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free everything for good."""
        with self._defects_told():
            self._release()
            self._state = 'finalized'
        return super().on_shutdown(state)

    def close(self) -> bool:
        """Unsubscribe, end the threads, free the model; tell whether they ended in time."""
        self._jump_handle.unregister()
        return self._release()

    def _open_inputs(self) -> None:
        self._recovering.start()
        self._images.subscribe(self._settings['image_transport'])
        self._camera.subscribe(rectified=is_rectified(self._images.topic))
        names = [self.resolve_topic_name('~/pose')]
        if self._keeper.running.pipeline.verifies:
            names.append(self.resolve_topic_name('~/verified_pose'))
        self.get_logger().info(
            f'active: images from {self._images.topic}, poses on {" and ".join(names)}'
        )

    def _close_inputs(self, reason: str) -> None:
        self._images.unsubscribe()
        self._camera.unsubscribe()
        self._recovering.stop(reason)
        self._forget(reason)

    def _on_enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        """Pause or go on, whatever the state: what is paused stays so until it is told."""
        with self._defects_told():
            changed, self._enabled = self._enabled != request.data, request.data
            if changed and self._state == 'active':
                if self._enabled:
                    self._open_inputs()
                else:
                    self._close_inputs('paused by ~/enable')
            done = 'images are answered' if self._enabled else 'paused: no image is answered'
            inactive = (
                '' if self._state == 'active' else f', once the node is active: {self._state}'
            )
            response.success, response.message = True, done + inactive
        return response

    def _release(self) -> bool:
        self._close_inputs('the node is not active')
        self._recovering.close()
        self._transforms.unsubscribe()
        return self._keeper.release()

    @contextmanager
    def _defects_told(self) -> Iterator[None]:
        """Tell of what is raised: rclpy takes an exception in a transition without a word."""
        try:
            yield
        except BaseException as error:
            self._fail(error)
            raise

    # -- images ---------------------------------------------------------------------------------

    def _on_image(self, message: Image | CompressedImage) -> None:
        now_ns = time.monotonic_ns()
        self._traffic.arrived(now_ns)
        self._answers.arrived(now_ns)
        self._keeper.running.pipeline.put(Arrival(message, now_ns))

    def _view(self, size: tuple[int, int]) -> View:
        """Return what becomes of images of a size; refused where the camera is another."""
        view = self._camera.view(self._settings['camera_tolerance'], size)
        return view if self._settings['camera_guard'] == 'refuse' or not view.refusal else AS_IT_IS

    def _on_clock_jump(self, jump: TimeJump | None = None) -> None:
        """Forget what belongs to another time."""
        self.get_logger().info('the clock jumped back: starting afresh')
        self._transforms.clear()
        self._forget('the clock jumped back')

    def _forget(self, reason: str) -> None:
        if self._keeper.running is not None:
            self._keeper.running.pipeline.forget()
        self._recovering.clear(reason)
        self._body.clear()
        self._outputs.clear()
        self._neighbours.clear()
        self._traffic.clear()
        self._answers.clear()

    # -- diagnostics ----------------------------------------------------------------------------

    def _tick(self) -> None:
        exchanged = self._model.exchange(lambda: self._forget('another model answers'))
        if exchanged and self._state == 'active' and self._enabled:
            self._recovering.start()
        self._recovering.look_around()
        report = self._condition.report(
            self._state, enabled=self._enabled, model_problem=self._model.problem
        )
        self._problem_log.tell(report.problems)
        self._diagnostics.publish(
            diagnostic_array(
                report,
                name=f'{self.get_fully_qualified_name().lstrip("/")}: relocalization',
                stamp=self.get_clock().now().to_msg(),
            )
        )
        self._outputs.publish_trail(self._settings['trail_length'])
        self._neighbours.publish(self._keeper.running)
