"""Depth images in the triangulation of people whom several cameras see.

A pixel says where a joint is across the line of sight, the depth there how far along it. Both enter one least-squares
problem, each by its own error. Depth is believed only near the place that the pixels give: at a hidden joint it is that
of what hides it. Joints of the head and the arms that one view alone saw are placed by their depth if the body that is
there can have them; hips and legs are behind a table too often.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.geometry.triangulation import camera_rays, present, solve3, world_to_camera_matrices
from orplugins.multiview.people import People
from orplugins.multiview.single_view_depth import joint_depths, largest_body
from orplugins.skeletons import COCO_17

_HIDDEN = np.array([name.split("_")[-1] in ("hip", "knee", "ankle") for name in COCO_17.joints])
Picture = Callable[[int, int], np.ndarray]  # (frame, view) -> depth (H, W), uint16 millimetres


@dataclass(frozen=True)
class DepthWeight:
    """Errors of pixels and depths.

    Attributes:
        pixel: Of a joint in an image 640 wide, pixels.
        depth_m: Of the depth of a joint that is seen, metres.
        believed_m: Depths further than this from where the pixels put a joint are of something else.
        steps: Of the minimisation.
        single: Also place joints of head and arms that only one view saw.
    """

    pixel: float = 8.0
    depth_m: float = 0.06
    believed_m: float = 0.30
    steps: int = 5
    single: bool = True


def people_depths(cameras: Sequence[Camera], people: People, picture: Picture) -> np.ndarray:
    """Depths at people's joints.

    Args:
        cameras: V cameras.
        people: P people, in the order of their frames.
        picture: Reads depth images.

    Returns:
        (P, V, 17) metres along each camera's axis, NaN where there is none.
    """
    out = np.full(people.keypoints.shape[:3], np.nan)
    read: dict[tuple[int, int], np.ndarray] = {}
    for row, frame in enumerate(people.frame.tolist()):
        if read and next(iter(read))[0] != frame:
            read = {}
        for view in np.flatnonzero(people.members[row] >= 0).tolist():
            if (frame, view) not in read:
                read[frame, view] = picture(frame, view)
            out[row, view] = joint_depths(cameras[view], people.keypoints[row, view], read[frame, view])
    return out


def refine_with_depth(
    cameras: Sequence[Camera], people: People, depths: np.ndarray, weight: DepthWeight | None = None
) -> People:
    """Move joints to where pixels and depths agree best; people of one view stay as they are.

    Args:
        cameras: V cameras of one world.
        people: P people.
        depths: (P, V, 17) from `people_depths`.
        weight: Errors; None: the defaults.

    Returns:
        The people. Joints placed by one view have that number of views, and no reprojection error.
    """
    weight = weight or DepthWeight()
    several = people.support > 1
    points, views = people.points.copy(), people.views.copy()
    placed = np.isfinite(points).all(-1) & several[:, None]
    seen = present(people.keypoints) & placed[:, None]
    moved = _minimise(cameras, people.keypoints, seen, depths, points, weight)
    near = np.linalg.norm(moved - points, axis=-1) < weight.believed_m
    points[placed & near] = moved[placed & near]
    if weight.single:
        for row in np.flatnonzero(several & ~placed[:, ~_HIDDEN].all(1)):
            new, view_count = _from_one_view(cameras, people.keypoints[row], depths[row], points[row])
            points[row], views[row] = new, np.where(view_count, 1, views[row])
    return replace(people, points=points, views=views)


def _minimise(cameras, keypoints, seen, depths, points, weight: DepthWeight) -> np.ndarray:
    """Gauss-Newton with Cauchy weights on depths and Huber weights on pixels; (P, 17, 3)."""
    pixel = weight.pixel * max(camera.size[0] for camera in cameras) / 640
    every = np.moveaxis(np.where(seen[..., None], keypoints, 0.0), 1, 0)
    rays, matrices = camera_rays(cameras, every[..., :2]), world_to_camera_matrices(cameras)
    score = np.sqrt(np.clip(every[..., 2], 0, 1))
    xyz = np.moveaxis(points, -1, 0).copy()
    for _ in range(weight.steps):
        left, right = np.zeros((6, *xyz.shape[1:])), np.zeros(xyz.shape)
        for v, (camera, matrix) in enumerate(zip(cameras, matrices, strict=True)):
            x, y, z = (m[0] * xyz[0] + m[1] * xyz[1] + m[2] * xyz[2] + m[3] for m in matrix)
            with np.errstate(all="ignore"):
                off = [camera.fx * (rays[v, ..., 0] - x / z), camera.fy * (rays[v, ..., 1] - y / z)]
                trust = score[v] ** 2 / np.maximum(np.hypot(*off) / (2 * pixel), 1.0) / pixel**2
                rows = [
                    ([f / z * (matrix[k, n] - c / z * matrix[2, n]) for n in range(3)], off[k], trust)
                    for k, (f, c) in enumerate(((camera.fx, x), (camera.fy, y)))
                ]
                away = depths[:, v] - z
                trust = score[v] ** 2 / (1 + (away / weight.depth_m) ** 2) / weight.depth_m**2
                trust = np.where(np.abs(away) <= weight.believed_m, trust, 0.0)
                rows.append(([np.full(z.shape, matrix[2, n]) for n in range(3)], away, trust))
            for slope, residual, factor in rows:
                used = np.where(seen[:, v] & np.isfinite(factor) & np.isfinite(residual), factor, 0.0)
                residual = np.where(used > 0, residual, 0.0)
                slope = [np.where(used > 0, s, 0.0) for s in slope]
                for k, (a, b) in enumerate(((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))):
                    left[k] += used * slope[a] * slope[b]
                for k in range(3):
                    right[k] += used * residual * slope[k]
        step = solve3(left, right)
        xyz = np.where(np.isfinite(step).all(0) & ((step * step).sum(0) < 1.0), xyz + step, xyz)
    return np.moveaxis(xyz, 0, -1)


def _from_one_view(cameras, keypoints, depths, points) -> tuple[np.ndarray, np.ndarray]:
    """A person's joints (17, 3) with those that single views place next to the body, and which they are."""
    missing = ~np.isfinite(points).all(-1) & ~_HIDDEN
    there = np.isfinite(points).all(-1)
    out, new = points.copy(), np.zeros(len(points), dtype=bool)
    if not there.any():
        return out, new
    order = np.argsort([-np.isfinite(depths[v]).sum() for v in range(len(cameras))])
    for v in order:
        wanted = np.flatnonzero(missing & ~new & np.isfinite(depths[v]))
        if not len(wanted):
            continue
        tried = out.copy()
        tried[wanted] = cameras[v].back_project(keypoints[v, wanted, :2], depths[v, wanted], undistort=True)
        good = wanted[largest_body(tried)[wanted]] if largest_body(tried)[there].any() else wanted[:0]
        out[good] = tried[good]
        new[good] = True
    return out, new
