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

"""Pairs in batches: each as the true poses have it, in a mirror too."""

from dataclasses import replace
import math

import numpy as np
from posenet_ros.models.relative import RelativePrediction
from posenet_ros.training.relative.batches import batch_of, DrawnPairs
from posenet_ros.training.relative.module import (
    doubts_loss,
    errors_of,
    parts_of_errors,
    relative_loss,
)
import pytest
import torch


def test_a_target_is_where_the_asked_camera_is_in_the_known_ones_frame(make_scene):
    scene = make_scene(0)
    asked, known = np.array([3, 5]), np.array([7, 2])
    batch = batch_of(scene, asked, known)
    for row, (a, k) in enumerate(zip(asked, known, strict=True)):
        known_33 = scene.rotations_N33[k]
        offset = known_33.T @ (scene.centres_N3[a] - scene.centres_N3[k])
        distance = batch.target.log_distance_B[row].exp()
        np.testing.assert_allclose(batch.target.direction_B3[row] * distance, offset, atol=1e-6)
        turn = known_33.T @ scene.rotations_N33[a]
        np.testing.assert_allclose(batch.target.rotation_B33[row], turn, atol=1e-6)
        np.testing.assert_array_equal(batch.asked.map_BChw[row], scene.maps_NChw[a])
        np.testing.assert_array_equal(batch.known.map_BChw[row], scene.maps_NChw[k])
        np.testing.assert_array_equal(batch.known.ray_B2hw[row], scene.ray_2hw)


def test_a_mirror_turns_cells_rays_and_poses_over(make_scene):
    scene = make_scene(0)
    numbers = np.array([3, 5]), np.array([7, 2])
    plain = batch_of(scene, *numbers)
    mirrored = batch_of(scene, *numbers, np.array([False, True]))
    for one, other in zip(plain.target, mirrored.target, strict=True):
        torch.testing.assert_close(one[0], other[0])
    flip = torch.diag(torch.tensor([-1.0, 1.0, 1.0]))
    direction, rotation = plain.target.direction_B3[1], plain.target.rotation_B33[1]
    torch.testing.assert_close(mirrored.target.direction_B3[1], flip @ direction)
    torch.testing.assert_close(mirrored.target.rotation_B33[1], flip @ rotation @ flip)
    assert torch.linalg.det(mirrored.target.rotation_B33[1]) == pytest.approx(1)
    torch.testing.assert_close(mirrored.asked.map_BChw[1], plain.asked.map_BChw[1].flip(2))
    # A point that is seen in a cell is seen in the mirrored one, by the mirrored ray.
    torch.testing.assert_close(mirrored.asked.ray_B2hw[1, 0], -plain.asked.ray_B2hw[1, 0].flip(1))
    torch.testing.assert_close(mirrored.asked.ray_B2hw[1, 1], plain.asked.ray_B2hw[1, 1].flip(1))


def test_another_look_is_another_map_of_the_same_pose(make_scene):
    scene = make_scene(0)
    looked = replace(scene, maps_NChw=np.concatenate([scene.maps_NChw, -scene.maps_NChw]), looks=2)
    asked, known = np.array([3, 5]), np.array([7, 2])
    plain = batch_of(scene, asked, known)
    other = batch_of(looked, asked, known, None, np.array([0, 1]), 1)
    signs = torch.tensor([1.0, -1.0]).view(2, 1, 1, 1)
    torch.testing.assert_close(other.asked.map_BChw, signs * plain.asked.map_BChw)
    torch.testing.assert_close(other.known.map_BChw, -plain.known.map_BChw)
    torch.testing.assert_close(other.target, plain.target)
    drawn = DrawnPairs([looked], 40, seed=1).__getitems__(range(40))
    assert drawn.asked.map_BChw.shape == (40, 5, 3, 4)


def test_a_mirrored_point_projects_as_the_mirrored_pose_says(make_scene):
    """What the known camera sees at p, the asked one sees at R^T (p - t), in a mirror as well."""
    scene = make_scene(1)
    numbers = np.array([1]), np.array([4])
    point = torch.tensor([0.3, -0.2, 2.0])
    flip = torch.diag(torch.tensor([-1.0, 1.0, 1.0]))

    def seen(batch, at):
        offset = batch.target.direction_B3[0] * batch.target.log_distance_B[0].exp()
        return batch.target.rotation_B33[0].T @ (at - offset)

    plain = seen(batch_of(scene, *numbers), point)
    mirrored = seen(batch_of(scene, *numbers, np.array([True])), flip @ point)
    torch.testing.assert_close(mirrored, flip @ plain)


def test_seeded_pairs_are_the_same_again_and_others_are_not(make_scene):
    scenes = [make_scene(seed) for seed in range(3)]
    held_out = DrawnPairs(scenes, 40, mirrored=False, seed=0)
    assert len(held_out) == 40
    first, again = held_out.__getitems__(range(8)), held_out.__getitems__(range(8))
    torch.testing.assert_close(first.target.direction_B3, again.target.direction_B3)
    other = held_out.__getitems__(range(8, 16))
    assert not torch.equal(first.target.direction_B3, other.target.direction_B3)
    drawn = DrawnPairs(scenes, 40)
    torch.manual_seed(0)
    one, two = drawn.__getitems__(range(16)), drawn.__getitems__(range(16))
    assert one.asked.map_BChw.shape == (16, 5, 3, 4)
    assert not torch.equal(one.target.direction_B3, two.target.direction_B3)


def prediction(target, degrees=0.0, log=0.0):
    angle = math.radians(degrees)
    turn = torch.tensor(
        [[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0], [0, 0, 1]]
    )
    rotation = target.rotation_B33 @ turn
    # Turned about an axis across it.
    across = torch.linalg.cross(target.direction_B3, torch.tensor([[0.0, 0, 1]]))
    across = torch.nn.functional.normalize(across, dim=1)
    direction = math.cos(angle) * target.direction_B3 + math.sin(angle) * across
    nothing = torch.zeros(len(direction), 3)
    return RelativePrediction(direction, target.log_distance_B + log, rotation, nothing)


@pytest.mark.parametrize('degrees', [0.0, 0.01, 5.0, 90.0, 179.0])
def test_errors_are_angles_and_a_share(make_scene, degrees):
    target = batch_of(make_scene(0), np.array([3, 5]), np.array([7, 2])).target
    errors = errors_of(prediction(target, degrees, 0.1), target)
    expected = [math.radians(degrees)] * 2
    assert errors.direction_rad_B.tolist() == pytest.approx(expected, abs=1e-3)
    assert errors.rotation_rad_B.tolist() == pytest.approx(expected, abs=1e-3)


def test_the_loss_is_least_at_the_truth_and_grows_with_each_error(make_scene):
    target = batch_of(make_scene(0), np.array([3, 5]), np.array([7, 2])).target
    losses = [float(relative_loss(prediction(target, d), target)) for d in (0, 5, 20, 90)]
    assert losses[0] == pytest.approx(0, abs=1e-5)
    assert losses == sorted(losses)
    # Too near by a tenth, in metres twice and a little for the logarithm.
    nearer = float(relative_loss(prediction(target, 0, math.log(0.9)), target))
    metres = 0.2 * float(target.log_distance_B.exp().mean())
    assert nearer == pytest.approx(metres - 0.3 * math.log(0.9), rel=1e-4)


def test_errors_are_told_apart_across_along_and_of_the_rotation(make_scene):
    target = batch_of(make_scene(0), np.array([3, 5]), np.array([7, 2])).target
    distance = target.log_distance_B.exp()
    parts = parts_of_errors(prediction(target, 30, math.log(2)), target)
    torch.testing.assert_close(parts[:, 0], distance * math.sin(math.radians(30)))
    torch.testing.assert_close(parts[:, 1], distance * (2 - math.cos(math.radians(30))))
    torch.testing.assert_close(parts[:, 2], torch.full((2,), math.radians(30)))


def test_what_is_told_of_errors_is_best_at_their_mean(make_scene):
    target = batch_of(make_scene(0), np.array([3, 5]), np.array([7, 2])).target
    found = prediction(target, 30, 0.5)
    mean = parts_of_errors(found, target).mean(dim=0).log()

    def loss(log_error):
        return float(doubts_loss(found._replace(log_error_B3=log_error.expand(2, 3)), target))

    for part in range(3):
        for step in (-0.2, 0.2):
            assert loss(mean + step * torch.eye(3)[part]) > loss(mean)


def test_where_the_direction_is_not_known_the_least_loss_is_to_stay_near(make_scene):
    target = batch_of(make_scene(0), np.array([3, 5]), np.array([7, 2])).target
    target = target._replace(log_distance_B=torch.zeros(2))
    losses = [float(relative_loss(prediction(target, 120, log), target)) for log in (0, -1)]
    assert losses == sorted(losses, reverse=True)


def test_distances_find_back_from_next_to_nothing_and_from_anywhere(make_scene):
    target = batch_of(make_scene(0), np.array([3, 5]), np.array([7, 2])).target
    for start in (-12.0, 30.0):
        found = prediction(target, 10, start)
        log_B = found.log_distance_B.clone().requires_grad_(True)
        (slope_B,) = torch.autograd.grad(
            relative_loss(found._replace(log_distance_B=log_B), target), log_B
        )
        # Towards the truth, neither for nothing nor without bounds.
        assert (slope_B * -math.copysign(1, start) < 0).all()
        assert 0.1 < slope_B.abs().min() <= slope_B.abs().max() < 100


def test_offsets_are_off_in_metres(make_scene):
    target = batch_of(make_scene(0), np.array([3, 5]), np.array([7, 2])).target
    found = errors_of(prediction(target, 0, math.log(1.5)), target)
    torch.testing.assert_close(found.offset_m_B, 0.5 * target.log_distance_B.exp())
