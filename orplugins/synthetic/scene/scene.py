"""One moment in the operating room: room, cameras, people, and the mesh of it all.

A scene is a function of (seed, index). Room, cameras, people, clothes and sensor have streams of random numbers of
their own, so that a depth image and a colour image of one scene agree, whichever of them is made.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.synthetic.scene.anywhere import aim_cameras, other_room, place_anywhere, stand
from orplugins.synthetic.scene.cameras import hang_cameras
from orplugins.synthetic.scene.clothing import AT_TABLE_SHARES, ELSEWHERE_SHARES, STYLES, dress
from orplugins.synthetic.scene.geometry import DARK, METAL, Mesh, outside_rectangle, tube, turn
from orplugins.synthetic.scene.human import FOREARM, HAND, Body, Shape, body_model, facing, skin, solve
from orplugins.synthetic.scene.people import Person
from orplugins.synthetic.scene.poses import AT_TABLE, KINDS, SHARES, random_pose, supine_pose
from orplugins.synthetic.scene.room import SIZE, TABLE, Room, arm_board, build_room, drape_over
from orplugins.synthetic.variety import CAMERAS, CLOTHES, HUNG_SHARE, POSES, ROOMS, THEATRE_SHARE

# Streams of random numbers.
ROOM, RIG, PEOPLE, CLOTH, SENSOR, COLOUR, MOTION, VARIETY, LOOK, LENS = range(10)

MOST_PEOPLE = 10  # more do not fit around the table
_TRIES = 40
_PATIENT = 0.55  # how often someone lies on the table
# A standing person's disc in the plan, metres between centres.
_PERSONAL_SPACE = 0.52


@dataclass
class Scene:
    """One moment, and the mesh of it as arrays (see `geometry.Mesh.arrays`).

    Attributes:
        room: The room.
        cameras: With poses in the room.
        people: In the order of their ids.
        vertices, faces, colours, instances, materials: The mesh.
        person_vertices: {id: slice of the vertices, clothes included}.
        exposures: (views, 3) gains of red, green and blue of the colour cameras: a property of the scene, so that a
            clip does not flicker.
        pieces: (F,) which wall, thing, body or cloth a face is of.
    """

    room: Room
    cameras: list[Camera]
    people: list[Person]
    vertices: np.ndarray
    faces: np.ndarray
    colours: np.ndarray
    instances: np.ndarray
    materials: np.ndarray
    person_vertices: dict[int, slice]
    exposures: np.ndarray
    pieces: np.ndarray


def stream(kind: int, seed: int, *numbers: int) -> np.random.Generator:
    """A stream of random numbers of its own.

    Args:
        kind: What it is for.
        seed: Of the set.
        *numbers: Of the scene or clip.

    Returns:
        The generator.
    """
    return np.random.default_rng([kind, seed, *numbers])


def make_scene(
    seed: int,
    index: int,
    *,
    people: tuple[int, int] = (1, 6),
    views: int = 3,
    fixed_cameras: bool = True,
    variety: tuple[str, ...] = (),
) -> Scene:
    """Put a scene together.

    Args:
        seed: Of the set.
        index: Number of the scene.
        people: (min, max) number of people, the patient included; fewer where no more find a place.
        views: Number of cameras.
        fixed_cameras: They hang at one place for the whole seed; otherwise elsewhere in each scene.
        variety: Parts of `variety.PARTS` that vary; the others are the theatre's.

    Returns:
        The scene.
    """
    if variety:
        return _varied_scene(seed, index, people, views, variety)
    rig = stream(RIG, seed) if fixed_cameras else stream(RIG, seed, index)
    cameras = hang_cameras(rig, views, varied=not fixed_cameras)
    room = build_room(stream(ROOM, seed, index), np.array([camera.pose[:3, 3] for camera in cameras]))
    cast = place_people(room, stream(PEOPLE, seed, index), people)
    return assemble(room, cameras, cast, stream(CLOTH, seed, index))


def _varied_scene(seed: int, index: int, people: tuple[int, int], views: int, variety: tuple[str, ...]) -> Scene:
    rng = stream(VARIETY, seed, index)
    theatre = ROOMS not in variety or rng.random() < THEATRE_SHARE
    aimed = CAMERAS in variety and not (theatre and rng.random() < HUNG_SHARE)
    cast_rng, free = stream(PEOPLE, seed, index), POSES in variety
    cameras = hang_cameras(stream(RIG, seed, index), views, varied=True)
    if theatre:
        room = build_room(stream(ROOM, seed, index), np.array([camera.pose[:3, 3] for camera in cameras]))
        cast = place_people(room, cast_rng, people)
        if free:
            _add_free(room, cast, cast_rng, people[1])
    else:
        cast = place_anywhere(cast_rng, people, free)
    if aimed:
        heads = np.array([person.body.bone("head") for person in cast]).reshape(-1, 3)
        cameras = aim_cameras(stream(RIG, seed, index), views, heads, SIZE if theatre else None)
    if not theatre:
        places = np.array([camera.pose[:3, 3] for camera in cameras])
        room = other_room(stream(ROOM, seed, index), places, np.array([p.place for p in cast]).reshape(-1, 2))
    return assemble(room, cameras, cast, stream(CLOTH, seed, index), CLOTHES in variety)


def _add_free(room: Room, cast: list[Person], rng: np.random.Generator, most: int) -> None:
    """Up to two people with poses of the whole range, away from the table."""
    for _ in range(rng.integers(0, 3)):
        place = np.array([*rng.uniform(-SIZE[:2] / 2 + 0.6, SIZE[:2] / 2 - 0.6), 0.0])
        near = [other for other in cast if _closer(place[:2], other.place, _PERSONAL_SPACE)]
        if len(cast) < most and not near and room.gap(place[:2]) > 0.45:
            cast.append(stand(rng, len(cast) + 1, place, rng.uniform(0, 2 * np.pi), free=True))


def assemble(
    room: Room, cameras: list[Camera], people: list[Person], cloth: np.random.Generator, street: bool = False
) -> Scene:
    """Dress the people and join everything into one mesh; the room's own mesh stays as it is.

    Args:
        room: The room.
        cameras: With poses in the room.
        people: The people.
        cloth: Source of the clothes' randomness.
        street: Some people wear other clothes than a theatre's, bare heads among them.

    Returns:
        The scene.
    """
    mesh = Mesh(list(room.mesh.parts), room.mesh.count)
    spans, seeds = {}, cloth.integers(2**31, size=len(people))
    for person, own in zip(people, seeds, strict=True):
        first = mesh.count
        dress(mesh, person.body, person.id, np.random.default_rng(own), person.style, street)
        spans[person.id] = slice(first, mesh.count)
        seat = person.pose.seat
        if seat is not None:
            x, y = person.place
            mesh.add(tube((x, y, 0), (x, y, seat - 0.14), 0.03), (0.4, 0.4, 0.42), METAL)
            mesh.add(tube((x, y, seat - 0.16), (x, y, seat - 0.10), 0.19, 18), (0.12, 0.12, 0.14), DARK)
    look = np.random.default_rng(cloth.integers(2**31))
    exposures = look.uniform(0.88, 1.05, (len(cameras), 1)) * (1 + look.normal(0, [0.02, 0, 0.02], (len(cameras), 3)))
    vertices, faces, colours, instances, materials = mesh.arrays()
    pieces = np.repeat(np.arange(len(mesh.parts)), [len(part[1]) for part in mesh.parts])
    return Scene(room, cameras, people, vertices, faces, colours, instances, materials, spans, exposures, pieces)


def place_people(room: Room, rng: np.random.Generator, people: tuple[int, int]) -> list[Person]:
    """A patient on the table, in most rooms, and staff around it.

    Args:
        room: Its drape is made here.
        rng: Source of all randomness.
        people: (min, max) number of people.

    Returns:
        The people.
    """
    count = people[0] + int(rng.binomial(people[1] - people[0], 0.4))
    cast: list[Person] = []
    with_patient = rng.random() < _PATIENT and count > 0
    if with_patient:
        cast.append(_patient(room, rng))
    elif rng.random() < 0.4:
        drape_over(room, np.zeros((0, 3)), rng)
    for _ in range(count - with_patient):
        shape = body_model().random_shape(rng)
        for _ in range(_TRIES):
            person = _staff(room, rng, shape, len(cast) + 1, with_patient)
            if person is not None and fits(room, person, cast):
                cast.append(person)
                break
    return cast


def _patient(room: Room, rng: np.random.Generator) -> Person:
    shape = body_model().random_shape(rng)
    arms_out = (bool(rng.random() < 0.45), bool(rng.random() < 0.45))
    pose = supine_pose(rng, shape, arms_out, np.array([rng.normal(0, 0.6), -3, 1.75]))
    # Head at the table's +x end, face up: body up -> table x, body front (-y) -> room up.
    axes = turn(room.yaw) @ np.array([[0, 0, 1.0], [-1, 0, 0], [0, -1, 0]])
    body = skin(shape, *solve(shape, pose), axes, np.zeros(3))
    local = body.vertices @ turn(room.yaw)
    rest = np.array([TABLE[0] / 2 - 0.03 - local[:, 0].max(), -np.median(local[:, 1]), 0])
    rest[2] = room.height - np.percentile(local[:, 2], 1.5)
    body = body.shifted(room.on_table(*rest))
    for out, shoulder, wrist in zip(arms_out, (5, 6), (9, 10), strict=True):
        if out:
            arm_board(room, body.joints[shoulder], body.joints[wrist])
    drape_over(room, body.vertices, rng)
    return Person(1, "patient", "supine", "patient", body, room.centre, room.yaw, pose)


def _staff(room: Room, rng: np.random.Generator, shape: Shape, number: int, with_patient: bool) -> Person | None:
    """A person somewhere, or None where the place itself is taken."""
    kind = str(rng.choice(KINDS, p=SHARES))
    at_table = kind in AT_TABLE or (kind in ("clasp", "look") and rng.random() < 0.6)
    along = 0.0
    if at_table:
        side, along = rng.choice([-1, 1]), rng.uniform(-0.85, 0.8)
        away = TABLE[1] / 2 + 0.1 + rng.uniform(0.2, 0.36) + 0.06 * with_patient
        if rng.random() < 0.12 and kind != "lean":  # at the head's end
            place = room.on_table(TABLE[0] / 2 + 0.36, rng.uniform(-0.15, 0.15), 0)
            yaw = room.yaw + np.pi
        else:
            place, yaw = room.on_table(along, side * away, 0), room.yaw - side * np.pi / 2
        yaw += rng.normal(0, 0.25)
    else:
        angle, away = rng.uniform(0, 2 * np.pi), rng.uniform(0.95, 2.3)
        place = np.array([*(room.centre + away * np.array([1.25 * np.cos(angle), np.sin(angle)])), 0])
        towards = np.arctan2(*(room.centre - place[:2])[::-1])
        yaw = towards + rng.normal(0, 0.8) if kind != "walk" else rng.uniform(0, 2 * np.pi)
    if not room.inside(place, 0.5) or not room.clear_of_cameras(place, 0.75):
        return None
    if round(room.gap(place, 1), 4) < 0.2 or (not at_table and round(room.gap(place), 4) < 0.3):
        return None

    axes = facing(yaw)
    field = room.height + (0.24 if with_patient else 0.08)
    look = room.on_table(np.clip(along + rng.normal(0, 0.2), -0.9, 0.9), rng.uniform(-0.08, 0.08), field)
    look = look + rng.normal(0, 0.12, 3) if rng.random() < 0.7 else rng.uniform([-2, -2, 1.2], [2, 2, 1.9])
    pose = random_pose(rng, kind, shape, field, axes.T @ (look - place))
    body = skin(shape, *solve(shape, pose), axes, place)
    for _ in range(2):  # hands that would reach into the drape or the table work above it
        sunk = -hand_clearance(room, body)
        if round(sunk, 4) <= 0 or kind not in AT_TABLE:
            break
        pose.hands = [hand if hand is None else hand + (0, 0, sunk + 0.015) for hand in pose.hands]
        body = skin(shape, *solve(shape, pose), axes, place)
    shares = AT_TABLE_SHARES if kind in AT_TABLE else ELSEWHERE_SHARES
    style = str(rng.choice(STYLES, p=shares))
    if kind == "sit":  # a tube around bent legs would be a barrel
        style = "plain"
    return Person(number, "clinician", kind, style, body, place[:2], yaw, pose)


def hand_clearance(room: Room, body: Body) -> float:
    """Height of the lowest point of hands and forearms above table and drape.

    Args:
        room: The room.
        body: The body.

    Returns:
        Metres; inf beside them.
    """
    region = body.shape.model.regions
    points = room.to_table(body.vertices[np.isin(region, (HAND, FOREARM))])
    over = (np.abs(points[:, :2]) < TABLE / 2 + 0.02).all(1)
    gap = np.where(over, points[:, 2] - room.height, np.inf)
    if room.drape is not None:
        gap = np.minimum(gap, room.drape.clearance(points))
    # Far below the table's top a hand is beside it, under the cloth's border: `fits` looks at that.
    return float(np.where(gap > -0.25, gap, np.inf).min(initial=np.inf))


def fits(room: Room, person: Person, others: list[Person]) -> bool:
    """Whether a person of the staff goes through neither table, nor drape, nor equipment, nor another person.

    Args:
        room: The room.
        person: Who is placed.
        others: Who is there already.

    Returns:
        True if the place is free.
    """
    body = person.body
    for other in others:
        if other.role == "clinician" and _closer(person.place, other.place, _PERSONAL_SPACE):
            return False
        if other.role == "clinician" and _closer(body.bone("head")[:2], other.body.bone("head")[:2], 0.3):
            return False
        if _through(body, other.body) or _through(other.body, body):
            return False
    if round(hand_clearance(room, body), 4) < -0.005:
        return False
    local = room.to_table(body.vertices)
    limit, low = TABLE / 2 + 0.01, room.height - 0.08
    if room.drape is not None:  # cloth gives way a little
        limit, low = np.array([TABLE[0] / 2 + 0.03, 0.385]), room.height - room.drape.hang
    within = (np.abs(local[:, :2]) < limit).all(1) & (local[:, 2] < room.height) & (local[:, 2] > low)
    if within.any():
        return False
    standing = body.vertices[body.vertices[:, 2] < 1.1]
    return not any((np.round(outside_rectangle(standing, *spot), 4) < 0.02).any() for spot in room.footprints[1:])


def _closer(a: np.ndarray, b: np.ndarray, distance: float) -> bool:
    return round(float(np.linalg.norm(a - b)), 4) < distance


def _through(body: Body, other: Body) -> bool:
    """Whether any point of a body lies inside the trunk, head or thighs of another."""
    points = body.vertices[::3]
    for start, end, radius in (
        ("root", "neck01", 0.15),
        ("neck01", "head", 0.11),
        ("upperleg01.L", "lowerleg01.L", 0.09),
        ("upperleg01.R", "lowerleg01.R", 0.09),
    ):
        a, b = other.bone(start), other.bone(end)
        share = np.clip((points - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
        offset = points - (a + share[:, None] * (b - a))
        if (np.round((offset * offset).sum(1), 5) < radius**2).any():
            return True
    return False
