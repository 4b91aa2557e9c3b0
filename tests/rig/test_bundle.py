"""Bundle adjustment: derivatives, and the optimum of exact data."""

import numpy as np
import pytest

from orplugins.geometry.two_views import relative_poses
from orplugins.rig.bundle import SIZE, BodyRules, Cameras, Sightings, adjust, linearise, residuals
from orplugins.rig.essential import eight_point, essential_of, sampson
from orplugins.rig.points import intersect, intersect_two, relative_pose
from orplugins.rig.solve import free_unknowns
from tests.rig.people import bodies, rig


def _problem(noise=0.0, people=20, seed=0):
    cameras = rig(3)
    points = bodies(people, 1, seed)[:, 0]
    world = np.stack([np.linalg.inv(camera.pose)[:3] for camera in cameras])
    local = np.einsum("vab,pjb->pvja", world[:, :, :3], points) + world[:, None, :, 3]
    rng = np.random.default_rng(seed)
    focal = np.array([(c.fx, c.fy) for c in cameras])
    rays = local[..., :2] / local[..., 2:] + noise * rng.normal(size=(*local.shape[:-1], 2)) / focal[:, None]
    weight = (rng.random(local.shape[:-1]) > 0.1) * 1.0
    speed = 0.01 * rng.normal(size=rays.shape)
    return Cameras.of_poses(world), points, Sightings(rays, weight, speed, focal, np.full((3, 17), 1.5))


def test_the_jacobian_is_that_of_finite_differences():
    cameras, points, seen = _problem(noise=5.0, people=3)
    cameras = cameras.moved(0.02 * np.random.default_rng(1).normal(size=(3, SIZE)))
    _, by_camera, by_point = residuals(cameras, points, seen)
    step = 1e-6
    for k in range(SIZE):
        change = np.zeros((3, SIZE))
        change[:, k] = step
        ends = [residuals(cameras.moved(sign * change), points, seen)[0] for sign in (1, -1)]
        np.testing.assert_allclose((ends[0] - ends[1]) / (2 * step), by_camera[..., k], rtol=1e-5, atol=1e-4)
    for k in range(3):
        ends = [residuals(cameras, points + sign * step * np.eye(3)[k], seen)[0] for sign in (1, -1)]
        np.testing.assert_allclose((ends[0] - ends[1]) / (2 * step), by_point[..., k], rtol=1e-5, atol=1e-4)


def test_the_gradient_is_that_of_the_cost():
    """Of the robust cost with expectations of bodies, by camera and by joint."""
    cameras, points, seen = _problem(noise=4.0, people=4)
    points = points + 0.03 * np.random.default_rng(2).normal(size=points.shape)
    rules = BodyRules()
    linear = linearise(cameras, points, seen, rules, 2.0)
    step = 1e-6
    for k in (0, 4, 8, 11, 14, 24):
        change = np.zeros(3 * SIZE)
        change[k] = step
        ends = [linearise(cameras.moved(s * change.reshape(3, -1)), points, seen, rules, 2.0).cost for s in (1, -1)]
        assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(linear.camera_slope[k], rel=1e-4, abs=1e-3)
    for person, joint, axis in ((0, 5, 0), (1, 7, 1), (3, 11, 2)):
        change = np.zeros(points.shape)
        change[person, joint, axis] = step
        ends = [linearise(cameras, points + s * change, seen, rules, 2.0).cost for s in (1, -1)]
        slope = linear.people_slope[person, 3 * joint + axis]
        assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(slope, rel=1e-4, abs=1e-3)


def test_exact_detections_give_the_exact_cameras():
    true, points, seen = _problem()
    seen = Sightings(seen.rays, seen.weight, 0 * seen.speed, seen.focal, seen.sigma)
    start = true.moved(np.array([[0.0] * SIZE, [0.03] * 6 + [0.0] * 3, [-0.03] * 6 + [0.0] * 3]))
    free = free_unknowns(3)
    free[1, 3:6] = False  # one known distance: the scale
    start.place[1] = true.place[1]
    found, joints, linear = adjust(start, intersect(start.poses, seen.rays, seen.weight > 0), seen, free, steps=40)
    assert np.abs(found.place - true.place).max() < 1e-6
    assert np.abs(found.rotation - true.rotation).max() < 1e-7
    assert np.abs(joints - points)[seen.active].max() < 1e-5
    assert np.nanmax(linear.residual) < 1e-4


def test_eight_points_and_the_four_poses():
    cameras, points, seen = _problem(people=6)
    pose = relative_pose(cameras.poses[0], cameras.poses[1])
    a, b = seen.rays[:, 0].reshape(-1, 2), seen.rays[:, 1].reshape(-1, 2)
    found = eight_point(a[None], b[None], np.ones((1, len(a))))[0]
    assert sampson(found[None], a, b).max() < 1e-10
    true = essential_of(pose)
    assert min(np.abs(found / np.linalg.norm(found) - s * true / np.linalg.norm(true)).max() for s in (1, -1)) < 1e-9
    unit = np.column_stack([pose[:, :3], pose[:, 3] / np.linalg.norm(pose[:, 3])])
    assert min(np.abs(one - unit).max() for one in map(np.column_stack, relative_poses(found))) < 1e-8
    meet, depth = intersect_two(pose, seen.rays[:, 0], seen.rays[:, 1])
    assert (depth > 0).all()
    local = points @ cameras.poses[0][:, :3].T + cameras.poses[0][:, 3]
    np.testing.assert_allclose(meet, local, atol=1e-9)
