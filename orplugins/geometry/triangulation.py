"""Points from several calibrated views: weighted linear triangulation, refinement, and reasons for what is refused.

Linear triangulation (DLT): Hartley & Zisserman, Multiple View Geometry, section 12.2, with each view's two equations
weighted by the detector's confidence. The default gates are those of OpenPose's own 3D module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from orplugins.geometry.cameras import Camera


class Code(IntEnum):
    """Why a joint has no position (or, for FILLED, an invented one)."""

    OK = 0
    MISSING_LEFT = 1
    MISSING_RIGHT = 2
    MISSING = 3
    LOW_CONFIDENCE = 4
    BORDER = 5
    ROW_MISMATCH = 6
    DISPARITY = 7
    DEPTH_RANGE = 8
    REPROJECTION = 9
    BEHIND_CAMERA = 10
    BONE_LENGTH = 11
    TEMPORAL_OUTLIER = 12
    FILLED = 13


@dataclass(frozen=True)
class ViewRules:
    """When a joint of one view may be used, and when a triangulated joint is believed.

    Attributes:
        conf_min: Minimum confidence. None: any above 0.
        border_px: Width of the border in which joints are refused, pixels. None: no border.
        gate_px: Maximum mean reprojection error, pixels. None: 25 px at 1280 x 1024, scaled by the image's diagonal.
        gate_factor: Maximum mean reprojection error as a multiple of the frame's mean error.
    """

    conf_min: float | None = None
    border_px: float | None = None
    gate_px: float | None = None
    gate_factor: float = 5.0

    def gate(self, cameras: Sequence[Camera]) -> float:
        """The absolute gate of the mean reprojection error.

        Args:
            cameras: Cameras whose resolution scales the default gate.

        Returns:
            The gate, pixels.
        """
        if self.gate_px is not None:
            return self.gate_px
        return 25 * max(np.sqrt(camera.size[0] * camera.size[1] / 1310720) for camera in cameras)


@dataclass(frozen=True)
class Triangulated:
    """Triangulated joints.

    Attributes:
        points: (..., 3) world, metres; NaN where ``code`` is not OK.
        code: (...) `Code`.
        error: (...) mean reprojection error over the used views, pixels; NaN with fewer than two views.
        views: (...) number of views used.
    """

    points: np.ndarray
    code: np.ndarray
    error: np.ndarray
    views: np.ndarray


def present(keypoints: np.ndarray) -> np.ndarray:
    """Whether joints were found: finite numbers and a confidence above 0.

    Args:
        keypoints: (..., J, 3) x, y, confidence.

    Returns:
        (..., J) bool.
    """
    finite = np.isfinite(keypoints)
    return finite[..., 0] & finite[..., 1] & finite[..., 2] & (keypoints[..., 2] > 0)


def on_border(pixels: np.ndarray, size: tuple[int, int], border: float) -> np.ndarray:
    """Whether pixels lie close to the edge of the image.

    Args:
        pixels: (..., 2).
        size: (width, height) of the image.
        border: Width of the border, pixels.

    Returns:
        (...) bool.
    """
    last = np.array(size) - 1 - border
    return np.any(pixels <= border, axis=-1) | np.any(pixels >= last, axis=-1)


def world_to_camera_matrices(cameras: Sequence[Camera]) -> np.ndarray:
    """World-to-camera matrices [R | t].

    Args:
        cameras: V cameras.

    Returns:
        (V, 3, 4), metres.
    """
    return np.stack([np.linalg.inv(camera.pose)[:3] for camera in cameras])


def dlt(matrices: np.ndarray, rays: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Homogeneous linear triangulation (Hartley & Zisserman, section 12.2).

    Args:
        matrices: (V, 3, 4) world to camera.
        rays: (V, ..., 2) image points x/z, y/z.
        weights: (V, ...), 0 for a view that is not used.

    Returns:
        (..., 3): the right singular vector of the smallest singular value, divided by its last component.
    """
    weights = weights[..., None]
    shape = (len(matrices), *(1,) * (rays.ndim - 2), 4)
    r1, r2, r3 = (matrices[:, i].reshape(shape) for i in range(3))
    x, y = np.where(weights > 0, rays, 0.0)[..., 0:1], np.where(weights > 0, rays, 0.0)[..., 1:2]
    rows = np.concatenate([weights * (x * r3 - r1), weights * (y * r3 - r2)])
    solution = np.linalg.svd(np.moveaxis(rows, 0, -2), full_matrices=True)[2][..., -1, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        return solution[..., :3] / solution[..., 3:]


def project(matrices: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rays and depths of points in every camera.

    Args:
        matrices: (V, 3, 4) world to camera.
        points: (..., 3), metres; NaN = missing.

    Returns:
        Rays (V, ..., 2), x/z and y/z, and depths (V, ...), metres.
    """
    with np.errstate(divide="ignore", invalid="ignore"):  # NaN: missing points
        local = np.stack([points @ matrix[:, :3].T + matrix[:, 3] for matrix in matrices])
        return local[..., :2] / local[..., 2:], local[..., 2]


def solve3(matrix: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Solve symmetric 3 x 3 systems by cofactors, which is much quicker than a library call each.

    Args:
        matrix: (6, ...) entries 00, 01, 02, 11, 12, 22: one array each, so that long batches stay in order in memory.
        vector: (3, ...) right-hand sides.

    Returns:
        (3, ...) solutions; not finite where a system is singular.
    """
    a, b, c, d, e, f = matrix
    x, y, z = vector
    ca, cb, cc = d * f - e * e, c * e - b * f, b * e - c * d
    cd, ce, cf = a * f - c * c, b * c - a * e, a * d - b * b
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = 1 / (a * ca + b * cb + c * cc)
        return np.stack([ca * x + cb * y + cc * z, cb * x + cd * y + ce * z, cc * x + ce * y + cf * z]) * inverse


def _add_outer(matrix: np.ndarray, weight: np.ndarray, v: Sequence[np.ndarray]) -> None:
    """Add weight * v v^T to the six entries."""
    wx, wy, wz = weight * v[0], weight * v[1], weight * v[2]
    for k, term in enumerate((wx * v[0], wx * v[1], wx * v[2], wy * v[1], wy * v[2], wz * v[2])):
        matrix[k] += term


def intersect_rays(matrices: np.ndarray, rays: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Quick triangulation: the point nearest to all rays (least squares of the distances in space).

    A start for `refine`, and good enough to tell whether two detections can be one person.

    Args:
        matrices: (V, 3, 4) world to camera.
        rays: (V, ..., 2) image points x/z, y/z.
        weights: (V, ...), 0 for a view that is not used.

    Returns:
        (..., 3), metres.
    """
    shape = rays.shape[1:-1]
    left, right = np.zeros((6, *shape)), np.zeros((3, *shape))
    for matrix, ray, weight in zip(matrices, rays, weights, strict=True):
        centre = -matrix[:, :3].T @ matrix[:, 3]
        x, y = ray[..., 0], ray[..., 1]
        direction = [x * matrix[0, k] + y * matrix[1, k] + matrix[2, k] for k in range(3)]
        # weight * (1 - d d^T / |d|^2)
        scaled = -weight / (x * x + y * y + 1)
        own = np.zeros((6, *shape))
        _add_outer(own, scaled, direction)
        for k in (0, 3, 5):
            own[k] += weight
        left += own
        a, b, c, d, e, f = own
        for k, row in enumerate(((a, b, c), (b, d, e), (c, e, f))):
            right[k] += row[0] * centre[0] + row[1] * centre[1] + row[2] * centre[2]
    return np.moveaxis(solve3(left, right), 0, -1)


def refine(
    matrices: np.ndarray, focal: np.ndarray, rays: np.ndarray, weights: np.ndarray, points: np.ndarray, steps: int = 3
) -> np.ndarray:
    """Gauss-Newton steps on the weighted reprojection error in pixels.

    Args:
        matrices: (V, 3, 4) world to camera.
        focal: (V, 2) focal lengths, pixels.
        rays: (V, ..., 2) image points x/z, y/z.
        weights: (V, ...), 0 for a view that is not used.
        points: (..., 3) start.
        steps: Number of steps.

    Returns:
        (..., 3) refined points; a step of more than 2 m is not taken.
    """
    xyz = np.moveaxis(np.asarray(points, dtype=np.float64), -1, 0).copy()
    for _ in range(steps):
        left, right = np.zeros((6, *xyz.shape[1:])), np.zeros(xyz.shape)
        for matrix, (fx, fy), ray, weight in zip(matrices, focal, rays, weights, strict=True):
            local = [m[0] * xyz[0] + m[1] * xyz[1] + m[2] * xyz[2] + m[3] for m in matrix]
            with np.errstate(divide="ignore", invalid="ignore"):
                inverse = 1 / local[2]
            squared = np.where(weight > 0, weight * weight, 0.0)
            for axis, f in ((0, fx), (1, fy)):
                ratio = local[axis] * inverse
                scale = f * inverse
                slope = [scale * (matrix[axis, k] - ratio * matrix[2, k]) for k in range(3)]
                residual = np.where(weight > 0, squared * f * (ray[..., axis] - ratio), 0.0)
                _add_outer(left, squared, slope)
                for k in range(3):
                    right[k] += residual * slope[k]
        step = solve3(left, right)
        # A step of metres means that the rays are nearly parallel: the start is kept.
        xyz = np.where((step * step).sum(0) < 4.0, xyz + step, xyz)
    return np.moveaxis(xyz, 0, -1)


def camera_rays(cameras: Sequence[Camera], pixels: np.ndarray) -> np.ndarray:
    """Pixels as rays x/z, y/z, lens distortion removed.

    Args:
        cameras: V cameras.
        pixels: (V, ..., 2).

    Returns:
        (V, ..., 2); NaN where the distortion has no inverse.
    """
    return np.stack(
        [
            ((camera.undistort(view) if camera.distortion else view) - (camera.cx, camera.cy)) / (camera.fx, camera.fy)
            for camera, view in zip(cameras, pixels, strict=True)
        ]
    )


def reprojection_errors(cameras: Sequence[Camera], points: np.ndarray, rays: np.ndarray) -> tuple[np.ndarray, ...]:
    """Distances between projected points and observed rays, in pixels.

    Args:
        cameras: V cameras.
        points: (..., 3), metres.
        rays: (V, ..., 2) observed x/z, y/z.

    Returns:
        Distances (V, ...) in pixels, and depths (V, ...) in metres.
    """
    predicted, depth = project(world_to_camera_matrices(cameras), points)
    focal = np.array([(camera.fx, camera.fy) for camera in cameras])
    focal = focal.reshape(len(cameras), *(1,) * (points.ndim - 1), 2)
    return np.linalg.norm((predicted - rays) * focal, axis=-1), depth


def triangulate(
    cameras: Sequence[Camera],
    keypoints: np.ndarray,
    rules: ViewRules | None = None,
    refine_steps: int = 0,
) -> Triangulated:
    """Triangulate joints whose owner is the same person in every view.

    Args:
        cameras: V calibrated cameras of one world.
        keypoints: (V, ..., J, 3) x, y in pixels, confidence. Confidence 0 or non-finite numbers: not seen. The gate by
            the frame's mean error is taken over the last axis, J.
        rules: Gates; None: the defaults.
        refine_steps: Gauss-Newton steps after the linear solution.

    Returns:
        Points, and for each joint why it has none.

    Raises:
        ValueError: Fewer than two cameras, or another number of views.
    """
    keypoints = np.asarray(keypoints, dtype=np.float64)
    if len(cameras) < 2 or keypoints.ndim < 3 or len(keypoints) != len(cameras) or keypoints.shape[-1] != 3:
        raise ValueError(
            f"keypoints have shape {keypoints.shape} for {len(cameras)} cameras, expected (V, ..., J, 3), V > 1"
        )
    rules = rules or ViewRules()
    seen = present(keypoints)
    used = seen if rules.conf_min is None else seen & (keypoints[..., 2] >= rules.conf_min)
    confident = used
    if rules.border_px is not None:
        edge = [
            on_border(view[..., :2], camera.size, rules.border_px)
            for camera, view in zip(cameras, keypoints, strict=True)
        ]
        used = used & ~np.stack(edge)
    rays = camera_rays(cameras, np.where(used[..., None], keypoints[..., :2], 0.0))
    used &= np.isfinite(rays).all(-1)
    rays = np.where(used[..., None], rays, 0.0)
    weights = np.where(used, keypoints[..., 2], 0.0)
    views = used.sum(0)
    points = dlt(world_to_camera_matrices(cameras), rays, weights)
    if refine_steps:
        focal = np.array([(camera.fx, camera.fy) for camera in cameras])
        points = refine(world_to_camera_matrices(cameras), focal, rays, weights, points, refine_steps)
    distance, depth = reprojection_errors(cameras, points, rays)
    enough = views >= 2
    error = np.where(used, distance, 0.0).sum(0) / np.maximum(views, 1)
    error = np.where(enough, error, np.nan)
    count = enough.sum(-1, keepdims=True)
    mean = np.where(enough, error, 0.0).sum(-1, keepdims=True) / np.maximum(count, 1)
    code = np.zeros(views.shape, dtype=np.int64)
    code[enough & ((error > rules.gate(cameras)) | (error > rules.gate_factor * mean))] = Code.REPROJECTION
    code[enough & (used & ~(depth > 0)).any(0)] = Code.BEHIND_CAMERA
    code[~enough] = Code.BORDER
    code[confident.sum(0) < 2] = Code.LOW_CONFIDENCE
    code[seen.sum(0) < 2] = Code.MISSING
    return Triangulated(np.where((code == Code.OK)[..., None], points, np.nan), code, error, views)
