"""Rotations and triangle meshes of simple shapes. Metres, z up; faces need no orientation: both sides are drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

UP = np.array([0.0, 0.0, 1.0])


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors of length one; zero stays zero.

    Args:
        vectors: (..., 3).

    Returns:
        (..., 3).
    """
    if vectors.ndim == 2 and vectors.shape[1] == 3:
        return vectors / np.maximum(np.sqrt(dot(vectors, vectors)), 1e-12)[:, None]
    return vectors / np.maximum(np.sqrt((vectors * vectors).sum(-1, keepdims=True)), 1e-12)


def dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Products of vectors; a sum over an axis of three takes several times as long.

    Args:
        a: (N, 3).
        b: (N, 3).

    Returns:
        (N,).
    """
    return a[:, 0] * b[:, 0] + a[:, 1] * b[:, 1] + a[:, 2] * b[:, 2]


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cross product of two vectors; np.cross takes twenty times as long on so few numbers.

    Args:
        a: (3,).
        b: (3,).

    Returns:
        (3,).
    """
    (ax, ay, az), (bx, by, bz) = a.tolist(), b.tolist()
    return np.array([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])


def rotation(axis: np.ndarray | list[float], angle: float) -> np.ndarray:
    """Rotation about an axis.

    Args:
        axis: (3,), of any length.
        angle: Radians.

    Returns:
        (3, 3).
    """
    x, y, z = (float(value) for value in axis)
    length = math.sqrt(x * x + y * y + z * z)
    x, y, z = x / length, y / length, z / length
    c, s = math.cos(angle), math.sin(angle)
    t = 1 - c
    return np.array(
        [
            [t * x * x + c, t * x * y - s * z, t * x * z + s * y],
            [t * x * y + s * z, t * y * y + c, t * y * z - s * x],
            [t * x * z - s * y, t * y * z + s * x, t * z * z + c],
        ]
    )


def turn(angle: float) -> np.ndarray:
    """Rotation about the vertical.

    Args:
        angle: Radians.

    Returns:
        (3, 3).
    """
    return rotation(UP, angle)


def swing(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The shortest rotation that takes one direction to another.

    Args:
        a: (3,).
        b: (3,).

    Returns:
        (3, 3).
    """
    a, b = unit(a), unit(b)
    axis = cross(a, b)
    sine = np.sqrt(axis @ axis)
    return np.eye(3) if sine < 1e-8 else rotation(axis, np.arctan2(sine, a @ b))


def part_of(matrix: np.ndarray, share: float) -> np.ndarray:
    """A rotation about the same axis by a share of its angle.

    Args:
        matrix: (3, 3) rotation.
        share: Of its angle.

    Returns:
        (3, 3).
    """
    w = np.array([matrix[2, 1] - matrix[1, 2], matrix[0, 2] - matrix[2, 0], matrix[1, 0] - matrix[0, 1]])
    sine = np.sqrt(w @ w)
    return np.eye(3) if sine < 1e-8 else rotation(w, np.arctan2(sine, np.trace(matrix) - 1) * share)


def basis(direction: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """A right-handed basis with a given first direction.

    Args:
        direction: (3,) the first column's direction.
        normal: (3,) what the last column is nearest to.

    Returns:
        (3, 3) columns: the direction, then two normals to it.
    """
    x = unit(direction)
    z = unit(normal - (normal @ x) * x)
    return np.stack([x, cross(z, x), z], axis=1)


def smooth_round(values: np.ndarray, times: int, axis: int) -> np.ndarray:
    """Repeated (1, 2, 1) / 4 filter along an axis that is closed to a ring.

    Args:
        values: Of any shape.
        times: How often it is applied.
        axis: The closed axis.

    Returns:
        The same shape.
    """
    for _ in range(times):
        values = 0.5 * values + 0.25 * (np.roll(values, 1, axis) + np.roll(values, -1, axis))
    return values


def face_normals(corners: np.ndarray) -> np.ndarray:
    """Normals of triangles, as long as twice their areas.

    Args:
        corners: (F, 3, 3).

    Returns:
        (F, 3).
    """
    (ax, ay, az), (bx, by, bz) = (corners[:, 1] - corners[:, 0]).T, (corners[:, 2] - corners[:, 0]).T
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=1)


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit normals of vertices: means over the faces around, weighted by their areas.

    Args:
        vertices: (V, 3).
        faces: (F, 3).

    Returns:
        (V, 3).
    """
    corners = vertices[faces]
    across = face_normals(corners)
    total = np.zeros_like(vertices)
    for axis in range(3):
        amount = np.repeat(across[:, axis], 3)
        total[:, axis] = np.bincount(faces.ravel(), amount, len(vertices))
    return unit(total)


@dataclass
class Mesh:
    """A growing triangle mesh; `arrays` gives it whole.

    Each face has an instance (0 = the room, 1.. = people) and a material (see `MATERIALS`); each vertex a colour.

    Attributes:
        parts: What was added.
        count: Number of vertices so far.
    """

    parts: list[tuple[np.ndarray, ...]] = field(default_factory=list)
    count: int = 0

    def add(
        self, shape: tuple[np.ndarray, np.ndarray], colour, material: int | np.ndarray = 0, instance: int = 0
    ) -> None:
        """Add a shape.

        Args:
            shape: Vertices (V, 3) and faces (F, 3).
            colour: One colour (3) in 0..1, or one per vertex (V, 3).
            material: See `MATERIALS`.
            instance: 0 = the room, 1.. = people.
        """
        vertices, faces = shape
        vertices = np.asarray(vertices, np.float32)
        faces = np.asarray(faces, np.int32)
        colours = np.broadcast_to(np.asarray(colour, np.float32), vertices.shape)
        self.parts.append(
            (
                vertices,
                faces + self.count,
                colours,
                np.full(len(faces), instance, np.int16),
                np.full(len(faces), material, np.uint8),
            )
        )
        self.count += len(vertices)

    def arrays(self) -> tuple[np.ndarray, ...]:
        """The mesh as arrays.

        Returns:
            Vertices (V, 3), faces (F, 3), colours (V, 3), instances (F,), materials (F,).
        """
        return tuple(np.concatenate(column) for column in zip(*self.parts, strict=True))


# What the sensor and the shading tell apart.
CLOTH, SKIN, METAL, DARK, PLAIN, LAMP = MATERIALS = range(6)


def moved(shape, yaw: float = 0.0, place=(0.0, 0.0, 0.0), matrix: np.ndarray | None = None):
    """A shape turned, then shifted.

    Args:
        shape: Vertices (V, 3) and faces (F, 3).
        yaw: About the vertical, radians.
        place: (3,) metres.
        matrix: (3, 3) rotation in place of ``yaw``.

    Returns:
        Vertices (V, 3) and faces (F, 3).
    """
    matrix = turn(yaw) if matrix is None else matrix
    return shape[0] @ matrix.T + np.asarray(place), shape[1]


def box(sx: float, sy: float, sz: float, centre=(0.0, 0.0, 0.0)):
    """A box with corners of its own for every side, so that shading keeps its edges.

    Args:
        sx: Length along x, metres.
        sy: Length along y, metres.
        sz: Length along z, metres.
        centre: (3,) metres.

    Returns:
        Vertices (24, 3) and faces (12, 3).
    """
    vertices: list[np.ndarray]
    vertices, faces = [], []
    for axis in range(3):
        a, b = (i for i in range(3) if i != axis)
        for sign in (-1, 1):
            corner = np.zeros((4, 3))
            corner[:, axis] = sign
            corner[:, a], corner[:, b] = [-1, 1, 1, -1], [-1, -1, 1, 1]
            first = 4 * len(vertices)
            vertices.append(corner)
            faces += [[first, first + 1, first + 2], [first, first + 2, first + 3]]
    return np.concatenate(vertices) * np.array([sx, sy, sz]) / 2 + np.asarray(centre), np.array(faces)


def tube(start, end, radius: float, sides: int = 14, end_radius: float | None = None):
    """A closed (conical) tube between two points.

    Args:
        start: (3,) metres.
        end: (3,) metres.
        radius: At the start, metres.
        sides: Of its cross-section.
        end_radius: At the end; None: the same.

    Returns:
        Vertices (V, 3) and faces (F, 3).
    """
    start, end = np.asarray(start, float), np.asarray(end, float)
    along = unit(end - start)
    a = unit(cross(along, UP if abs(along[2]) < 0.9 else np.array([1.0, 0, 0])))
    b = cross(along, a)
    t = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    ring = np.cos(t)[:, None] * a + np.sin(t)[:, None] * b
    far = radius if end_radius is None else end_radius
    vertices = np.concatenate(
        [start + radius * ring, end + far * ring, start + radius * ring, end + far * ring, [start], [end]]
    )
    i = np.arange(sides)
    j = (i + 1) % sides
    n = sides
    faces = np.concatenate(
        [
            np.stack([i, j, n + j], 1),
            np.stack([i, n + j, n + i], 1),
            np.stack([np.full(n, 4 * n), 2 * n + j, 2 * n + i], 1),
            np.stack([np.full(n, 4 * n + 1), 3 * n + i, 3 * n + j], 1),
        ]
    )
    return vertices, faces


def _rings(rows: int, columns: int) -> np.ndarray:
    """Faces between neighbouring closed rings of a (rows, columns) grid of vertices."""
    i, j = np.arange(rows - 1)[:, None] * columns, np.arange(columns)[None]
    a, b = i + j, i + (j + 1) % columns
    return np.concatenate(
        [np.stack([a, b, b + columns], -1).reshape(-1, 3), np.stack([a, b + columns, a + columns], -1).reshape(-1, 3)]
    )


def c_arc(radius: float, thickness: float, width: float, start: float, end: float, steps: int = 28, sides: int = 8):
    """The C of a C-arm in the y-z plane about the origin.

    Args:
        radius: Of the C, metres.
        thickness: Half its size along the radius, metres.
        width: Half its size along x, metres.
        start: First angle, radians.
        end: Last angle, radians.
        steps: Along the C.
        sides: Of its cross-section.

    Returns:
        Vertices (V, 3) and faces (F, 3).
    """
    along, around = np.linspace(start, end, steps)[:, None], np.linspace(0, 2 * np.pi, sides, endpoint=False)[None]
    reach = radius + np.sin(around) * thickness
    x = np.broadcast_to(np.cos(around) * width, (steps, sides))
    vertices = np.stack([x, reach * np.cos(along), reach * np.sin(along)], -1).reshape(-1, 3)
    return vertices, _rings(steps, sides)


def dome(radius: float, height: float, sides: int = 24):
    """A flat bowl, open side down, at the origin.

    Args:
        radius: Metres.
        height: Metres.
        sides: Around it.

    Returns:
        Vertices (V, 3) and faces (F, 3).
    """
    t = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    profile = np.array([(1, 0), (0.96, 0.35), (0.75, 0.75), (0.4, 0.95), (0.02, 1)])
    r, z = profile[:, :1] * radius, np.broadcast_to(profile[:, 1:] * height, (5, sides))
    vertices = np.stack([r * np.cos(t), r * np.sin(t), z], -1).reshape(-1, 3)
    return vertices, _rings(len(profile), sides)


def loft(centres: np.ndarray, radii: np.ndarray, across: np.ndarray, forward: np.ndarray):
    """A tube through centres.

    Args:
        centres: (L, 3).
        radii: (L, n) at n angles between the two axes.
        across: (L, 3) the axis of the first angle.
        forward: (L, 3) the axis of a quarter turn.

    Returns:
        Vertices (L n, 3) and faces (F, 3).
    """
    t = np.linspace(0, 2 * np.pi, radii.shape[1], endpoint=False)
    ring = np.cos(t)[None, :, None] * across[:, None] + np.sin(t)[None, :, None] * forward[:, None]
    return (centres[:, None] + radii[:, :, None] * ring).reshape(-1, 3), _rings(*radii.shape)


def cloth_over(x: np.ndarray, y: np.ndarray, heights: np.ndarray, hang: float, rng: np.random.Generator):
    """A cloth lying on a height field, with a wavy hem.

    Args:
        x: Places of the columns.
        y: Places of the rows.
        heights: (len(y), len(x)) metres.
        hang: About how far the hem hangs from the border, metres.
        rng: Source of all randomness.

    Returns:
        Vertices (V, 3) and faces (F, 3).
    """
    ny, nx = heights.shape
    top = np.stack([*np.meshgrid(x, y), heights], -1).reshape(-1, 3)
    i, j = np.arange(ny - 1)[:, None] * nx, np.arange(nx - 1)[None]
    a = i + j
    faces = [np.stack([a, a + 1, a + nx + 1], -1).reshape(-1, 3), np.stack([a, a + nx + 1, a + nx], -1).reshape(-1, 3)]
    border = np.concatenate(
        [
            np.arange(nx),
            np.arange(1, ny) * nx + nx - 1,
            (ny - 1) * nx + np.arange(nx - 2, -1, -1),
            np.arange(ny - 2, 0, -1) * nx,
        ]
    )
    edge = top[border]
    out = unit((edge - edge.mean(0)) * np.array([1, 1, 0]))
    t = np.arange(len(border))
    wave = 0.022 * np.sin(0.9 * t + rng.uniform(0, 6)) + 0.015 * np.sin(2.1 * t + rng.uniform(0, 6))
    drop = hang * (1 + 0.12 * np.sin(0.21 * t + rng.uniform(0, 6)))
    rows = [edge + out * (0.02 + wave[:, None] * s) - UP * (drop * s)[:, None] for s in (0.2, 0.4, 0.6, 0.8, 1.0)]
    ring = np.concatenate([border[None], len(top) + np.arange(5 * len(border)).reshape(5, -1)])
    above, below = ring[:-1], ring[1:]
    faces += [
        np.stack([above, below, np.roll(below, -1, 1)], -1).reshape(-1, 3),
        np.stack([above, np.roll(below, -1, 1), np.roll(above, -1, 1)], -1).reshape(-1, 3),
    ]
    return np.concatenate([top, *rows]), np.concatenate(faces)


def outside_rectangle(points: np.ndarray, centre, yaw: float, half) -> np.ndarray:
    """Distance in the plan from a rectangle; 0 inside.

    Args:
        points: (..., 2 or 3) metres.
        centre: (2,) of the rectangle.
        yaw: Of the rectangle, radians.
        half: (2,) half its sides.

    Returns:
        (...) metres.
    """
    offset = np.asarray(points)[..., :2] - np.asarray(centre)[:2]
    c, s = np.cos(yaw), np.sin(yaw)
    local = np.abs(np.stack([c * offset[..., 0] + s * offset[..., 1], c * offset[..., 1] - s * offset[..., 0]], -1))
    return np.linalg.norm(np.maximum(local - np.asarray(half), 0), axis=-1)
