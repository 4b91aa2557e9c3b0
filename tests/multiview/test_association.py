"""People over time and between cameras."""

import numpy as np
import pytest

from orplugins.geometry.assignment import match_pairs
from orplugins.geometry.epipolar import epipolar_distance
from orplugins.geometry.rectified import ParallelRig, StereoRules
from orplugins.geometry.tracking import track_people, track_poses
from orplugins.multiview.association import pair_cost
from orplugins.skeletons import BODY_25
from orplugins.synthetic.motion_points import body_motion, in_skeleton, observe, parallel_cameras, room_rig

RIG = ParallelRig(0.28, 525.0, (640, 480), (319.5, 239.5), (319.5, 239.5))
FAR = StereoRules(z_max_m=8.0)


def two_people(frames=40):
    rng = np.random.default_rng(5)
    bodies = [in_skeleton(body_motion(rng, frames, 30.0, "arms"), BODY_25) for _ in range(2)]
    return [
        body - body[:, [8]].mean(0) + (x, y, 0.95) for body, x, y in zip(bodies, (-0.5, 0.5), (0.0, 0.6), strict=True)
    ]


def shuffled(camera, bodies, rng):
    views = np.stack([observe(camera, body) for body in bodies], 1)
    orders = [rng.permutation(len(bodies)) for _ in views]
    return [frame[order] for frame, order in zip(views, orders, strict=True)], orders


def test_tracks_follow_people_through_a_shuffle_and_a_gap():
    rng, bodies = np.random.default_rng(0), two_people()
    camera = parallel_cameras()[0]
    frames, orders = shuffled(camera, bodies, rng)
    frames[10:15] = [np.zeros((0, 25, 3))] * 5
    tracks = track_people(frames)
    assert len(tracks) == 2
    for track in tracks:
        owners = {int(orders[t][index]) for t, index in track.indices.items()}
        assert len(owners) == 1 and len(track.indices) == 35
    poses = track_poses(tracks[0], frames, 25)
    assert (poses[10:15] == 0).all() and (poses[:10, :, 2] > 0).any()


def test_a_track_ends_after_too_long_a_gap():
    camera, bodies = parallel_cameras()[0], two_people()
    frames, _ = shuffled(camera, bodies[:1], np.random.default_rng(0))
    frames[5:25] = [np.zeros((0, 25, 3))] * 20
    assert len(track_people(frames)) == 2


def test_pairs_of_a_parallel_rig():
    rng, bodies = np.random.default_rng(1), two_people(8)
    (one, first), (two, second) = (shuffled(camera, bodies, rng) for camera in parallel_cameras())
    for t in range(8):
        match = match_pairs(pair_cost(one[t], two[t], RIG), reject=60)
        for i, j in enumerate(match):
            assert j >= 0 and first[t][i] == second[t][j]


def test_nobody_matches_nobody():
    assert match_pairs(np.zeros((0, 0)), 25).tolist() == []
    assert match_pairs(np.full((2, 1), np.inf), 25).tolist() == [-1, -1]


def test_epipolar_distance_is_zero_for_one_point_and_grows_with_the_error():
    cameras = room_rig()[:2]
    points = np.random.default_rng(2).uniform((-1, -1, 0), (1, 1, 2), (9, 3))
    one, two = (camera.project(points)[0] for camera in cameras)
    assert epipolar_distance(cameras, one, two).max() < 1e-9
    assert epipolar_distance(cameras, one, two + (0, 20)).mean() == pytest.approx(20, rel=0.6)
