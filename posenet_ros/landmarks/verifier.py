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

"""From an image and a guess to a pose that the map itself confirms, or the reasons why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
import math

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import ModelError
from posenet_ros.geometry import Camera, covariance_at_lever, Pose
from posenet_ros.landmarks.finder import Finder, Held, SAME_PLACE, SAME_TURN
from posenet_ros.landmarks.focal import refocused, spoken_for
from posenet_ros.landmarks.gate import Evidence, Gate
from posenet_ros.landmarks.landmark_map import LandmarkMap
from posenet_ros.landmarks.resection import Attitude, FEWEST_MATCHES, Resected, Zoom
from posenet_ros.landmarks.sighting import in_parts, Sighting
from scipy.spatial.transform import Rotation

# Frames that look most like the image, and those nearest to where the network has it.
_MOST_ALIKE = 8
_NEAREST = 4
# Other places that are asked, too, by so many frames each.
_PLACES = 3
_ELSEWHERE = 4
# A frame is of another place where it saw at most this share of the points that hold a pose.
_SHARED = 0.1
# A part of the image shows hardly any of its points where it shows less than such a share of what
# the image shows as a whole.
_HARDLY = 0.2
_FEWEST_FEATURES = 15
_OPEN = 'the points that are found leave the pose open'
# Of width over height; less comes from rounding sizes.
_OTHER_SHAPE = 0.01


@dataclass(frozen=True, eq=False)
class Verdict:
    """
    What the map says of an image.

    `map_from_camera` and `covariance` (6, 6) are there where points of the map hold a pose, and
    it is `verified` where nothing speaks against it; `reasons` say what does. `evidence` is None
    where no pose was found. `focal_px` is the focal length, in pixels of the image, where nobody
    told it and it was estimated.
    """

    map_from_camera: Pose | None
    covariance: NDArray[np.float64] | None
    evidence: Evidence | None
    reasons: tuple[str, ...] = ()
    focal_px: float | None = None

    @property
    def verified(self) -> bool:
        """Whether there is a pose that nothing speaks against."""
        return self.map_from_camera is not None and not self.reasons


class Verifier:
    """
    Finds where an image was taken, exactly, from points of the map.

    Frames that look like the image, and those near a guess, say which points may be in sight; the
    points' looks say which they are (the guess is not needed for that); their places say
    where the camera is. Then all points in sight of that pose are looked for, and counted.
    """

    def __init__(self, landmarks: LandmarkMap, gate: Gate | None = None) -> None:
        """Take a map; `gate` goes before the map's own."""
        self.landmarks = landmarks
        self.gate = Gate.from_dict(landmarks.gate) if gate is None else gate
        places = landmarks.places_FK.astype(np.float32)
        lengths = np.linalg.norm(places, axis=1, keepdims=True)
        self._places = places / np.maximum(lengths, 1e-6)
        self._finder = Finder(landmarks)

    def verify(
        self,
        rgb: NDArray[np.uint8],
        place_K: NDArray[np.floating],
        guess: Pose | None = None,
        camera: Camera | None = None,
        *,
        any_focal: bool = False,
    ) -> Verdict:
        """
        Look for an image uint8 (H, W, 3) in the map.

        `place_K` is what it looks like as a whole, as the map's frames do; `guess` is
        `map_from_camera` by the network; `camera` took the image, by default the map's own,
        scaled to its size. With `any_focal` nobody knows whether it did: where the points speak
        for another focal length, that is estimated with the pose. Nothing is verified by an image
        of another shape, which lacks a part. Raises ModelError for a `place_K` of another network.
        """
        place_K = np.asarray(place_K)
        if place_K.shape != self._places.shape[1:]:
            raise ModelError(
                f'the map tells places by {self._places.shape[1]} numbers, and the network by '
                f'{place_K.size}: they were not made together'
            )
        height, width = rgb.shape[:2]
        if not rgb.size:
            return _nothing('the image is empty')
        camera = camera or self.landmarks.camera
        if abs(width * camera.height / (height * camera.width) - 1) > _OTHER_SHAPE:
            return _nothing(
                f'an image of {width}x{height} is not all that a camera of '
                f'{camera.width}x{camera.height} takes'
            )
        camera = camera.resized(width, height)
        asked = Sighting.of(self.landmarks.extractor.extract(rgb), camera)
        if len(asked) < _FEWEST_FEATURES:
            return _nothing(f'the image has {len(asked)} features, too few to tell')
        similar_F = self._places @ place_K.astype(np.float32)
        order = np.argsort(-similar_F)
        frames = set(order[:_MOST_ALIKE].tolist())
        if guess is not None:
            frames |= set(self._finder.around(self._attitude(guess), _NEAREST).tolist())
        verdict = self._seen(asked, sorted(frames), order)
        if any_focal and not verdict.verified and not self._lens_fits(verdict.evidence):
            freed = refocused(self.landmarks, asked, sorted(frames))
            if freed is not None:
                return self._seen(freed, sorted(frames), order, told=False)
        return verdict

    def _seen(
        self, asked: Sighting, frames: Sequence[int], order: NDArray[np.int64], told: bool = True
    ) -> Verdict:
        """Return what some frames' points say of a sighting, whose focal length was `told`."""
        held = self._finder.hold(asked, frames)
        if held is None:
            return _nothing('no pose goes with what it shows of the map')
        zoom = spoken_for(self.landmarks, asked, held)
        evidence = self._evidence(asked, held, order, zoom)
        if told:
            return self._verdict(held.refined, evidence)
        if zoom is None or zoom.deviation > self.gate.zoom:
            return _nothing('nothing tells the focal length of its camera')
        verdict = self._verdict(zoom.pose, evidence)
        return replace(verdict, focal_px=asked.camera_focal * zoom.factor)

    def _lens_fits(self, evidence: Evidence | None) -> bool:
        """Tell whether it is not for the focal length that nothing is verified."""
        if evidence is None or evidence.agreed < self.gate.agreed:
            return False
        return max(abs(evidence.zoom - 1), evidence.zoom_deviation) <= self.gate.zoom

    def _attitude(self, guess: Pose) -> Attitude:
        pose = guess @ self.landmarks.image_from_label.inverse()
        return Attitude(pose.rotation.as_matrix(), pose.translation)

    def _evidence(
        self, asked: Sighting, held: Held, order: NDArray[np.int64], zoom: Zoom | None
    ) -> Evidence:
        every = asked.parts_of(asked.rays_N2)
        has_C = in_parts(every[held.matches.features])
        due_C = in_parts(asked.parts_of(held.plane_P2))
        hardly_C = has_C <= _HARDLY * has_C.sum() / max(due_C.sum(), 1) * due_C
        return Evidence(
            agreed=held.agreed,
            found=len(held.matches.points),
            expected=len(held.plane_P2),
            by_chance=held.by_chance,
            cells=int(np.count_nonzero(has_C)),
            missed=float(due_C[hardly_C].sum() / max(due_C.sum(), 1)),
            strange=float((has_C[every] == 0).mean()),
            afar=self._finder.afar(held.refined.attitude),
            elsewhere=self._elsewhere(asked, held, order),
            zoom=zoom.factor if zoom else 1.0,
            zoom_deviation=zoom.deviation if zoom else math.inf,
        )

    def _elsewhere(self, asked: Sighting, held: Held, order: NDArray[np.int64]) -> int:
        """
        Return how many features agree with any other place, of those that look most alike.

        Frames of another place hardly saw any of the points found here. They may be near: of two
        doors beside each other each looks like the other. Places are asked one by one, since what
        is in two of them tells neither. A place with too few to speak against the pose counts as
        none.
        """
        fewest = max(FEWEST_MATCHES, math.floor(self.gate.elsewhere * held.agreed) + 1)
        seen_F = np.diff(self.landmarks.first_seen)
        left_F = (seen_F > 0) & (
            self._how_many(held.matches.points) <= _SHARED * len(held.matches.points)
        )
        most = 0
        for _ in range(_PLACES):
            left = order[left_F[order]]
            if not len(left):
                break
            same_F = left_F & (self._how_many(self.landmarks.seen_by(left[:1])) > 0)
            left_F &= ~same_F
            other = self._finder.hold(asked, left[same_F[left]][:_ELSEWHERE].tolist(), fewest)
            if other and not self._finder.same(held.refined.attitude, other.refined.attitude):
                most = max(most, other.agreed)
        return most

    def _how_many(self, points: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many of some points each frame saw."""
        marked = np.zeros(len(self.landmarks.points_P3), dtype=bool)
        marked[points] = True
        sums = np.concatenate([[0], np.cumsum(marked[self.landmarks.seen])])
        return np.diff(sums[self.landmarks.first_seen])

    def _verdict(self, refined: Resected, evidence: Evidence) -> Verdict:
        attitude, information = refined.attitude, refined.information
        offset = self.landmarks.image_from_label
        map_from_image = Pose(
            Rotation.from_matrix(attitude.map_from_image), attitude.centre, 'map', 'image'
        )
        pose = map_from_image @ offset
        covariance = self.gate.covariance(information)
        if covariance is None:
            return _nothing(_OPEN)
        reasons = self.gate.objections(evidence)
        if self._is_open(covariance):
            reasons = (*reasons, _OPEN)
        # The labelled camera is beside the one that took the image, and swings with its turns.
        covariance = covariance_at_lever(covariance, pose.translation - attitude.centre)
        return Verdict(pose, covariance, evidence, reasons)

    def _is_open(self, covariance: NDArray[np.float64]) -> bool:
        """Tell whether a pose may as well be another, as where all points are on one line."""
        along = math.sqrt(np.linalg.eigvalsh(covariance[:3, :3])[-1])
        about = math.sqrt(np.linalg.eigvalsh(covariance[3:, 3:])[-1])
        floor = math.hypot(self.gate.floor_m, SAME_PLACE * self._finder.depth_m)
        return along > floor or about > math.hypot(self.gate.floor_rad, SAME_TURN)


def _nothing(reason: str) -> Verdict:
    return Verdict(None, None, None, (reason,))
