"""Bundle adjustment: cameras and people's joints that explain the detections best.

Unknowns are, of each camera, a turn, its place, the logarithm of its focal length, one term of lens distortion and the
offset of its clock; and all joints of all people. Residuals are the joints' distances in the images over their usual
error, with Huber's loss, and how far bones are from their usual lengths and from those of the other side. The
Jacobian is analytic and sparse: a person's joints meet the cameras only, never another person, so that people are
eliminated one by one (Schur complement) and Levenberg-Marquardt solves for the cameras alone.

Triggs, McLauchlan, Hartley, Fitzgibbon: Bundle Adjustment - A Modern Synthesis (1999), sections 4 and 6.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from orplugins.geometry.rotations import from_vector
from orplugins.rig.bodies import ENDS, SPREAD, USUAL

# Unknowns of a camera, in this order.
TURN, PLACE, FOCAL, BARREL, CLOCK = slice(0, 3), slice(3, 6), 6, 7, 8
SIZE = 9
_SMALLEST_DEPTH = 0.05
_FAR = 1e6


@dataclass(frozen=True, eq=False)
class Cameras:
    """What is known of V cameras.

    Attributes:
        rotation: (V, 3, 3) world to camera.
        place: (V, 3) in the world, metres.
        zoom: (V,) logarithm of the focal length over the one the rays were made with.
        barrel: (V,) k1 of the lens, on top of what the rays were freed from.
        offset: (V,) frames that a camera's clock is ahead of its frame numbers.
    """

    rotation: np.ndarray
    place: np.ndarray
    zoom: np.ndarray
    barrel: np.ndarray
    offset: np.ndarray

    @classmethod
    def of_poses(cls, poses: np.ndarray) -> Cameras:
        """Cameras of (V, 3, 4) poses, world to camera."""
        none = np.zeros(len(poses))
        place = -np.einsum("vba,vb->va", poses[:, :, :3], poses[:, :, 3])
        return cls(poses[:, :, :3].copy(), place, none, none.copy(), none.copy())

    @property
    def poses(self) -> np.ndarray:
        """(V, 3, 4) world to camera."""
        return np.concatenate([self.rotation, -np.einsum("vab,vb->va", self.rotation, self.place)[..., None]], -1)

    def moved(self, step: np.ndarray) -> Cameras:
        """The cameras after a step (V, 9)."""
        turns = np.stack([from_vector(s) for s in step[:, TURN]])
        return Cameras(
            turns @ self.rotation,
            self.place + step[:, PLACE],
            self.zoom + step[:, FOCAL],
            self.barrel + step[:, BARREL],
            self.offset + step[:, CLOCK],
        )

    def scaled(self, factor: float) -> Cameras:
        """The cameras of a world that is larger by a factor."""
        return replace(self, place=self.place * factor)


@dataclass(frozen=True, eq=False)
class Sightings:
    """What the cameras saw of P people.

    Attributes:
        rays: (P, V, 17, 2), 0 where a joint is not seen.
        weight: (P, V, 17) square root of the confidence, 0 where a joint is not seen.
        speed: (P, V, 17, 2) change of the rays a frame.
        focal: (V, 2) focal lengths, pixels.
        sigma: (V, 17) usual error of a joint, pixels.
    """

    rays: np.ndarray
    weight: np.ndarray
    speed: np.ndarray
    focal: np.ndarray
    sigma: np.ndarray

    @property
    def active(self) -> np.ndarray:
        """(P, 17) joints that two cameras see."""
        return (self.weight > 0).sum(1) >= 2

    def take(self, chosen: np.ndarray) -> Sightings:
        """Those of some people."""
        return replace(self, rays=self.rays[chosen], weight=self.weight[chosen], speed=self.speed[chosen])


@dataclass(frozen=True)
class BodyRules:
    """What is expected of bodies.

    Attributes:
        length: (10,) usual lengths of `orplugins.rig.bodies.ENDS`, metres.
        spread: (10,) their spread, as a share.
        alike: Spread of the difference of both sides, as a share.
    """

    length: np.ndarray = field(default_factory=lambda: USUAL.copy())
    spread: np.ndarray = field(default_factory=lambda: SPREAD.copy())
    alike: float = 0.10


@dataclass(frozen=True, eq=False)
class Linear:
    """The problem about one state: Gauss-Newton's normal equations.

    Attributes:
        cost: Half the sum of squares, after the robust loss.
        cameras: (C, C) of the cameras' unknowns, C = 9 V.
        mixed: (P, 51, C).
        people: (P, 51, 51).
        camera_slope: (C,) gradient.
        people_slope: (P, 51).
        camera_slopes: (P, C) the same by person.
        residual: (P, V, 17) distances in the image, pixels, NaN where a joint is not used.
    """

    cost: float
    cameras: np.ndarray
    mixed: np.ndarray
    people: np.ndarray
    camera_slopes: np.ndarray
    people_slope: np.ndarray
    residual: np.ndarray

    @property
    def camera_slope(self) -> np.ndarray:
        """(C,) gradient of the cameras' unknowns."""
        return self.camera_slopes.sum(0)


def residuals(cameras: Cameras, points: np.ndarray, seen: Sightings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Differences of projected and detected joints, and their derivatives.

    Args:
        cameras: V cameras.
        points: (P, 17, 3) joints, metres.
        seen: Detections.

    Returns:
        (P, V, 17, 2) in units of the usual error, times the square root of the confidence; (P, V, 17, 2, 9) by the
        camera's unknowns; (P, V, 17, 2, 3) by the joint.
    """
    away = points[:, None] - cameras.place[:, None]  # (P, V, 17, 3)
    local = np.einsum("vab,pvjb->pvja", cameras.rotation, away)
    depth = np.maximum(local[..., 2], _SMALLEST_DEPTH)
    ray = local[..., :2] / depth[..., None]
    radius = (ray * ray).sum(-1)
    zoom, barrel = np.exp(cameras.zoom)[:, None], cameras.barrel[:, None]
    bend = 1 + barrel * radius
    shown = (zoom * bend)[..., None] * ray
    unit = (seen.weight / seen.sigma)[..., None] * seen.focal[:, None]  # (P, V, 17, 2)
    difference = unit * (shown - seen.rays - seen.speed * cameras.offset[:, None, None])
    # d shown / d ray
    inner = zoom[..., None, None] * (
        bend[..., None, None] * np.eye(2) + 2 * barrel[..., None, None] * ray[..., :, None] * ray[..., None, :]
    )
    fall = np.zeros((*ray.shape, 3))
    fall[..., 0, 0] = fall[..., 1, 1] = 1 / depth
    fall[..., 2] = -ray / depth[..., None]
    by_local = unit[..., None] * (inner @ fall)
    by_point = np.einsum("pvjra,vab->pvjrb", by_local, cameras.rotation)
    by_camera = np.empty((*ray.shape, SIZE))
    x, y, z = (by_local[..., k] for k in range(3))
    lx, ly, lz = (local[..., None, k] for k in range(3))
    # A turn w moves the local point by w x local: the row times -[local]x.
    by_camera[..., 0], by_camera[..., 1], by_camera[..., 2] = z * ly - y * lz, x * lz - z * lx, y * lx - x * ly
    by_camera[..., PLACE] = -by_point
    by_camera[..., FOCAL] = unit * shown
    by_camera[..., BARREL] = unit * (zoom * radius)[..., None] * ray
    by_camera[..., CLOCK] = -unit * seen.speed
    return difference, by_camera, by_point


def linearise(cameras: Cameras, points: np.ndarray, seen: Sightings, rules: BodyRules | None, huber: float) -> Linear:
    """Normal equations about a state.

    Args:
        cameras: V cameras.
        points: (P, 17, 3); joints that are not active do not count.
        seen: Detections.
        rules: Of bodies; None: nothing is expected.
        huber: Residual at which the loss becomes linear, in units of the usual error.

    Returns:
        See `Linear`.
    """
    active = seen.active
    points = np.where(active[..., None], points, 0.0)
    used = (seen.weight > 0) & active[:, None]
    difference, by_camera, by_point = residuals(cameras, points, seen)
    difference = np.where(used[..., None], difference, 0.0)
    length = np.linalg.norm(difference, axis=-1)
    cost = float(np.where(length <= huber, 0.5 * length**2, huber * (length - 0.5 * huber)).sum())
    weight = np.where(used, np.minimum(1.0, huber / np.maximum(length, 1e-12)), 0.0)
    root = np.sqrt(weight)[..., None, None]
    by_camera, by_point = root * by_camera, root * by_point
    left = root[..., 0] * difference
    people, views = active.shape[0], len(cameras.place)
    count = views * SIZE
    each = np.einsum("pvjra,pvjrb->vab", by_camera, by_camera, optimize=True)
    whole = np.zeros((views, SIZE, views, SIZE))
    whole[np.arange(views), :, np.arange(views)] = each
    mixed = np.einsum("pvjra,pvjrb->pjavb", by_point, by_camera, optimize=True).reshape(people, 51, count)
    blocks = np.zeros((people, 17, 3, 17, 3))
    joints = np.arange(17)
    blocks[:, joints, :, joints] = np.moveaxis(np.einsum("pvjra,pvjrb->pjab", by_point, by_point, optimize=True), 1, 0)
    slope = np.einsum("pvjra,pvjr->pja", by_point, left)
    slopes = np.einsum("pvjra,pvjr->pva", by_camera, left).reshape(people, count)
    if rules is not None:
        cost += _add_bodies(points, active, rules, huber, blocks, slope)
    blocks[:, joints, :, joints] += np.where(active.T[..., None, None], 0.0, np.eye(3))
    pixels = np.where(used, length * seen.sigma / np.where(seen.weight > 0, seen.weight, 1.0), np.nan)
    flat = blocks.reshape(people, 51, 51)
    return Linear(cost, whole.reshape(count, count), mixed, flat, slopes, slope.reshape(people, 51), pixels)


def _add_bodies(
    points: np.ndarray, active: np.ndarray, rules: BodyRules, huber: float, blocks: np.ndarray, slope: np.ndarray
) -> float:
    """Add how far bones are from their usual lengths, and from the other side's; the cost is returned."""
    cost, bones = 0.0, []
    for (a, b), usual, spread in zip(ENDS, rules.length, rules.spread, strict=True):
        along = points[:, a] - points[:, b]
        length = np.linalg.norm(along, axis=-1)
        there = active[:, a] & active[:, b] & (length > 1e-6)
        unit = np.where(there[:, None], along / np.maximum(length, 1e-6)[:, None], 0.0)
        bones.append((a, b, unit, np.where(there, length, 0.0), there, usual))
        residual = np.where(there, (length / usual - 1) / spread, 0.0)
        cost += _add_row(residual, [(a, unit / (usual * spread)), (b, -unit / (usual * spread))], huber, blocks, slope)
    for left, right in zip(bones[::2], bones[1::2], strict=True):
        there, scale = left[4] & right[4], left[5] * rules.alike
        residual = np.where(there, (left[3] - right[3]) / scale, 0.0)
        sign = np.where(there, 1 / scale, 0.0)[:, None]
        ends = [(left[0], left[2] * sign), (left[1], -left[2] * sign)]
        ends += [(right[0], -right[2] * sign), (right[1], right[2] * sign)]
        cost += _add_row(residual, ends, huber, blocks, slope)
    return cost


def _add_row(residual: np.ndarray, ends: list, huber: float, blocks: np.ndarray, slope: np.ndarray) -> float:
    """Add a residual (P,) with its derivatives by joints."""
    size = np.abs(residual)
    weight = np.minimum(1.0, huber / np.maximum(size, 1e-12))
    for a, by_a in ends:
        slope[:, a] += (weight * residual)[:, None] * by_a
        for b, by_b in ends:
            blocks[:, a, :, b] += weight[:, None, None] * by_a[:, :, None] * by_b[:, None, :]
    return float(np.where(size <= huber, 0.5 * size**2, huber * (size - 0.5 * huber)).sum())


def reduce(linear: Linear, damping: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Eliminate the people.

    Args:
        linear: Normal equations.
        damping: Levenberg-Marquardt's factor on the diagonal.

    Returns:
        The cameras' (C, C) Schur complement and (P, C) gradients by person; (P, 51, C + 1) the solution of people for
        the cameras' unknowns and for their own gradient.
    """
    people = linear.people
    if damping:
        diagonal = np.einsum("pii->pi", people)
        people = people + damping * np.eye(51) * diagonal[:, None]
    solved = np.linalg.solve(people, np.concatenate([linear.mixed, linear.people_slope[..., None]], -1))
    back = np.swapaxes(linear.mixed, 1, 2) @ solved  # (P, C, C + 1)
    return linear.cameras - back[..., :-1].sum(0), linear.camera_slopes - back[..., -1], solved


def adjust(
    cameras: Cameras,
    points: np.ndarray,
    seen: Sightings,
    free: np.ndarray,
    rules: BodyRules | None = None,
    huber: float = 2.0,
    steps: int = 30,
    prior: np.ndarray | None = None,
) -> tuple[Cameras, np.ndarray, Linear]:
    """Find the best cameras and joints near a start.

    Args:
        cameras: Start.
        points: (P, 17, 3) start.
        seen: Detections.
        free: (V, 9) unknowns that may change.
        rules: Of bodies: with them the scale is that of usual people; without them it stays free, see `prior`.
        huber: See `linearise`.
        steps: Most steps.
        prior: (V, 9) weights 1 / spread^2 that hold unknowns of lens and clock at 0, and places where they start.

    Returns:
        Cameras, joints, and the problem about them.
    """
    free = free.ravel()
    hold = np.zeros(len(free)) if prior is None else prior.ravel()
    start, damping = cameras, 1e-3
    linear = linearise(cameras, points, seen, rules, huber)
    cost = linear.cost + _held(cameras, start, hold)[0]
    active = seen.active[..., None]
    for _ in range(steps):
        held, held_slope = _held(cameras, start, hold)
        schur, slopes, solved = reduce(linear, damping)
        schur = schur + np.diag(hold)
        right = -(slopes.sum(0) + held_slope)
        schur, right = schur[np.ix_(free, free)], right[free]
        step = np.zeros(len(free))
        step[free] = np.linalg.lstsq(schur + damping * np.diag(np.diag(schur)), right, rcond=1e-15)[0]
        step = np.clip(step, -1, 1)
        joints = -(solved[..., -1] + solved[..., :-1] @ step).reshape(points.shape)
        new_cameras = cameras.moved(step.reshape(-1, SIZE))
        new_points = np.where(active, points + np.clip(joints, -1, 1), points)
        new = linearise(new_cameras, new_points, seen, rules, huber)
        new_cost = new.cost + _held(new_cameras, start, hold)[0]
        if np.isfinite(new_cost) and new_cost < cost:
            gain = cost - new_cost
            cameras, points, linear, cost = new_cameras, new_points, new, new_cost
            damping = max(damping / 6, 1e-9)
            if gain < 1e-7 * cost:
                break
        else:
            damping *= 8
            if damping > _FAR:
                break
    return cameras, points, linear


def _held(cameras: Cameras, start: Cameras, hold: np.ndarray) -> tuple[float, np.ndarray]:
    values = np.zeros((len(cameras.place), SIZE))
    values[:, PLACE] = cameras.place - start.place
    values[:, FOCAL], values[:, BARREL], values[:, CLOCK] = cameras.zoom, cameras.barrel, cameras.offset
    flat = values.ravel()
    return 0.5 * float((hold * flat**2).sum()), hold * flat
