"""A rig from nothing but the poses of its views, for associating people without a calibration.

Nobody knows who is who, and where the cameras are. So pairs of poses of one moment are guessed to be one person, two or
three at a time; each guess gives a fundamental matrix, and the one under which the most people of all moments find a
partner is kept. Association and geometry then improve each other, first between two views, then of all of them with
focal lengths and places. The unit of length comes from the bones, the floor from the heads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from orplugins.geometry.assignment import match_pairs
from orplugins.geometry.cameras import Camera
from orplugins.geometry.epipolar import epipolar_distance, fundamental_matrix
from orplugins.geometry.rotations import from_vector
from orplugins.geometry.triangulation import camera_rays, intersect_rays, project, world_to_camera_matrices
from orplugins.geometry.two_views import eight_points, essential_mismatch, line_distance, relative_poses
from orplugins.multiview.cross_view import Seen, Who, who_is_who

_FOCAL = 0.85  # of an image's longer side, where nothing is known
Rows = tuple[np.ndarray, np.ndarray, np.ndarray]  # moment, number in the first view, number in the second


@dataclass(frozen=True)
class OwnRigRules:
    """How the rig is looked for; pixels of images 640 wide.

    Attributes:
        agree_px: Median distance of a person's joints from the epipolar lines at which two poses may be one person.
        guesses: Fundamental matrices that are tried.
        moments: With which they are compared, at most,
        pairs: or as many as have so many pairs of poses.
        least: Share of the people who find a partner between two views, below which nothing is believed.
        least_people: And their least number.
        rounds: Of association and geometry.
        focal_spread: Of focal lengths about the guess (logarithm).
        seed: Of the guesses.
    """

    agree_px: float = 12.0
    guesses: int = 3000
    moments: int = 150
    pairs: int = 500
    least: float = 0.5
    least_people: int = 12
    rounds: int = 4
    focal_spread: float = 0.2
    seed: int = 0


def own_rig(
    sizes: Sequence[tuple[int, int]], moments: Sequence[Sequence[Seen]], rules: OwnRigRules | None = None
) -> tuple[list[Camera], list[Who]]:
    """Find cameras, and who is who among people with poses.

    Args:
        sizes: (width, height) of the V views' images.
        moments: For every moment V views. The cameras stand still.
        rules: How; None: the defaults.

    Returns:
        Cameras with the floor at z = 0, z up, lengths that of usual bones; and for every moment who is who.

    Raises:
        ValueError: The views have too few people in common, or no geometry explains them.
    """
    rules = rules or OwnRigRules()
    pairs = {
        (a, b): _Pair(a, b, sizes, moments, rules) for a, b in combinations(range(len(sizes)), 2)
    }  # fmt: skip
    pairs = {key: pair for key, pair in pairs.items() if pair.found}
    cameras = _chain(sizes, pairs)
    for _ in range(rules.rounds):
        who = who_is_who(cameras, moments)
        cameras = _bundle(cameras, _joints(moments, who), rules)
    cameras = _on_floor(cameras, moments, who)
    return cameras, who_is_who(cameras, moments)


class _Pair:
    """Two views: guesses, and the fundamental matrix that most people agree with.

    Attributes:
        found: Whether there is one that is believed.
        fundamental: (3, 3).
        points: Two (N, 2) of the joints of people who agree.
        support: Number of those people.
    """

    def __init__(self, a: int, b: int, sizes, moments, rules: OwnRigRules):
        self.names, self.rules = (a, b), rules
        self.scale = max(max(sizes[v]) for v in (a, b)) / 640
        self.found, self.support = False, 0
        both = [t for t, views in enumerate(moments) if views[a].posed.any() and views[b].posed.any()]
        if len(both) < 4:
            return
        crowd = np.mean([moments[t][a].posed.sum() * moments[t][b].posed.sum() for t in both])
        count = min(len(both), rules.moments, max(20, int(rules.pairs / crowd)))
        used = [both[k] for k in np.linspace(0, len(both) - 1, count).astype(int)]
        rows = self._rows(moments, used)
        possible = len(np.unique(rows[0] * 1000 + rows[1])), len(np.unique(rows[0] * 1000 + rows[2]))
        fundamental = self._guess(moments, rows)
        rows = self._rows(moments, both)
        for _ in range(8):
            chosen = self._agreeing(fundamental, moments, rows)
            if len(chosen[0]) < 4:
                return
            fundamental = self._fit(moments, chosen, fundamental)
        chosen = self._agreeing(fundamental, moments, rows)
        people = min(len(np.unique(rows[0] * 1000 + rows[side])) for side in (1, 2))
        self.fundamental, self.support = fundamental, len(chosen[0])
        self.found = self.support >= rules.least_people and self.support >= rules.least * people and min(possible) > 3
        first, second, there = self._poses(moments, chosen)
        self.points = first[there], second[there]

    def _rows(self, moments, used: Sequence[int]) -> Rows:
        """Every pair of poses of these moments."""
        a, b = self.names
        rows = [
            (t, i, j)
            for t in used
            for i in np.flatnonzero(moments[t][a].posed)
            for j in np.flatnonzero(moments[t][b].posed)
        ]
        moment, one, two = np.array(rows, dtype=np.int64).T
        return moment, one, two

    def _poses(self, moments, rows: Rows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(P, 10, 2) twice, and (P, 10) joints that both have and are sure of."""
        sides = [
            np.stack([moments[t][v].poses[k] for t, k in zip(rows[0], rows[side], strict=True)])
            for side, v in zip((1, 2), self.names, strict=True)
        ]
        there = (sides[0][..., 2] > 0) & (sides[1][..., 2] > 0)
        sure = there & (np.minimum(sides[0][..., 2], sides[1][..., 2]) >= 0.5)
        there = np.where(sure.sum(1, keepdims=True) >= 5, sure, there)
        return sides[0][..., :2], sides[1][..., :2], there

    def _guess(self, moments, rows: Rows) -> np.ndarray:
        """The best of many matrices from three guessed people each; guesses prefer moments with few people."""
        rng = np.random.default_rng(self.rules.seed)
        first, second, there = self._poses(moments, rows)
        _, place = np.unique(rows[0], return_inverse=True)
        count = np.bincount(place)
        chance = 1 / count[place] ** 2
        drawn = rng.choice(len(place), size=(self.rules.guesses, 3), p=chance / chance.sum())
        people = rows[0][drawn]
        drawn = drawn[(people[:, 0] != people[:, 1]) & (people[:, 1] != people[:, 2]) & (people[:, 0] != people[:, 2])]
        shape = len(drawn), -1
        one, two = (side[drawn].reshape(*shape, 2) for side in (first, second))
        matrices = eight_points(one, two, there[drawn].reshape(shape).astype(float))
        best, most = np.eye(3), -1.0
        for part in np.array_split(matrices, max(1, len(matrices) // 200)):
            scores = self._score(part, first, second, there, rows)
            if len(scores) and scores.max() > most:
                best, most = part[scores.argmax()], float(scores.max())
        return best

    def _score(self, matrices: np.ndarray, first, second, there, rows: Rows) -> np.ndarray:
        """(H,) people who find a partner, counted by how well."""
        distance = np.abs(line_distance(matrices, first.reshape(-1, 2), second.reshape(-1, 2)))
        share = np.clip(distance.reshape(len(matrices), *there.shape) / (2 * self.rules.agree_px * self.scale), 0, 1)
        value = 1 - (share * there).sum(-1) / np.maximum(there.sum(-1), 1)
        key = rows[0] * 1000 + rows[1]
        starts = np.flatnonzero(np.diff(key, prepend=-1))
        return np.maximum(np.maximum.reduceat(value, starts, axis=1) - 0.3, 0).sum(1)

    def _agreeing(self, fundamental: np.ndarray, moments, rows: Rows) -> Rows:
        """Pairs that are each other's best (Hungarian) and agree."""
        first, second, there = self._poses(moments, rows)
        distance = np.where(there, np.abs(line_distance(fundamental, first, second)), np.nan)
        with np.errstate(all="ignore"):
            some = np.any(there, axis=1)
            median = np.where(some, np.nanmedian(np.where(some[:, None], distance, 0.0), 1), np.inf)
        kept: list[int] = []
        for part in np.split(np.arange(len(median)), np.flatnonzero(np.diff(rows[0])) + 1):
            ones, twos = np.unique(rows[1][part]), np.unique(rows[2][part])
            cost = median[part].reshape(len(ones), len(twos))
            match = match_pairs(cost, self.rules.agree_px * self.scale)
            kept += [part[i * len(twos) + j] for i, j in enumerate(match) if j >= 0]
        return rows[0][kept], rows[1][kept], rows[2][kept]

    def _fit(self, moments, rows: Rows, fundamental: np.ndarray) -> np.ndarray:
        first, second, there = self._poses(moments, rows)
        first, second = first[there], second[there]
        for _ in range(3):
            off = np.abs(line_distance(fundamental, first, second)) / (0.5 * self.rules.agree_px * self.scale)
            fundamental = eight_points(first, second, 1 / (1 + off**2))
        return fundamental


def _chain(sizes: Sequence[tuple[int, int]], pairs: dict[tuple[int, int], _Pair]) -> list[Camera]:
    """Cameras of one world, the first of them, from pairs of views: the focal length that fits best, then poses."""
    linked = {v for key in pairs for v in key}
    if len(linked) < len(sizes):
        missing = ", ".join(str(v + 1) for v in range(len(sizes)) if v not in linked)
        raise ValueError(
            f"no geometry between views: of view {missing} too few people are in the others, too, or they agree with "
            "no position of its camera"
        )
    factors = np.exp(np.linspace(np.log(0.5), np.log(2.5), 60))

    def matrices(factor: float) -> list[np.ndarray]:
        return [_guess_camera(size, factor).matrix for size in sizes]

    cost = [
        sum(
            essential_mismatch(p.fundamental, k[p.names[0]], k[p.names[1]]) * min(p.support, 200)
            for p in pairs.values()
        )
        + 20 * np.log(factor / _FOCAL) ** 2
        for factor in factors
        for k in [matrices(factor)]
    ]
    factor = float(factors[int(np.argmin(cost))])
    cameras: dict[int, Camera] = {}
    order = sorted(pairs, key=lambda key: -pairs[key].support)
    cameras[order[0][0]] = _guess_camera(sizes[order[0][0]], factor)
    while len(cameras) < len(sizes):
        key = next((key for key in order if (key[0] in cameras) != (key[1] in cameras)), None)
        if key is None:
            raise ValueError("no geometry between views: two groups of them have no people in common")
        old, new = key if key[0] in cameras else key[::-1]
        cameras[new] = _attach(cameras, old, new, _guess_camera(sizes[new], factor), pairs)
    return [cameras[v] for v in range(len(sizes))]


def _guess_camera(size: tuple[int, int], factor: float) -> Camera:
    focal = factor * max(size)
    return Camera(focal, focal, (size[0] - 1) / 2, (size[1] - 1) / 2, size)


def _attach(cameras: dict[int, Camera], old: int, new: int, camera: Camera, pairs: dict) -> Camera:
    """A camera next to one that has its place: the pose before which the points lie; the distance by other views."""
    pair = pairs.get((old, new)) or pairs[new, old]
    turned = pair.names[0] == new
    fundamental = pair.fundamental.T if turned else pair.fundamental
    first, second = pair.points[::-1] if turned else pair.points
    best, most = camera, -1.0
    alone = replace(cameras[old], pose=np.eye(4))
    for rotation, translation in relative_poses(camera.matrix.T @ fundamental @ alone.matrix):
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = rotation.T, -rotation.T @ translation
        tried = replace(camera, pose=pose)
        _, depth = _meet([alone, tried], first, second)
        front = float((depth > 0).all(0).mean())
        if front > most:
            best, most = tried, front
    others = [v for v in cameras if v != old and ((v, new) in pairs or (new, v) in pairs)]
    lengths = np.exp(np.linspace(-2.5, 2.5, 101)) if others else np.array([1.0])

    def place(length: float) -> Camera:
        pose = best.pose.copy()
        pose[:3, 3] *= length
        return replace(best, pose=cameras[old].pose @ pose)

    def off(length: float) -> float:
        total = 0.0
        for v in others:
            link = pairs.get((v, new)) or pairs[new, v]
            points = link.points if link.names[0] == v else link.points[::-1]
            distance = np.abs(line_distance(fundamental_matrix([cameras[v], place(length)]), *points))
            total += float(np.minimum(distance, 50 * link.scale).mean())
        return total

    return place(float(min(lengths, key=off)))


def _meet(cameras: Sequence[Camera], first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points (N, 3) where rays meet, and depths (2, N)."""
    rays = camera_rays(cameras, np.stack([first, second]))
    matrices = world_to_camera_matrices(cameras)
    points = intersect_rays(matrices, rays, np.ones(rays.shape[:-1]))
    return points, project(matrices, points)[1]


def _joints(moments, who: Sequence[Who]) -> dict[tuple[int, int], tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """For pairs of views the joints of people who are in both: pixels, pixels, confidence."""
    out: dict[tuple[int, int], list] = {}
    for views, found in zip(moments, who, strict=True):
        for members in found.people:
            for (a, i), (b, j) in combinations(members, 2):
                out.setdefault((a, b), []).append((views[a].poses[i], views[b].poses[j]))
    joined = {}
    for key, poses in out.items():
        one, two = (np.stack([pair[k] for pair in poses]) for k in (0, 1))
        there = (one[..., 2] > 0) & (two[..., 2] > 0)
        joined[key] = one[there][:, :2], two[there][:, :2], np.minimum(one[there][:, 2], two[there][:, 2])
    return joined


def _bundle(cameras: list[Camera], joints: dict, rules: OwnRigRules, most: int = 3000) -> list[Camera]:
    """Poses and focal lengths that bring all joints nearest to their epipolar lines; the first camera stays."""
    from scipy.optimize import least_squares

    scale = max(max(camera.size) for camera in cameras) / 640
    some = {key: [side[:: 1 + len(sides[0]) // most] for side in sides] for key, sides in joints.items()}
    inverse = np.linalg.inv(cameras[0].pose)
    start = [replace(camera, pose=inverse @ camera.pose) for camera in cameras]
    length = max(np.linalg.norm(camera.pose[:3, 3]) for camera in start[1:])
    first = np.concatenate(
        [np.concatenate([np.zeros(3), camera.pose[:3, 3] / length]) for camera in start[1:]] + [np.zeros(len(start))]
    )

    def build(x: np.ndarray) -> list[Camera]:
        built = []
        for k, camera in enumerate(start):
            pose = np.eye(4)
            if k:
                pose[:3, :3] = camera.pose[:3, :3] @ from_vector(x[6 * k - 6 : 6 * k - 3])
                pose[:3, 3] = x[6 * k - 3 : 6 * k]
            focal = camera.fx * np.exp(x[k - len(start)])
            built.append(replace(camera, fx=focal, fy=focal, pose=pose))
        return built

    def residuals(x: np.ndarray) -> np.ndarray:
        built = build(x)
        parts = [
            line_distance(fundamental_matrix([built[a], built[b]]), one, two) * np.clip(sure, 0.4, 1) / (7 * scale)
            for (a, b), (one, two, sure) in some.items()
        ]
        focal = np.array([np.log(camera.fx / (_FOCAL * max(camera.size))) for camera in built]) / rules.focal_spread
        size = 100 * (np.linalg.norm([camera.pose[:3, 3] for camera in built[1:]], axis=-1).max() - 1)
        return np.concatenate([*parts, focal, [size]])

    return build(least_squares(residuals, first, loss="cauchy", max_nfev=25, x_scale="jac").x)


_BONES = ((2, 6, 0.28), (3, 7, 0.28), (2, 3, 0.35))  # of CAMMA-10, metres; wrists are the least sure joints
_TOP_M, _HEAD_SPREAD_M, _MEET_PX = 1.66, 0.25, 6.0  # tops of heads above the floor, their spread; rays that meet
_HEAD_M = 1.55  # of a head's middle above the floor: people stand, some bend over the table


def people_points(cameras: Sequence[Camera], moments, who: Sequence[Who]) -> np.ndarray:
    """(P, 10, 3) joints of everybody who has poses in two views or more, from the first two, NaN where missing."""
    out = []
    for views, found in zip(moments, who, strict=True):
        for members in found.people:
            posed = [(v, views[v].poses[i]) for v, i in members if (views[v].poses[i, :, 2] > 0).any()]
            if len(posed) < 2:
                continue
            (a, one), (b, two) = posed[:2]
            there = (one[:, 2] > 0) & (two[:, 2] > 0)
            points, depth = _meet([cameras[a], cameras[b]], one[:, :2], two[:, :2])
            out.append(np.where((there & (depth > 0).all(0))[:, None], points, np.nan))
    return np.stack(out) if out else np.zeros((0, 10, 3))


def floor_from_people(points: np.ndarray, up: np.ndarray | None = None) -> np.ndarray:
    """Where the floor is, from people who mostly stand.

    Args:
        points: (P, 10, 3) CAMMA-10, metres, NaN where missing.
        up: (3,) the vertical if it is known; None: from trunks.

    Returns:
        (4, 4) world to axes with z up and the floor at 0.

    Raises:
        ValueError: Fewer than five people with head and hips.
    """
    trunk = points[:, 1] - points[:, 4:6].mean(1)
    known = np.isfinite(trunk).all(1) & np.isfinite(points[:, 0]).all(1)
    if known.sum() < 5:
        raise ValueError(f"{known.sum()} people with head and hips in two views, expected 5 or more to find the floor")
    if up is None:
        unit = trunk[known] / np.linalg.norm(trunk[known], axis=1, keepdims=True)
        up = np.median(unit, 0)
        near = (unit @ (up / np.linalg.norm(up))) > 0.9
        up = _level(points[known, 0], unit[near].mean(0) if near.sum() > 3 else up)
    z = up / np.linalg.norm(up)
    out = _axes(z)
    out[2, 3] = _HEAD_M - np.median(points[known, 0] @ z)
    return out


def floor_from_boxes(cameras: Sequence[Camera], moments, up: np.ndarray) -> np.ndarray:
    """Where the floor is, from boxes alone: the middles of upper edges are tops of heads, and most people stand.

    Any two boxes of a moment may be one person; where they are, the rays of their upper edges meet, at one height again
    and again. Rays of two people rarely meet, and then anywhere.

    Args:
        cameras: V cameras.
        moments: For every moment V views.
        up: (3,) the vertical, in the cameras' world.

    Returns:
        (4, 4) world to axes with z up and the floor at 0.

    Raises:
        ValueError: Too few rays meet.
    """
    z = np.asarray(up, dtype=np.float64) / np.linalg.norm(up)
    heights = []
    for a, b in combinations(range(len(cameras)), 2):
        pairs = [
            (_top(one), _top(two)) for views in moments for one in views[a].boxes for two in views[b].boxes
        ]  # fmt: skip
        if not pairs:
            continue
        first, second = (np.array([pair[k] for pair in pairs]) for k in (0, 1))
        points, depth = _meet([cameras[a], cameras[b]], first, second)
        off = epipolar_distance([cameras[a], cameras[b]], first, second)
        scale = max(cameras[a].size) / 640
        near = (off < _MEET_PX * scale) & (depth > 0.5).all(0) & (depth < 8.0).all(0)
        heights.append(points[near] @ z)
    every = np.concatenate(heights) if heights else np.zeros(0)
    if len(every) < 20:
        raise ValueError(f"{len(every)} pairs of boxes whose heads meet, expected 20 or more to find the floor")
    # The height at which most meet: densest window of a head's spread.
    ordered = np.sort(every)
    inside = np.searchsorted(ordered, ordered + _HEAD_SPREAD_M) - np.arange(len(ordered))
    start = int(inside.argmax())
    top = float(np.median(ordered[start : start + inside[start]]))
    out = _axes(z)
    out[2, 3] = _TOP_M - top
    return out


def _top(box: np.ndarray) -> tuple[float, float]:
    """The middle of a box's upper edge."""
    return float(box[0] + box[2] / 2), float(box[1])


def _axes(z: np.ndarray) -> np.ndarray:
    """(4, 4) world to axes whose z is a unit vector of it."""
    x = np.cross(np.eye(3)[np.abs(z).argmin()], z)
    x /= np.linalg.norm(x)
    out = np.eye(4)
    out[:3, :3] = np.stack([x, np.cross(z, x), z])
    return out


def _level(heads: np.ndarray, up: np.ndarray) -> np.ndarray:
    """The vertical along which heads are equally high, near another guess (people bend the way they work)."""
    up = up / np.linalg.norm(up)
    x = np.cross(np.eye(3)[np.abs(up).argmin()], up)
    x /= np.linalg.norm(x)
    axes = np.stack([x, np.cross(up, x)])
    across, height = heads @ axes.T, heads @ up
    design = np.concatenate([across - np.median(across, 0), np.ones((len(heads), 1))], 1)
    slope = np.array([0, 0, np.median(height)])
    for _ in range(10):
        weight = 1 / (1 + ((height - design @ slope) / 0.1) ** 2)
        ridge = np.diag([1.0, 1.0, 0.0])  # as sure as a head a metre away
        slope = np.linalg.solve(design.T @ (weight[:, None] * design) + ridge, design.T @ (weight * height))
    return up - slope[:2] @ axes


def _on_floor(cameras: list[Camera], moments, who: Sequence[Who]) -> list[Camera]:
    points = people_points(cameras, moments, who)
    shares = [np.linalg.norm(points[:, a] - points[:, b], axis=-1) / usual for a, b, usual in _BONES]
    known = np.concatenate(shares) if shares else np.zeros(0)
    known = known[np.isfinite(known)]
    if not len(known):
        raise ValueError("no bone is seen by two views: the unit of length is not known")
    size = 1 / float(np.median(known))
    poses = []
    for camera in cameras:
        pose = camera.pose.copy()
        pose[:3, 3] *= size
        poses.append(pose)
    floor = floor_from_people(points * size)
    return [replace(camera, pose=floor @ pose) for camera, pose in zip(cameras, poses, strict=True)]
