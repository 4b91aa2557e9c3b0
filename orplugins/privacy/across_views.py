"""People whom some cameras found are hidden in the others, too: by triangulation, or by one camera's depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.geometry.triangulation import camera_rays, intersect_rays, reprojection_errors, world_to_camera_matrices
from orplugins.privacy.people import Person, no_joints
from orplugins.privacy.settings import HEADS, PEOPLE

OTHER_VIEWS, BY_DEPTH = "seen by two other cameras", "placed by the depth of another camera"
# Metres: (least, most) half of the width or height of what is hidden, as it may be projected into another view.
_HALF = {HEADS: (0.16, 0.3), PEOPLE: (0.35, 1.1)}
_INSIDE = {HEADS: 0.09, PEOPLE: 0.12}  # metres behind its surface at which a head or a trunk has its middle
_NEAREST = 0.2  # metres in front of a camera
_TWICE = 0.7  # radii: finds of one view that are nearer to each other are one
_SURENESS = 0.3  # metres of miss that a score of 1 makes up for, when partners are chosen
_CENTRE = 0.5  # of a pixel: edges are at 0 here, cameras count from the first pixel's centre


@dataclass(frozen=True)
class ViewRules:
    """When two finds are taken for one person.

    Attributes:
        miss: Greatest distance of each one's ray from the point between them, metres.
        score: Least sum of their scores.
        alike: Greatest ratio of their sizes in metres.
        depth_score: Least score of a person who is placed by depth alone.
    """

    miss: float = 0.15
    score: float = 0.25
    alike: float = 2.5
    depth_score: float = 0.2


def across_views(
    cameras: Sequence[Camera],
    views: Sequence[Sequence[Person]],
    depths: Sequence[np.ndarray | None] = (),
    what: str = HEADS,
    margin: float = 1.0,
    rules: ViewRules | None = None,
) -> list[list[Person]]:
    """People of one moment whom a view has to hide because of what others found.

    Of two cameras those finds are one person that may be one by place and size, and are each other's best partner.

    Args:
        cameras: V calibrated cameras of one world.
        views: What each found, the unsure included.
        depths: Depth images (H, W) uint16 millimetres on the pixels of the pictures, None where there is none.
        what: "heads" or "people".
        margin: Factor of the sizes.
        rules: See `ViewRules`; None: the defaults.

    Returns:
        Of each view the people to be added.
    """
    rules = rules or ViewRules()
    known = [_Placed(np.zeros((0, 3)), np.zeros((0, 2)), np.zeros(0), "")]
    for a, b in combinations(range(len(cameras)), 2):
        if views[a] and views[b]:
            known.append(_pairs((cameras[a], cameras[b]), (once(views[a]), once(views[b])), rules))
    for camera, people, depth in zip(cameras, views, depths, strict=False):
        for person in people if depth is not None else ():
            if person.score >= rules.depth_score:
                assert depth is not None
                known.append(_by_depth(camera, person, depth, what))
    return [[person for placed in known for person in _seen(camera, placed, what, margin)] for camera in cameras]


@dataclass(frozen=True)
class _Placed:
    """People in the world.

    Attributes:
        points: (P, 3) metres; NaN where nobody is.
        halves: (P, 2) half of their width and height, metres.
        scores: (P,).
        why: How their places are known.
    """

    points: np.ndarray
    halves: np.ndarray
    scores: np.ndarray
    why: str


def once(people: Sequence[Person]) -> list[Person]:
    """People without those whose place somebody with a higher score has.

    Args:
        people: Of one picture.
    """
    out: list[Person] = []
    for person in sorted(people, key=lambda each: -each.score):
        near = (
            np.linalg.norm(person.centre - other.centre) <= _TWICE * max(person.radius, other.radius) for other in out
        )
        if not any(near):
            out.append(person)
    return out


def place_by_depth(camera: Camera, person: Person, depth: np.ndarray, what: str = HEADS) -> np.ndarray:
    """Where somebody is, by the depth image.

    Args:
        camera: The camera.
        person: In its picture.
        depth: (H, W) uint16 millimetres, 0 = hole.
        what: "heads" or "people".

    Returns:
        (3,) metres in the world; NaN without depth there.
    """
    x, y = person.centre - _CENTRE
    reach = max(0.6 * person.radius, 1.0)
    rows = slice(max(0, int(np.floor(y - reach))), max(0, int(np.ceil(y + reach)) + 1))
    columns = slice(max(0, int(np.floor(x - reach))), max(0, int(np.ceil(x + reach)) + 1))
    inside = depth[rows, columns]
    inside = inside[inside > 0]
    if not len(inside):
        return np.full(3, np.nan)
    z = float(np.percentile(inside, 30)) / 1000 + _INSIDE[what]  # what is behind the head is farther
    return camera.back_project(np.array([x, y]), np.array(z), undistort=True)


def _by_depth(camera: Camera, person: Person, depth: np.ndarray, what: str) -> _Placed:
    point = place_by_depth(camera, person, depth, what)[None]
    return _Placed(point, _metres(camera, point, person.half[None]), np.array([person.score]), BY_DEPTH)


def _pairs(
    cameras: tuple[Camera, Camera], views: tuple[Sequence[Person], Sequence[Person]], rules: ViewRules
) -> _Placed:
    """The pairs of people of two views that are one person."""
    i, j = (index.ravel() for index in np.indices((len(views[0]), len(views[1]))))
    centres = np.stack([np.array([p.centre for p in view])[k] - _CENTRE for view, k in zip(views, (i, j), strict=True)])
    score = np.stack([np.array([p.score for p in view])[k] for view, k in zip(views, (i, j), strict=True)])
    half = np.stack([np.array([p.half for p in view])[k] for view, k in zip(views, (i, j), strict=True)])
    rays = camera_rays(cameras, centres)
    points = intersect_rays(world_to_camera_matrices(cameras), rays, np.ones(rays.shape[:-1]))
    pixels, z = reprojection_errors(cameras, points, rays)
    focal = np.array([camera.fx for camera in cameras])[:, None]
    metres = np.stack([_metres(camera, points, h) for camera, h in zip(cameras, half, strict=True)])
    size = metres.min(-1)
    with np.errstate(invalid="ignore"):
        miss = (pixels * z / focal).max(0)
        good = (z > _NEAREST).all(0) & (miss <= rules.miss) & (score.sum(0) >= rules.score)
        good &= size.max(0) <= rules.alike * size.min(0)
    cost = np.where(good, miss + _SURENESS * (1 - score.mean(0)), np.inf).reshape(len(views[0]), len(views[1]))
    best = (cost == cost.min(1, keepdims=True)) & (cost == cost.min(0, keepdims=True))
    good &= best.ravel()
    return _Placed(points[good], metres.max(0)[good], score.mean(0)[good], OTHER_VIEWS)


def _metres(camera: Camera, points: np.ndarray, half: np.ndarray) -> np.ndarray:
    """(N, 2) sizes in pixels at points (N, 3) of the world as metres."""
    z = camera.world_to_camera(points)[:, 2:]
    return half * z / (camera.fx, camera.fy)


def _seen(camera: Camera, placed: _Placed, what: str, margin: float) -> list[Person]:
    """Who of the placed people is in a camera's view."""
    pixels, z = camera.project(placed.points, distort=True)
    out = []
    for pixel, depth, half, score in zip(pixels, z, placed.halves, placed.scores, strict=True):
        if not (depth > _NEAREST and np.isfinite(pixel).all()):
            continue
        size = margin * np.clip(half, *_HALF[what]) * (camera.fx, camera.fy) / depth
        centre = pixel + _CENTRE
        if (centre + size < 0).any() or (centre - size > camera.size).any():
            continue
        shapes = np.array([[*(centre - size), *(centre + size), float(what == HEADS)]])
        out.append(Person(centre, size, shapes, float(score), 0.0, no_joints(), placed.why))
    return out
