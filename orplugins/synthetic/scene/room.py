"""The operating room: walls, table, patient's drape, and the equipment around it.

The room's middle is the origin of its plan, z = 0 the floor. Footprints of things that stand on the floor are kept as
(centre (2,), yaw, half sides (2,)), so that people and further things are placed beside them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from orplugins.synthetic.scene.clothing import GOWNS
from orplugins.synthetic.scene.geometry import (
    CLOTH,
    DARK,
    LAMP,
    METAL,
    PLAIN,
    SKIN,
    Mesh,
    box,
    c_arc,
    cloth_over,
    dome,
    moved,
    outside_rectangle,
    rotation,
    smooth_round,
    swing,
    tube,
    turn,
    unit,
)

SIZE = np.array([6.4, 5.6, 3.0])  # metres
TABLE = np.array([2.05, 0.56])  # length and width of the table top
_CELL = 0.045  # of a drape's grid
# Tall things keep this far from a camera in the plan, so that they do not block its view.
_CLEAR_OF_CAMERAS = 1.25

_WALLS = np.array([[0.80, 0.84, 0.82], [0.74, 0.82, 0.80], [0.86, 0.86, 0.82]])
_FLOORS = np.array([[0.50, 0.56, 0.58], [0.42, 0.50, 0.46], [0.60, 0.58, 0.52]])
_GREY, _STEEL, _BLACK = (0.80, 0.82, 0.84), (0.75, 0.76, 0.78), (0.12, 0.12, 0.14)


@dataclass
class Drape:
    """Cloth over the table in the table's axes.

    Attributes:
        x, y: Places of its cells, metres.
        heights: (len(y), len(x)) of its upper side, metres.
        hang: How far it hangs from the table's border, metres.
    """

    x: np.ndarray
    y: np.ndarray
    heights: np.ndarray
    hang: float

    def covers(self, points: np.ndarray) -> np.ndarray:
        """Which points lie under the cloth.

        Args:
            points: (N, 3) in the table's axes, metres.

        Returns:
            (N,) bool.
        """
        column, row, inside = self._cells(points)
        return inside & (points[:, 2] < self.heights[row, column])

    def clearance(self, points: np.ndarray) -> np.ndarray:
        """Heights of points above the cloth.

        Args:
            points: (N, 3) in the table's axes, metres.

        Returns:
            (N,) metres; inf beside it.
        """
        column, row, inside = self._cells(points)
        return np.where(inside, points[:, 2] - self.heights[row, column], np.inf)

    def _cells(self, points: np.ndarray):
        column = np.rint((points[:, 0] - self.x[0]) / _CELL).astype(int)
        row = np.rint((points[:, 1] - self.y[0]) / _CELL).astype(int)
        inside = (column >= 0) & (column < len(self.x)) & (row >= 0) & (row < len(self.y))
        return np.clip(column, 0, len(self.x) - 1), np.clip(row, 0, len(self.y) - 1), inside


@dataclass
class Room:
    """The operating room.

    Attributes:
        centre, yaw, height: (2,) place of the table in the plan, its bearing, and its height.
        mesh: Everything but people.
        footprints: Of things that stand on the floor: (centre, yaw, half sides).
        lights: (3, 3) places of the lights.
        drape: Once there is one.
        cameras: (N, 3) their places.
        kind: "theatre", or one of `anywhere.KINDS`.
    """

    centre: np.ndarray
    yaw: float
    height: float
    mesh: Mesh = field(default_factory=Mesh)
    footprints: list = field(default_factory=list)
    lights: np.ndarray = field(default_factory=lambda: np.zeros((3, 3)))
    drape: Drape | None = None
    cameras: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))
    kind: str = "theatre"

    def on_table(self, x: float, y: float, z: float) -> np.ndarray:
        """A point of the table's axes in the room.

        Args:
            x: Along the table, metres.
            y: Across the table, metres.
            z: Above the floor, metres.

        Returns:
            (3,) metres.
        """
        return turn(self.yaw) @ np.array([x, y, 0]) + np.array([*self.centre, z])

    def to_table(self, points: np.ndarray) -> np.ndarray:
        """Points of the room in the table's axes.

        Args:
            points: (..., 3) metres.

        Returns:
            (..., 3) metres.
        """
        return (points - np.array([*self.centre, 0])) @ turn(self.yaw)

    def clear_of_cameras(self, place: np.ndarray, distance: float = _CLEAR_OF_CAMERAS) -> bool:
        """Whether a place of the plan is far enough from every camera.

        Args:
            place: (2 or 3,) metres.
            distance: Minimum distance in the plan, metres.

        Returns:
            True if it is.
        """
        gaps = np.linalg.norm(self.cameras[:, :2] - np.asarray(place)[:2], axis=1)
        return bool((np.round(gaps, 4) > distance).all())

    def inside(self, place: np.ndarray, margin: float) -> bool:
        """Whether a place of the plan is in the room and not near a wall.

        Args:
            place: (2 or 3,) metres.
            margin: Minimum distance from the walls, metres.

        Returns:
            True if it is.
        """
        return bool((np.round(np.abs(place[:2]), 4) < SIZE[:2] / 2 - margin).all())

    def gap(self, place: np.ndarray, first: int = 0) -> float:
        """Distance of a place of the plan from the nearest footprint.

        Args:
            place: (2,) metres.
            first: Number of the first footprint that counts.

        Returns:
            Metres; inf without a footprint.
        """
        return min((float(outside_rectangle(place, *spot)) for spot in self.footprints[first:]), default=np.inf)


def build_room(rng: np.random.Generator, cameras: np.ndarray) -> Room:
    """Walls, wall furniture, table and everything that hangs or stands.

    Args:
        rng: Source of all randomness.
        cameras: (N, 3) their places.

    Returns:
        The room, without people and drape.
    """
    room = Room(
        centre=rng.normal(0, [0.15, 0.12]), yaw=rng.normal(0, 0.15), height=rng.uniform(0.86, 1.0), cameras=cameras
    )
    _walls(room, rng)
    _table(room)
    _c_arm(room, rng)
    _lamps(room, rng)
    _ceiling_monitors(room, rng)
    _anaesthesia(room, rng)
    _monitor_stand(room, rng)
    _trolleys(room, rng)
    _infusion_poles(room, rng)
    if rng.random() < 0.35:  # a lead-glass shield from the ceiling
        at = room.on_table(rng.uniform(-0.1, 0.5), rng.choice([-1, 1]) * rng.uniform(0.2, 0.35), 1.55)
        room.mesh.add(moved(box(0.6, 0.015, 0.5), room.yaw + rng.normal(0, 0.4), at), (0.75, 0.80, 0.72), DARK)
        room.mesh.add(tube(at + (0, 0, 0.25), (at[0], at[1], SIZE[2]), 0.02, 8), _GREY, METAL)
    lamp = room.on_table(rng.uniform(-0.4, 0.4), rng.uniform(-0.4, 0.4), 2.9)
    room.lights = np.array([lamp, [1.6, -1.4, 2.95], [-1.6, 1.4, 2.95]])
    return room


def _walls(room: Room, rng: np.random.Generator) -> None:
    wide, deep, high = SIZE
    wall, floor = _WALLS[rng.integers(len(_WALLS))], _FLOORS[rng.integers(len(_FLOORS))]

    def plane(corner, u, v, colour):
        corner, u, v = (np.array(a, float) for a in (corner, u, v))
        corners = np.array([corner, corner + u, corner + u + v, corner + v])
        room.mesh.add((corners, [[0, 1, 2], [0, 2, 3]]), colour, PLAIN)

    x, y = wide / 2, deep / 2
    plane((-x, -y, 0), (wide, 0, 0), (0, deep, 0), floor)
    plane((-x, -y, high), (wide, 0, 0), (0, deep, 0), (0.9, 0.9, 0.9))
    plane((-x, -y, 0), (wide, 0, 0), (0, 0, high), wall)
    plane((-x, y, 0), (wide, 0, 0), (0, 0, high), wall * 0.97)
    plane((-x, -y, 0), (0, deep, 0), (0, 0, high), wall * 0.98)
    plane((x, -y, 0), (0, deep, 0), (0, 0, high), wall * 0.96)
    for _ in range(3):  # cupboards
        side, share, height = rng.integers(4), rng.uniform(-1, 1), rng.uniform(0.9, 2.1)
        width, depth, shade = rng.uniform(0.8, 1.6), rng.uniform(0.35, 0.5), rng.uniform(0.75, 1.1)
        length = (wide if side < 2 else deep) / 2 - 0.8
        along = share * length
        place = np.array(
            [(along, depth / 2 - y), (along, y - depth / 2), (depth / 2 - x, along), (x - depth / 2, along)][side]
        )
        if height < 1.3 or room.clear_of_cameras(place):
            yaw = 0.0 if side < 2 else np.pi / 2
            room.mesh.add(moved(box(width, depth, height), yaw, (*place, height / 2)), np.array(_GREY) * shade, PLAIN)
            room.footprints.append((place, yaw, np.array([width, depth]) / 2))
    door, window = rng.uniform(-1, 1), rng.uniform(-1, 1)
    room.mesh.add(box(1.3, 0.05, 2.1, (door, y - 0.02, 1.05)), (0.45, 0.55, 0.62), PLAIN)
    room.mesh.add(box(0.05, 1.6, 0.9, (0.02 - x, window, 1.6)), (0.30, 0.38, 0.45), PLAIN)


def _table(room: Room) -> None:
    length, width = TABLE
    top = room.height
    for shape, colour, material in (
        (box(length, width, 0.07, (0, 0, top - 0.04)), _BLACK, DARK),
        (box(0.45, 0.36, top - 0.2, (-0.15, 0, (top - 0.2) / 2 + 0.05)), _STEEL, METAL),
        (box(1.1, 0.52, 0.12, (-0.15, 0, 0.06)), (0.62, 0.64, 0.66), METAL),
    ):
        room.mesh.add(moved(shape, room.yaw, (*room.centre, 0)), colour, material)
    room.footprints.insert(0, (room.centre, room.yaw, TABLE / 2))


def drape_over(room: Room, vertices: np.ndarray, rng: np.random.Generator) -> None:
    """Cover the table, with a lying body or none, from the feet up to chest or waist.

    Args:
        room: Changed in place.
        vertices: (V, 3) of the body in the room, V may be 0.
        rng: Source of all randomness.
    """
    end = rng.uniform(0.35, 0.62) if rng.random() < 0.8 else -0.1
    x, y = np.arange(-TABLE[0] / 2 - 0.05, end, _CELL), np.arange(-0.37, 0.371, _CELL)
    heights = np.full((len(y), len(x)), room.height - 0.01)
    local = room.to_table(vertices)
    column, row = np.rint((local[:, 0] - x[0]) / _CELL).astype(int), np.rint((local[:, 1] - y[0]) / _CELL).astype(int)
    inside = (column >= 0) & (column < len(x)) & (row >= 0) & (row < len(y))
    np.maximum.at(heights, (row[inside], column[inside]), local[inside, 2])
    for _ in range(3):  # taut cloth spans hollows: each cell is held up by its neighbours, a little lower
        padded = np.pad(heights, 1, mode="edge")
        for i in (0, 1, 2):
            for j in (0, 1, 2):
                fall = 0.012 * (abs(i - 1) + abs(j - 1))
                heights = np.maximum(heights, padded[i : i + len(y), j : j + len(x)] - fall)
    padded = np.pad(heights, 2, mode="edge")
    soft = smooth_round(smooth_round(padded, 3, 0), 3, 1)[2:-2, 2:-2]
    heights = np.maximum(soft, heights - 0.006) + 0.034
    hang = rng.uniform(0.3, 0.55)
    colour = GOWNS[rng.integers(len(GOWNS))] * rng.uniform(0.85, 1.1)
    room.mesh.add(moved(cloth_over(x, y, heights, hang, rng), room.yaw, (*room.centre, 0)), colour, CLOTH)
    room.drape = Drape(x, y, heights, hang)
    if rng.random() < 0.6:  # the patch of the operating field
        at = rng.uniform(-0.2, 0.35)
        cell = int(np.clip((at - x[0]) / _CELL, 0, len(x) - 1))
        level = heights[len(y) // 2, cell] + 0.012
        room.mesh.add(moved(box(0.24, 0.2, 0.015), room.yaw, room.on_table(at, 0, level)), (0.75, 0.62, 0.42), SKIN)


def arm_board(room: Room, shoulder: np.ndarray, wrist: np.ndarray) -> None:
    """A board under a patient's stretched arm.

    Args:
        room: Changed in place.
        shoulder: (3,) in the room.
        wrist: (3,) in the room.
    """
    middle, along = (shoulder + wrist) / 2, wrist - shoulder
    length, yaw = np.hypot(*along[:2]), np.arctan2(along[1], along[0])
    place = (middle[0], middle[1], room.height - 0.05)
    room.mesh.add(moved(box(length + 0.2, 0.14, 0.04), yaw, place), (0.15, 0.15, 0.17), DARK)
    room.footprints.append((middle[:2], yaw, np.array([length / 2, 0.08])))


def _place(room: Room, rng: np.random.Generator, half, least: float, most: float, tall: bool):
    """A free place on the floor for a thing with half sides, (centre, yaw), or None after 40 tries."""
    for _ in range(40):
        angle, away, yaw = rng.uniform(0, 2 * np.pi), rng.uniform(least, most), rng.uniform(0, 2 * np.pi)
        centre = room.centre + away * np.array([1.25 * np.cos(angle), np.sin(angle)])
        if not room.inside(centre, 0.5) or (tall and not room.clear_of_cameras(centre)):
            continue
        grid = np.array([(i, j, 0) for i in (-1, 0, 1) for j in (-1, 0, 1)]) * [*half, 0]
        points = grid @ turn(yaw).T + [*centre, 0]
        if all((np.round(outside_rectangle(points, *spot), 4) > 0.05).all() for spot in room.footprints):
            room.footprints.append((centre, yaw, np.asarray(half)))
            return centre, yaw
    return None


def _c_arm(room: Room, rng: np.random.Generator) -> None:
    present, side, at, tilt = rng.random() < 0.5, rng.choice([-1, 1]), rng.uniform(-0.35, 0.45), rng.normal(0, 0.25)
    yaw = room.yaw + (0.0 if side > 0 else np.pi)
    middle = room.on_table(at, 0, room.height + 0.12)
    upright = turn(yaw)
    base = middle + upright @ np.array([0, 0.97, 0])
    if not present or not room.clear_of_cameras(base) or not room.inside(base, 0.3):
        return
    tilted = upright @ rotation([1, 0, 0], tilt)
    room.mesh.add(
        moved(c_arc(0.62, 0.055, 0.088, np.radians(-88), np.radians(88)), place=middle, matrix=tilted),
        (0.86, 0.87, 0.88),
        PLAIN,
    )
    for z, radius, colour in ((0.6, 0.17, (0.88, 0.88, 0.90)), (-0.6, 0.13, (0.82, 0.83, 0.85))):
        head = tube((0, 0, z - 0.14 * np.sign(z)), (0, 0, z + 0.1 * np.sign(z)), radius, 18)
        room.mesh.add(moved(head, place=middle, matrix=tilted), colour, PLAIN)
    floor = -middle[2]
    for sides, centre, colour in (
        ((0.30, 0.55, 0.95), (0, 1.0, floor + 0.62), (0.85, 0.86, 0.88)),
        ((0.14, 0.35, 0.14), (0, 0.74, 0), (0.70, 0.70, 0.72)),
        ((0.50, 0.90, 0.14), (0, 0.92, floor + 0.12), (0.60, 0.61, 0.64)),
    ):
        room.mesh.add(moved(box(*sides, centre), place=middle, matrix=upright), colour, PLAIN)
    room.footprints.append((base[:2], yaw, np.array([0.28, 0.5])))


def _lamps(room: Room, rng: np.random.Generator) -> None:
    for _ in range(rng.integers(1, 3)):
        base = np.array([*(room.centre + rng.normal(0, 0.15, 2)), SIZE[2]])
        head = room.on_table(rng.uniform(-0.6, 0.7), rng.uniform(-0.7, 0.7), rng.uniform(2.0, 2.3))
        radius = rng.uniform(0.22, 0.32)
        elbow = np.array([*(base[:2] + rng.normal(0, 0.5, 2)), SIZE[2] - 0.35])
        if not room.clear_of_cameras(head, 1.5) or not room.clear_of_cameras(elbow, 0.9):
            continue
        joint = base - (0, 0, 0.3)
        for start, end, thick in ((base, joint, 0.04), (joint, elbow, 0.035), (elbow, head + (0, 0, 0.12), 0.03)):
            room.mesh.add(tube(start, end, thick), (0.85, 0.86, 0.86), LAMP)
        aim = swing(np.array([0, 0, -1.0]), unit(np.array([*(room.centre - head[:2]), room.height - head[2]])))
        room.mesh.add(moved(dome(radius, 0.14), place=head, matrix=aim), (0.88, 0.89, 0.90), LAMP)
        glass = tube((0, 0, -0.012), (0, 0, -0.002), 0.8 * radius, 20)
        room.mesh.add(moved(glass, place=head, matrix=aim), (1.0, 1.0, 0.93), LAMP)


def _monitor(room: Room, rng: np.random.Generator, place, yaw: float, z: float, width=0.52, height=0.32) -> None:
    turned, at = turn(yaw), np.array([*place[:2], z])
    room.mesh.add(moved(box(width, 0.05, height), place=at, matrix=turned), (0.08, 0.08, 0.09), DARK)
    screen = box(width - 0.04, 0.01, height - 0.04, (0, -0.031, 0))
    glow = np.array([0.12, 0.22, 0.32]) + 0.5 * rng.uniform(0.1, 0.35, 3)
    room.mesh.add(moved(screen, place=at, matrix=turned), glow, DARK)
    for colour in ((0.2, 0.9, 0.3), (0.9, 0.8, 0.2), (0.3, 0.7, 0.9)):
        trace = box((width - 0.1) * rng.uniform(0.4, 1), 0.004, 0.012, (0, -0.039, rng.uniform(-0.1, 0.1)))
        room.mesh.add(moved(trace, place=at, matrix=turned), colour, DARK)


def _ceiling_monitors(room: Room, rng: np.random.Generator) -> None:
    present, side = rng.random() < 0.6, rng.choice([-1, 1])
    at = room.on_table(rng.uniform(-0.3, 0.5), side * rng.uniform(1.1, 1.5), 0)
    yaw, z = room.yaw + (0.0 if side > 0 else np.pi) + rng.normal(0, 0.2), rng.uniform(1.7, 1.9)
    if not present or not room.clear_of_cameras(at, 1.5) or not room.inside(at, 0.3):
        return
    for offset in (-0.28, 0.28):
        _monitor(room, rng, at + turn(yaw) @ np.array([offset, 0, 0]), yaw, z)
    room.mesh.add(tube((*at[:2], SIZE[2]), (*at[:2], z + 0.15), 0.04), (0.85, 0.85, 0.86), METAL)
    room.mesh.add(moved(box(1.0, 0.05, 0.06), yaw, (*at[:2], z + 0.19)), _GREY, METAL)


def _anaesthesia(room: Room, rng: np.random.Generator) -> None:
    if rng.random() > 0.7 or (spot := _place(room, rng, (0.3, 0.32), 1.3, 2.3, tall=True)) is None:
        return
    centre, yaw = spot
    for sides, at, colour in (
        ((0.55, 0.60, 0.75), (0, 0, 0.45), (0.80, 0.82, 0.84)),
        ((0.50, 0.35, 0.45), (0, 0.1, 1.05), (0.72, 0.75, 0.78)),
        ((0.58, 0.40, 0.04), (0, -0.08, 0.86), (0.60, 0.63, 0.66)),
    ):
        room.mesh.add(moved(box(*sides, at), yaw, (*centre, 0)), colour, PLAIN)
    _monitor(room, rng, centre, yaw, 1.45, 0.4, 0.3)
    room.mesh.add(tube((*centre, 1.25), (*centre, 1.4), 0.03), (0.5, 0.5, 0.5), METAL)


def _monitor_stand(room: Room, rng: np.random.Generator) -> None:
    if rng.random() > 0.6 or (spot := _place(room, rng, (0.24, 0.24), 1.2, 2.3, tall=True)) is None:
        return
    centre, yaw = spot
    room.mesh.add(tube((*centre, 0.05), (*centre, 1.25), 0.03), _STEEL, METAL)
    room.mesh.add(moved(box(0.45, 0.45, 0.07), yaw, (*centre, 0.06)), (0.35, 0.36, 0.38), METAL)
    _monitor(room, rng, centre, yaw, rng.uniform(1.2, 1.4))


def _trolleys(room: Room, rng: np.random.Generator) -> None:
    for _ in range(rng.integers(1, 3)):
        spot = _place(room, rng, (0.34, 0.26), 0.95, 2.1, tall=False)
        if spot is None:
            continue
        (centre, yaw), height = spot, rng.uniform(0.82, 0.98)
        if rng.random() < 0.6:
            x, y = np.linspace(-0.34, 0.34, 10), np.linspace(-0.26, 0.26, 8)
            cloth = cloth_over(x, y, np.full((8, 10), height + 0.01), rng.uniform(0.2, 0.45), rng)
            room.mesh.add(moved(cloth, yaw, (*centre, 0)), GOWNS[rng.integers(len(GOWNS))], CLOTH)
        else:
            room.mesh.add(moved(box(0.64, 0.46, 0.03), yaw, (*centre, height)), (0.78, 0.80, 0.82), METAL)
        room.mesh.add(moved(box(0.6, 0.42, 0.02), yaw, (*centre, 0.3)), _STEEL, METAL)
        for right in (-0.29, 0.29):
            for ahead in (-0.2, 0.2):
                leg = tube((right, ahead, 0), (right, ahead, height), 0.014, 8)
                room.mesh.add(moved(leg, yaw, (*centre, 0)), _GREY, METAL)
        for _ in range(4):  # instruments
            thing = box(
                rng.uniform(0.04, 0.18),
                rng.uniform(0.03, 0.12),
                rng.uniform(0.02, 0.09),
                (rng.uniform(-0.2, 0.2), rng.uniform(-0.13, 0.13), height + 0.04),
            )
            room.mesh.add(moved(thing, yaw, (*centre, 0)), rng.uniform(0.3, 0.95, 3), METAL)


def _infusion_poles(room: Room, rng: np.random.Generator) -> None:
    for _ in range(rng.integers(0, 3)):
        spot = _place(room, rng, (0.12, 0.12), 0.9, 2.2, tall=True)
        if spot is None:
            continue
        (x, y), yaw = spot
        room.mesh.add(tube((x, y, 0), (x, y, 1.9), 0.013, 8), _GREY, METAL)
        room.mesh.add(tube((x - 0.15, y, 1.9), (x + 0.15, y, 1.9), 0.01, 6), _GREY, METAL)
        room.mesh.add(moved(box(0.12, 0.04, 0.2), yaw, (x + 0.12, y, 1.75)), (0.85, 0.88, 0.90), DARK)
        for k in range(4):
            angle = k * np.pi / 2 + yaw
            foot = (x + 0.25 * np.cos(angle), y + 0.25 * np.sin(angle), 0.03)
            room.mesh.add(tube((x, y, 0.05), foot, 0.014, 6), (0.3, 0.3, 0.32), METAL)
