"""People of several calibrated cameras: whose detections belong together, and where their joints are.

No learning and no images. For every pair of detections in two views the shared joints are triangulated; joints that
meet speak for one person, joints that do not and impossible bones against. Sets of detections with at most one per view
are then chosen so that no detection is used twice and the sum of their pair terms is the highest (exact set packing).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.geometry.triangulation import (
    camera_rays,
    intersect_rays,
    present,
    project,
    refine,
    world_to_camera_matrices,
)
from orplugins.skeletons import COCO_17

LIMB_NAMES = (
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
)
LIMB_JOINTS = tuple(COCO_17.index(name) for name in LIMB_NAMES)
FACE_JOINTS = tuple(range(5))
# Bone lengths of people, metres: (joints, shortest, longest).
BONES = (
    (5, 6, 0.15, 0.50),
    (11, 12, 0.08, 0.45),
    (5, 7, 0.08, 0.45),
    (6, 8, 0.08, 0.45),
    (7, 9, 0.06, 0.42),
    (8, 10, 0.06, 0.42),
    (5, 11, 0.25, 0.75),
    (6, 12, 0.25, 0.75),
)


@dataclass(frozen=True)
class MultiViewRules:
    """Limits of association and triangulation (defaults: a room of a few metres, 640 x 480 images).

    Attributes:
        pixel_scale: Reprojection error at which a shared joint speaks neither for nor against a pair, pixels.
        face_weight: Weight of nose, eyes and ears beside the limbs' 1.
        least, worst: A pair is a person from ``least`` on; no pair inside a larger set may be below ``worst``.
        near_m, far_m: Allowed distance of a body from each camera that sees it, metres.
        min_limb_joints: Limb joints (shoulders, elbows, wrists, hips) that make a detection, and a person.
        duplicate_px: A detection whose shared joints lie nearer than this (median) to an earlier one is dropped.
        residual_px: Joints beyond this are not believed: the best pair of views is tried, then the joint is missing.
        min_depth_m: Minimum depth in front of a camera.
    """

    pixel_scale: float = 15.0
    face_weight: float = 0.5
    least: float = 0.5
    worst: float = -1.0
    near_m: float = 0.4
    far_m: float = 6.5
    min_limb_joints: int = 3
    duplicate_px: float = 5.0
    residual_px: float = 25.0
    min_depth_m: float = 0.3

    def for_cameras(self, cameras: Sequence[Camera]) -> MultiViewRules:
        """The same limits in the pixels of other images.

        Args:
            cameras: Whose resolution counts; the limits are for a width of 640.

        Returns:
            The scaled limits.
        """
        factor = max(camera.size[0] for camera in cameras) / 640
        return replace(self, **{name: factor * getattr(self, name) for name in _PIXELS})


_PIXELS = ("pixel_scale", "duplicate_px", "residual_px")


@dataclass(frozen=True)
class People:
    """People of a batch of frames.

    Attributes:
        frame: (P,) index of the frame.
        members: (P, V) index of the detection in each view, -1 where the person was not detected.
        keypoints: (P, V, 17, 3) those detections, zeros where there is none.
        points: (P, 17, 3) world, metres, NaN where missing.
        views: (P, 17) views that each joint was triangulated from; 0 where missing.
        error: (P, 17) mean reprojection error, pixels.
    """

    frame: np.ndarray
    members: np.ndarray
    keypoints: np.ndarray
    points: np.ndarray
    views: np.ndarray
    error: np.ndarray

    @property
    def support(self) -> np.ndarray:
        """(P,) number of views with a detection of the person."""
        return (self.members >= 0).sum(1)


def usable_detections(people: np.ndarray, rules: MultiViewRules) -> np.ndarray:
    """Detections of one view that have enough limb joints and repeat no earlier one.

    Args:
        people: (N, 17, 3) x, y, confidence.
        rules: Limits.

    Returns:
        Their indices.
    """
    there = present(people)
    enough = np.flatnonzero(there[:, list(LIMB_JOINTS)].sum(1) >= rules.min_limb_joints)
    if len(enough) < 2:
        return enough
    xy, there = people[enough, :, :2], there[enough]
    shared = there[:, None] & there[None]
    difference = xy[:, None] - xy[None]
    near = shared & ((difference**2).sum(-1) < rules.duplicate_px**2)
    # A median below the limit needs at least half of the joints below it; only such pairs are looked at closely.
    suspicious = (2 * near.sum(-1) >= shared.sum(-1)) & shared.any(-1)
    same = np.zeros(suspicious.shape, dtype=bool)
    for i, j in zip(*np.nonzero(np.tril(suspicious, -1)), strict=True):
        distance = np.linalg.norm(difference[i, j][shared[i, j]], axis=-1)
        same[i, j] = np.median(distance) < rules.duplicate_px
    if not same.any():
        return enough
    kept: list[int] = []
    for i in range(len(enough)):
        if not same[i, kept].any():
            kept.append(i)
    return enough[kept]


def joint_weights(rules: MultiViewRules) -> np.ndarray:
    """Weights of `LIMB_JOINTS` and `FACE_JOINTS` in a pair's term.

    Args:
        rules: Limits.

    Returns:
        (13,).
    """
    return np.array([1.0] * len(LIMB_JOINTS) + [rules.face_weight] * len(FACE_JOINTS))


def bone_penalty(length: np.ndarray) -> np.ndarray:
    """How much speaks against bones of these lengths.

    Args:
        length: (P, B) metres, of `BONES`; NaN for an unknown length.

    Returns:
        (P, B); 0 for an unknown length.
    """
    short, long = (np.array([bone[k] for bone in BONES]) for k in (2, 3))
    with np.errstate(invalid="ignore"):
        excess = np.minimum(2.0, np.maximum(length - long, 0) / 0.10)
        deficit = np.minimum(1.0, np.maximum(short - length, 0) / 0.10)
        return np.where(np.isfinite(length), excess + deficit, 0.0)


def body_penalty(cameras: Sequence[Camera], body: np.ndarray, rules: MultiViewRules) -> np.ndarray:
    """How much speaks against bodies that are too near to the cameras or too far from them.

    Args:
        cameras: Cameras that see them.
        body: (P, 3) metres.
        rules: Limits.

    Returns:
        (P,).
    """
    total = np.zeros(len(body))
    for camera in cameras:
        distance = np.linalg.norm(body - camera.pose[:3, 3], axis=-1)
        total += 5.0 * ((distance < rules.near_m) | (distance > rules.far_m))
    return total


def pair_affinity(cameras: Sequence[Camera], rays: np.ndarray, there: np.ndarray, rules: MultiViewRules) -> np.ndarray:
    """How much speaks for P pairs of detections being one person each.

    Args:
        cameras: The two cameras.
        rays: (2, P, 17, 2) x/z, y/z.
        there: (2, P, 17) joints that were found.
        rules: Limits.

    Returns:
        (P,) sum over shared joints of clip(1 - error / pixel_scale, -1, 1), less penalties for impossible bones.
    """
    matrices = world_to_camera_matrices(cameras)
    focal = np.array([(camera.fx, camera.fy) for camera in cameras])
    joints = [*LIMB_JOINTS, *FACE_JOINTS]
    weight = joint_weights(rules)
    shared = there[0][:, joints] & there[1][:, joints]
    both = np.where(shared[None, ..., None], rays[:, :, joints], 0.0)
    points = intersect_rays(matrices, both, np.broadcast_to(shared.astype(float), both.shape[:-1]))
    predicted, depth = project(matrices, points)
    error = np.linalg.norm((predicted - both) * focal[:, None, None], axis=-1).mean(0)
    term = np.clip(1 - np.where((depth > rules.min_depth_m).all(0), error, np.inf) / rules.pixel_scale, -1, 1)
    total = np.where(shared, weight * term, 0.0).sum(1)
    full = np.full((len(points), COCO_17.num_joints, 3), np.nan)
    full[:, joints] = np.where(shared[..., None], points, np.nan)
    length = np.stack([np.linalg.norm(full[:, bone[0]] - full[:, bone[1]], axis=-1) for bone in BONES], -1)
    total -= bone_penalty(length).sum(-1)
    count = np.maximum(shared.sum(1), 1)[:, None]
    body = np.where(shared[..., None], points, 0.0).sum(1) / count
    total -= body_penalty(cameras, body, rules)
    return np.where(shared.any(1), total, 0.0)


def _affinities(
    cameras: Sequence[Camera], detections: list[list[np.ndarray]], rules: MultiViewRules
) -> list[tuple[np.ndarray, list[tuple[int, int]]]]:
    """Pair terms of every frame over all its detections.

    For every frame the matrix (N, N), -inf for what can be no pair, and the (view, index) of its rows.
    """
    nodes = [[(v, i) for v, people in enumerate(views) for i in range(len(people))] for views in detections]
    matrices = [np.full((len(names), len(names)), -np.inf) for names in nodes]
    flat = [np.concatenate([frame[v] for frame in detections]) for v in range(len(cameras))]
    there = [present(people) for people in flat]
    rays = [
        camera_rays([c], np.where(t[None, ..., None], p[None, ..., :2], 0.0))[0]
        for c, p, t in zip(cameras, flat, there, strict=True)
    ]
    counts = np.array([[len(people) for people in views] for views in detections]).reshape(-1, len(cameras))
    first = np.cumsum(counts, 0) - counts  # row of each frame's first detection in `flat`
    before = np.cumsum(counts, 1) - counts  # row of each view's first detection in the frame's matrix
    for a, b in itertools.combinations(range(len(cameras)), 2):
        pairs = counts[:, a] * counts[:, b]
        frame = np.repeat(np.arange(len(detections)), pairs)
        within = np.arange(len(frame)) - np.repeat(np.cumsum(pairs) - pairs, pairs)
        i, j = within // np.maximum(counts[frame, b], 1), within % np.maximum(counts[frame, b], 1)
        rows = first[frame, a] + i, first[frame, b] + j
        pair = [cameras[a], cameras[b]]
        values = pair_affinity(
            pair,
            np.stack([rays[a][rows[0]], rays[b][rows[1]]]),
            np.stack([there[a][rows[0]], there[b][rows[1]]]),
            rules,
        )
        i, j = before[frame, a] + i, before[frame, b] + j
        ends = np.searchsorted(frame, np.arange(len(detections) + 1))
        for t in range(len(detections)):
            part = slice(ends[t], ends[t + 1])
            matrices[t][i[part], j[part]] = matrices[t][j[part], i[part]] = values[part]
    return list(zip(matrices, nodes, strict=True))


def hypotheses(affinity: np.ndarray, rules: MultiViewRules, limit: int = 5000) -> list[tuple[float, tuple[int, ...]]]:
    """Every set of two or more detections that may be a person.

    A detection joins a set if at least one of its pair terms inside is above ``least`` and none below ``worst``.

    Args:
        affinity: (N, N) symmetric; -inf for two detections of one view.
        rules: Limits.
        limit: No larger sets are made beyond this number.

    Returns:
        (sum of pair terms, members) of each.
    """
    good, allowed, count = affinity > rules.least, affinity >= rules.worst, len(affinity)
    one, two = np.nonzero(np.triu(good))
    members, values = np.stack([one, two], 1), affinity[one, two]
    found = [(value, tuple(m)) for value, m in zip(values.tolist(), members.tolist(), strict=True)]
    while len(members) and len(found) < limit:
        fits = allowed[members].all(1) & good[members].any(1)
        row, new = np.nonzero(fits)
        larger = np.sort(np.concatenate([members[row], new[:, None]], 1), axis=1)
        value = values[row] + affinity[members[row], new[:, None]].sum(1)
        # One set is reached from each of its parts: a number made of its members tells them apart.
        _, once = np.unique(larger @ (count ** np.arange(larger.shape[1])), return_index=True)
        members, values = larger[once], value[once]
        found += [(v, tuple(m)) for v, m in zip(values.tolist(), members.tolist(), strict=True)]
    return [(value, m) for value, m in found if value > 0]


def pack(candidates: list[tuple[float, tuple[int, ...]]]) -> list[tuple[int, ...]]:
    """The sets with the highest sum of values of which no two share a member (exact, by branch and bound).

    Args:
        candidates: (value, members) of each set.

    Returns:
        Members of the chosen sets.
    """
    chosen: list[tuple[int, ...]] = []
    masks = [sum(1 << m for m in members) for _, members in candidates]
    groups: list[tuple[int, list[int]]] = []
    for k, mask in enumerate(masks):  # groups that share no member are packed apart
        mine, rest = [k], []
        for other, indices in groups:
            if other & mask:
                mask |= other
                mine += indices
            else:
                rest.append((other, indices))
        groups = [*rest, (mask, mine)]
    for _, indices in groups:
        indices.sort(key=lambda k: -candidates[k][0])
        chosen += [candidates[k][1] for k in _pack_group([(candidates[k][0], masks[k], k) for k in indices])]
    return chosen


def _pack_group(sets: list[tuple[float, int, int]]) -> list[int]:
    """Names of the best disjoint sets among (value, bit mask, name), which come by falling value."""
    if len(sets) == 1:
        return [sets[0][2]]
    every = 0
    for _, mask, _ in sets:
        every |= mask
    bits = [1 << k for k in range(every.bit_length()) if every >> k & 1]
    # What a member can be worth at most: its share of the best set that it is in.
    containing = {bit: [s for s in sets if s[1] & bit] for bit in bits}
    share = {bit: max(value / mask.bit_count() for value, mask, _ in containing[bit]) for bit in bits}
    greedy, used, best = [], 0, 0.0
    for value, mask, name in sets:
        if not used & mask:
            greedy.append(name)
            used, best = used | mask, best + value

    def bound(free: int) -> float:
        return sum(share[bit] for bit in bits if free & bit)

    def visit(free: int, value: float, names: list[int]) -> None:
        nonlocal best, greedy
        if value > best + 1e-12:
            best, greedy = value, names
        if not free or value + bound(free) <= best + 1e-12:
            return
        bit = free & -free
        for gain, mask, name in containing[bit]:
            if mask & free == mask:
                visit(free & ~mask, value + gain, [*names, name])
        visit(free & ~bit, value, names)

    visit(every, 0.0, [])
    return greedy


def triangulate_people(
    cameras: Sequence[Camera], keypoints: np.ndarray, rules: MultiViewRules | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Joints of people whose detections are known to belong together.

    All views are used if every residual is below ``residual_px``, otherwise the best pair of views that is.

    Args:
        cameras: V cameras of one world.
        keypoints: (P, V, 17, 3), zeros where there is nothing.
        rules: Limits; None: the defaults.

    Returns:
        points (P, 17, 3), NaN where missing; views used (P, 17); mean reprojection error (P, 17).
    """
    rules = rules or MultiViewRules()
    people, cameras_ = keypoints.shape[:2]
    every = np.moveaxis(np.asarray(keypoints, dtype=np.float64), 1, 0).reshape(cameras_, -1, 3)
    seen = present(every)
    rays = camera_rays(cameras, np.where(seen[..., None], every[..., :2], 0.0))
    scores = np.where(seen, every[..., 2], 0.0)
    count = seen.shape[1]
    points, views = np.full((count, 3), np.nan), np.zeros(count, dtype=np.int64)
    error, cost = np.full(count, np.nan), np.full(count, np.inf)
    matrices = world_to_camera_matrices(cameras)
    focal = np.array([(camera.fx, camera.fy) for camera in cameras])
    everyone = tuple(range(len(cameras)))
    pairs = [] if len(cameras) == 2 else itertools.combinations(everyone, 2)
    for subset in (everyone, *pairs):
        wanted = seen.sum(0) >= 2 if subset is everyone else seen[list(subset)].all(0) & (views == 0)
        columns = np.flatnonzero(wanted)
        if not len(columns):
            continue
        here = list(subset)
        used, weights, sub_rays = (array[here][:, columns] for array in (seen, scores, rays))
        start = intersect_rays(matrices[here], sub_rays, weights)
        solution = refine(matrices[here], focal[here], sub_rays, weights, start)
        predicted, depth = project(matrices[here], solution)
        residual = (predicted - sub_rays) * focal[here, None]
        residual = np.where(used, np.sqrt(residual[..., 0] ** 2 + residual[..., 1] ** 2), 0.0)
        mean = residual.sum(0) / used.sum(0)
        good = (residual < rules.residual_px).all(0) & ((depth > rules.min_depth_m) | ~used).all(0)
        good &= mean < cost[columns]
        target = columns[good]
        points[target], error[target] = solution[good], mean[good]
        if subset is everyone:
            views[target] = used.sum(0)[good]
        else:
            cost[target] = mean[good]
    views[np.isfinite(cost)] = 2
    shape = people, COCO_17.num_joints
    return points.reshape(*shape, 3), views.reshape(shape), error.reshape(shape)


def believed(points: np.ndarray, members: np.ndarray, rules: MultiViewRules, one_view: bool) -> np.ndarray:
    """Which people have enough limb joints, or are those of a single view that are kept.

    Args:
        points: (P, 17, 3), NaN where missing.
        members: (P, V) detections, -1 for none.
        rules: Limits.
        one_view: Keep people whom one view sees.

    Returns:
        (P,) bool.
    """
    enough = np.isfinite(points[:, list(LIMB_JOINTS)]).all(-1).sum(1) >= rules.min_limb_joints
    return enough | (one_view & ((members >= 0).sum(1) == 1))
