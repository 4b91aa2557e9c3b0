"""Point sets around joints: the input of RefiNet's module C.

A cube around each joint is filled from the depth image's points. A cube projects into a window of the image; only the
pixels in there are looked at, for all joints and people at once (a flat list of pixels, whatever the windows' sizes).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orplugins.refinet.checks import checked_depth, checked_joints, half_metres
from orplugins.refinet.depth_camera import DepthCamera


@dataclass(frozen=True)
class CloudSettings:
    """How points are picked.

    Attributes:
        cube, grow, max_cube: Side of the cube, millimetres; while it holds fewer than `min_points` it grows, up to the
            maximum.
        min_points: 129, "more than 128".
        num_points: Maximum number of points per joint (2000; ITOP top view: 5000).
        preparation: "published": the first `num_points` in the image's order, each axis scaled to mean 0 and deviation
            1, which loses where the joint lies. "correct": points relative to the joint in half cubes of the first
            size, and `sampling`; the default, because module C makes poses better with it and worse with the other
            (docs/refinet/measurements.md).
        sampling: "first", "uniform" (evenly spaced over the image's order) or "farthest" (each point is the one
            farthest from all before it); only matters where a cube holds more than `num_points`.
    """

    cube: int = 300
    grow: int = 50
    max_cube: int = 450
    min_points: int = 129
    num_points: int = 2000
    preparation: str = "correct"
    sampling: str = "uniform"

    def __post_init__(self):
        if not (0 < self.cube <= self.max_cube and self.grow > 0 and self.num_points > 0):
            raise ValueError(f"CloudSettings: found {self}, expected 0 < cube <= max_cube, grow > 0, num_points > 0")
        if self.preparation not in ("published", "correct"):
            raise ValueError(f"preparation: found {self.preparation!r}, expected 'published' or 'correct'")
        if self.sampling not in ("first", "uniform", "farthest"):
            raise ValueError(f"sampling: found {self.sampling!r}, expected 'first', 'uniform' or 'farthest'")


@dataclass(frozen=True)
class JointClouds:
    """Point sets around joints.

    Attributes:
        points: (..., K, N + 1, 3) float32: rows of points, zeros, and in row N the count three times.
        cube: (..., K) side of the cube used, millimetres; 0 where the joint is missing.
        found: (..., K) points in it before the limit.
        count: (..., K) points that were taken.
    """

    points: np.ndarray
    cube: np.ndarray
    found: np.ndarray
    count: np.ndarray


def depth_to_points(depth_mm: np.ndarray, camera: DepthCamera, half: bool = False) -> np.ndarray:
    """All points of a depth image.

    Args:
        depth_mm: (H, W) millimetres, 0 = hole.
        camera: Its camera.
        half: Round points to float16 metres on the way, as ITOP's point cloud files are.

    Returns:
        (H, W, 3) float32 millimetres.
    """
    depth = checked_depth(depth_mm)
    height, width = depth.shape
    z = half_metres(depth).astype(np.float64) if half else depth.astype(np.float64)
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    points = camera.back_project(np.stack([columns, rows], axis=-1), z)
    if half:
        return points.astype(np.float16).astype(np.float32) * np.float32(1000)
    return points.astype(np.float32)


def joint_clouds(
    joints_mm: np.ndarray,
    valid: np.ndarray,
    depth_mm: np.ndarray,
    camera: DepthCamera,
    settings: CloudSettings | None = None,
    half: bool = False,
    points: np.ndarray | None = None,
) -> JointClouds:
    """Point sets around joints.

    Args:
        joints_mm: (..., K, 3) millimetres in the camera's axes.
        valid: (..., K); a joint that is invalid or has z = 0 gets an empty set.
        depth_mm: (H, W) millimetres, 0 = hole.
        camera: Of the depth image.
        settings: How points are picked; None: the defaults.
        half: See `depth_to_points`.
        points: (H * W, 3) or (H, W, 3) float32 millimetres to use instead of those of the depth image, in its order;
            all of them are searched for every joint, because nothing says where in the image they are.

    Returns:
        The sets, and how many points they have.
    """
    settings = settings or CloudSettings()
    joints = checked_joints(joints_mm, 3)
    shape = joints.shape[:-1]
    joints = joints.reshape(-1, 3)
    valid = np.broadcast_to(np.asarray(valid), shape).reshape(-1).astype(bool) & (joints[:, 2] != 0)
    source: _Window | _Everything
    if points is None:
        source = _Window(checked_depth(depth_mm), camera, half)
    else:
        source = _Everything(np.asarray(points, dtype=np.float32).reshape(-1, 3))
    owner, picked, cube, found = _fill_cubes(joints, valid, source, settings)
    clouds, count = _arrange(joints, owner, picked, found, settings)
    return JointClouds(
        clouds.reshape(*shape, settings.num_points + 1, 3),
        cube.reshape(shape),
        found.reshape(shape),
        count.reshape(shape),
    )


class _Window:
    """Candidates of a cube: the pixels of the window that it projects to."""

    def __init__(self, depth: np.ndarray, camera: DepthCamera, half: bool):
        self.depth, self.camera, self.half = depth, camera, half
        # float16 moves a point by up to half a thousandth of its distance from the axis: less than a pixel.
        self.margin = 2.0 if half else 1.0

    def candidates(self, joints: np.ndarray, side: float) -> tuple[np.ndarray, np.ndarray]:
        """Joint number (T,) and points (T, 3) float32 in cubes of this side around joints (M, 3), roughly."""
        height, width = self.depth.shape
        camera, sign = self.camera, -1.0 if self.camera.y_up else 1.0
        near = np.maximum(joints[:, 2] - side / 2, 1.0)
        far = np.maximum(joints[:, 2] + side / 2, 1.0)
        low, high = [], []
        for value, f, c, size in (
            (joints[:, 0], camera.fx, camera.cx, width),
            (sign * joints[:, 1], camera.fy, camera.cy, height),
        ):
            ends = [(value + step) * f / z + c for step in (-side / 2, side / 2) for z in (near, far)]
            low.append(np.clip(np.floor(np.min(ends, axis=0) - self.margin), 0, size).astype(np.int64))
            high.append(np.clip(np.ceil(np.max(ends, axis=0) + self.margin) + 1, 0, size).astype(np.int64))
        wide = np.maximum(high[0] - low[0], 0)
        areas = wide * np.maximum(high[1] - low[1], 0)
        owner = np.repeat(np.arange(len(joints)), areas)
        step = np.arange(len(owner)) - np.repeat(np.cumsum(areas) - areas, areas)
        row, column = np.divmod(step, np.repeat(wide, areas))
        row += np.repeat(low[1], areas)
        column += np.repeat(low[0], areas)
        z = self.depth[row, column]
        middle = np.repeat(joints[:, 2], areas)
        # Depth alone rules most pixels out (half a thousandth more than the cube, for float16).
        kept = np.flatnonzero((z != 0) & (np.abs(z - middle) < side / 2 + 1))
        owner, row, column, z = owner[kept], row[kept], column[kept], z[kept]
        if not self.half:
            pixels = np.stack([column, row], axis=-1)
            return owner, camera.back_project(pixels, z.astype(np.float64)).astype(np.float32)
        metres = half_metres(z).astype(np.float64)
        points = camera.back_project(np.stack([column, row], axis=-1), metres)
        return owner, points.astype(np.float16).astype(np.float32) * np.float32(1000)


class _Everything:
    """Candidates of a cube: every point, as the published code searches."""

    def __init__(self, points: np.ndarray):
        self.points = points[points[:, 2] != 0]

    def candidates(self, joints: np.ndarray, side: float) -> tuple[np.ndarray, np.ndarray]:
        owners, parts = [], []
        for number, joint in enumerate(joints):
            part = self.points[np.abs(self.points[:, 2] - joint[2]) < side / 2 + 1]
            owners.append(np.full(len(part), number))
            parts.append(part)
        if not parts:
            return np.zeros(0, dtype=np.int64), np.zeros((0, 3), dtype=np.float32)
        return np.concatenate(owners), np.concatenate(parts)


def _fill_cubes(joints, valid, source, settings):
    """Points in each joint's cube: joint number (T,) sorted, points (T, 3), cube sides (M,), points found (M,)."""
    cube = np.zeros(len(joints), dtype=np.int64)
    found = np.zeros(len(joints), dtype=np.int64)
    owners, parts = [], []
    open_joints, side = np.flatnonzero(valid), settings.cube
    while len(open_joints):
        around = joints[open_joints]
        owner, points = source.candidates(around, side)
        low, high = ((around + step).astype(np.float32) for step in (-side / 2, side / 2))
        inside = (points[:, 0] > low[owner, 0]) & (points[:, 0] < high[owner, 0])
        for axis in (1, 2):
            inside &= (points[:, axis] > low[owner, axis]) & (points[:, axis] < high[owner, axis])
        owner, points = owner[inside], points[inside]
        count = np.bincount(owner, minlength=len(open_joints))
        last = side + settings.grow > settings.max_cube
        done = np.full(len(open_joints), True) if last else count >= settings.min_points
        cube[open_joints[done]], found[open_joints[done]] = side, count[done]
        kept = done[owner]
        owners.append(open_joints[owner[kept]])
        parts.append(points[kept])
        open_joints, side = open_joints[~done], side + settings.grow
    owner = np.concatenate(owners) if owners else np.zeros(0, dtype=np.int64)
    points = np.concatenate(parts) if parts else np.zeros((0, 3), dtype=np.float32)
    order = np.argsort(owner, kind="stable")
    return owner[order], points[order], cube, found


def _arrange(joints, owner, points, found, settings):
    """Pick, scale and lay out the points: (M, N + 1, 3) float32 and counts (M,)."""
    limit = settings.num_points
    starts = np.cumsum(found) - found
    rank = np.arange(len(owner)) - starts[owner]
    if settings.sampling == "uniform":
        # The slot of the i-th of n points: equal steps over the n where n > N, else i.
        n = np.maximum(found, limit)[owner]
        slot = -(-rank * limit // n)
        chosen = (slot * n // limit == rank) & (slot < limit)
        owner, points, rank = owner[chosen], points[chosen], slot[chosen]
    elif settings.sampling == "farthest" and (found > limit).any():
        chosen = np.concatenate(
            [
                first + (_farthest(points[first : first + n], joints[k], limit) if n > limit else np.arange(n))
                for k, (first, n) in enumerate(zip(starts, found, strict=True))
            ]
        )
        owner, points = owner[chosen], points[chosen]
    count = np.minimum(found, limit)
    if settings.sampling == "farthest":
        rank = np.arange(len(owner)) - (np.cumsum(count) - count)[owner]
    kept = rank < limit
    owner, points, rank = owner[kept], points[kept], rank[kept]
    if settings.preparation == "published":
        points = _standardized(points, owner, count)
    else:
        points = (points - joints[owner]) / (settings.cube / 2)
    clouds = np.zeros((len(joints), limit + 1, 3), dtype=np.float32)
    clouds[owner, rank] = points
    clouds[:, limit] = count[:, None]
    return clouds, count


def _standardized(points: np.ndarray, owner: np.ndarray, count: np.ndarray) -> np.ndarray:
    out = np.empty(points.shape, dtype=np.float32)
    number = np.maximum(count, 1)
    for axis in range(3):
        values = points[:, axis].astype(np.float64)
        centred = values - (np.bincount(owner, values, len(count)) / number)[owner]
        std = np.sqrt(np.bincount(owner, centred**2, len(count)) / number)
        out[:, axis] = centred / np.where(std > 0, std, 1)[owner]
    return out


def _farthest(points: np.ndarray, joint: np.ndarray, limit: int) -> np.ndarray:
    """Indices of `limit` points, each the farthest from those before it, from the one nearest to the joint on."""
    chosen = np.empty(limit, dtype=np.int64)
    distance = ((points - joint) ** 2).sum(axis=1)
    chosen[0] = distance.argmin()
    distance = np.full(len(points), np.inf)
    for k in range(1, limit):
        np.minimum(distance, ((points - points[chosen[k - 1]]) ** 2).sum(axis=1), out=distance)
        chosen[k] = distance.argmax()
    return np.sort(chosen)
