"""Depth frames of people made of simple solids in an operating room, with exact keypoints.

The cameras hang like MVOR's: at the ceiling, looking down at a table that hides legs. A frame is a function of
(seed, index): the same pair gives the same frame, whatever was rendered before. The picture's size changes the sampling
only, so that training can render small pictures directly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orplugins.core.cameras import Camera
from orplugins.core.camma import coco_to_camma
from orplugins.synthetic.body import COVER, Body, random_body
from orplugins.synthetic.depth_sensor import measure
from orplugins.synthetic.raycast import Box, Ellipsoid, Pinhole, cast, cast_planes

FULL_SIZE = (640, 480)

# A person of whom less than this part of the outline is seen is not annotated in that picture.
LEAST_VISIBLE = 0.08

# Streams of random numbers, kept apart so that none depends on how many numbers another has drawn.
_LENSES, _ROOM, _SCENE, _SENSOR = range(4)


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture with its N annotated people.

    depth_mm : (H, W) uint16, millimetres, 0 = hole.
    keypoints : (N, 17, 3) COCO joints: x, y in pixels and 2 seen, 1 hidden, 0 outside the picture (then x = y = 0).
    camma : (N, 10, 3) the same as CAMMA-10.
    keypoints3d : (N, 17, 3) in this camera's axes, metres, also of joints outside the picture.
    hands3d : (N, 2, 3) left and right hand, likewise.
    bboxes : (N, 4) x, y, width, height of the whole outline (hidden parts too), cut at the picture's border.
    person_ids : (N,) number of the person in the scene, the same in each view.
    camera : its pose is in the room, z up.
    """

    depth_mm: np.ndarray
    keypoints: np.ndarray
    camma: np.ndarray
    keypoints3d: np.ndarray
    hands3d: np.ndarray
    bboxes: np.ndarray
    person_ids: np.ndarray
    camera: Camera


@dataclass(frozen=True, eq=False)
class Scene:
    """cameras: three of full size, poses in the room; planes: (normal, offset) of floor and walls; things; people."""

    cameras: list[Camera]
    planes: list[tuple[np.ndarray, float]]
    things: list
    people: list[Body]


def render_frame(
    seed: int,
    index: int,
    size: tuple[int, int] = FULL_SIZE,
    *,
    people: tuple[int, int] = (1, 6),
    noise: bool = True,
    fixed_cameras: bool = False,
) -> Frame:
    """Render the first camera's view of a scene; see `render_views`."""
    return render_views(seed, index, size, views=1, people=people, noise=noise, fixed_cameras=fixed_cameras)[0]


def render_views(
    seed: int,
    index: int,
    size: tuple[int, int] = FULL_SIZE,
    *,
    views: int = 3,
    people: tuple[int, int] = (1, 6),
    noise: bool = True,
    fixed_cameras: bool = True,
) -> list[Frame]:
    """Render a scene from up to three cameras around the table.

    Parameters
    ----------
    seed, index : which scene. The lenses (intrinsics) depend on the seed alone.
    size : (width, height) of the pictures; the field of view is that of 640x480 pixels.
    views : 1 to 3 cameras.
    people : least and greatest number of people put into the room; a camera may see fewer.
    noise : add the errors of a depth sensor (see `depth_sensor.measure`).
    fixed_cameras : the cameras hang at one place for the whole seed; otherwise elsewhere in each scene.

    Raises
    ------
    ValueError
        For an argument out of its range.
    """
    if seed < 0 or index < 0:
        raise ValueError(f"render: found seed={seed}, index={index}, expected whole numbers from 0")
    if len(size) != 2 or min(size) < 1:
        raise ValueError(f"render: size: found {size!r}, expected (width, height), both above 0")
    if views not in (1, 2, 3):
        raise ValueError(f"render: views: found {views!r}, expected 1, 2 or 3")
    if len(people) != 2 or not 0 <= people[0] <= people[1]:
        raise ValueError(f"render: people: found {people!r}, expected (least, greatest), 0 <= least <= greatest")
    scene = make_scene(seed, index, people=people, fixed_cameras=fixed_cameras)
    frames = []
    for view, camera in enumerate(scene.cameras[:views]):
        rng = np.random.default_rng([_SENSOR, seed, index, view]) if noise else None
        frames.append(render_scene(scene, camera.resized(size), rng))
    return frames


def make_scene(seed: int, index: int, *, people: tuple[int, int], fixed_cameras: bool) -> Scene:
    """Place cameras, walls, table, things and people; see `render_views`. The table stands near the room's origin."""
    cameras, walls = _room(seed, index, fixed_cameras)
    rng = np.random.default_rng([_SCENE, seed, index])
    eye = cameras[0].pose[:2, 3]
    forward = cameras[0].pose[:2, 2] / np.linalg.norm(cameras[0].pose[:2, 2])
    up = np.array([0.0, 0.0, 1.0])

    # The table: a block (draped to the floor) or a plate, sometimes with a lump on it (a covered patient).
    middle, angle = rng.normal(0, 0.2, 2), rng.uniform(0, np.pi)
    axes = np.array([[np.cos(angle), np.sin(angle), 0], [-np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    length, width, top = rng.uniform(1.7, 2.1), rng.uniform(0.5, 0.75), rng.uniform(0.8, 1.05)
    bottom = 0.0 if rng.random() < 0.5 else top - rng.uniform(0.1, 0.4)
    table = Box(np.array([*middle, (top + bottom) / 2]), axes, np.array([length, width, top - bottom]) / 2)
    things: list = [table]
    if rng.random() < 0.5:
        lump = np.array([length * 0.42, width * 0.4, rng.uniform(0.12, 0.25)])
        things.append(Ellipsoid(np.array([*middle, top]), axes, lump))

    # Trolleys and monitors on the floor.
    blocks = [(middle, axes[:2, :2], np.array([length, width]) / 2)]
    for _ in range(rng.integers(0, 4)):
        spot, turn = rng.uniform(-2.2, 2.2, 2), rng.uniform(0, np.pi)
        half = np.array([*rng.uniform(0.15, 0.35, 2), rng.uniform(0.35, 0.75)])
        turned = np.array([[np.cos(turn), np.sin(turn), 0], [-np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
        clear = all(np.linalg.norm(spot - camera.pose[:2, 3]) > 1.2 for camera in cameras)
        if clear and _distance(spot, *blocks[0]) > 0.5:
            things.append(Box(np.array([*spot, half[2]]), turned, half))
            blocks.append((spot, turned[:2, :2], half[:2]))
    if rng.random() < 0.25:  # a lamp
        spot = np.array([*(middle + rng.normal(0, 0.3, 2)), rng.uniform(2.0, 2.3)])
        things.append(Ellipsoid(spot, np.eye(3), np.array([0.3, 0.3, 0.07])))

    bodies: list[Body] = []
    spots: list[np.ndarray] = []
    count = people[0] + rng.binomial(people[1] - people[0], 0.4)
    for _ in range(60 * count):
        if len(spots) == count:
            break
        if rng.random() < 0.6:  # at the table
            side = rng.choice((-1, 1))
            along, away = rng.uniform(-0.55, 0.55) * length, width / 2 + rng.uniform(0.2, 0.45)
            spot = middle + along * axes[0, :2] + side * away * axes[1, :2]
        else:
            bearing, distance = rng.uniform(-0.5, 0.5), np.sqrt(rng.uniform(1.5**2, 4.5**2))
            turned = forward * np.cos(bearing) + np.array([-forward[1], forward[0]]) * np.sin(bearing)
            spot = eye + distance * turned
        offset = spot - eye
        distance = np.linalg.norm(offset)
        bearing = np.arccos(np.clip(offset @ forward / distance, -1, 1))
        if not (1.5 < distance < 4.5 and bearing < 0.5):
            continue
        if any(np.linalg.norm(spot - camera.pose[:2, 3]) < 1.0 for camera in cameras):
            continue
        if any(np.linalg.norm(spot - other) < 0.48 for other in spots):
            continue
        if any(_distance(spot, *block) < 0.18 for block in blocks):
            continue
        if any(normal[:2] @ spot - wall < 0.4 for normal, wall in walls):
            continue
        # Towards the table, but not turned from camera 1 by more than 100 degrees.
        aim = middle - spot + rng.normal(0, 0.3, 2)
        to_camera = np.arctan2(-offset[1], -offset[0])
        turn = (np.arctan2(aim[1], aim[0]) + rng.normal(0, 0.5) - to_camera + np.pi) % (2 * np.pi) - np.pi
        yaw = to_camera + np.clip(turn, -1.745, 1.745)
        spots.append(spot)
        bodies.append(random_body(rng, spot, yaw))
    return Scene(cameras=cameras, planes=[(up, 0.0), *walls], things=things, people=bodies)


def render_scene(scene: Scene, camera: Camera, rng: np.random.Generator | None) -> Frame:
    """Render a scene from one camera; `rng` is the sensor's randomness, None for exact depth."""
    rotation, origin = camera.pose[:3, :3], camera.pose[:3, 3]
    pinhole = Pinhole(camera.fx, camera.fy, camera.cx, camera.cy, camera.size)
    width, height = camera.size
    planes = [(normal @ rotation, offset - normal @ origin) for normal, offset in scene.planes]
    depth = cast_planes(planes, pinhole)
    for thing in scene.things:
        window, near, _ = cast([thing.moved(rotation, origin)], pinhole)
        np.minimum(depth[window], near, out=depth[window])

    outlines, areas = [], []
    owner = np.full(depth.shape, -1, dtype=np.int16)
    for number, body in enumerate(scene.people):
        window, near, outline = cast([solid.moved(rotation, origin) for solid in body.solids], pinhole)
        nearer = near < depth[window]
        depth[window][nearer] = near[nearer]
        owner[window][nearer] = number
        outlines.append(outline)
        areas.append(int(np.isfinite(near).sum()))

    seen = np.bincount(owner[owner >= 0], minlength=len(scene.people))
    ids = [k for k, area in enumerate(areas) if area and seen[k] >= LEAST_VISIBLE * area]
    local = camera.world_to_camera(np.array([scene.people[k].joints for k in ids]).reshape(-1, 17, 3))
    hands = camera.world_to_camera(np.array([scene.people[k].hands for k in ids]).reshape(-1, 2, 3))
    keypoints = _annotate(local, camera, depth)
    boxes = np.array([outlines[k] for k in ids]).reshape(-1, 4)
    # Outlines are in pixel centres; a box reaches from a pixel's left edge to another's right edge.
    boxes = np.clip(boxes + (0.5, 0.5, 0.5, 0.5), 0, (width, height, width, height))
    camma = coco_to_camma(keypoints)
    camma[..., 2] = np.floor(camma[..., 2])  # the middle of two joints is seen if both are
    return Frame(
        depth_mm=measure(depth, rng),
        keypoints=keypoints,
        camma=camma,
        keypoints3d=local,
        hands3d=hands,
        bboxes=np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1),
        person_ids=np.array(ids, dtype=np.int64),
        camera=camera,
    )


def _annotate(joints: np.ndarray, camera: Camera, depth: np.ndarray) -> np.ndarray:
    """COCO keypoints (N, 17, 3) of joints in camera axes; `depth` (H, W) is the exact depth of the picture."""
    width, height = camera.size
    z = joints[..., 2]
    pixels = joints[..., :2] / np.maximum(z, 1e-6)[..., None] * (camera.fx, camera.fy) + (camera.cx, camera.cy)
    column, row = np.rint(pixels[..., 0]), np.rint(pixels[..., 1])
    inside = (z > 0) & (column >= 0) & (column < width) & (row >= 0) & (row < height)
    surface = depth[np.where(inside, row, 0).astype(int), np.where(inside, column, 0).astype(int)]
    v = np.where(surface > z - COVER, 2, 1)
    # A joint exactly at (0, 0) would read as missing; none is nearer to it than the first pixel's corner.
    pixels = np.where((pixels == 0).all(axis=-1, keepdims=True), 1e-3, pixels)
    return np.where(inside[..., None], np.concatenate([pixels, v[..., None]], axis=-1), 0.0)


def _room(seed: int, index: int, fixed: bool):
    """Three cameras around the origin and two walls: (normal, offset), seen from the normal's side."""
    lenses = np.random.default_rng([_LENSES, seed])
    rng = np.random.default_rng([_ROOM, seed] if fixed else [_ROOM, seed, index])
    heading = rng.uniform(0, 2 * np.pi)
    cameras = []
    for view in range(3):
        focal = lenses.uniform(530, 548)
        fy = focal * lenses.uniform(0.998, 1.0)
        cx, cy = 319.5 + lenses.uniform(-5, 5), 239.5 + lenses.uniform(-5, 5)
        around = heading + np.pi + (2 * np.pi / 3 * view + rng.uniform(-0.3, 0.3) if view else 0.0)
        place = np.array([np.cos(around), np.sin(around)]) * rng.uniform(2.3, 3.1)
        yaw = around + np.pi + rng.normal(0, 0.06)
        down, roll = np.radians(rng.triangular(20, 27, 40)), rng.normal(0, 0.02)
        forward = np.array([np.cos(yaw) * np.cos(down), np.sin(yaw) * np.cos(down), -np.sin(down)])
        right = np.array([np.sin(yaw), -np.cos(yaw), 0.0])
        below = np.cross(forward, right)
        pose = np.eye(4)
        pose[:3, 0] = right * np.cos(roll) + below * np.sin(roll)
        pose[:3, 1] = below * np.cos(roll) - right * np.sin(roll)
        pose[:3, 2] = forward
        pose[:3, 3] = *place, rng.uniform(2.2, 2.6)
        cameras.append(Camera(fx=focal, fy=fy, cx=cx, cy=cy, size=FULL_SIZE, pose=pose))
    walls = []
    for angle, distance in (
        (heading + np.pi + rng.normal(0, 0.15), rng.uniform(2.2, 3.2)),
        (heading + rng.choice((-1, 1)) * np.pi / 2, rng.uniform(2.9, 3.6)),
    ):
        walls.append((np.array([np.cos(angle), np.sin(angle), 0.0]), -distance))
    return cameras, walls


def _distance(point: np.ndarray, centre: np.ndarray, axes: np.ndarray, half: np.ndarray) -> float:
    """Distance of a point of the floor from a rectangle on it."""
    return float(np.linalg.norm(np.maximum(np.abs(axes @ (point - centre)) - half, 0)))
