"""Association of several views, triangulation with a broken view, body prior."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.multiview_reference import reconstruct
from orplugins.geometry.triangulation import world_to_camera_matrices
from orplugins.multiview.body_prior import (
    FitRules,
    HipConvention,
    _Problem,
    body_yaw,
    fit_hip_convention,
    fit_people,
    fit_prior,
    to_body_axes,
)
from orplugins.multiview.people import LIMB_JOINTS, MultiViewRules, hypotheses, pack, usable_detections
from orplugins.skeletons import COCO_17
from orplugins.synthetic.motion_points import body_motion, in_skeleton, observe, room_rig


def crowd(people, seed=0, frames=1, noise=1.0, missing=0.05):
    """World joints (F, N, 17, 3), detections by frame and view, shuffled, and who each detection is."""
    rng, cameras = np.random.default_rng(seed), room_rig()
    bodies = []
    for k in range(people):
        body = in_skeleton(body_motion(rng, frames, 30.0, "arms"), COCO_17)
        spot = (1.3 * np.cos(2.1 * k) * (k > 0), 1.3 * np.sin(2.1 * k) * (k > 0))
        hips = body[:, 11:13, :2].mean((0, 1))
        bodies.append(body + np.array([spot[0] - hips[0], spot[1] - hips[1], 0.0]))
    world = np.stack(bodies, 1)
    detections, owners = [], []
    for frame in world:
        views, names = [], []
        for camera in cameras:
            order = rng.permutation(people)
            views.append(observe(camera, frame[order], rng, noise, missing))
            names.append(order)
        detections.append(views)
        owners.append(names)
    return world, detections, owners


@pytest.mark.parametrize("people", [1, 2, 4, 6])
def test_people_are_put_together_and_placed(people):
    world, detections, owners = crowd(people, seed=people, frames=6)
    found = reconstruct(room_rig(), detections)
    assert len(found.frame) == 6 * people
    for k, frame in enumerate(found.frame):
        ids = {int(owners[frame][view][index]) for view, index in enumerate(found.members[k]) if index >= 0}
        assert len(ids) == 1
        error = np.linalg.norm(found.points[k] - world[frame, ids.pop()], axis=-1)
        assert np.nanmedian(error) < 0.02


def test_no_detection_is_used_twice_and_nothing_is_invented():
    _, detections, _ = crowd(4, seed=9, frames=4, missing=0.5)
    found = reconstruct(room_rig(), detections)
    for frame in range(4):
        for view in range(3):
            used = found.members[found.frame == frame, view]
            used = used[used >= 0]
            assert len(set(used.tolist())) == len(used)
    seen = (found.keypoints[..., 2] > 0).sum(1)
    assert (found.views <= seen).all() and not np.isfinite(found.points[seen < 2]).any()


def test_a_wrong_view_is_left_out_for_a_joint():
    world, detections, _ = crowd(1, noise=0.0, missing=0.0)
    detections[0][1][0, 5, :2] += 150
    found = reconstruct(room_rig(), detections)
    assert found.views[0, 5] == 2
    np.testing.assert_allclose(found.points[0, 5], world[0, 0, 5], atol=1e-3)


def test_duplicates_and_stumps_are_dropped():
    _, detections, _ = crowd(2, missing=0.0)
    view = detections[0][0]
    stump = np.zeros((1, 17, 3))
    stump[0, :5] = view[0, :5]
    people = np.concatenate([view, view[:1] + (1.0, 0, 0), stump])
    assert usable_detections(people, MultiViewRules()).tolist() == [0, 1]


def test_empty_frames():
    nothing = [[np.zeros((0, 17, 3))] * 3] * 2
    found = reconstruct(room_rig(), nothing)
    assert found.points.shape == (0, 17, 3) and found.members.shape == (0, 3)


@settings(max_examples=40)
@given(st.integers(0, 10_000))
def test_packing_is_exact(seed):
    rng = np.random.default_rng(seed)
    candidates = []
    for _ in range(8):
        views = rng.permutation(3)[: rng.integers(2, 4)]
        members = tuple(sorted(int(3 * v + rng.integers(0, 3)) for v in views))
        candidates.append((float(rng.uniform(0.1, 5)), members))
    best = 0.0
    for size in range(len(candidates) + 1):
        for chosen in itertools.combinations(candidates, size):
            members = [m for _, ms in chosen for m in ms]
            if len(members) == len(set(members)):
                best = max(best, sum(value for value, _ in chosen))
    value_of = {}
    for value, members in candidates:
        value_of[members] = max(value, value_of.get(members, 0))
    chosen = pack([(v, m) for m, v in value_of.items()])
    members = [m for ms in chosen for m in ms]
    assert len(members) == len(set(members))
    assert sum(value_of[m] for m in chosen) == pytest.approx(best)


def test_hypotheses_refuse_a_pair_that_speaks_against():
    terms = np.array([[-np.inf, 5.0, -3.0], [5.0, -np.inf, 5.0], [-3.0, 5.0, -np.inf]])
    assert sorted(m for _, m in hypotheses(terms, MultiViewRules())) == [(0, 1), (1, 2)]
    terms[0, 2] = terms[2, 0] = 0.0
    assert (10.0, (0, 1, 2)) in hypotheses(terms, MultiViewRules())


def poses(count, seed=0):
    """(N, 8, 3) limb joints of generated people."""
    rng = np.random.default_rng(seed)
    limbs = list(LIMB_JOINTS)
    return np.concatenate(
        [
            in_skeleton(body_motion(rng, 20, 3.0, a), COCO_17)[:, limbs]
            for a in ("walk", "arms", "reach")
            for _ in range(count // 60 + 1)
        ]
    )[:count]


def test_body_axes_know_no_place_and_no_yaw():
    joints = poses(10)
    c, s = np.cos(0.7), np.sin(0.7)
    turned = joints @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]).T + (1, 2, 0)
    np.testing.assert_allclose(to_body_axes(turned), to_body_axes(joints), atol=1e-9)
    np.testing.assert_allclose(body_yaw(to_body_axes(joints)), 0, atol=1e-9)


def test_hip_convention():
    detected = poses(40)
    convention = HipConvention(0.75, 1.45)
    found = fit_hip_convention(detected, convention.apply(detected))
    assert found.centre == pytest.approx(0.75, abs=0.01) and found.width == pytest.approx(1.45, abs=0.02)
    np.testing.assert_allclose(convention.detector_matrix() @ convention.apply(detected), detected, atol=1e-9)
    part = detected.copy()
    part[:, 0] = np.nan
    assert np.isfinite(convention.apply(part)[:, 1:6]).all() and np.isnan(convention.apply(part)[:, 6:]).all()


def test_gradient_of_the_fit():
    rng, cameras = np.random.default_rng(0), room_rig()
    prior = fit_prior(poses(120), np.ones((120, 8), bool), HipConvention(0.75, 1.45))
    joints, yaw = poses(3, 1) + rng.normal(0, 0.05, (3, 8, 3)), rng.normal(size=3)
    focal = np.array([(c.fx, c.fy) for c in cameras]) / 8
    problem = _Problem(
        world_to_camera_matrices(cameras), focal, rng.normal(0, 0.2, (3, 3, 8, 2)), rng.random((3, 3, 8)), prior
    )
    gradient = problem.evaluate(joints, yaw)[1]
    for k in range(25):
        step = np.zeros((3, 25))
        step[:, k] = 1e-6
        costs = [
            problem.evaluate(joints + s * step[:, :24].reshape(3, 8, 3), yaw + s * step[:, 24])[0] for s in (1, -1)
        ]
        np.testing.assert_allclose((costs[0] - costs[1]) / 2e-6, gradient[:, k], rtol=1e-4, atol=1e-3)


def test_the_prior_places_what_the_cameras_missed():
    cameras = room_rig()
    prior = fit_prior(poses(600, 1), np.ones((600, 8), bool))
    truth = poses(30, 7)
    rng = np.random.default_rng(3)
    keypoints = np.zeros((30, 3, 17, 3))
    for view, camera in enumerate(cameras):
        keypoints[:, view, list(LIMB_JOINTS)] = observe(camera, truth, rng, 2.0)
    keypoints[:, :, 9] = 0  # the left wrist: nobody sees it
    start = truth + rng.normal(0, 0.03, truth.shape)
    start[:, 4] = np.nan
    fitted = fit_people(cameras, keypoints, start, prior)
    error = np.linalg.norm(fitted.joints - truth, axis=-1)
    assert np.median(np.delete(error, 4, 1)) < 0.02 and np.median(error[:, 4]) < 0.25
    assert np.isfinite(fitted.joints).all()


def test_one_camera_and_the_height_of_people():
    cameras = room_rig()
    prior = fit_prior(poses(600, 1), np.ones((600, 8), bool))
    truth = poses(12, 7)
    keypoints = np.zeros((12, 3, 17, 3))
    keypoints[:, 0, list(LIMB_JOINTS)] = observe(cameras[0], truth)
    fitted = fit_people(cameras, keypoints, np.full((12, 8, 3), np.nan), prior, FitRules())
    assert np.median(np.linalg.norm(fitted.joints - truth, axis=-1)) < 0.35


def test_too_few_poses():
    with pytest.raises(ValueError, match="at least 30"):
        fit_prior(poses(10), np.ones((10, 8), bool))
