"""People of several calibrated cameras, for many frames at once.

The rules are those of `people`. `benchmarks/multiview_reference.py` applies them frame by frame: it is the readable
form, gives the same answer, and is the reference of this one's tests. What is different: pairs of detections whose
joints cannot meet are left out by their epipolar distance alone, the two rays of a joint meet in closed form, and the
choice of people is greedy with a proof. The proof is a price for every detection: where no set of detections is worth
more than its members' prices together, and the chosen sets are worth exactly theirs, no other choice is worth more
(linear programming duality). Frames without such a proof are searched.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.geometry.epipolar import fundamental_matrix
from orplugins.geometry.triangulation import camera_rays, present, world_to_camera_matrices
from orplugins.multiview.people import (
    BONES,
    FACE_JOINTS,
    LIMB_JOINTS,
    MultiViewRules,
    People,
    believed,
    body_penalty,
    bone_penalty,
    hypotheses,
    joint_weights,
    pack,
    triangulate_people,
    usable_detections,
)
from orplugins.skeletons import COCO_17

_JOINTS = (*LIMB_JOINTS, *FACE_JOINTS)
_BONE_ENDS = tuple([_JOINTS.index(bone[side]) for bone in BONES] for side in (0, 1))
_BLOCK = 32  # frames whose arrays stay in a processor's cache together
_PEOPLE = 1024  # and people
_MOST_SETS = 5000  # a frame; beyond, the reference's own limit is applied by the reference


@dataclass(frozen=True)
class _View:
    """The usable detections of a camera, frame after frame, joints in the order of `_JOINTS`."""

    camera: Camera
    keypoints: np.ndarray  # (D, 17, 3), zeros where a joint is missing
    index: np.ndarray  # (D,) number in the caller's list
    first: np.ndarray  # (F + 1,) bounds of the frames
    there: np.ndarray  # (D, 13)
    ray: tuple[np.ndarray, np.ndarray]  # x/z, y/z, each (D, 13)
    pixel: tuple[np.ndarray, np.ndarray]  # undistorted
    direction: tuple[np.ndarray, np.ndarray, np.ndarray]  # of the ray in the world, length 1


def _bounds(views: list[_View]) -> np.ndarray:
    """(V + 1,) where each view's detections begin among those of all views, and their number."""
    return np.concatenate([[0], np.cumsum([len(view.index) for view in views])])


def _pairs(first_a: np.ndarray, first_b: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frame, row of a and row of b of every pair of detections of one frame, from the bounds of the frames' rows."""
    count_a, count_b = np.diff(first_a), np.diff(first_b)
    number = count_a * count_b
    frame = np.repeat(np.arange(len(number)), number)
    within = np.arange(len(frame)) - np.repeat(np.cumsum(number) - number, number)
    width = count_b[frame]
    return frame, first_a[frame] + within // width, first_b[frame] + within % width


def _usable(people: np.ndarray, first: np.ndarray, rules: MultiViewRules) -> np.ndarray:
    """(D,) which detections (D, 17, 3) of one camera are used, see `people.usable_detections`."""
    there = present(people)
    good = there[:, list(LIMB_JOINTS)].sum(1) >= rules.min_limb_joints
    frame, i, j = _pairs(first, first)
    keep = (i > j) & good[i] & good[j]
    frame, i, j = frame[keep], i[keep], j[keep]
    # A repetition has half of its joints near the other's, so the boxes meet.
    x, y = (np.where(there, people[..., k], np.nan) for k in (0, 1))
    for side in (x, y):
        low = np.where(there, side, np.inf).min(1) - rules.duplicate_px
        high = np.where(there, side, -np.inf).max(1)
        touch = (low[i] < high[j]) & (low[j] < high[i])
        frame, i, j = frame[touch], i[touch], j[touch]
    with np.errstate(invalid="ignore"):
        near = (x[i] - x[j]) ** 2 + (y[i] - y[j]) ** 2 < rules.duplicate_px**2
    shared = (there[i] & there[j]).sum(1)
    for t in np.unique(frame[(2 * near.sum(1) >= shared) & (shared > 0)]):
        rows = slice(first[t], first[t + 1])
        chosen = usable_detections(people[rows], rules)
        good[rows] = False
        good[first[t] + chosen] = True
    return good


def _prepare(camera: Camera, frames: Sequence[np.ndarray], rules: MultiViewRules) -> _View:
    """Usable detections of one camera, with what does not depend on the other."""
    counts = np.array([len(people) for people in frames], dtype=np.int64)
    first = np.concatenate([[0], np.cumsum(counts)])
    people = np.concatenate([np.asarray(p, dtype=np.float64).reshape(-1, COCO_17.num_joints, 3) for p in frames])
    good = _usable(people, first, rules)
    number = np.arange(len(people)) - np.repeat(first[:-1], counts)
    first = np.concatenate([[0], np.cumsum(good)])[first]
    people = people[good]
    wanted = people[:, list(_JOINTS)]
    there = present(wanted)
    pixels = np.where(there[..., None], wanted[..., :2], 0.0)
    x, y = np.moveaxis(camera_rays([camera], pixels[None])[0], -1, 0).copy()
    x[~there], y[~there] = 0, 0
    rotation = camera.pose[:3, :3]
    length = 1 / np.sqrt(x * x + y * y + 1)
    direction = tuple((rotation[k, 0] * x + rotation[k, 1] * y + rotation[k, 2]) * length for k in range(3))
    pixel = x * camera.fx + camera.cx, y * camera.fy + camera.cy
    return _View(camera, people, number[good], first, there, (x, y), pixel, direction)


class _Bound:
    """Which pairs of two cameras' detections could reach ``worst`` at all, by the distance of joints from lines.

    If a point of space lies e1 and e2 pixels from two image points x1 and x2, then with F between the images
    |x2' F x1| <= e1 |F' x2| + e2 |F x1| + e1 e2 |F|, where lengths and the norm of F are of the first two rows and
    columns. So (e1 + e2) / 2 is at least |x2' F x1| / (n + sqrt(n^2 + |F| |x2' F x1|)), n the greater of the lengths.
    Single precision, and a thousandth to spare.
    """

    def __init__(self, a: _View, b: _View, rules: MultiViewRules):
        f = fundamental_matrix([a.camera, b.camera])
        f /= np.linalg.norm(f[:2, :2], 2)
        (x1, y1), (x2, y2) = a.pixel, b.pixel
        self.line = [(row[0] * x1 + row[1] * y1 + row[2]).astype(np.float32) for row in f]
        back = [(row[0] * x2 + row[1] * y2 + row[2]).astype(np.float32) for row in f.T[:2]]
        self.point = x2.astype(np.float32), y2.astype(np.float32)
        self.lengths = [np.sqrt(side[0] ** 2 + side[1] ** 2) for side in (self.line, back)]
        self.there, self.weights, self.rules = (a.there, b.there), joint_weights(rules).astype(np.float32), rules

    def __call__(self, i: np.ndarray, j: np.ndarray) -> np.ndarray:
        """(P,) for pairs of rows."""
        one, two, three = (np.take(side, i, 0) for side in self.line)
        value = np.abs(one * np.take(self.point[0], j, 0) + two * np.take(self.point[1], j, 0) + three)
        length = np.maximum(np.take(self.lengths[0], i, 0), np.take(self.lengths[1], j, 0))
        error = value / (length + np.sqrt(length * length + value) + np.float32(1e-9))
        term = np.maximum(1 - error * np.float32(1 / self.rules.pixel_scale), np.float32(-1))
        term *= np.take(self.there[0], i, 0) & np.take(self.there[1], j, 0)
        return term @ self.weights >= self.rules.worst - 1e-3


def _affinity(a: _View, b: _View, rows: tuple[np.ndarray, np.ndarray], rules: MultiViewRules) -> np.ndarray:
    """(P,) `people.pair_affinity` of pairs of rows; the point of a joint is midway between the two rays."""
    i, j = rows
    shared = np.take(a.there, i, 0) & np.take(b.there, j, 0)
    u, v = ([np.take(d, row, 0) for d in view.direction] for view, row in ((a, i), (b, j)))
    centre_a, centre_b = a.camera.pose[:3, 3], b.camera.pose[:3, 3]
    base = centre_b - centre_a
    cosine = u[0] * v[0] + u[1] * v[1] + u[2] * v[2]
    along_u, along_v = (base[0] * d[0] + base[1] * d[1] + base[2] * d[2] for d in (u, v))
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = 0.5 / (1 - cosine * cosine)
        s, t = (along_u - cosine * along_v) * scale, (cosine * along_u - along_v) * scale
        points = [u[k] * s + v[k] * t + 0.5 * (centre_a[k] + centre_b[k]) for k in range(3)]
        error, front = 0.0, shared
        for matrix, view, row in zip(world_to_camera_matrices([a.camera, b.camera]), (a, b), rows, strict=True):
            local = [m[0] * points[0] + m[1] * points[1] + m[2] * points[2] + m[3] for m in matrix]
            inverse = 1 / local[2]
            dx = (local[0] * inverse - np.take(view.ray[0], row, 0)) * view.camera.fx
            dy = (local[1] * inverse - np.take(view.ray[1], row, 0)) * view.camera.fy
            error = error + np.sqrt(dx * dx + dy * dy)
            front = front & (local[2] > rules.min_depth_m)
        term = np.where(front, np.maximum(1 - error * (0.5 / rules.pixel_scale), -1), -1.0)
    total = np.where(shared, term, 0.0) @ joint_weights(rules)
    count = shared @ np.ones(len(_JOINTS))
    body = np.stack([np.where(shared, p, 0.0) @ np.ones(len(_JOINTS)) for p in points], -1)
    body /= np.maximum(count, 1)[:, None]
    length = np.sqrt(sum((p[:, _BONE_ENDS[0]] - p[:, _BONE_ENDS[1]]) ** 2 for p in points))
    total -= bone_penalty(np.where(shared[:, _BONE_ENDS[0]] & shared[:, _BONE_ENDS[1]], length, np.nan)).sum(-1)
    return np.where(count > 0, total - body_penalty((a.camera, b.camera), body, rules), 0.0)


@dataclass(frozen=True)
class _Sets:
    """Sets of detections that may be a person: global detection numbers (M, V), -1 for no detection; values (M,)."""

    frame: np.ndarray
    members: np.ndarray
    value: np.ndarray
    share: np.ndarray  # (M, V) half of the pair terms of each member: their sum is the value


def _link(views: list[_View], rules: MultiViewRules) -> dict[tuple[int, int], tuple[np.ndarray, ...]]:
    """For two cameras the pairs that are allowed in one person: frame, row, row, pair term."""
    links, frames = {}, len(views[0].first) - 1
    for a, b in itertools.combinations(range(len(views)), 2):
        bound, parts = _Bound(views[a], views[b], rules), []
        for start in range(0, frames, _BLOCK):
            bounds = slice(start, min(start + _BLOCK, frames) + 1)
            frame, i, j = _pairs(views[a].first[bounds], views[b].first[bounds])
            some = bound(i, j)
            frame, i, j = frame[some] + start, i[some], j[some]
            value = _affinity(views[a], views[b], (i, j), rules)
            some = value >= rules.worst
            parts.append((frame[some], i[some], j[some], value[some]))
        links[a, b] = tuple(np.concatenate(column) for column in zip(*parts, strict=True))
    return links


def _candidates(views: list[_View], links: dict, rules: MultiViewRules) -> tuple[_Sets, np.ndarray]:
    """All sets of a frame, two detections or more, whose pairs are all allowed and which good pairs hold together.

    Also (F,) whether a frame has more of them than the reference would look at.
    """
    frames, count = len(views[0].first) - 1, len(views)
    most = max(int(np.diff(view.first).max(initial=0)) for view in views)
    table = {}  # (F, N, N) pair terms of two cameras, -inf where not allowed
    for (a, b), (frame, i, j, value) in links.items():
        table[a, b] = np.full((frames, most, most), -np.inf)
        table[a, b][frame, i - views[a].first[frame], j - views[b].first[frame]] = value
    crowded = np.zeros(frames, dtype=bool)
    kept = [(np.zeros(0, dtype=np.int64), np.zeros((0, count), dtype=np.int64))]
    # Sets grow by cameras in their order, so that each is made once.
    level = []
    for (a, b), (frame, i, j, _) in links.items():
        local = np.full((len(frame), count), -1)
        local[:, a], local[:, b] = i - views[a].first[frame], j - views[b].first[frame]
        level.append((frame, local))
    frame, local = (np.concatenate(column) for column in zip(*level, strict=True))
    while len(frame):
        crowded |= np.bincount(frame, minlength=frames) > _MOST_SETS
        frame, local = frame[~crowded[frame]], local[~crowded[frame]]
        kept.append((frame, local))
        last = count - 1 - (local[:, ::-1] >= 0).argmax(1)
        level = []
        for view in range(2, count):
            rows = np.flatnonzero(last < view)
            fits = np.ones((len(rows), most), dtype=bool)
            for other in range(view):
                has = np.flatnonzero(local[rows, other] >= 0)
                at = rows[has]
                fits[has] &= np.isfinite(table[other, view][frame[at], local[at, other]])
            at, new = np.nonzero(fits)
            larger = local[rows[at]]
            larger[:, view] = new
            level.append((frame[rows[at]], larger))
        if not level:
            break
        frame, local = (np.concatenate(column) for column in zip(*level, strict=True))
    frame, local = (np.concatenate(column) for column in zip(*kept, strict=True))
    half = np.zeros(local.shape)
    joined = np.zeros((len(frame), count, count), dtype=bool)
    for (a, b), terms in table.items():
        both = np.flatnonzero((local[:, a] >= 0) & (local[:, b] >= 0))
        term = terms[frame[both], local[both, a], local[both, b]]
        half[both, a] += term / 2
        half[both, b] += term / 2
        joined[both, a, b] = joined[both, b, a] = term > rules.least
    members = local >= 0
    together = _connected(joined, members)
    value = half.sum(1)
    good = together & (value > 0)
    start = np.stack([view.first[:-1] for view in views], 1)
    numbers = np.where(members, local + start[frame] + _bounds(views)[:-1], -1)
    return _Sets(frame[good], numbers[good], value[good], half[good]), crowded


def _connected(joined: np.ndarray, members: np.ndarray) -> np.ndarray:
    """(M,) whether the links (M, V, V) hold all members (M, V) of a set together."""
    links, size = joined.sum((1, 2)) // 2, members.sum(1)
    together = links >= size - 1
    large = np.flatnonzero(together & (size > 3))  # up to three members it is enough to count
    reach = joined[large] | np.eye(members.shape[1], dtype=bool)
    for _ in range(members.shape[1].bit_length()):
        reach = (reach[:, :, :, None] & reach[:, None]).any(2)
    pairs = members[large][:, :, None] & members[large][:, None]
    together[large] = (reach | ~pairs).all((1, 2))
    return together


def _choose(sets: _Sets, detections: int, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Greedy choice, best sets first: (M,) what is chosen, and (F,) where it is proven to be the best choice."""
    member = sets.members >= 0
    order = np.argsort(-sets.value, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    chosen, open_ = np.zeros(len(rank), dtype=bool), np.arange(len(rank))
    taken = np.zeros(detections + 1, dtype=bool)  # the last: no detection
    while len(open_):
        best = np.full(detections + 1, len(rank))
        for column in sets.members[open_].T:
            np.minimum.at(best, column, rank[open_])
        members = sets.members[open_]
        wins = ((best[members] == rank[open_, None]) | (members < 0)).all(1)
        chosen[open_[wins]] = True
        taken[sets.members[open_[wins]].ravel()] = True
        taken[-1] = False
        open_ = open_[~taken[members].any(1)]
    price = np.zeros(detections + 1)
    price[sets.members[chosen][member[chosen]]] = sets.share[chosen][member[chosen]]
    dear = sets.value > price[sets.members].sum(1) + 1e-9
    proven = np.ones(frames, dtype=bool)
    proven[sets.frame[dear]] = False
    proven[sets.frame[(price[sets.members] < 0).any(1)]] = False  # a price below nothing proves nothing
    return chosen, proven


def associate(cameras: Sequence[Camera], detections: list[list[np.ndarray]], rules: MultiViewRules | None = None):
    """Association of many frames.

    Args:
        cameras: V cameras of one world.
        detections: For every frame V arrays (N, 17, 3) x, y, confidence.
        rules: Limits; None: the defaults.

    Returns:
        Prepared views, frames (P,) and members (P, V) of the people. Members are global numbers: the detections of the
        first view, then those of the second, and so on; -1 for none.
    """
    rules = rules or MultiViewRules()
    views = [_prepare(camera, [frame[v] for frame in detections], rules) for v, camera in enumerate(cameras)]
    links = _link(views, rules)
    sets, crowded = _candidates(views, links, rules)
    total = sum(len(view.index) for view in views)
    chosen, proven = _choose(sets, total, len(detections))
    chosen &= proven[sets.frame] & ~crowded[sets.frame]
    frame, members = [sets.frame[chosen]], [sets.members[chosen]]
    for t in np.flatnonzero(~proven & ~crowded):
        rows = np.flatnonzero(sets.frame == t)
        names = {tuple(row[row >= 0].tolist()): row for row in sets.members[rows]}
        best = pack([(value, name) for value, name in zip(sets.value[rows].tolist(), names, strict=True)])
        frame.append(np.full(len(best), t))
        members.append(np.array([names[name] for name in best]).reshape(-1, len(views)))
    for t in np.flatnonzero(crowded):
        people = _as_the_reference(views, links, t, rules)
        frame.append(np.full(len(people), t))
        members.append(people)
    frame, members = np.concatenate(frame), np.concatenate(members)
    order = np.argsort(frame, kind="stable")
    return views, frame[order], members[order]


def _as_the_reference(views: list[_View], links: dict, t: int, rules: MultiViewRules) -> np.ndarray:
    """(P, V) members of a frame with too many sets."""
    offset = _bounds(views)[:-1]
    nodes = np.concatenate([np.arange(v.first[t], v.first[t + 1]) + o for v, o in zip(views, offset, strict=True)])
    owner = np.concatenate([np.full(v.first[t + 1] - v.first[t], k) for k, v in enumerate(views)])
    matrix = np.full((len(nodes), len(nodes)), -np.inf)
    for (a, b), (frame, i, j, value) in links.items():
        mine = frame == t
        one, two = (np.searchsorted(nodes, rows[mine] + offset[v]) for rows, v in ((i, a), (j, b)))
        matrix[one, two] = matrix[two, one] = value[mine]
    best = pack(hypotheses(matrix, rules))
    members = np.full((len(best), len(views)), -1)
    for row, chosen in enumerate(best):
        members[row, owner[list(chosen)]] = nodes[list(chosen)]
    return members


def reconstruct(
    cameras: Sequence[Camera],
    detections: list[list[np.ndarray]],
    rules: MultiViewRules | None = None,
    one_view: bool = False,
) -> People:
    """People of many frames, in the order of the frames.

    Positions agree with the reference's to a micrometre. Where two choices of people are worth the same to rounding,
    the two may choose differently.

    Args:
        cameras: V cameras of one world.
        detections: For every frame V arrays (N, 17, 3) x, y, confidence.
        rules: Limits; None: the defaults.
        one_view: Keep people whom one view sees, without joints.

    Returns:
        The people.
    """
    rules = rules or MultiViewRules()
    if not detections:
        detections = [[np.zeros((0, COCO_17.num_joints, 3))] * len(cameras)]
    views, frame, found = associate(cameras, detections, rules)
    if one_view:
        free = np.ones(sum(len(view.index) for view in views) + 1, dtype=bool)
        free[found] = False
        alone = np.flatnonzero(free[:-1])
        view = np.searchsorted(_bounds(views), alone, side="right") - 1
        rows = np.full((len(alone), len(views)), -1)
        rows[np.arange(len(alone)), view] = alone
        frames = np.concatenate([np.repeat(np.arange(len(detections)), np.diff(v.first)) for v in views])
        frame, found = np.concatenate([frame, frames[alone]]), np.concatenate([found, rows])
        order = np.argsort(frame, kind="stable")
        frame, found = frame[order], found[order]
    keypoints = np.concatenate([*(view.keypoints for view in views), np.zeros((1, COCO_17.num_joints, 3))])[found]
    members = np.concatenate([*(view.index for view in views), [-1]])[found]
    blocks = [
        triangulate_people(cameras, keypoints[k : k + _PEOPLE], rules)
        for k in range(0, max(len(keypoints), 1), _PEOPLE)
    ]
    points, used, error = (np.concatenate(column) for column in zip(*blocks, strict=True))
    enough = believed(points, members, rules, one_view)
    return People(frame[enough], members[enough], keypoints[enough], points[enough], used[enough], error[enough])
