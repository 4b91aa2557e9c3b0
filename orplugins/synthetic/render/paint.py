"""The colour of each pixel's surface under its patterns, of faces, and of what is behind everything."""

from __future__ import annotations

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.skeletons import COCO_17
from orplugins.synthetic.scene.geometry import unit
from orplugins.synthetic.scene.human import Shape
from orplugins.synthetic.scene.patterns import SIDE, look_up
from orplugins.synthetic.scene.scene import Scene
from orplugins.synthetic.scene.surfaces import Cover, Surfaces
from orplugins.synthetic.scene.wardrobe import BARE, HAIR, LABELS, SHIRT, Outfit

_EYES = [COCO_17.index("left_eye"), COCO_17.index("right_eye")]
_WHITE, _IRIS = np.array([0.75, 0.74, 0.72], np.float32), np.array([0.06, 0.04, 0.03], np.float32)


def paint(
    scene: Scene,
    surfaces: Surfaces,
    camera: Camera,
    points: np.ndarray,
    depth: np.ndarray,
    face: np.ndarray,
    weights: np.ndarray,
    normal: np.ndarray,
) -> np.ndarray:
    """Colours of what N pixels see.

    Args:
        scene: The scene.
        surfaces: Its covers.
        camera: Who looks.
        points: (N, 3) places in the room, metres.
        depth: (N,) metres.
        face: (N,) face numbers.
        weights: (N, 3) of the faces' corners.
        normal: (N, 3) unit.

    Returns:
        (N, 3) float32, 0..1.
    """
    corners = scene.faces[face]
    colour = sum(weights[:, k, None] * surfaces.colours[corners[:, k]] for k in range(3))
    row = surfaces.rows[face]
    number = scene.instances[face]
    u, v = _on_walls(points, normal)
    people = np.flatnonzero(number)
    rest = sum(weights[people, k, None] * surfaces.rest[corners[people, k]] for k in range(3))
    u[people], v[people] = rest[:, 0] + np.float32(0.6) * rest[:, 1], rest[:, 2]
    colour = _patterned(colour, surfaces.cover, row, u, v, depth / np.float32(camera.fx))
    for person in scene.people:
        mine = np.flatnonzero(number[people] == person.id)
        # The last rows are the people's, one a label, and then the backdrop's.
        label = (row[people[mine]] - surfaces.backdrop) % len(LABELS)
        worn = surfaces.outfits[person.id]
        colour[people[mine]] = _drawn(colour[people[mine]], rest[mine], label, worn, person.body.shape)
    return colour


def backdrop(surfaces: Surfaces, seen: np.ndarray) -> np.ndarray:
    """What is behind everything.

    Args:
        surfaces: Of the scene.
        seen: (H, W) bool, where something hides it.

    Returns:
        (N, 3) float32, 0..1, of the N pixels where nothing does.
    """
    height = np.float32(len(seen))
    v, u = (part.astype(np.float32) / height for part in np.nonzero(~seen))
    colour = surfaces.horizon[0] + v[:, None] * (surfaces.horizon[1] - surfaces.horizon[0])
    row = np.full(len(u), surfaces.backdrop)
    return _patterned(colour, surfaces.cover, row, u, v, np.full(len(u), 1 / height))


def _on_walls(points: np.ndarray, normal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places along and up a wall, or along two sides of a floor, metres."""
    level = np.abs(normal[:, 2]) > 0.75
    along = unit(np.stack([-normal[:, 1], normal[:, 0]], axis=1))
    u = np.where(level, points[:, 0], points[:, 0] * along[:, 0] + points[:, 1] * along[:, 1])
    return u.astype(np.float32), np.where(level, points[:, 1], points[:, 2]).astype(np.float32)


def _patterned(
    colour: np.ndarray, cover: Cover, row: np.ndarray, u: np.ndarray, v: np.ndarray, pixel: np.ndarray
) -> np.ndarray:
    """Lay the rows' patterns over colours, in place; `pixel` is the width of what a pixel sees, metres."""
    some = np.flatnonzero(cover.strength[row] > 0)
    if len(some):
        which, x, y = row[some], u[some], v[some]
        cosine, sine = np.cos(cover.turned).astype(np.float32), np.sin(cover.turned).astype(np.float32)
        c, s, k = cosine[which], sine[which], (1 / cover.period).astype(np.float32)[which]
        shift, below = cover.offset.astype(np.float32)[which], colour[some]
        a, b = (c * x + s * y) * k + shift[:, 0], (c * y - s * x) * k + shift[:, 1]
        shares = look_up(cover.patterns, which, a, b, pixel[some] * k * SIDE) * cover.strength[which]
        below = below + shares[0][:, None] * (cover.second[which] - below)
        colour[some] = below + shares[1][:, None] * (cover.third[which] - below)
    folded = np.flatnonzero(cover.creases[row] > 0)
    fold = cover.creases[row[folded]] * _creases(u[folded], v[folded])
    colour[folded] *= (1 + fold)[:, None]
    return colour


def _creases(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Folds of cloth, -1..1: waves bent by other waves, longer upwards than across."""
    bend = np.sin(u * np.float32(9.1) + v * np.float32(6.3)) + np.sin(v * np.float32(13.7) - u * np.float32(4.9))
    return np.sin(u * np.float32(31.0) + np.float32(2.1) * bend) * np.sin(v * np.float32(11.0) - bend)


def _drawn(colour: np.ndarray, rest: np.ndarray, label: np.ndarray, worn: Outfit, shape: Shape) -> np.ndarray:
    """Eyes, brows and mouth, a neckline, and a print on the chest."""
    neck = shape.heads[shape.model.index["neck01"]].astype(np.float32)
    x, down = rest[:, 0], rest[:, 2] - neck[2]
    front = rest[:, 1] < neck[1]
    if worn.neckline:
        bare = (label == SHIRT) & front & (down > -worn.neckline) & (np.abs(x) < 0.55 * (down + worn.neckline) + 0.01)
        colour[bare] = worn.colours[BARE]
    if worn.logo:
        left, bottom, right, top = worn.logo
        on = (label == SHIRT) & front & (x > left) & (x < right) & (down > bottom) & (down < top)
        colour[on] = worn.ink
    if not worn.open_face:
        return colour
    eyes = shape.riding[_EYES].sum(1).astype(np.float32)
    middle = eyes.mean(0)
    half = abs(float(eyes[0, 0] - eyes[1, 0])) / 2
    d = rest - middle
    face = (label == BARE) & (d[:, 1] < 0.05) & (np.abs(d[:, 2]) < 0.13)
    side, up = np.abs(d[:, 0]) - np.float32(half), d[:, 2]
    colour[face & ((side / 0.017) ** 2 + (up / 0.009) ** 2 < 1)] = _WHITE
    colour[face & (side * side + up * up < 0.008**2)] = _IRIS
    colour[face & (np.abs(side) < 0.022) & (np.abs(up - 0.021 + 6 * side * side) < 0.005)] = worn.colours[HAIR]
    lips = face & (np.abs(d[:, 0]) < 0.026) & (np.abs(up + 0.072) < 0.007)
    colour[lips] = colour[lips] * np.array([0.85, 0.55, 0.55], np.float32)
    return colour
