"""A calibration from people: the whole way from detections to cameras in a room."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.rig.bundle import BARREL, FOCAL, SIZE, Cameras
from orplugins.rig.depths import DepthSource, joint_depths
from orplugins.rig.essential import essential_of
from orplugins.rig.gravity import Floor, find_floor, room_axes
from orplugins.rig.observations import View, observe
from orplugins.rig.pairs import PairPose
from orplugins.rig.points import relative_pose
from orplugins.rig.scale import Scale, find_scale
from orplugins.rig.selection import common_frames, quietest, spaced
from orplugins.rig.settings import Knowledge
from orplugins.rig.solve import Solved, free_unknowns, refine, start_from_pairs
from orplugins.rig.timing import best_lag, fine_offsets, is_video, lags_of_cameras, likely_lags
from orplugins.rig.uncertainty import CameraSpread, spread_of_cameras, stretches

People = Mapping[int, np.ndarray]
Say = Callable[[str], None]

LEAST_FRAMES = 10
_START_FRAMES, _FRAMES = 100, 600
# Focal lengths that are tried where they are not known, as shares of the image's longer side.
_FOCAL_SHARES = (0.55, 0.7, 0.85, 1.0, 1.25, 1.55)
# How far focal length (as a logarithm) and lens are from the best guess, where they are not known.
_ZOOM_SPREAD, _BARREL_SPREAD = 0.15, 0.05
_CLOCK_ROUNDS, _SETTLED = 4, 0.15  # rounds, and frames by which clocks still change after the last
_DEPTH_PEOPLE = 100  # of each camera, whose depth images are read


@dataclass(frozen=True, eq=False)
class Calibration:
    """Cameras found from people.

    Attributes:
        cameras: V cameras in a room: z up, the floor at 0, below the people's middle.
        names: One a camera.
        offsets: (V,) frames: frame t of the first camera was taken together with frame t + offset of a camera.
        video: Whether clocks could be compared.
        spread: Uncertainties of poses against the first camera's, of focal lengths and clocks.
        scale: Where the metre comes from.
        floor: Vertical and floor, in the room.
        points: (P, 17, 3) people in the room, metres, NaN where missing.
        solved: The problem, in the world that it was solved in.
        views: Detections, with the intrinsics that were found.
        world: (4, 4) of `solved`'s world, scaled, to the room.
        lags: (V,) whole frames of `offsets`.
    """

    cameras: list[Camera]
    names: list[str]
    offsets: np.ndarray
    video: bool
    spread: CameraSpread
    scale: Scale
    floor: Floor
    points: np.ndarray
    solved: Solved
    views: list[View]
    world: np.ndarray
    lags: list[int]


def calibrate(
    people: Sequence[People],
    cameras: Sequence[Camera],
    names: Sequence[str],
    known: Knowledge,
    say: Say = lambda _: None,
    seed: int = 0,
    depth: DepthSource | None = None,
) -> Calibration:
    """Find where cameras are.

    Args:
        people: Of each camera {frame: (N, 17, 3) COCO-17, x, y in pixels and score; zeros where missing}.
        cameras: Intrinsics; poses have no part.
        names: One a camera.
        known: What is known besides.
        say: Told what is going on.
        seed: Of the random samples.
        depth: Depth images, for the metre.

    Returns:
        The calibration. Whether it can be trusted is for `orplugins.rig.verdict`.

    Raises:
        ValueError: One line: one camera, no common people, too few frames.
    """
    cameras = list(cameras)
    views = [observe(p, c) for p, c in zip(people, cameras, strict=True)]
    check_views(views, names)
    rng = np.random.default_rng(seed)
    video = is_video(views)
    if not known.focal:
        say("focal lengths")
        cameras = _likely_focal(people, cameras, rng)
        views = [observe(p, c) for p, c in zip(people, cameras, strict=True)]
    lags, poses, pairs = _start(views, known, video, rng, say)
    if poses is None:
        raise ValueError(_no_start(names, pairs))
    state = Cameras.of_poses(poses)
    free = free_unknowns(len(views), focal=not known.focal)
    clocks = video and not known.synchronous
    solved, sure = None, np.zeros(len(views))
    for _ in range(_CLOCK_ROUNDS):
        frames = spaced(common_frames(views, lags), _FRAMES)
        try:
            solved = refine(views, state, frames, free, _prior(free, known), lags, say=say)
        except ValueError as error:
            raise ValueError(f"{', '.join(names)}: {error}") from None
        state = solved.cameras
        if not known.focal:
            cameras = [_zoomed(c, z, b) for c, z, b in zip(cameras, state.zoom, state.barrel, strict=True)]
            views = [observe(p, c) for p, c in zip(people, cameras, strict=True)]
        state = replace(state, zoom=np.zeros(len(views)), barrel=np.zeros(len(views)))
        late, sure = _late(solved, views) if clocks else (np.zeros(len(views)), sure)
        whole = np.rint(late).astype(int)
        lags = [lag + int(n) for lag, n in zip(lags, whole, strict=True)]
        settled = np.abs(late - state.offset).max() < _SETTLED
        state = replace(state, offset=late - whole)
        if settled and (known.focal or np.abs(solved.cameras.zoom).max() < 0.005):
            break
    assert solved is not None  # there was a round
    solved = replace(solved, cameras=state, pairs=pairs)
    if depth is not None:
        say("depth images")
        views = [replace(view, depth=_depths(solved, view, v, depth)) for v, view in enumerate(views)]
    found = _in_a_room(solved, views, names, known, video, lags)
    return replace(found, spread=replace(found.spread, offset=sure))


def _late(solved: Solved, views: Sequence[View]) -> tuple[np.ndarray, np.ndarray]:
    """What is left between the clocks, and how sure that is."""
    return fine_offsets(views, solved.groups, solved.cameras.poses, stretches(solved.groups.frame, True))


def _depths(solved: Solved, view: View, number: int, source: DepthSource) -> np.ndarray:
    members = solved.groups.members[:, number]
    return joint_depths(view, number, spaced(members[members >= 0], _DEPTH_PEOPLE), source)


def check_views(views: Sequence[View], names: Sequence[str]) -> None:
    """Refuse what no calibration can be made of.

    Args:
        views: V views.
        names: One a camera.

    Raises:
        ValueError: One line: one camera, nobody in a view, too few frames, no common ones.
    """
    if len(views) < 2:
        raise ValueError(f"{len(views)} camera, expected two or more: one camera's people do not tell where it is")
    for view, name in zip(views, names, strict=True):
        if not len(view.frame):
            raise ValueError(f"{name}: nobody with five joints or more is in any of its frames")
    frames = common_frames(views)
    if len(frames) < LEAST_FRAMES:
        raise ValueError(
            f"{len(frames)} frames have people in two cameras or more, expected {LEAST_FRAMES} at least, better some "
            "hundreds: do the frame numbers of the views belong together?"
        )
    for v, name in enumerate(names):
        others = np.concatenate([view.frame for k, view in enumerate(views) if k != v])
        if not np.isin(views[v].frame, others).any():
            raise ValueError(f"{name}: it has no frame with people in common with another camera")


def _start(views: Sequence[View], known: Knowledge, video: bool, rng: np.random.Generator, say: Say):
    """Whole offsets, poses (or None) and what was found of the pairs."""
    lags = [0] * len(views)
    found: dict[tuple[int, int], PairPose] = {}
    if video and not known.synchronous:
        say("clocks")
        lags = _first_lags(views, known, rng)
    frames = quietest(views, common_frames(views, lags), lags, _START_FRAMES)
    poses, found = start_from_pairs(views, frames, rng, lags, say)
    if poses is not None and video and not known.synchronous:
        offsets = {}
        for (a, b), pair in found.items():
            essential = essential_of(relative_pose(poses[a], poses[b]))
            lag = best_lag(views[a], views[b], essential, frames + lags[a], lags[b] - lags[a], 6)
            offsets[a, b] = lag, pair.score
        better = lags_of_cameras(len(views), offsets)
        if better != lags:
            lags = better
            frames = quietest(views, common_frames(views, lags), lags, _START_FRAMES)
            poses, found = start_from_pairs(views, frames, rng, lags, say)
    return lags, poses, found


def _first_lags(views: Sequence[View], known: Knowledge, rng: np.random.Generator) -> list[int]:
    """Offsets of all cameras: of each pair the candidate with which people agree most."""
    from orplugins.rig.pairs import candidates, find_pose

    offsets = {}
    for a, b in itertools.combinations(range(len(views)), 2):
        best: tuple[float, int] = (0.0, 0)
        for lag in likely_lags(views[a], views[b], known.most_lag):
            frames = np.intersect1d(views[a].frame, views[b].frame - lag)
            pose = find_pose(candidates(views[a], views[b], spaced(frames, 50), lag), rng, 300, 6)
            if pose is not None and pose.score > 0:
                closer = best_lag(views[a], views[b], essential_of(pose.pose), frames, lag, 4)
                # No offset is the likeliest one: another has to be better, not as good.
                score = pose.score * (1.05 if lag == 0 else 1.0)
                best = max(best, (score, closer))
        offsets[a, b] = best[1], best[0]
    return lags_of_cameras(len(views), offsets)


def _no_start(names: Sequence[str], pairs: Mapping) -> str:
    joined = {names[v] for pair in pairs for v in pair}
    lost = [name for name in names if name not in joined] or list(names)
    return (
        f"{', '.join(lost)}: no geometry explains the people together with another camera's: they see nobody in "
        "common, their frames do not belong together, or images are mirrored"
    )


def _prior(free: np.ndarray, known: Knowledge) -> np.ndarray:
    hold = np.zeros((len(free), SIZE))
    if not known.focal:
        hold[:, FOCAL], hold[:, BARREL] = 1 / _ZOOM_SPREAD**2, 1 / _BARREL_SPREAD**2
    return hold


def _likely_focal(people: Sequence[People], cameras: Sequence[Camera], rng: np.random.Generator) -> list[Camera]:
    """The focal length, the same share of all images, with which people of two cameras agree most."""
    best, most = list(cameras), -1.0
    for share in _FOCAL_SHARES:
        tried = [replace(c, fx=share * max(c.size), fy=share * max(c.size), distortion=()) for c in cameras]
        views = [observe(p, c) for p, c in zip(people, tried, strict=True)]
        frames = spaced(common_frames(views), 50)
        _, found = start_from_pairs(views, frames, rng, [0] * len(views), lambda _: None)
        score = sum(pair.score for pair in found.values())
        if score > most:
            best, most = tried, score
    return best


def _zoomed(camera: Camera, zoom: float, barrel: float) -> Camera:
    k1 = (camera.distortion[0] if camera.distortion else 0.0) + float(barrel)
    factor = float(np.exp(zoom))
    lens = replace(camera, distortion=(k1, 0.0, 0.0, 0.0), distortion_order="opencv")
    return replace(lens, fx=camera.fx * factor, fy=camera.fy * factor)


def _in_a_room(
    solved: Solved, views: list[View], names: Sequence[str], known: Knowledge, video: bool, lags: list[int]
) -> Calibration:
    """Bring what was found to metres, and the floor to z = 0."""
    blocks = stretches(solved.groups.frame, video)
    scale = find_scale(solved, views, known)
    points = solved.points * scale.factor
    cameras = solved.cameras.scaled(scale.factor)
    up = None if known.up is None else cameras.rotation[0].T @ np.asarray(known.up, dtype=np.float64)
    floor = find_floor(points, blocks, up)
    turn = room_axes(floor.up, cameras.rotation[0][2])
    middle = turn @ np.nanmedian(points.reshape(-1, 3), axis=0)
    world = np.eye(4)
    world[:3, :3], world[:3, 3] = turn, (-middle[0], -middle[1], -floor.height)
    placed = []
    for v, view in enumerate(views):
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = cameras.rotation[v].T, cameras.place[v]
        placed.append(replace(view.camera, pose=world @ pose))
    spread = spread_of_cameras(solved.cameras, solved.linear, solved.free, blocks)
    spread = replace(spread, place=spread.place * scale.factor)
    return Calibration(
        placed,
        list(names),
        np.array(lags) + solved.cameras.offset,
        video,
        spread,
        scale,
        replace(floor, up=np.array([0.0, 0.0, 1.0]), height=0.0),
        points @ turn.T + world[:3, 3],
        solved,
        views,
        world,
        lags,
    )
