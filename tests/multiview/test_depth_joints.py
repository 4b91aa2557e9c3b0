"""Depth in the triangulation of people: it draws joints along the line of sight, and is not believed where hidden."""

import numpy as np
import pytest
from room_people import room_cameras

from orplugins.multiview.depth_joints import DepthWeight, people_depths, refine_with_depth
from orplugins.multiview.people import People, triangulate_people
from orplugins.multiview.single_view_depth import INSET
from orplugins.skeletons import COCO_17
from orplugins.synthetic.motion_points import body_motion, in_skeleton


@pytest.fixture
def scene():
    """Forty poses of one person, noisy pixels in two cameras; true depths."""
    cameras, rng = room_cameras(2), np.random.default_rng(0)
    true = in_skeleton(body_motion(rng, 40, 30.0, "reach"), COCO_17)
    keypoints, depths = [], []
    for camera in cameras:
        pixels, depth = camera.project(true)
        pixels = pixels + rng.normal(0, 8, pixels.shape)
        keypoints.append(np.concatenate([pixels, np.ones((*pixels.shape[:2], 1))], -1))
        depths.append(depth)
    keypoints, depths = np.stack(keypoints, 1), np.stack(depths, 1)
    points, views, error = triangulate_people(cameras, keypoints)
    people = People(np.arange(40), np.zeros((40, 2), dtype=int), keypoints, points, views, error)
    return cameras, true, people, depths, rng


def mean_error(points, true):
    return np.nanmean(np.linalg.norm(points - true, axis=-1))


def test_depth_makes_joints_better(scene):
    cameras, true, people, depths, rng = scene
    noisy = depths + rng.normal(0, 0.03, depths.shape)
    before, found = mean_error(people.points, true), refine_with_depth(cameras, people, noisy)
    assert mean_error(found.points, true) < 0.85 * before
    # A depth nearer by half a metre is that of what hides the joint; without any depth nothing changes much.
    hidden = np.where(rng.random(depths.shape) < 0.3, depths - 0.5, noisy)
    assert mean_error(refine_with_depth(cameras, people, hidden).points, true) < 0.92 * before
    none = refine_with_depth(cameras, people, np.full(depths.shape, np.nan))
    assert mean_error(none.points, true) == pytest.approx(before, rel=0.05)


def test_joints_of_one_view(scene):
    cameras, true, people, depths, _ = scene
    wrist = COCO_17.index("left_wrist")
    keypoints = people.keypoints.copy()
    keypoints[:, 1, wrist] = 0
    points, views, error = triangulate_people(cameras, keypoints)
    people = People(people.frame, people.members, keypoints, points, views, error)
    assert np.isnan(points[:, wrist]).all()
    found = refine_with_depth(cameras, people, depths)
    assert np.linalg.norm(found.points[:, wrist] - true[:, wrist], axis=-1).max() < 0.2
    assert (found.views[:, wrist] == 1).all()
    wrong = depths.copy()
    wrong[:, 0, wrist] += 2.0  # the wall
    assert np.isnan(refine_with_depth(cameras, people, wrong).points[:, wrist]).all()
    kept = refine_with_depth(cameras, people, depths, DepthWeight(single=False))
    assert np.isnan(kept.points[:, wrist]).all()


def test_depths_are_read_at_the_joints(scene):
    cameras, _, people, _, _ = scene
    calls = []

    def picture(frame, view):
        calls.append((frame, view))
        return np.full((480, 640), 3000 + 100 * view, dtype=np.uint16)

    depths = people_depths(cameras, people, picture)
    inside = (people.keypoints[..., 0] > 5) & (people.keypoints[..., 0] < 634) & (people.keypoints[..., 1] < 474)
    for view in (0, 1):
        wanted = np.broadcast_to(3 + 0.1 * view + INSET, depths[:, view].shape)
        assert np.allclose(depths[:, view][inside[:, view]], wanted[inside[:, view]])
    assert len(calls) == len(set(calls)) == 80
