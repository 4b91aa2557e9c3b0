"""Which face of a mesh a camera sees at each pixel, and how far it is.

NumPy alone: faces are projected once, then each is tested only against the pixels (or given points) inside the bounds
of its projection. Where `embreex` is installed, whole images are cast by it, with differences in a few border pixels.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from orplugins.geometry.cameras import Camera

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
    """Casts cameras into one mesh.

    Args:
        vertices: (V, 3) metres.
        faces: (F, 3) vertex numbers.
        backend: "numpy", "embree" or "auto" (embree if it is installed).

    Raises:
        ValueError: Another backend, or one that is not installed.
    """

    def __init__(self, vertices: np.ndarray, faces: np.ndarray, backend: str = "auto"):
        if backend not in ("auto", "numpy", "embree"):
            raise ValueError(f"Caster: backend: found {backend!r}, expected 'auto', 'numpy' or 'embree'")
        if backend == "embree" and not has_embree():
            raise ValueError("Caster: backend 'embree' needs the package embreex (pip install embreex)")
        self.vertices, self.faces = vertices, faces
        self._last: tuple[Camera, Projection] | None = None
        self.embree = backend == "embree" or (backend == "auto" and has_embree())

    def picture(self, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
        """What a camera sees at each pixel.

        Args:
            camera: The camera.

        Returns:
            Depth (H, W) float32 in metres (0 where there is nothing) and the face seen (H, W) int32 (-1).
        """
        return self._embree(camera) if self.embree else self._projection(camera).picture()

    def at(self, camera: Camera, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What a camera sees at given positions; exact, whatever the image's size.

        Args:
            camera: The camera.
            points: (N, 2) pixels.

        Returns:
            Depth (N,) in metres (0 where there is nothing) and face (N,) (-1).
        """
        return self._projection(camera).at(points)

    def _projection(self, camera: Camera) -> Projection:
        """The mesh in a camera; the last one is kept, since an image and its joints are asked for in turn."""
        if self._last is None or self._last[0] is not camera:
            self._last = camera, Projection(self.vertices, self.faces, camera)
        return self._last[1]

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
    """A mesh projected into a camera.

    Args:
        vertices: (V, 3) metres.
        faces: (F, 3) vertex numbers.
        camera: The camera.
    """

    def __init__(self, vertices: np.ndarray, faces: np.ndarray, camera: Camera):
        self.size = camera.size
        local = ((vertices - camera.pose[:3, 3].astype(np.float32)) @ camera.pose[:3, :3].astype(np.float32)).T
        front = local[2] > NEAREST
        safe = np.where(front, local[2], 1)
        x = local[0] / safe * np.float32(camera.fx) + np.float32(camera.cx)
        y = local[1] / safe * np.float32(camera.fy) + np.float32(camera.cy)
        inverse = 1 / safe
        # Corners in columns: reductions over three values of a row are slow.
        columns = [np.ascontiguousarray(faces[:, k]) for k in range(3)]
        number = sum(front[c].astype(np.int8) for c in columns)
        self.ids = np.nonzero(number == 3)[0].astype(np.int32)
        corners = [[values[c[self.ids]] for c in columns] for values in (x, y, inverse)]
        cut = np.nonzero((number > 0) & (number < 3))[0]
        if len(cut):
            extra, owners = _clip(local.T[faces[cut]], cut)
            z = extra[:, :, 2]
            more = (
                extra[:, :, 0] / z * np.float32(camera.fx) + np.float32(camera.cx),
                extra[:, :, 1] / z * np.float32(camera.fy) + np.float32(camera.cy),
                1 / z,
            )
            corners = [
                [np.concatenate([old, new[:, k]]) for k, old in enumerate(three)]
                for three, new in zip(corners, more, strict=True)
            ]
            self.ids = np.concatenate([self.ids, owners])
        (x0, x1, x2), (y0, y1, y2), _ = corners
        low = np.stack([np.minimum(np.minimum(x0, x1), x2), np.minimum(np.minimum(y0, y1), y2)])
        high = np.stack([np.maximum(np.maximum(x0, x1), x2), np.maximum(np.maximum(y0, y1), y2)])
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        inside = (np.abs(area) > 1e-9) & (high[0] >= -1) & (low[0] <= self.size[0])
        inside = np.nonzero(inside & (high[1] >= -1) & (low[1] <= self.size[1]))[0]
        self.ids, self.low, self.high, area = self.ids[inside], low[:, inside], high[:, inside], area[inside]
        (x0, x1, x2), (y0, y1, y2), (i0, i1, i2) = ([a[inside] for a in three] for three in corners)
        # Per face: u and v (barycentric) and 1 / z are linear in the pixel's offset from the first corner.
        self.plane = np.stack(
            [x0, y0, (y2 - y0) / area, (x0 - x2) / area, (y0 - y1) / area, (x1 - x0) / area, i0, i1 - i0, i2 - i0],
            axis=1,
        )

    def picture(self) -> tuple[np.ndarray, np.ndarray]:
        """What is seen at each pixel, see `Caster.picture`.

        Returns:
            Depth (H, W) in metres and face (H, W).
        """
        width, height = self.size
        x0, y0 = np.maximum(np.ceil(self.low), 0).astype(np.int32)
        x1, y1 = np.minimum(np.floor(self.high), [[width - 1], [height - 1]]).astype(np.int32)
        tall = np.maximum(y1 - y0 + 1, 0)
        count = np.maximum(x1 - x0 + 1, 0) * tall
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
            face, row = _runs(some, tall[some], y0[some])
            first, last = self._span(face, row, x0[face], x1[face])
            part, column = _runs(np.arange(len(face), dtype=np.int32), np.maximum(last - first + 1, 0), first)
            face, row = face[part], row[part]
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
        """What is seen at given positions, see `Caster.at`.

        Args:
            points: (N, 2) pixels.

        Returns:
            Depth (N,) in metres and face (N,).
        """
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

    def _span(self, face: np.ndarray, row: np.ndarray, first: np.ndarray, last: np.ndarray):
        """First and last column of rows (N,) that their faces may cover, a pixel more than they do: `_test` decides."""
        ox, oy, ux, uy, vx, vy = self.plane[face, :6].T
        down = row.astype(np.float32) - oy
        u, v = uy * down, vy * down
        slack = 1e-5 + 1e-6 * (np.abs(u) + np.abs(v))
        low, high = first.astype(np.float64), last.astype(np.float64)
        for slope, level in ((ux, u + slack), (vx, v + slack), (-(ux + vx), 1 + slack - (u + v))):
            with np.errstate(divide="ignore", invalid="ignore"):
                border = ox - level / slope
            low = np.where(slope > 0, np.maximum(low, border - 1), low)
            high = np.where(slope < 0, np.minimum(high, border + 1), high)
            high = np.where((slope == 0) & (level < 0), -1, high)
        return np.ceil(low).astype(np.int32), np.floor(high).astype(np.int32)

    def _test(self, face: np.ndarray, x: np.ndarray, y: np.ndarray):
        """Faces that cover their pixel, 1 / depth there, and which candidates they were."""
        ox, oy, ux, uy, vx, vy = (self.plane[face, k] for k in range(6))
        dx, dy = x - ox, y - oy
        u, v = ux * dx + uy * dy, vx * dx + vy * dy
        hit = np.nonzero((u >= -1e-6) & (v >= -1e-6) & (u + v <= 1 + 1e-6))[0]
        face, u, v = face[hit], u[hit], v[hit]
        return face, self.plane[face, 6] + u * self.plane[face, 7] + v * self.plane[face, 8], hit


def _runs(owners: np.ndarray, counts: np.ndarray, firsts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each owner `counts` times, and with it the whole numbers from `firsts` on."""
    counts = counts.astype(np.int32)
    skipped = np.cumsum(counts, dtype=np.int32) - counts - firsts.astype(np.int32)
    owner = np.repeat(owners, counts)
    return owner, np.arange(len(owner), dtype=np.int32) - np.repeat(skipped, counts)


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
