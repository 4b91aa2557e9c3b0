"""Analytic ray casting of simple solids into depth buffers.

Everything is in camera axes (x right, y down, z forward, metres). A pixel's ray is (x, y, 1), so that the ray parameter
is the depth itself. Each solid is cast only inside the exact bounding box of its projection.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

# A solid nearer than this is not drawn: depth sensors see nothing there either, and the projection's box blows up.
NEAREST = 0.4


@dataclass(frozen=True)
class Ellipsoid:
    """centre (3,), axes (3, 3) with unit rows, radii (3,)."""

    centre: np.ndarray
    axes: np.ndarray
    radii: np.ndarray

    def moved(self, rotation: np.ndarray, origin: np.ndarray) -> Ellipsoid:
        """The same solid in the axes of a camera with this camera-to-world rotation and origin."""
        return Ellipsoid((self.centre - origin) @ rotation, self.axes @ rotation, self.radii)

    def rays_range(self) -> tuple[float, float, float, float] | None:
        """Smallest and largest x and y of the rays that meet it; None if it is too near or behind."""
        shape = ((self.axes.T * self.radii**2) @ self.axes).tolist()
        (sxx, _, sxz), (_, syy, syz), (_, _, szz) = shape
        return _outline(self.centre.tolist(), sxx, syy, szz, sxz, syz)

    def depth(self, x: np.ndarray, y: np.ndarray, square: np.ndarray) -> np.ndarray:
        """Depth (h, w) along rays with x (1, w) and y (h, 1); inf where it is missed. `square`: x^2 + y^2 + 1."""
        scaled = (self.axes / self.radii[:, None]).astype(np.float32)
        offset = -(scaled @ self.centre.astype(np.float32))
        r0, r1, r2 = (row[0] * x + (row[1] * y + row[2]) for row in scaled)
        a = r0 * r0 + r1 * r1 + r2 * r2
        b = r0 * offset[0] + r1 * offset[1] + r2 * offset[2]
        c = offset @ offset - np.float32(1)
        h = b * b - a * c
        depth = (-b - np.sqrt(np.maximum(h, 0))) / a
        depth[h < 0] = np.inf
        return depth


@dataclass(frozen=True)
class Ball:
    """centre (3,), radius."""

    centre: np.ndarray
    radius: float

    def moved(self, rotation: np.ndarray, origin: np.ndarray) -> Ball:
        return Ball((self.centre - origin) @ rotation, self.radius)

    def rays_range(self) -> tuple[float, float, float, float] | None:
        square = self.radius**2
        return _outline(self.centre.tolist(), square, square, square, 0.0, 0.0)

    def depth(self, x: np.ndarray, y: np.ndarray, square: np.ndarray) -> np.ndarray:
        cx, cy, cz = self.centre.astype(np.float32)
        b = cx * x + (cy * y + cz)
        h = b * b - square * np.float32(self.centre @ self.centre - self.radius**2)
        depth = (b - np.sqrt(np.maximum(h, 0))) / square
        depth[h < 0] = np.inf
        return depth


@dataclass(frozen=True)
class Limb:
    """The cone between two balls (start, radius_start) and (end, radius_end), touching both; without the balls."""

    start: np.ndarray
    end: np.ndarray
    radius_start: float
    radius_end: float

    def moved(self, rotation: np.ndarray, origin: np.ndarray) -> Limb:
        start, end = (self.start - origin) @ rotation, (self.end - origin) @ rotation
        return Limb(start, end, self.radius_start, self.radius_end)

    def rays_range(self) -> tuple[float, float, float, float] | None:
        ranges = [
            Ball(self.start, self.radius_start).rays_range(),
            Ball(self.end, self.radius_end).rays_range(),
        ]
        return None if None in ranges else _union(ranges)

    def depth(self, x: np.ndarray, y: np.ndarray, square: np.ndarray) -> np.ndarray:
        # Points p of the cone, with b = end - start, q = p - start, k = radius_start - radius_end:
        # (b.b - k^2) q.q - (q.b)^2 + 2 k radius_start q.b - b.b radius_start^2 = 0.
        bone = self.end - self.start
        taper = self.radius_start - self.radius_end
        length2 = bone @ bone
        d2 = length2 - taper * taper
        if d2 <= 0:  # one ball lies inside the other: there is no cone
            return np.full((y.size, x.size), np.inf, dtype=np.float32)
        m1, m5 = -(bone @ self.start), self.start @ self.start
        bx, by, bz = bone.astype(np.float32)
        sx, sy, sz = self.start.astype(np.float32)
        m2 = bx * x + (by * y + bz)
        m3 = -(sx * x + (sy * y + sz))
        k2 = np.float32(d2) * square - m2 * m2
        k1 = np.float32(d2) * m3 - m2 * np.float32(m1 - taper * self.radius_start)
        k0 = np.float32(d2 * m5 - m1 * m1 + 2 * m1 * taper * self.radius_start - length2 * self.radius_start**2)
        h = k1 * k1 - k0 * k2
        with np.errstate(divide="ignore", invalid="ignore"):  # rays along the bone: they meet a ball first
            depth = (-k1 - np.sqrt(np.maximum(h, 0))) / k2
            along = np.float32(m1 - self.radius_start * taper) + depth * m2
        hit = (h >= 0) & (along > 0) & (along < np.float32(d2)) & (depth > 0)
        return np.where(hit, depth, np.float32(np.inf))


@dataclass(frozen=True)
class Box:
    """centre (3,), axes (3, 3) with unit rows, half sizes (3,)."""

    centre: np.ndarray
    axes: np.ndarray
    half: np.ndarray

    def moved(self, rotation: np.ndarray, origin: np.ndarray) -> Box:
        return Box((self.centre - origin) @ rotation, self.axes @ rotation, self.half)

    def rays_range(self) -> tuple[float, float, float, float] | None:
        signs = np.array([[i, j, k] for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)])
        corners = self.centre + (signs * self.half) @ self.axes
        if corners[:, 2].min() < NEAREST:
            return None
        rays = corners[:, :2] / corners[:, 2:]
        return rays[:, 0].min(), rays[:, 0].max(), rays[:, 1].min(), rays[:, 1].max()

    def depth(self, x: np.ndarray, y: np.ndarray, square: np.ndarray) -> np.ndarray:
        entry = exit = None
        for axis, half in zip(self.axes, self.half, strict=True):
            middle = np.float32(axis @ self.centre)
            direction = np.float32(axis[0]) * x + np.float32(axis[1]) * y + np.float32(axis[2])
            inverse = 1 / np.where(np.abs(direction) < 1e-9, np.float32(1e-9), direction)
            one, two = (middle - np.float32(half)) * inverse, (middle + np.float32(half)) * inverse
            near, far = np.minimum(one, two), np.maximum(one, two)
            entry = near if entry is None else np.maximum(entry, near)
            exit = far if exit is None else np.minimum(exit, far)
        return np.where((entry < exit) & (entry > 0), entry, np.float32(np.inf))


@dataclass(frozen=True)
class Pinhole:
    """The rays of a picture: focal lengths and principal point in pixels, (width, height)."""

    fx: float
    fy: float
    cx: float
    cy: float
    size: tuple[int, int]

    @cached_property
    def x(self) -> np.ndarray:
        return ((np.arange(self.size[0], dtype=np.float32) - np.float32(self.cx)) / np.float32(self.fx))[None, :]

    @cached_property
    def y(self) -> np.ndarray:
        return ((np.arange(self.size[1], dtype=np.float32) - np.float32(self.cy)) / np.float32(self.fy))[:, None]

    def pixel_box(self, rays: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1 in pixels, not clipped, of a range of rays."""
        x0, x1, y0, y1 = rays
        return x0 * self.fx + self.cx, y0 * self.fy + self.cy, x1 * self.fx + self.cx, y1 * self.fy + self.cy

    def window(self, box: tuple[float, float, float, float]) -> tuple[slice, slice]:
        """Rows and columns of the pixels whose centres lie in a pixel box."""
        width, height = self.size
        x0, y0 = min(max(math.ceil(box[0]), 0), width), min(max(math.ceil(box[1]), 0), height)
        x1, y1 = min(math.floor(box[2]) + 1, width), min(math.floor(box[3]) + 1, height)
        return slice(y0, max(y0, y1)), slice(x0, max(x0, x1))


def cast(solids: list, pinhole: Pinhole) -> tuple[tuple[slice, slice], np.ndarray, tuple | None]:
    """Depth of the union of solids (in camera axes).

    Returns
    -------
    window : rows and columns of the picture that the union may cover.
    depth : (h, w) float32 of that window, inf where every solid is missed.
    box : (x0, y0, x1, y1) of the whole outline in pixels, also beyond the picture; None if nothing can be seen.
    """
    seen = [(solid, box) for solid in solids if (box := solid.rays_range()) is not None]
    if not seen:
        return (slice(0, 0), slice(0, 0)), np.empty((0, 0), dtype=np.float32), None
    outline = pinhole.pixel_box(_union([box for _, box in seen]))
    window = rows, columns = pinhole.window(outline)
    depth = np.full((rows.stop - rows.start, columns.stop - columns.start), np.inf, dtype=np.float32)
    x, y = pinhole.x, pinhole.y
    square = x[:, columns] ** 2 + (y[rows] ** 2 + 1)
    for solid, box in seen:
        r, c = pinhole.window(pinhole.pixel_box(box))
        if r.start >= r.stop or c.start >= c.stop:
            continue
        part = slice(r.start - rows.start, r.stop - rows.start), slice(c.start - columns.start, c.stop - columns.start)
        np.minimum(depth[part], solid.depth(x[:, c], y[r], square[part]), out=depth[part])
    return window, depth, outline


def cast_planes(planes: list[tuple[np.ndarray, float]], pinhole: Pinhole) -> np.ndarray:
    """Depth (H, W) of planes n.p = d in camera axes, each seen from its side n.p > d only; inf where all are missed."""
    x, y = pinhole.x, pinhole.y
    nearest = None
    for normal, offset in planes:
        if offset >= 0:  # the camera is behind it
            continue
        nx, ny, nz = normal.astype(np.float32)
        inverse = (nx * x + (ny * y + nz)) * np.float32(1 / offset)  # 1 / depth, where positive
        nearest = inverse if nearest is None else np.maximum(nearest, inverse, out=nearest)
    if nearest is None:
        return np.full((pinhole.size[1], pinhole.size[0]), np.inf, dtype=np.float32)
    with np.errstate(divide="ignore"):
        return np.where(nearest > 0, 1 / nearest, np.float32(np.inf))


def _outline(
    centre: list[float], sxx: float, syy: float, szz: float, sxz: float, syz: float
) -> tuple[float, float, float, float] | None:
    """Extremes of the projection of the ellipsoid with this centre and shape matrix S = sum radius^2 axis axis^T."""
    # The outline is the dual conic D = c c^T - S; its vertical and horizontal tangents solve a quadratic. Plain floats,
    # since arrays of nine numbers cost more in calls than in arithmetic.
    cx, cy, cz = centre
    if cz - math.sqrt(szz) < NEAREST:
        return None
    dzz, dxz, dyz = cz * cz - szz, cx * cz - sxz, cy * cz - syz
    rx = math.sqrt(max(dxz * dxz - (cx * cx - sxx) * dzz, 0.0))
    ry = math.sqrt(max(dyz * dyz - (cy * cy - syy) * dzz, 0.0))
    return (dxz - rx) / dzz, (dxz + rx) / dzz, (dyz - ry) / dzz, (dyz + ry) / dzz


def _union(ranges: list[tuple[float, float, float, float]]) -> tuple[float, float, float, float]:
    x0, x1, y0, y1 = zip(*ranges, strict=True)
    return min(x0), max(x1), min(y0), max(y1)
