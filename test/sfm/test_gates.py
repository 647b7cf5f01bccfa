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

"""What is not taken for a label, and what is refused altogether."""

from dataclasses import replace

import numpy as np
from posenet_ros.data.capture import Rejected
from posenet_ros.errors import LabellingError
from posenet_ros.geometry import Camera, Trajectory
from posenet_ros.sfm.alignment import align
from posenet_ros.sfm.gates import (
    check_left,
    check_share,
    check_trust,
    is_misplaced,
    longest_gap,
    reason_kind,
    reject_frames,
)
from posenet_ros.sfm.pieces import Apart, Misplaced
from posenet_ros.sfm.reconstruction import Reconstruction
import pytest
from scipy.spatial.transform import Rotation


def found(poses, dropped=()):
    count = len(poses)
    return Reconstruction(
        poses,
        np.full(count, 200),
        np.full(count, 100),
        np.full(count, 0.5),
        Camera(640, 480, 500, 500, 320, 240),
        dict(dropped),
        [list(range(count))],
        1000,
        0.5,
        6.0,
        'incremental',
    )


def standing(count):
    return Trajectory(
        np.arange(count), Rotation.identity(count), np.zeros((count, 3)), 'sfm', 'camera'
    )


def test_half_of_the_frames_are_enough_and_fewer_are_refused_with_reasons():
    reasons = [f'too few matches with the map: {i} at best' for i in range(11)]
    check_share(found(standing(11), enumerate(reasons, 100)))
    with pytest.raises(LabellingError, match=r'only 10 of 21 frames .* the map \(11\); record'):
        check_share(found(standing(10), enumerate(reasons, 100)))


def test_nine_frames_are_too_few_though_they_are_all():
    with pytest.raises(LabellingError, match='only 9 of 9 frames'):
        check_share(found(standing(9)))


def test_trusted_poses_pass(loop):
    sfm, odom = loop.sfm(), loop.odom(noise=0.02)
    check_trust(found(sfm), odom, align(sfm, odom), '/odom')


def test_motions_that_disagree_are_refused_with_their_figures(loop):
    sfm, odom = loop.sfm(), loop.odom()
    order = np.random.default_rng(0).permutation(len(sfm))
    wrong = Trajectory(
        sfm.stamps_ns, sfm.rotations[order], sfm.translations[order], 'sfm', 'camera'
    )
    message = r'as /odom says: \d+% of \d+ motions agree.*median difference \d+\.\d\d m, \d+ deg'
    with pytest.raises(LabellingError, match=message):
        check_trust(found(wrong), odom, align(wrong, odom), '/odom')


def test_a_reference_that_stands_still_is_refused(loop):
    sfm, odom = loop.sfm(), loop.odom()
    count = len(odom)
    still = Trajectory(
        odom.stamps_ns, Rotation.identity(count), np.zeros((count, 3)), 'odom', 'camera'
    )
    with pytest.raises(LabellingError, match=r'did not move as /odom says|hardly move'):
        check_trust(found(sfm), still, align(sfm, still), '/odom')


def test_a_reference_of_less_than_half_of_the_drive_is_refused(loop):
    sfm, odom = loop.sfm(), loop.odom()
    for share, trusted in ((0.45, False), (0.55, True)):
        part = odom.select(slice(0, round(share * len(odom))))
        aligned = align(sfm, part)
        if trusted:
            check_trust(found(sfm), part, aligned, '/odom')
            continue
        with pytest.raises(LabellingError, match=r'/odom covers only 4\d% of the frames'):
            check_trust(found(sfm), part, aligned, '/odom')


def test_frames_far_from_all_that_was_checked_are_rejected(loop):
    sfm, odom = loop.sfm(), loop.odom()
    # Of 40 s, odometry for the first 30.
    aligned = align(sfm, odom.select(slice(0, 600)))
    keep, rejected = reject_frames(found(sfm), aligned, '/odom')
    seconds = (sfm.stamps_ns - sfm.stamps_ns[0]) / 1e9
    np.testing.assert_array_equal(keep, seconds <= seconds[aligned.checked[-1]] + 5.0)
    assert rejected[0].reason.startswith('not covered by /odom: 5.')


def test_too_few_labels_are_refused_whatever_kept_them_back():
    reasons = [Rejected(stamp, f'large reprojection error: {stamp} px') for stamp in range(11)]
    check_left(np.array([True] * 11), reasons)
    with pytest.raises(LabellingError, match=r'only 10 of 21 .* large reprojection error \(11\)'):
        check_left(np.array([True] * 10), reasons)
    with pytest.raises(LabellingError, match='only 0 of 11'):
        check_left(np.zeros(0, dtype=bool), reasons)


def test_few_motions_to_compare_are_refused(loop):
    sfm, odom = loop.sfm(), loop.odom()
    aligned = align(sfm, odom)
    for windows, trusted in ((5, True), (4, False)):
        few = replace(aligned, agreement=replace(aligned.agreement, windows=windows))
        if trusted:
            check_trust(found(sfm), odom, few, '/odom')
            continue
        with pytest.raises(LabellingError, match='hardly move: 4 motions to compare'):
            check_trust(found(sfm), odom, few, '/odom')


def test_a_mirrored_scale_is_refused(loop):
    sfm, odom = loop.sfm(), loop.odom()
    aligned = align(sfm, odom)
    backwards = replace(aligned, scale=replace(aligned.scale, scale=-2.5))
    with pytest.raises(LabellingError, match='did not move as /odom says'):
        check_trust(found(sfm), odom, backwards, '/odom')


@pytest.mark.parametrize(('error_px', 'kept'), [(2.9, True), (3.1, False)])
def test_the_largest_reprojection_error(error_px, kept):
    model = found(standing(12))
    model.errors_px[1] = error_px
    keep, _ = reject_frames(model, None, '')
    assert keep[1] == kept


def test_a_scale_that_is_a_guess_is_refused(loop):
    sfm, odom = loop.sfm(), loop.odom()
    aligned = align(sfm, odom)
    guess = replace(aligned, scale=replace(aligned.scale, standard_error=0.3))
    with pytest.raises(LabellingError, match=r'scale is uncertain by 12%.*longer drive'):
        check_trust(found(sfm), odom, guess, '/odom')


def test_frames_at_a_place_that_looks_alike_are_rejected_with_figures(loop):
    sfm, odom = loop.sfm(), loop.odom()
    piece = Misplaced(np.array([7, 8]), Apart(6.25, 1.0, 3.0, 20.0), np.zeros((2, 3)), np.ones(2))
    keep, rejected = reject_frames(found(sfm), align(sfm, odom), '/odom', [piece])
    assert np.flatnonzero(~keep).tolist() == [7, 8]
    assert rejected[0].reason.startswith('not where /odom leads: 6.2 m off, 1.0 m allowed')
    assert all(is_misplaced(each.reason) for each in rejected)
    assert not is_misplaced('matches no other frame')


def test_a_frame_far_away_needs_more_speed_than_the_robot_has(loop):
    sfm = loop.sfm()
    places = sfm.translations.copy()
    places[60] += 3.0
    keep, rejected = reject_frames(found(replace(sfm, translations=places)), None, '')
    assert np.flatnonzero(~keep).tolist() == [60]
    assert rejected[0].reason.startswith('needs too much speed: ')


def test_frames_without_support_are_rejected_each_with_its_number(loop):
    sfm, odom = loop.sfm(), loop.odom()
    moved = sfm.translations.copy()
    moved[60] += 1.0
    bad = Trajectory(sfm.stamps_ns, sfm.rotations, moved, 'sfm', 'camera')
    model = found(bad, {5: 'matches no other frame'})
    model.points_seen[3] = 7
    model.errors_px[4] = 9.25
    keep, rejected = reject_frames(model, align(bad, odom), '/odom')
    assert np.flatnonzero(~keep).tolist() == [3, 4, 60]
    stamps_ns = [int(stamp_ns) for stamp_ns in sfm.stamps_ns]
    assert rejected == [
        Rejected(5, 'matches no other frame'),
        Rejected(stamps_ns[3], 'too few points of the map: 7'),
        Rejected(stamps_ns[4], 'large reprojection error: 9.2 px'),
        Rejected(stamps_ns[60], 'moves otherwise than /odom: all motions around it'),
    ]


def test_a_frame_without_any_points_is_rejected():
    model = found(standing(3))
    model.points_seen[1], model.errors_px[1] = 0, np.nan
    keep, _ = reject_frames(model, None, '')
    assert keep.tolist() == [True, False, True]


def test_reasons_are_counted_without_their_numbers():
    assert reason_kind('too few points of the map: 7') == 'too few points of the map'
    assert reason_kind('matches no other frame') == 'matches no other frame'


def test_the_longest_gap_counts_from_the_first_frame_to_the_last():
    s = 10**9
    assert longest_gap([2 * s, 3 * s], [0, s, 2 * s, 3 * s, 4 * s]) == (2.0, '0.000000000')
    assert longest_gap([0, s, 9 * s], range(0, 10 * s, s)) == (8.0, '1.000000000')


def test_frames_without_odometry_share_the_fate_of_those_that_hold_them(loop):
    sfm, odom = loop.sfm(), loop.odom()
    # Odometry drops out for three seconds, frames 80 to 94.
    gone = (odom.stamps_ns > sfm.stamps_ns[80]) & (odom.stamps_ns < sfm.stamps_ns[95])
    aligned = align(sfm, odom.select(~gone))
    model = found(sfm)
    unchecked = np.setdiff1d(np.arange(len(sfm)), aligned.checked)
    assert len(unchecked) >= 10
    keep, _ = reject_frames(model, aligned, '/odom')
    assert keep.all()
    first, last = unchecked[3], unchecked[-3]
    model.points_shared[[first, last]] = 3
    keep, rejected = reject_frames(model, aligned, '/odom')
    assert np.flatnonzero(~keep).tolist() == list(range(first, last))
    assert 'held to no frame that is' in rejected[0].reason
    piece = Misplaced(
        np.arange(last, len(sfm)), Apart(6.0, 1.0, 0.0, 20.0), np.zeros((1, 3)), np.ones(1)
    )
    held = Misplaced(
        np.intersect1d(piece.frames, aligned.checked), piece.off, piece.expected, piece.reach
    )
    keep, rejected = reject_frames(model, aligned, '/odom', [held])
    assert not keep[last:].any()
    assert keep[:first].all()
