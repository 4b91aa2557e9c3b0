"""A Gaussian model of upper bodies, and poses that fit both it and what the cameras saw.

Eight joints (shoulders, elbows, wrists, hips) are placed so that their projections meet the detections (Huber) while
their shape, seen from the body's own yaw, stays near the model's: maximum a posteriori. Joints that too few cameras saw
are filled in; they are *inferred*, and marked so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.geometry.triangulation import camera_rays, present, world_to_camera_matrices
from orplugins.multiview.people import LIMB_JOINTS, LIMB_NAMES

L_SHOULDER, R_SHOULDER, L_HIP, R_HIP = (
    LIMB_NAMES.index(name) for name in ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
)
_TRUNK = [L_SHOULDER, R_SHOULDER, L_HIP, R_HIP]
_MIRROR = [LIMB_NAMES.index(n.replace("left", "*").replace("right", "left").replace("*", "right")) for n in LIMB_NAMES]
_DIMENSIONS = 3 * len(LIMB_NAMES)


@dataclass(frozen=True)
class HipConvention:
    """Where a detector puts hips relative to the poses' own convention, from the middle of the shoulders.

    Attributes:
        centre: Pose's hip centre = ``centre`` x detector's.
        width: Pose's hip width = ``width`` x detector's.
    """

    centre: float = 1.0
    width: float = 1.0

    def detector_matrix(self) -> np.ndarray:
        """(8, 8) A: the joints that a detector marks are A @ joints."""
        matrix = np.eye(len(LIMB_NAMES))
        shoulders = [L_SHOULDER, R_SHOULDER]
        for hip, other in ((L_HIP, R_HIP), (R_HIP, L_HIP)):
            matrix[hip] = 0
            matrix[hip, shoulders] = 0.5 * (1 - 1 / self.centre)
            matrix[hip, hip] = 0.5 / self.centre + 0.5 / self.width
            matrix[hip, other] = 0.5 / self.centre - 0.5 / self.width
        return matrix

    def apply(self, joints: np.ndarray) -> np.ndarray:
        """Detector's joints in the poses' convention.

        Hips need both hips and both shoulders; where one is missing (NaN) they are missing.

        Args:
            joints: (..., 8, 3).

        Returns:
            (..., 8, 3).
        """
        out, hips = joints.copy(), [L_HIP, R_HIP]
        out[..., hips, :] = np.linalg.inv(self.detector_matrix())[hips][:, _TRUNK] @ joints[..., _TRUNK, :]
        return out


SAME_HIPS = HipConvention()


@dataclass(frozen=True)
class BodyPrior:
    """Shape of a body about the middle of its shoulders, turned to its yaw.

    Body axes: x from the right to the left shoulder (level), z up, y to complete them.

    Attributes:
        mean: (8, 3) metres.
        factor: (24, 24) inverse Cholesky factor of the covariance.
        height: Mean and standard deviation of the shoulders' height, metres in the room; None: not used.
        hips: The detector's convention.
    """

    mean: np.ndarray
    factor: np.ndarray
    height: tuple[float, float] | None = None
    hips: HipConvention = SAME_HIPS


def body_yaw(joints: np.ndarray) -> np.ndarray:
    """Yaw of bodies: angle of the line from the right to the left shoulder.

    Args:
        joints: (..., 8, 3), z up.

    Returns:
        (...) radians.
    """
    line = joints[..., L_SHOULDER, :] - joints[..., R_SHOULDER, :]
    return np.arctan2(line[..., 1], line[..., 0])


def _yaw_matrices(yaw: np.ndarray) -> np.ndarray:
    """(P, 3, 3) body to room."""
    c, s, zero, one = np.cos(yaw), np.sin(yaw), np.zeros_like(yaw), np.ones_like(yaw)
    return np.stack([np.stack([c, -s, zero], -1), np.stack([s, c, zero], -1), np.stack([zero, zero, one], -1)], -2)


def to_body_axes(joints: np.ndarray) -> np.ndarray:
    """Joints about the middle of the shoulders, in body axes.

    Args:
        joints: (P, 8, 3) room axes, z up.

    Returns:
        (P, 8, 3).
    """
    middle = joints[:, [L_SHOULDER, R_SHOULDER]].mean(1, keepdims=True)
    return (joints - middle) @ _yaw_matrices(body_yaw(joints))


def fit_prior(
    joints: np.ndarray, valid: np.ndarray, hips: HipConvention = SAME_HIPS, slack_m: float = 0.015
) -> BodyPrior:
    """Estimate the model from poses, made symmetric by their mirror images.

    Args:
        joints: (N, 8, 3) room axes, z up, metres; anything where not ``valid``.
        valid: (N, 8). Poses without both shoulders are left out; the covariance of two joints comes from the poses that
            have both.
        hips: The detector's convention.
        slack_m: Added to every coordinate's deviation, so that the model never forbids what it has not seen.

    Returns:
        The model.

    Raises:
        ValueError: Fewer than 30 poses with both shoulders.
    """
    chosen = valid[:, [L_SHOULDER, R_SHOULDER]].all(1)
    if chosen.sum() < 30:
        raise ValueError(f"body prior: {int(chosen.sum())} poses with both shoulders, expected at least 30")
    joints, valid = joints[chosen], valid[chosen]
    height = joints[:, [L_SHOULDER, R_SHOULDER], 2].mean(1)
    body = to_body_axes(np.where(valid[..., None], joints, 0.0))
    body = np.concatenate([body, body[:, _MIRROR] * (-1, 1, 1)])
    mask = np.repeat(np.concatenate([valid, valid[:, _MIRROR]]), 3, axis=1).astype(float)
    flat = body.reshape(len(body), _DIMENSIONS)
    mean = (flat * mask).sum(0) / mask.sum(0)
    centred = (flat - mean) * mask
    covariance = centred.T @ centred / np.maximum(mask.T @ mask, 1)
    values, vectors = np.linalg.eigh(covariance)  # pairs were counted apart: it may be slightly indefinite
    covariance = (vectors * np.maximum(values, 0)) @ vectors.T + slack_m**2 * np.eye(_DIMENSIONS)
    factor = np.linalg.inv(np.linalg.cholesky(covariance))
    return BodyPrior(mean.reshape(-1, 3), factor, (float(height.mean()), float(height.std())), hips)


def fit_hip_convention(detected: np.ndarray, truth: np.ndarray) -> HipConvention:
    """Estimate the convention from pairs of the same people.

    Medians of the ratios of the hip centres' distances below the shoulders (along the trunk) and of the hip widths.

    Args:
        detected: (N, 8, 3) a detector's joints, NaN where missing.
        truth: (N, 8, 3) the poses, likewise.

    Returns:
        The convention; that of the poses where fewer than ten pairs tell it.
    """
    middle = [joints[:, [L_SHOULDER, R_SHOULDER]].mean(1) for joints in (detected, truth)]
    trunk = [joints[:, [L_HIP, R_HIP]].mean(1) - m for joints, m in zip((detected, truth), middle, strict=True)]
    width = [np.linalg.norm(joints[:, L_HIP] - joints[:, R_HIP], axis=-1) for joints in (detected, truth)]
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = (trunk[1] * trunk[0]).sum(-1) / (trunk[0] ** 2).sum(-1)
        ratio = width[1] / width[0]
    if min(np.isfinite(centre).sum(), np.isfinite(ratio).sum()) < 10:
        return HipConvention()
    return HipConvention(float(np.nanmedian(centre)), float(np.nanmedian(ratio)))


@dataclass(frozen=True)
class FitRules:
    """Weights of the fit.

    Attributes:
        huber_px: Limit of the Huber loss, and the detections' standard deviation, pixels.
        iterations: Maximum number of steps.
        damping: Of the first step.
        yaw_starts: Yaws from which a person without triangulated joints is placed.
    """

    huber_px: float = 8.0
    iterations: int = 30
    damping: float = 1e-3
    yaw_starts: int = 8


@dataclass(frozen=True)
class Fitted:
    """Fitted people.

    Attributes:
        joints: (P, 8, 3) room axes in the poses' convention, metres.
        cost: (P,) of each fit (lower is better).
    """

    joints: np.ndarray
    cost: np.ndarray


def fit_people(
    cameras: Sequence[Camera],
    keypoints: np.ndarray,
    start: np.ndarray,
    prior: BodyPrior,
    rules: FitRules | None = None,
) -> Fitted:
    """Maximum a posteriori joints of people.

    Args:
        cameras: V cameras whose world is the room: z up.
        keypoints: (P, V, 17, 3) pixels and score, zeros where there is nothing.
        start: (P, 8, 3) triangulated joints in the *detector's* convention, room axes; NaN where missing. A person
            without any is placed by its height, from several yaws; that needs ``prior.height``.
        prior: The model.
        rules: Weights; None: the defaults.

    Returns:
        The joints and how well they fit.

    Raises:
        ValueError: A person without any triangulated joint, and no ``prior.height``.
    """
    rules = rules or FitRules()
    found = np.isfinite(start).all(-1)
    joints, cost = np.full(start.shape, np.nan), np.full(len(start), np.inf)
    seen = found.sum(1) >= 2
    if seen.any():
        first, yaw = _start_from_joints(start[seen], found[seen], prior)
        joints[seen], cost[seen] = _minimise(cameras, keypoints[seen], first, yaw, prior, rules)
    rest = np.flatnonzero(~seen)
    if len(rest) and prior.height is None:
        raise ValueError("body prior: people seen by one camera need the prior's height above the floor")
    if len(rest):
        for angle in np.arange(rules.yaw_starts) * (2 * np.pi / rules.yaw_starts):
            first, yaw = _start_from_height(cameras, keypoints[rest], prior, angle)
            found_joints, found_cost = _minimise(cameras, keypoints[rest], first, yaw, prior, rules)
            better = found_cost < cost[rest]
            joints[rest[better]], cost[rest[better]] = found_joints[better], found_cost[better]
    return Fitted(joints, cost)


def _start_from_joints(start: np.ndarray, found: np.ndarray, prior: BodyPrior) -> tuple[np.ndarray, np.ndarray]:
    """Mean body moved and turned onto the joints that are there, which then replace the mean's."""
    mean = prior.hips.detector_matrix() @ prior.mean
    weight = found[..., None].astype(float)
    count = weight.sum(1)
    points = np.where(found[..., None], start, 0.0)
    centre = points.sum(1) / count
    model = (mean * weight).sum(1) / count
    a, b = (mean - model[:, None]) * weight, (points - centre[:, None]) * weight
    yaw = np.arctan2(
        (a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]).sum(1), (a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1]).sum(1)
    )
    both = found[:, L_SHOULDER] & found[:, R_SHOULDER]
    yaw = np.where(both, body_yaw(points), yaw)
    turned = (mean - model[:, None]) @ np.swapaxes(_yaw_matrices(yaw), -1, -2) + centre[:, None]
    return prior.hips.apply(np.where(found[..., None], points, turned)), yaw


def _start_from_height(
    cameras: Sequence[Camera], keypoints: np.ndarray, prior: BodyPrior, angle: float
) -> tuple[np.ndarray, np.ndarray]:
    """Mean body with its shoulders at the usual height on the line of sight."""
    assert prior.height is not None  # the caller has looked
    first = np.zeros((len(keypoints), *prior.mean.shape))
    yaw = np.full(len(keypoints), angle)
    turned = prior.mean @ _yaw_matrices(np.array([angle]))[0].T
    for k, views in enumerate(keypoints):
        view = int(np.argmax(present(views)[:, list(LIMB_JOINTS)].sum(1)))
        camera, there = cameras[view], present(views[view])[list(LIMB_JOINTS)]
        limb = np.array(LIMB_JOINTS)[there]
        # Of the joints that were seen, the one nearest the shoulders' height: its height is known best.
        best = int(np.argmin(np.abs(prior.mean[there, 2])))
        pixel = views[view][limb[best], :2]
        far = camera.back_project(pixel, np.array(1.0)) - camera.pose[:3, 3]
        drop = prior.height[0] + prior.mean[there, 2][best] - camera.pose[2, 3]
        depth = drop / far[2] if abs(far[2]) > 1e-3 else 3.0
        depth = float(np.clip(depth if depth > 0 else 3.0, 1.0, 6.0))
        first[k] = camera.pose[:3, 3] + depth * far + turned - turned[there][best]
    return first, yaw


def _minimise(
    cameras: Sequence[Camera],
    keypoints: np.ndarray,
    joints: np.ndarray,
    yaw: np.ndarray,
    prior: BodyPrior,
    rules: FitRules,
) -> tuple[np.ndarray, np.ndarray]:
    """Levenberg-Marquardt with Huber weights for all people at once; unknowns: 24 coordinates and the yaw."""
    there = present(keypoints)[:, :, list(LIMB_JOINTS)]
    pixels = np.moveaxis(np.where(there[..., None], keypoints[:, :, list(LIMB_JOINTS), :2], 0.0), 1, 0)
    problem = _Problem(
        world_to_camera_matrices(cameras),
        np.array([(camera.fx, camera.fy) for camera in cameras]) / rules.huber_px,
        camera_rays(cameras, pixels),
        np.moveaxis(np.where(there, np.sqrt(np.clip(keypoints[:, :, list(LIMB_JOINTS), 2], 0, 1)), 0.0), 1, 0),
        prior,
    )
    damping = np.full(len(joints), rules.damping)
    cost, gradient, hessian = problem.evaluate(joints, yaw)
    for _ in range(rules.iterations):
        diagonal = np.einsum("pii->pi", hessian)
        damped = hessian + damping[:, None, None] * (np.eye(_DIMENSIONS + 1) * diagonal[:, None])
        step = np.linalg.solve(damped, -gradient[..., None])[..., 0]
        new_joints, new_yaw = joints + step[:, :_DIMENSIONS].reshape(joints.shape), yaw + step[:, _DIMENSIONS]
        new_cost, new_gradient, new_hessian = problem.evaluate(new_joints, new_yaw)
        better = new_cost < cost
        done = better & (cost - new_cost < 1e-6 * cost)
        joints = np.where(better[:, None, None], new_joints, joints)
        yaw = np.where(better, new_yaw, yaw)
        gradient = np.where(better[:, None], new_gradient, gradient)
        hessian = np.where(better[:, None, None], new_hessian, hessian)
        cost = np.where(better, new_cost, cost)
        damping = np.clip(np.where(better, damping / 5, damping * 8), 1e-7, 1e7)
        if (done | (damping > 1e5)).all():
            break
    return joints, cost


@dataclass(frozen=True)
class _Problem:
    """Residuals of P people: detections and prior."""

    matrices: np.ndarray
    focal: np.ndarray  # in standard deviations
    rays: np.ndarray
    weights: np.ndarray
    prior: BodyPrior

    def evaluate(self, joints: np.ndarray, yaw: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Cost (P,), gradient (P, 25), Gauss-Newton Hessian (P, 25, 25)."""
        people, size = len(joints), len(LIMB_NAMES)
        hips = self.prior.hips.detector_matrix()
        cost = np.zeros(people)
        marked_gradient = np.zeros((people, size, 3))
        blocks = np.zeros((people, size, 3, 3))
        marked = hips @ joints
        for view, matrix in enumerate(self.matrices):
            local = marked @ matrix[:, :3].T + matrix[:, 3]
            depth = np.maximum(local[..., 2], 0.05)
            ray = local[..., :2] / depth[..., None]
            residual = (ray - self.rays[view]) * self.focal[view]
            length = np.linalg.norm(residual, axis=-1)
            weight = self.weights[view] ** 2
            cost += (weight * np.where(length <= 1, 0.5 * length**2, length - 0.5)).sum(1)
            weight = weight / np.maximum(length, 1.0)
            for axis in range(2):
                slope = (self.focal[view, axis] / depth)[..., None] * (
                    matrix[axis, :3] - ray[..., axis, None] * matrix[2, :3]
                )
                marked_gradient += (weight * residual[..., axis])[..., None] * slope
                blocks += weight[..., None, None] * slope[..., :, None] * slope[..., None, :]
        gradient = np.zeros((people, _DIMENSIONS + 1))
        hessian = np.zeros((people, _DIMENSIONS + 1, _DIMENSIONS + 1))
        gradient[:, :-1] = (hips.T @ marked_gradient).reshape(people, -1)
        hessian[:, :-1, :-1] = np.einsum("ki,pkab,kj->piajb", hips, blocks, hips, optimize=True).reshape(
            people, _DIMENSIONS, _DIMENSIONS
        )
        self._add_prior(joints, yaw, cost, gradient, hessian)
        return cost, gradient, hessian

    def _add_prior(self, joints, yaw, cost, gradient, hessian) -> None:
        people, size = len(joints), len(LIMB_NAMES)
        centring = np.eye(size)
        centring[:, [L_SHOULDER, R_SHOULDER]] -= 0.5
        rotation = _yaw_matrices(yaw)
        centred = centring @ joints
        body = centred @ rotation
        turn = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])  # d body / d yaw = body @ turn.T
        jacobian = np.zeros((people, _DIMENSIONS, _DIMENSIONS + 1))
        jacobian[:, :, :-1] = np.einsum("ij,pba->piajb", centring, rotation).reshape(people, _DIMENSIONS, _DIMENSIONS)
        jacobian[:, :, -1] = (body @ turn.T).reshape(people, -1)
        residual = (body - self.prior.mean).reshape(people, -1) @ self.prior.factor.T
        jacobian = self.prior.factor @ jacobian
        transposed = np.swapaxes(jacobian, -1, -2)
        cost += 0.5 * (residual**2).sum(1)
        gradient += (transposed @ residual[..., None])[..., 0]
        hessian += transposed @ jacobian
        if self.prior.height is not None:
            mean, deviation = self.prior.height
            residual = (joints[:, [L_SHOULDER, R_SHOULDER], 2].mean(1) - mean) / deviation
            row = np.zeros(_DIMENSIONS + 1)
            row[[3 * L_SHOULDER + 2, 3 * R_SHOULDER + 2]] = 0.5 / deviation
            cost += 0.5 * residual**2
            gradient += residual[:, None] * row
            hessian += row[:, None] * row
