"""Scenes elsewhere than in the theatre: other rooms or none, people anywhere in them, cameras at any height."""

from __future__ import annotations

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.synthetic.scene.cameras import FULL_SIZE
from orplugins.synthetic.scene.clothing import ELSEWHERE_SHARES, STYLES
from orplugins.synthetic.scene.free_poses import free_pose
from orplugins.synthetic.scene.geometry import (
    CLOTH,
    DARK,
    METAL,
    PLAIN,
    UP,
    box,
    dome,
    moved,
    rotation,
    tube,
    turn,
    unit,
)
from orplugins.synthetic.scene.human import body_model, facing, skin, solve
from orplugins.synthetic.scene.people import Person
from orplugins.synthetic.scene.poses import random_pose
from orplugins.synthetic.scene.room import Room

# Nothing behind the people, a floor, a wall, a corner, a dome, a furnished room.
KINDS = ("nothing", "floor", "wall", "corner", "dome", "room")
SHARES = (0.14, 0.12, 0.18, 0.18, 0.14, 0.24)
AREA = 1.6  # people stand within this half side, metres
_SPACE, _TRIES = 0.6, 40
_LEAST_HEIGHT, _MOST_HEIGHT = 0.9, 2.9
_MATERIALS = (PLAIN, PLAIN, CLOTH, METAL, DARK)


def place_anywhere(rng: np.random.Generator, people: tuple[int, int], free: bool) -> list[Person]:
    """People standing anywhere, facing anywhere.

    Args:
        rng: Source of all randomness.
        people: (min, max) number of people.
        free: Poses of the whole range of the limbs; otherwise the theatre's of people away from the table.

    Returns:
        The people; fewer where no more find a place.
    """
    cast: list[Person] = []
    for _ in range(people[0] + int(rng.binomial(people[1] - people[0], 0.35))):
        for _ in range(_TRIES):
            place = np.array([*rng.uniform(-AREA, AREA, 2), 0.0])
            if all(round(float(np.linalg.norm(place[:2] - other.place)), 4) > _SPACE for other in cast):
                cast.append(stand(rng, len(cast) + 1, place, rng.uniform(0, 2 * np.pi), free))
                break
    return cast


def stand(rng: np.random.Generator, number: int, place: np.ndarray, yaw: float, free: bool) -> Person:
    """A person at a place.

    Args:
        rng: Source of all randomness.
        number: The person's id.
        place: (3,) on the floor, metres.
        yaw: Where the person faces, radians.
        free: See `place_anywhere`.

    Returns:
        The person.
    """
    shape = body_model().random_shape(rng)
    if free:
        kind, pose = free_pose(rng, shape)
    else:
        kind = str(rng.choice(("stand", "clasp", "walk", "look")))
        pose = random_pose(rng, kind, shape, 1.0, np.array([rng.normal(0, 1), -2.5, 1.5]))
    loose = kind in ("stand", "clasp", "walk", "look", "wide", "stride") and pose.lean < 0.5
    style = str(rng.choice(STYLES, p=ELSEWHERE_SHARES)) if loose else "plain"
    body = skin(shape, *solve(shape, pose), facing(yaw), place)
    return Person(number, "clinician", kind, style, body, place[:2], yaw, pose)


def aim_cameras(
    rng: np.random.Generator, views: int, heads: np.ndarray, room: np.ndarray | None = None
) -> list[Camera]:
    """Cameras at any height that look at somebody, who may be cut by any border.

    Args:
        rng: Source of all randomness.
        views: Number of cameras.
        heads: (N, 3) heads of the people, metres; N may be 0.
        room: (3,) sides of a room that they are in, metres; None: anywhere.

    Returns:
        The cameras, with images of 640x480, 1 to 5 m from a person, level to 60 degrees down, 45 to 110 degrees wide.
    """
    cameras = []
    for _ in range(views):
        head = heads[rng.integers(len(heads))] if len(heads) else np.array([0, 0, 1.6])
        away, bearing = rng.uniform(1.0, 4.6), rng.uniform(0, 2 * np.pi)
        steep = np.radians(rng.uniform(0, 60) if rng.random() < 0.5 else rng.normal(4, 6))
        target = np.array([*head[:2], head[2] * rng.uniform(0.35, 1.0)])
        level = np.cos(steep) * np.array([np.cos(bearing), np.sin(bearing)])
        place = target + away * np.array([*level, np.sin(steep)])
        place[2] = np.clip(place[2], _LEAST_HEIGHT, _MOST_HEIGHT)
        if room is not None:
            place[:2] = np.clip(place[:2], 0.2 - room[:2] / 2, room[:2] / 2 - 0.2)
        forward = unit(target - place)
        width = np.radians(rng.uniform(45, 110) if rng.random() < 0.4 else rng.uniform(55, 75))
        focal = FULL_SIZE[0] / 2 / np.tan(width / 2)
        if rng.random() < 0.4:  # off the middle, up to the border
            side = unit(np.cross(forward, UP))
            reach = np.linalg.norm(target - place) * np.tan(width / 2)
            target = target + side * rng.uniform(-0.9, 0.9) * reach + UP * rng.uniform(-0.5, 0.5) * reach
            forward = unit(target - place)
        roll = rng.normal(0, 0.05) if rng.random() < 0.8 else rng.normal(0, 0.3)
        right = rotation(forward, roll) @ unit(np.cross(forward, UP))
        pose = np.eye(4)
        pose[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
        pose[:3, 3] = place
        # Sensors of other shapes than 4:3 are squeezed into it.
        focal_y = focal * rng.uniform(0.85, 1.15) if rng.random() < 0.5 else focal
        centre = 319.5 + rng.normal(0, 6), 239.5 + rng.normal(0, 6)
        cameras.append(Camera(focal, focal_y, *centre, size=FULL_SIZE, pose=pose))
    return cameras


def other_room(rng: np.random.Generator, cameras: np.ndarray, people: np.ndarray) -> Room:
    """A room of another plan around cameras and people, or none; its table is not there.

    Args:
        rng: Source of all randomness.
        cameras: (N, 3) their places, metres.
        people: (M, 2) where people stand, metres.

    Returns:
        The room.
    """
    room = Room(np.zeros(2), rng.uniform(0, 2 * np.pi), 0.9, cameras=cameras)
    kind = room.kind = str(rng.choice(KINDS, p=SHARES))
    high = rng.uniform(2.2, 4.5)
    room.lights = np.array([[*rng.uniform(-2, 2, 2), high - 0.1] for _ in range(3)])
    if kind == "nothing":  # a mesh has at least one face: one below the floor, out of sight
        room.mesh.add(box(0.01, 0.01, 0.01, (0, 0, -9)), (0.5, 0.5, 0.5), PLAIN)
        return room
    tint = rng.uniform(0.25, 0.95, 3)
    room.mesh.add(box(14, 14, 0.02, (0, 0, -0.01)), rng.uniform(0.2, 0.8, 3), PLAIN)
    if kind == "dome":
        radius = max(rng.uniform(2.2, 4.0), float(np.linalg.norm(cameras[:, :2], axis=1).max()) + 0.3)
        room.mesh.add(moved(dome(radius, rng.uniform(0.8, 2.5)), place=(0, 0, 3.0)), tint, PLAIN)
        room.mesh.add(tube((0, 0, -0.01), (0, 0, 3.0), radius, 24), tint, PLAIN)
    walls = {"wall": 1, "corner": 2, "room": 4}.get(kind, 0)
    turned, half = turn(room.yaw), rng.uniform(1.9, 4.0, 4)
    for k in range(walls):
        outward = turn(room.yaw + k * np.pi / 2)[:2, 0]
        at = turn(k * np.pi / 2) @ np.array([max(half[k], float((cameras[:, :2] @ outward).max()) + 0.3), 0, 0])
        wall = moved(box(0.04, 12, high, (0, 0, high / 2)), k * np.pi / 2, at)
        room.mesh.add(moved(wall, matrix=turned), tint * rng.uniform(0.9, 1.05), PLAIN)
    if kind == "room" and rng.random() < 0.7:
        room.mesh.add(box(12, 12, 0.02, (0, 0, high)), (0.9, 0.9, 0.9), PLAIN)
    for _ in range(rng.integers(0, 7)):
        _clutter(room, rng, high, people)
    return room


def _clutter(room: Room, rng: np.random.Generator, high: float, people: np.ndarray) -> None:
    """A solid on the floor, on legs, or hanging: a box, a post, or a table; none in a person or before a lens."""
    place, yaw = np.array([*rng.uniform(-2.6, 2.6, 2), 0.0]), rng.uniform(0, 2 * np.pi)
    colour, material = rng.uniform(0.05, 0.95, 3), int(rng.choice(_MATERIALS))
    sides = rng.uniform(0.1, 1.3, 2)
    kind = rng.integers(4)
    reach = 0.35 + 0.5 * float(np.linalg.norm(sides))
    if not room.clear_of_cameras(place, 0.4 + reach) or (np.linalg.norm(people - place[:2], axis=1) < reach).any():
        return
    if kind == 0:
        tall = rng.uniform(0.2, 1.9)
        room.mesh.add(moved(box(sides[0], sides[1], tall, (0, 0, tall / 2)), yaw, place), colour, material)
    elif kind == 1:
        tall = rng.uniform(0.8, 2.2)
        room.mesh.add(tube(place, place + (0, 0, tall), rng.uniform(0.01, 0.2), 12), colour, material)
    elif kind == 2:
        top = rng.uniform(0.6, 1.1)
        room.mesh.add(moved(box(sides[0], sides[1], 0.05, (0, 0, top)), yaw, place), colour, material)
        for i, j in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
            leg = box(0.04, 0.04, top, (i * (sides[0] / 2 - 0.03), j * (sides[1] / 2 - 0.03), top / 2))
            room.mesh.add(moved(leg, yaw, place), colour * 0.8, METAL)
    else:
        low = rng.uniform(1.6, 2.2)
        room.mesh.add(moved(box(0.6 * sides[0], 0.6 * sides[1], 0.3, (0, 0, low)), yaw, place), colour, material)
        room.mesh.add(tube(place + (0, 0, low), place + (0, 0, high), 0.03, 8), colour, METAL)
    room.footprints.append((place[:2], yaw, sides / 2))
