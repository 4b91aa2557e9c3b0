"""Which face of a mesh a camera sees at each pixel, and how far it is.

NumPy alone: faces are projected once, then each is tested only against the pixels (or given points) inside the bounds
of its projection. Where `embreex` is installed, whole pictures are cast by it, with differences in a few border pixels.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from orplugins.core.cameras import Camera

NEAREST = 0.15  # metres; faces are cut off in front of it
_BATCH = 1_500_000  # fragments at a time: bounds the memory


def has_embree() -> bool:
    """Whether the optional ray caster is installed."""
    try:
        from embreex import rtcore_scene  # noqa: F401
    except ImportError:
        return False
    return True


class Caster:
    """Casts cameras into one mesh. backend : "numpy", "embree" or "auto" (embree if it is installed)."""

    def __init__(self, vertices: np.ndarray, faces: np.ndarray, backend: str = "auto"):
        if backend not in ("auto", "numpy", "embree"):
            raise ValueError(f"Caster: backend: found {backend!r}, expected 'auto', 'numpy' or 'embree'")
        if backend == "embree" and not has_embree():
            raise ValueError("Caster: backend 'embree' needs the package embreex (pip install embreex)")
        self.vertices, self.faces = vertices, faces
        self.embree = backend == "embree" or (backend == "auto" and has_embree())

    def picture(self, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
        """Depth (H, W) float32 in metres (0 where there is nothing) and the face seen (H, W) int32 (-1)."""
        return self._embree(camera) if self.embree else Projection(self.vertices, self.faces, camera).picture()

    def at(self, camera: Camera, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Depth (N,) and face (N,) at positions (N, 2) in pixels; exact, whatever the picture's size."""
        return Projection(self.vertices, self.faces, camera).at(points)

    @cached_property
    def _scene(self):
        from embreex import rtcore_scene
        from embreex.mesh_construction import TriangleMesh

        scene = rtcore_scene.EmbreeScene()
        TriangleMesh(scene, np.ascontiguousarray(self.vertices, np.float32), np.ascontiguousarray(self.faces, np.int32))
        return scene

    def _embree(self, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
        width, height = camera.size
        x, y = np.meshgrid((np.arange(width) - camera.cx) / camera.fx, (np.arange(height) - camera.cy) / camera.fy)
        rays = np.stack([x, y, np.ones_like(x)], -1).reshape(-1, 3) @ camera.pose[:3, :3].T
        # A ray with z = 1 in camera axes: its parameter is the depth. It starts at the near plane.
        start = (camera.pose[:3, 3] + NEAREST * rays).astype(np.float32)
        hit = self._scene.run(start, np.ascontiguousarray(rays, np.float32), output=1)
        face = hit["primID"].astype(np.int32).reshape(height, width)
        depth = np.where(face >= 0, hit["tfar"].reshape(height, width) + np.float32(NEAREST), 0)
        return depth.astype(np.float32), face


class Projection:
    """A mesh projected into a camera."""

    def __init__(self, vertices: np.ndarray, faces: np.ndarray, camera: Camera):
        self.size = camera.size
        local = ((vertices - camera.pose[:3, 3]) @ camera.pose[:3, :3]).astype(np.float32)
        near = local[:, 2][faces] > NEAREST
        whole = near.all(1)
        self.ids = np.nonzero(whole)[0].astype(np.int32)
        corners = local[faces[self.ids]]
        cut = np.nonzero(near.any(1) & ~whole)[0]
        if len(cut):
            extra, owners = _clip(local[faces[cut]], cut)
            corners, self.ids = np.concatenate([corners, extra]), np.concatenate([self.ids, owners])
        inverse = 1 / corners[:, :, 2]
        x = corners[:, :, 0] * inverse * np.float32(camera.fx) + np.float32(camera.cx)
        y = corners[:, :, 1] * inverse * np.float32(camera.fy) + np.float32(camera.cy)
        area = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
        inside = (np.abs(area) > 1e-9) & (x.max(1) >= -1) & (x.min(1) <= self.size[0])
        inside &= (y.max(1) >= -1) & (y.min(1) <= self.size[1])
        self.ids, x, y, inverse, area = self.ids[inside], x[inside], y[inside], inverse[inside], area[inside]
        self.low, self.high = np.stack([x.min(1), y.min(1)]), np.stack([x.max(1), y.max(1)])
        # Per face: u and v (barycentric) and 1 / z are linear in the pixel's offset from the first corner.
        self.origin = x[:, 0], y[:, 0]
        self.u = (y[:, 2] - y[:, 0]) / area, -(x[:, 2] - x[:, 0]) / area
        self.v = -(y[:, 1] - y[:, 0]) / area, (x[:, 1] - x[:, 0]) / area
        self.inverse = inverse[:, 0], inverse[:, 1] - inverse[:, 0], inverse[:, 2] - inverse[:, 0]

    def picture(self) -> tuple[np.ndarray, np.ndarray]:
        """See `Caster.picture`."""
        width, height = self.size
        x0, y0 = np.maximum(np.ceil(self.low), 0).astype(np.int32)
        x1, y1 = np.minimum(np.floor(self.high), [[width - 1], [height - 1]]).astype(np.int32)
        wide, tall = np.maximum(x1 - x0 + 1, 0), np.maximum(y1 - y0 + 1, 0)
        count = wide * tall
        order = np.nonzero(count)[0]
        order = order[np.argsort(-count[order], kind="stable")]
        nearest = np.zeros(width * height, np.float32)
        seen = np.full(width * height, -1, np.int32)
        ends = np.cumsum(count[order])
        start = 0
        while start < len(order):
            done = ends[start - 1] if start else 0
            stop = max(start + 1, int(np.searchsorted(ends, done + _BATCH)))
            some = order[start:stop]
            number = count[some]
            face = np.repeat(some, number)
            k = np.arange(len(face), dtype=np.int32) - np.repeat(np.cumsum(number, dtype=np.int32) - number, number)
            row = k // wide[face]
            column = x0[face] + k - row * wide[face]
            row += y0[face]
            face, inverse, hit = self._test(face, column.astype(np.float32), row.astype(np.float32))
            pixel = row[hit] * width + column[hit]
            nearer = inverse > nearest[pixel]
            pixel, inverse, face = pixel[nearer], inverse[nearer], face[nearer]
            # The last write to a pixel wins: nearest faces are written last.
            rank = np.argsort(inverse, kind="stable")
            nearest[pixel[rank]], seen[pixel[rank]] = inverse[rank], self.ids[face[rank]]
            start = stop
        with np.errstate(divide="ignore"):
            depth = np.where(seen >= 0, 1 / nearest, 0).astype(np.float32)
        return depth.reshape(height, width), seen.reshape(height, width)

    def at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Caster.at`."""
        points = np.asarray(points, np.float32).reshape(-1, 2)
        order = np.argsort(points[:, 0], kind="stable")
        xs, ys = points[order, 0], points[order, 1]
        first, last = np.searchsorted(xs, self.low[0]), np.searchsorted(xs, self.high[0], side="right")
        face = np.repeat(np.arange(len(first)), last - first)
        k = np.arange(len(face)) - np.repeat(np.cumsum(last - first) - (last - first), last - first) + first[face]
        near = (ys[k] >= self.low[1][face]) & (ys[k] <= self.high[1][face])
        face, k = face[near], k[near]
        face, inverse, hit = self._test(face, xs[k], ys[k])
        k = k[hit]
        rank = np.argsort(inverse, kind="stable")
        best, owner = np.zeros(len(points), np.float32), np.full(len(points), -1, np.int32)
        best[k[rank]], owner[k[rank]] = inverse[rank], self.ids[face[rank]]
        with np.errstate(divide="ignore"):
            depth = np.where(owner >= 0, 1 / best, 0).astype(np.float32)
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        return depth[back], owner[back]

    def _test(self, face: np.ndarray, x: np.ndarray, y: np.ndarray):
        """Faces that cover their pixel, 1 / depth there, and which candidates they were."""
        dx, dy = x - self.origin[0][face], y - self.origin[1][face]
        u = self.u[0][face] * dx + self.u[1][face] * dy
        v = self.v[0][face] * dx + self.v[1][face] * dy
        hit = (u >= -1e-6) & (v >= -1e-6) & (u + v <= 1 + 1e-6)
        face, u, v = face[hit], u[hit], v[hit]
        inverse = self.inverse[0][face] + u * self.inverse[1][face] + v * self.inverse[2][face]
        return face, inverse, hit


def _clip(corners: np.ndarray, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cut triangles (N, 3, 3) at the near plane: one or two triangles each. Few faces ever cross it."""
    pieces, owners = [], []
    for triangle, owner in zip(corners, ids, strict=True):
        polygon = []
        for a, b in zip(triangle, np.roll(triangle, -1, 0), strict=True):
            if a[2] > NEAREST:
                polygon.append(a)
            if (a[2] > NEAREST) != (b[2] > NEAREST):
                polygon.append(a + (b - a) * ((NEAREST * 1.001 - a[2]) / (b[2] - a[2])))
        for k in range(1, len(polygon) - 1):
            pieces.append([polygon[0], polygon[k], polygon[k + 1]])
            owners.append(owner)
    return np.array(pieces, np.float32).reshape(-1, 3, 3), np.array(owners, np.int32)
