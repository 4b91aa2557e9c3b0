"""People of several calibrated cameras: whose detections belong together, and where their joints are.

No learning and no images. For every pair of detections in two views the shared joints are triangulated; joints that
meet speak for one person, joints that do not and impossible bones against. Sets of detections with at most one a view
are then chosen so that no detection is used twice and the sum of their pair terms is the largest (exact set packing).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orplugins.core.cameras import Camera
from orplugins.core.skeletons import COCO_17
from orplugins.core.triangulation import (
    camera_rays,
    intersect_rays,
    present,
    project,
    refine,
    world_to_camera_matrices,
)

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
_BONES = (
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
    """Limits of association and triangulation (defaults: a room of a few metres, 640 x 480 pictures).

    Attributes:
        pixel_scale: Reprojection error at which a shared joint speaks neither for nor against a pair, pixels.
        face_weight: Weight of nose, eyes and ears beside the limbs' 1.
        least, worst: A pair is a person from ``least`` on; no pair inside a larger set may be below ``worst``.
        near_m, far_m: Allowed distance of a body from each camera that sees it, metres.
        min_limb_joints: Limb joints (shoulders, elbows, wrists, hips) that make a detection, and a person.
        duplicate_px: A detection whose shared joints lie nearer than this (median) to an earlier one is dropped.
        residual_px: Joints beyond this are not believed: the best pair of views is tried, then the joint is missing.
        min_depth_m: Least depth in front of a camera.
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
    """Indices of the detections (N, 17, 3) of one view that have enough limb joints and repeat no earlier one."""
    there = present(people)
    enough = np.flatnonzero(there[:, list(LIMB_JOINTS)].sum(1) >= rules.min_limb_joints)
    if len(enough) < 2:
        return enough
    # Median distance of shared joints for all pairs at once; sorting puts the joints that are not shared (inf) last.
    xy, there = people[enough, :, :2], there[enough]
    shared = there[:, None] & there[None]
    difference = xy[:, None] - xy[None]
    distance = np.sort(np.where(shared, np.hypot(difference[..., 0], difference[..., 1]), np.inf), axis=-1)
    count = shared.sum(-1)
    near = np.maximum((count - 1) // 2, 0)[..., None], np.maximum(count // 2, 0)[..., None]
    median = (
        sum(np.take_along_axis(distance, np.minimum(index, distance.shape[-1] - 1), -1)[..., 0] for index in near) / 2
    )
    same = (median < rules.duplicate_px) & (count > 0)
    kept: list[int] = []
    for i in range(len(enough)):
        if not same[i, kept].any():
            kept.append(i)
    return enough[kept]


def pair_affinity(cameras: Sequence[Camera], rays: np.ndarray, there: np.ndarray, rules: MultiViewRules) -> np.ndarray:
    """How much speaks for P pairs of detections being one person each.

    Args:
        cameras: The two cameras.
        rays: (2, P, 17, 2) x/z, y/z.
        there: (2, P, 17) joints that were found.

    Returns:
        (P,) sum over shared joints of clip(1 - error / pixel_scale, -1, 1), less penalties for impossible bones.
    """
    matrices = world_to_camera_matrices(cameras)
    focal = np.array([(camera.fx, camera.fy) for camera in cameras])
    joints = [*LIMB_JOINTS, *FACE_JOINTS]
    weight = np.array([1.0] * len(LIMB_JOINTS) + [rules.face_weight] * len(FACE_JOINTS))
    shared = there[0][:, joints] & there[1][:, joints]
    both = np.where(shared[None, ..., None], rays[:, :, joints], 0.0)
    points = intersect_rays(matrices, both, np.broadcast_to(shared.astype(float), both.shape[:-1]))
    predicted, depth = project(matrices, points)
    error = np.linalg.norm((predicted - both) * focal[:, None, None], axis=-1).mean(0)
    term = np.clip(1 - np.where((depth > rules.min_depth_m).all(0), error, np.inf) / rules.pixel_scale, -1, 1)
    total = np.where(shared, weight * term, 0.0).sum(1)
    full = np.full((len(points), COCO_17.num_joints, 3), np.nan)
    full[:, joints] = np.where(shared[..., None], points, np.nan)
    with np.errstate(invalid="ignore"):
        for i, j, short, long in _BONES:
            length = np.linalg.norm(full[:, i] - full[:, j], axis=-1)
            excess = np.minimum(2.0, np.maximum(length - long, 0) / 0.10)
            deficit = np.minimum(1.0, np.maximum(short - length, 0) / 0.10)
            total -= np.where(np.isfinite(length), excess + deficit, 0.0)
    count = np.maximum(shared.sum(1), 1)[:, None]
    body = np.where(shared[..., None], points, 0.0).sum(1) / count
    for camera in cameras:
        distance = np.linalg.norm(body - camera.pose[:3, 3], axis=-1)
        total -= 5.0 * ((distance < rules.near_m) | (distance > rules.far_m))
    return np.where(shared.any(1), total, 0.0)


def _pair_terms(
    cameras: Sequence[Camera], detections: list[list[np.ndarray]], rules: MultiViewRules
) -> list[dict[tuple, float]]:
    """For every frame: ((view, index), (view, index)) -> affinity."""
    terms: list[dict[tuple, float]] = [{} for _ in detections]
    rays = [
        [camera_rays([camera], people[None, ..., :2])[0] for camera, people in zip(cameras, views, strict=True)]
        for views in detections
    ]
    there = [[present(people) for people in views] for views in detections]
    for a, b in itertools.combinations(range(len(cameras)), 2):
        keys = [
            (t, i, j) for t, views in enumerate(detections) for i in range(len(views[a])) for j in range(len(views[b]))
        ]
        if not keys:
            continue
        pair_rays = np.stack(
            [np.stack([rays[t][a][i] for t, i, _ in keys]), np.stack([rays[t][b][j] for t, _, j in keys])]
        )
        pair_there = np.stack(
            [np.stack([there[t][a][i] for t, i, _ in keys]), np.stack([there[t][b][j] for t, _, j in keys])]
        )
        values = pair_affinity([cameras[a], cameras[b]], pair_rays, pair_there, rules)
        for (t, i, j), value in zip(keys, values.tolist(), strict=True):
            terms[t][(a, i), (b, j)] = value
    return terms


def hypotheses(terms: dict[tuple, float], rules: MultiViewRules, limit: int = 5000) -> list[tuple[float, tuple]]:
    """(sum of pair terms, detections) of every set that may be a person, two views or more.

    A detection joins a set if at least one of its pair terms inside is above ``least`` and none below ``worst``.
    """
    good: dict[tuple, set] = {}
    for (one, two), value in terms.items():
        if value > rules.least:
            good.setdefault(one, set()).add(two)
            good.setdefault(two, set()).add(one)
    found = {(one, two): value for (one, two), value in terms.items() if value > rules.least}
    grown = dict(found)
    while grown and len(found) < limit:
        larger = {}
        for members, value in grown.items():
            views = {view for view, _ in members}
            for new in set().union(*(good[m] for m in members)):
                if new[0] in views:
                    continue
                inner = [terms.get((min(m, new), max(m, new)), 0.0) for m in members]
                if min(inner) >= rules.worst:
                    larger[tuple(sorted((*members, new)))] = value + sum(inner)
        grown = {key: value for key, value in larger.items() if key not in found}
        found.update(grown)
    return [(value, members) for members, value in found.items() if value > 0]


def pack(candidates: list[tuple[float, tuple]]) -> list[tuple]:
    """The sets with the largest sum of values of which no two share a detection (exact, by branch and bound)."""
    chosen: list[tuple] = []
    for component in _components(candidates):
        chosen += _pack_component(sorted(component, key=lambda c: -c[0]))
    return chosen


def _components(candidates: list[tuple[float, tuple]]) -> list[list[tuple[float, tuple]]]:
    """Candidates that are linked by shared detections."""
    owner: dict[tuple, int] = {}
    groups: dict[int, list[int]] = {}
    for k, (_, members) in enumerate(candidates):
        touched = {owner[m] for m in members if m in owner}
        target = min(touched, default=k)
        groups.setdefault(target, []).append(k)
        for other in touched - {target}:
            for moved in groups.pop(other):
                groups[target].append(moved)
                owner.update(dict.fromkeys(candidates[moved][1], target))
        owner.update(dict.fromkeys(members, target))
    return [[candidates[k] for k in group] for group in groups.values()]


def _pack_component(candidates: list[tuple[float, tuple]]) -> list[tuple]:
    if len(candidates) == 1 or len(set(candidates[0][1]) | {m for _, ms in candidates for m in ms}) == len(
        candidates[0][1]
    ):
        return [candidates[0][1]]
    order = sorted({m for _, members in candidates for m in members})
    containing = {m: [c for c in candidates if m in c[1]] for m in order}
    share = {m: max(value / len(members) for value, members in containing[m]) for m in order}
    best: list = [0.0, []]

    def visit(index: int, used: frozenset, value: float, sets: list, bound: float) -> None:
        if value > best[0]:
            best[0], best[1] = value, sets
        while index < len(order) and order[index] in used:
            index += 1
        if index == len(order) or value + bound <= best[0] + 1e-12:
            return
        detection = order[index]
        for gain, members in containing[detection]:
            if used.isdisjoint(members):
                visit(
                    index + 1,
                    used.union(members),
                    value + gain,
                    [*sets, members],
                    bound - sum(share[m] for m in members),
                )
        visit(index + 1, used | {detection}, value, sets, bound - share[detection])

    visit(0, frozenset(), 0.0, [], sum(share.values()))
    return best[1]


def associate(
    cameras: Sequence[Camera], detections: list[list[np.ndarray]], rules: MultiViewRules | None = None
) -> list[list[tuple[tuple[int, int], ...]]]:
    """For every frame the people as sets of (view, index).

    Args:
        cameras: V calibrated cameras.
        detections: For every frame V arrays (N, 17, 3): x, y in pixels, score; score 0 where a joint is missing.
    """
    rules = rules or MultiViewRules()
    return [pack(hypotheses(terms, rules)) for terms in _pair_terms(cameras, detections, rules)]


def triangulate_people(
    cameras: Sequence[Camera], keypoints: np.ndarray, rules: MultiViewRules | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Joints of people whose detections are known to belong together.

    All views are used if every residual is below ``residual_px``, otherwise the best pair of views that is.

    Args:
        keypoints: (P, V, 17, 3), zeros where there is nothing.

    Returns:
        points (P, 17, 3), NaN where missing; views used (P, 17); mean reprojection error (P, 17).
    """
    rules = rules or MultiViewRules()
    seen = np.moveaxis(present(keypoints), 1, 0)
    rays = camera_rays(cameras, np.where(seen[..., None], np.moveaxis(keypoints[..., :2], 1, 0), 0.0))
    scores = np.where(seen, np.moveaxis(keypoints[..., 2], 1, 0), 0.0)
    shape = seen.shape[1:]
    points, views = np.full((*shape, 3), np.nan), np.zeros(shape, dtype=np.int64)
    error, cost = np.full(shape, np.nan), np.full(shape, np.inf)
    pairs = [list(pair) for pair in itertools.combinations(range(len(cameras)), 2)]
    everyone = list(range(len(cameras)))
    for subset in [everyone, *([] if len(cameras) == 2 else pairs)]:
        if subset is everyone:
            wanted = seen.sum(0) >= 2
        else:
            wanted = seen[subset].all(0) & (views == 0)
        flat = np.nonzero(wanted)
        if not len(flat[0]):
            continue
        used = [np.moveaxis(array[subset], 0, -1)[flat].T for array in (seen, scores)]
        sub_rays = np.stack([rays[view][flat] for view in subset])
        matrices = world_to_camera_matrices([cameras[view] for view in subset])
        focal = np.array([(cameras[view].fx, cameras[view].fy) for view in subset])
        solution = refine(matrices, focal, sub_rays, used[1], intersect_rays(matrices, sub_rays, used[1]))
        predicted, depth = project(matrices, solution)
        residual = np.where(used[0], np.linalg.norm((predicted - sub_rays) * focal[:, None], axis=-1), 0.0)
        mean = residual.sum(0) / used[0].sum(0)
        good = (residual < rules.residual_px).all(0) & ((depth > rules.min_depth_m) | ~used[0]).all(0)
        good &= mean < cost[flat]
        target = tuple(axis[good] for axis in flat)
        points[target], error[target] = solution[good], mean[good]
        if subset is everyone:
            views[target] = used[0].sum(0)[good]
        else:
            cost[target] = mean[good]
    views[np.isfinite(cost)] = 2
    return points, views, error


def reconstruct(
    cameras: Sequence[Camera],
    detections: list[list[np.ndarray]],
    rules: MultiViewRules | None = None,
    one_view: bool = False,
) -> People:
    """From detections to people, see :func:`associate` and :func:`triangulate_people`.

    Args:
        one_view: Keep detections that found no partner as people without 3D joints (for a body prior to place).
    """
    rules = rules or MultiViewRules()
    usable = [[usable_detections(people, rules) for people in views] for views in detections]
    kept = [
        [p[k] for p, k in zip(views, chosen, strict=True)] for views, chosen in zip(detections, usable, strict=True)
    ]
    groups = associate(cameras, kept, rules)
    if one_view:
        for t, sets in enumerate(groups):
            taken = {member for members in sets for member in members}
            sets += [((v, i),) for v, people in enumerate(kept[t]) for i in range(len(people)) if (v, i) not in taken]
    rows = [(t, members) for t, sets in enumerate(groups) for members in sets]
    members = np.full((len(rows), len(cameras)), -1)
    keypoints = np.zeros((len(rows), len(cameras), COCO_17.num_joints, 3))
    for row, (t, detected) in enumerate(rows):
        for view, index in detected:
            members[row, view] = usable[t][view][index]
            keypoints[row, view] = kept[t][view][index]
    points, views, error = triangulate_people(cameras, keypoints, rules)
    enough = np.isfinite(points[:, list(LIMB_JOINTS)]).all(-1).sum(1) >= rules.min_limb_joints
    enough |= one_view & ((members >= 0).sum(1) == 1)
    frame = np.array([t for t, _ in rows], dtype=np.int64)
    return People(frame[enough], members[enough], keypoints[enough], points[enough], views[enough], error[enough])
