"""People of the toy recordings: red discs for heads, and a detector that sees red."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.io.images import write_image
from orplugins.privacy.finds import Finds, finds, together
from orplugins.privacy.people import Person, people_of
from orplugins.privacy.search import Detectors

RED, FLOOR = (10, 10, 250), (120, 140, 90)
SIZE = (96, 72)


def picture(*heads: tuple[float, float, float], size: tuple[int, int] = SIZE) -> np.ndarray:
    """(H, W, 3) BGR with a red disc (x, y, radius) for each head."""
    out = np.full((size[1], size[0], 3), FLOOR, np.uint8)
    y, x = np.mgrid[: size[1], : size[0]] + 0.5
    for cx, cy, radius in heads:
        out[(x - cx) ** 2 + (y - cy) ** 2 <= radius**2] = RED
    return out


def red(image: np.ndarray) -> np.ndarray:
    """(H, W) bool: where somebody's head is in view."""
    return (image[..., 2] > 200) & (image[..., 1] < 80)


def find_red(image: np.ndarray, score: float = 0.9) -> Finds:
    """A find for each red disc: its box, and eyes and ears in it."""
    from scipy.ndimage import find_objects, label

    out = []
    for rows, columns in find_objects(label(red(image))[0]):
        x, y = (columns.start + columns.stop) / 2, (rows.start + rows.stop) / 2
        radius = (columns.stop - columns.start) / 2
        joints = np.full((1, 17, 3), np.nan)
        joints[0, :5] = [x, y, 0.9]
        out.append(finds([[x - radius, y - radius, x + radius, y + 5 * radius]], [score], joints))
    return together(out)


def detectors(find: Callable[[np.ndarray], Finds] = find_red) -> dict[str, Callable[[], Detectors]]:
    """The toy's detector for colour; depth images have none."""
    return {"colour": lambda: Detectors(find, 1, ("red",)), "depth": lambda: Detectors(lambda _: finds(), 1, ("none",))}


def person(x: float, y: float, radius: float = 8, score: float = 0.9) -> Person:
    """Somebody whose head is a disc."""
    joints = np.full((1, 17, 3), np.nan)
    joints[0, :5] = [x, y, 0.9]
    found = finds([[x - radius, y - radius, x + radius, y + 5 * radius]], [score], joints)
    return people_of(found, 1, (1000, 1000))[0]


def write_pictures(folder: Path, pictures: list[np.ndarray], suffix: str = ".png") -> Path:
    """Write a folder of frames."""
    for t, image in enumerate(pictures):
        write_image(folder / f"{t:03d}{suffix}", image)
    return folder


def ring(count: int = 3, size: tuple[int, int] = SIZE, away: float = 3.0) -> list[Camera]:
    """Cameras around the origin, 1.5 m high, looking at it; the world's z is up."""
    out = []
    for angle in np.linspace(0, 2 * np.pi, count, endpoint=False):
        place = np.array([away * np.cos(angle), away * np.sin(angle), 1.5])
        forward = np.array([0, 0, 1.5]) - place
        forward /= np.linalg.norm(forward)
        right = np.cross(forward, [0, 0, 1.0])
        right /= np.linalg.norm(right)
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = np.stack([right, np.cross(forward, right), forward], 1), place
        out.append(Camera(80, 80, (size[0] - 1) / 2, (size[1] - 1) / 2, size, pose=pose))
    return out


def seen(camera: Camera, point: np.ndarray, radius_m: float = 0.14) -> tuple[float, float, float]:
    """Disc of a head at a point of the world."""
    pixel, z = camera.project(np.asarray(point))
    return float(pixel[0]) + 0.5, float(pixel[1]) + 0.5, radius_m * camera.fx / float(z)
