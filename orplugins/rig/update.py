"""Which camera of a calibrated rig has moved, and where it is now; the others stay as they are."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from orplugins.rig.agreement import pair_health, pair_total
from orplugins.rig.bundle import Cameras, Linear, adjust
from orplugins.rig.calibrate import Calibration, check_views
from orplugins.rig.gravity import Floor
from orplugins.rig.observations import View, observe
from orplugins.rig.pairs import candidates, find_pose
from orplugins.rig.points import chained, intersect
from orplugins.rig.scale import Scale, find_scale
from orplugins.rig.selection import common_frames, quietest, spaced
from orplugins.rig.settings import Knowledge
from orplugins.rig.solve import Solved, free_unknowns, refine
from orplugins.rig.timing import is_video
from orplugins.rig.uncertainty import spread_of_cameras, stretches, turn_degrees
from orplugins.structures import Rig

# Two cameras stand as they did where so much of the agreement that the best pair has is left, and so much in all.
_HEALTHY, _LEAST_HEALTH = 0.6, 0.3
# Less than this is no move, whatever the uncertainty says.
_STILL_DEGREES, _STILL_M, _SURE = 0.4, 0.02, 4.0
# A camera has moved where its move alone explains so much of what speaks against the rig. What a detector, a lens or
# the calibration have wrong everywhere speaks against it as well, beyond all statistical doubt, but is nobody's move:
# of what MVOR's people say against its calibration, one camera's move explains 77 % (`dev/rig_table.py`).
_EXPLAINED = 0.85
# With less agreement left than this, poses are too far off to be compared by small moves.
_LEFT = 0.15
_PEOPLE = 150  # that small moves are judged by
_START_FRAMES, _FRAMES = 100, 600


@dataclass(frozen=True, eq=False)
class Update:
    """What became of a rig.

    Attributes:
        found: The calibration, in the old rig's world.
        moved: Names of the cameras that moved.
        degrees, metres: (V,) by how much each camera's pose differs from the old one.
        health: {(name, name): agreement of the pair with the old rig, 0 to 1}.
        remark: What speaks against the rig though no camera moved; empty: nothing.
    """

    found: Calibration
    moved: list[str]
    degrees: np.ndarray
    metres: np.ndarray
    health: dict[tuple[str, str], float]
    remark: str = ""


@dataclass(frozen=True)
class Move:
    """What a move of one camera alone would be.

    Attributes:
        camera: Its number.
        degrees, metres: How far it would have moved.
        sure: The same in standard deviations, the larger one.
        explained: Share of what speaks against the rig that it explains.
    """

    camera: int
    degrees: float
    metres: float
    sure: float
    explained: float

    @property
    def clear(self) -> bool:
        """Whether it is no chance."""
        return (self.degrees > _STILL_DEGREES or self.metres > _STILL_M) and self.sure > _SURE


def update(
    people: Sequence[Mapping[int, np.ndarray]],
    rig: Rig,
    moved: Sequence[str] = (),
    say: Callable[[str], None] = lambda _: None,
    seed: int = 0,
) -> Update:
    """Find the cameras that moved, and where they are.

    Args:
        people: Of each camera {frame: (N, 17, 3) COCO-17}; the cameras' clocks agree.
        rig: The calibration before.
        moved: Names of the cameras that moved, where that is known.
        say: Told what is going on.
        seed: Of the random samples.

    Returns:
        The rig as it is now.

    Raises:
        ValueError: One line: it cannot be told which camera moved, or too many did.
    """
    views = [observe(p, c) for p, c in zip(people, rig.cameras, strict=True)]
    check_views(views, rig.names)
    rng = np.random.default_rng(seed)
    poses = np.stack([np.linalg.inv(camera.pose)[:3] for camera in rig.cameras])
    frames = spaced(common_frames(views), _FRAMES)
    say("which cameras agree")
    health = {
        (a, b): pair_health(views[a], views[b], poses[[a, b]], frames)
        for a, b in itertools.combinations(range(len(views)), 2)
    }
    gone = [rig.names.index(name) for name in moved]
    remark, told = "", bool(gone)
    if not told:
        gone = _moved(health, rig.names)
    if len(gone) == len(views):
        raise ValueError("all cameras are said to have moved: expected one that stayed; calibrate anew instead")
    if not told and len(views) > 2 and all(health[pair] >= _LEFT for pair in health if len({*pair} & {*gone}) == 1):
        # Nothing obvious: a small move shows as the one camera whose move explains what does not fit.
        say("small moves")
        gone, remark = _nudged(possible_moves(views, poses, frames))
    if gone:
        say(f"{', '.join(rig.names[k] for k in gone)}: where it is now")
        poses = _relocated(views, poses, gone, rng)
    solved = _solve(views, poses, gone, frames, say)
    done = _as_update(solved, views, rig, gone, {(rig.names[a], rig.names[b]): h for (a, b), h in health.items()})
    return replace(done, remark=remark)


def _moved(health: dict[tuple[int, int], float], names: Sequence[str]) -> list[int]:
    """Cameras outside of the largest group that agrees."""
    best = max(health.values())
    fine = {pair for pair, value in health.items() if value >= max(_HEALTHY * best, _LEAST_HEALTH)}
    cameras = range(len(names))
    if len(names) == 2:
        if fine:
            return []
        raise ValueError(
            f"{names[0]} and {names[1]} do not agree any more ({100 * best:.0f} % of their people), and nobody "
            "can tell from two cameras which one moved: say it (--moved NAME)"
        )
    groups = [
        g
        for size in range(len(names), 1, -1)
        for g in itertools.combinations(cameras, size)
        if all(pair in fine for pair in itertools.combinations(g, 2))
    ]
    if not groups:
        raise ValueError(
            f"no two cameras agree any more (at most {100 * best:.0f} % of their people): all moved, or the people are "
            "of another recording; calibrate anew, without --update"
        )
    largest = [g for g in groups if len(g) == len(groups[0])]
    # Of groups as large the one that agrees best.
    stayed = max(largest, key=lambda g: sum(health[pair] for pair in itertools.combinations(g, 2)))
    return [k for k in cameras if k not in stayed]


def _relocated(views: Sequence[View], poses: np.ndarray, gone: Sequence[int], rng: np.random.Generator) -> np.ndarray:
    """A first pose of each camera that moved: the best of the old one and of those that a pair of cameras gives."""
    poses = poses.copy()
    stayed = [v for v in range(len(views)) if v not in gone]
    for k in gone:
        tried = [poses[k]]
        for a in stayed:
            frames = quietest([views[a], views[k]], common_frames([views[a], views[k]]), [0, 0], _START_FRAMES)
            pair = find_pose(candidates(views[a], views[k], frames), rng)
            if pair is not None and pair.score > 0:
                tried.append(chained(poses[a], pair.pose))
        frames = spaced(common_frames(views), 2 * _START_FRAMES)
        scores = [
            sum(pair_total(views[a], views[k], np.stack([poses[a], pose]), frames, 0.12) for a in stayed)
            for pose in tried
        ]
        poses[k] = tried[int(np.argmax(scores))]
    return poses


def _solve(views, poses: np.ndarray, gone: Sequence[int], frames: np.ndarray, say: Callable[[str], None]) -> Solved:
    fixed = [v for v in range(len(views)) if v not in gone]
    free = free_unknowns(len(views), fixed)
    metric = len(fixed) > 1
    return refine(views, Cameras.of_poses(poses), frames, free, metric=metric, say=say)


def possible_moves(views: Sequence[View], poses: np.ndarray, frames: np.ndarray) -> list[Move]:
    """What each camera's move alone would explain, of the same people and detections.

    Args:
        views: V views.
        poses: (V, 3, 4) the rig, world to camera.
        frames: That are looked at.

    Returns:
        One a camera.
    """
    count = len(views)
    every = refine(
        views, Cameras.of_poses(poses), frames, free_unknowns(count), most=_PEOPLE, metric=True
    )  # whoever is matched only after the cameras are free speaks against the rig, too
    blocks = stretches(every.groups.frame, is_video(views))
    start = Cameras.of_poses(poses)
    points = np.nan_to_num(intersect(poses, every.seen.rays, every.seen.weight > 0))

    def fitted(fixed: Sequence[int]) -> tuple[Cameras, Linear, np.ndarray]:
        free = free_unknowns(count, fixed)
        cameras, _, linear = adjust(start, points, every.seen, free, every.rules, steps=20)
        return cameras, linear, free

    worst, least = fitted(range(count))[1].cost, fitted([0])[1].cost
    found = []
    for k in range(count):
        cameras, linear, free = fitted([v for v in range(count) if v != k])
        spread = spread_of_cameras(cameras, linear, free, blocks, hold_scale=False)
        degrees = turn_degrees(cameras.rotation[k], poses[k, :, :3])
        metres = float(np.linalg.norm(cameras.place[k] - start.place[k]))
        sure = max(degrees / max(spread.turn[k], 1e-6), metres / max(spread.place[k], 1e-6))
        found.append(Move(k, degrees, metres, float(sure), (worst - linear.cost) / max(worst - least, 1e-9)))
    return found


def _nudged(moves: Sequence[Move]) -> tuple[list[int], str]:
    """The camera that moved, if one did; and what else does not fit."""
    clear = [move for move in moves if move.clear]
    if not clear:
        return [], ""
    best = max(clear, key=lambda move: move.explained)
    if best.explained >= _EXPLAINED:
        return [best.camera], ""
    return [], (
        f"people and rig disagree, as if a camera had moved by up to {max(m.degrees for m in clear):.1f} degrees or "
        f"{100 * max(m.metres for m in clear):.0f} cm, but no camera's move explains more than "
        f"{100 * best.explained:.0f} % of it: detector, lens or calibration are off everywhere, or several cameras "
        "moved a little; smaller moves than that cannot be told from it"
    )


def _as_update(solved: Solved, views: list[View], rig: Rig, gone: Sequence[int], health: dict) -> Update:
    cameras = list(rig.cameras)
    factor = 1.0
    scale = Scale(1.0, 0.0, "the rig that was given", float("nan"))
    if gone and len(rig.cameras) - len(gone) < 2:
        scale = find_scale(solved, views, Knowledge())
        factor = scale.factor
    else:
        scale = replace(scale, bodies=find_scale(solved, views, Knowledge()).factor ** -1)
    stayed = next(v for v in range(len(cameras)) if v not in gone)
    anchor = solved.cameras.place[stayed]
    places = anchor + factor * (solved.cameras.place - anchor)
    points = anchor + factor * (solved.points - anchor)
    for k in gone:
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = solved.cameras.rotation[k].T, places[k]
        cameras[k] = replace(cameras[k], pose=pose)
    degrees = np.array(
        [turn_degrees(a.pose[:3, :3], b.pose[:3, :3]) for a, b in zip(cameras, rig.cameras, strict=True)]
    )
    metres = np.array(
        [np.linalg.norm(a.pose[:3, 3] - b.pose[:3, 3]) for a, b in zip(cameras, rig.cameras, strict=True)]
    )
    video = is_video(views)
    blocks = stretches(solved.groups.frame, video)
    spread = spread_of_cameras(
        solved.cameras, solved.linear, solved.free, blocks, hold_scale=len(cameras) - len(gone) < 2
    )
    up = np.array([0.0, 0.0, 1.0]) if rig.up is None else np.asarray(rig.up, dtype=np.float64)
    found = Calibration(
        cameras,
        list(rig.names),
        solved.cameras.offset,
        False,
        spread,
        scale,
        Floor(up, 0.0, 0.0, 0.0, "the rig that was given"),
        points,
        solved,
        views,
        np.eye(4),
        [0] * len(cameras),
    )
    return Update(found, [rig.names[k] for k in gone], degrees, metres, health)
