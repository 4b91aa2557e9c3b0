"""Points of several views: exact on exact pixels, and a reason for whatever is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orplugins.geometry.cameras import Camera
from orplugins.geometry.triangulation import (
    Code,
    ViewRules,
    dlt,
    intersect_rays,
    refine,
    solve3,
    triangulate,
    world_to_camera_matrices,
)
from orplugins.synthetic.motion_points import room_rig


def _seen(cameras, points, confidence=1.0):
    pixels = np.stack([camera.project(points, distort=True)[0] for camera in cameras])
    return np.concatenate([pixels, np.full((*pixels.shape[:-1], 1), confidence)], -1)


@given(st.integers(0, 10_000))
def test_exact_pixels_give_the_points_back(seed):
    rng = np.random.default_rng(seed)
    points, cameras = rng.uniform((-1, -1, 0), (1, 1, 2), (4, 7, 3)), room_rig()
    found = triangulate(cameras, _seen(cameras, points))
    np.testing.assert_allclose(found.points, points, atol=1e-8)
    assert (found.code == Code.OK).all() and (found.views == 3).all() and (found.error < 1e-6).all()


def test_distortion_is_taken_out():
    rig = room_rig()
    cameras = [Camera(c.fx, c.fy, c.cx, c.cy, c.size, (0.1, -0.05, 0.001, -0.002, 0.01), pose=c.pose) for c in rig]
    points = np.random.default_rng(0).uniform((-0.5, -0.5, 0.5), (0.5, 0.5, 1.5), (1, 9, 3))
    np.testing.assert_allclose(triangulate(cameras, _seen(cameras, points)).points, points, atol=1e-6)


def test_reasons():
    cameras, points = room_rig()[:2], np.tile([0.0, 0.0, 1.0], (1, 6, 1))
    seen = _seen(cameras, points)
    seen[0, 0, 0] = 0  # not found in one view
    seen[1, 0, 1] = np.nan
    seen[1, 0, 2, 2] = 0.1
    seen[0, 0, 3, :2] = (3, 200)
    seen[0, 0, 4, 1] += 120
    found = triangulate(cameras, seen, ViewRules(conf_min=0.3, border_px=8, gate_factor=100))
    assert found.code[0].tolist() == [
        Code.MISSING,
        Code.MISSING,
        Code.LOW_CONFIDENCE,
        Code.BORDER,
        Code.REPROJECTION,
        0,
    ]
    assert np.isnan(found.points[0, :5]).all() and np.isfinite(found.points[0, 5]).all()


def test_a_point_behind_a_camera_is_refused():
    front = Camera(500, 500, 320, 240, (640, 480))
    pose = np.eye(4)
    pose[0, 3] = 0.5
    other = Camera(500, 500, 320, 240, (640, 480), pose=pose)
    # Diverging rays meet behind both cameras.
    seen = np.array([[[[300.0, 240, 1]]], [[[340.0, 240, 1]]]])
    assert triangulate([front, other], seen).code[0, 0] == Code.BEHIND_CAMERA


def test_one_camera_is_an_error():
    with pytest.raises(ValueError, match="V > 1"):
        triangulate(room_rig()[:1], np.zeros((1, 1, 3, 3)))


def test_the_quick_way_and_refinement_end_where_dlt_does():
    rng = np.random.default_rng(1)
    cameras, points = room_rig(), rng.uniform((-1, -1, 0), (1, 1, 2), (50, 3))
    pixels = np.stack([camera.project(points)[0] for camera in cameras]) + rng.normal(0, 1, (3, 50, 2))
    rays = np.stack([(p - (c.cx, c.cy)) / (c.fx, c.fy) for p, c in zip(pixels, cameras, strict=True)])
    matrices, weights = world_to_camera_matrices(cameras), np.ones((3, 50))
    focal = np.array([(c.fx, c.fy) for c in cameras])
    linear, quick = dlt(matrices, rays, weights), intersect_rays(matrices, rays, weights)
    assert np.linalg.norm(linear - quick, axis=-1).max() < 0.01
    np.testing.assert_allclose(
        refine(matrices, focal, rays, weights, quick), refine(matrices, focal, rays, weights, linear), atol=1e-6
    )


def test_solve3():
    rng = np.random.default_rng(2)
    half = rng.normal(size=(20, 3, 3))
    matrix, vector = half @ np.swapaxes(half, 1, 2) + np.eye(3), rng.normal(size=(20, 3))
    entries = np.stack([matrix[:, i, j] for i, j in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))])
    np.testing.assert_allclose(
        solve3(entries, vector.T).T, np.linalg.solve(matrix, vector[..., None])[..., 0], rtol=1e-9
    )
