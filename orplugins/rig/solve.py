"""From detections to cameras: a start from pairs, then people and cameras in turn, ever more strictly."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from orplugins.rig.bodies import USUAL, bone_lengths
from orplugins.rig.bundle import BARREL, CLOCK, FOCAL, PLACE, SIZE, TURN, BodyRules, Cameras, Linear, Sightings, adjust
from orplugins.rig.groups import Groups, group
from orplugins.rig.observations import View
from orplugins.rig.pairs import PairPose, candidates, find_pose
from orplugins.rig.points import intersect
from orplugins.rig.selection import spread_out
from orplugins.rig.start import first_rig

# Shares of a person's size at which a joint says nothing for a match, round by round.
_TOLERANCES = (0.10, 0.06, 0.05)
# A joint further away than so many times its usual error is left out in the next round.
_GATE = 5.0
_LEAST_SIGMA_PX = 0.3
_FIRST_SIGMA = 0.02  # of a joint, as a share of people's size, before it is known


@dataclass(frozen=True, eq=False)
class Solved:
    """Cameras and people.

    Attributes:
        cameras: V cameras.
        groups: P people that they were found from.
        seen: Their detections.
        points: (P, 17, 3) joints, metres, NaN where fewer than two cameras see them.
        linear: The normal equations at the end.
        free: (V, 9) unknowns that were changed.
        rules: Of bodies, as they were used, if they were.
        pairs: What was found of pairs of cameras at the start.
        prior: (V, 9) weights, see `orplugins.rig.bundle.adjust`.
    """

    cameras: Cameras
    groups: Groups
    seen: Sightings
    points: np.ndarray
    linear: Linear
    free: np.ndarray
    rules: BodyRules | None
    pairs: dict[tuple[int, int], PairPose]
    prior: np.ndarray | None = None


def start_from_pairs(
    views: Sequence[View], frames: np.ndarray, rng: np.random.Generator, lags: Sequence[int], say: Callable[[str], None]
) -> tuple[np.ndarray | None, dict[tuple[int, int], PairPose]]:
    """Search all pairs of cameras, and chain what is found; see `first_rig`."""
    found, pairs = {}, {}
    for a, b in itertools.combinations(range(len(views)), 2):
        say(f"cameras {a + 1} and {b + 1}")
        pairs[a, b] = candidates(views[a], views[b], frames + lags[a], lags[b] - lags[a])
        pose = find_pose(pairs[a, b], rng)
        if pose is not None and pose.score > 0:
            found[a, b] = pose
    return first_rig(len(views), found, pairs), found


def sightings(views: Sequence[View], groups: Groups, sigma: np.ndarray, clock: bool = False) -> Sightings:
    """What the cameras saw of groups; for clocks only joints whose speed is known."""
    rays, speed, weight = (groups.gathered(views, name) for name in ("rays", "speed", "weight"))
    if clock:
        weight = np.where(np.isfinite(speed).all(-1), weight, 0.0)
    focal = np.array([(view.camera.fx, view.camera.fy) for view in views])
    return Sightings(np.nan_to_num(rays), np.sqrt(weight), np.nan_to_num(speed), focal, sigma)


def refine(
    views: Sequence[View],
    cameras: Cameras,
    frames: np.ndarray,
    free: np.ndarray,
    prior: np.ndarray | None = None,
    lags: Sequence[int] | None = None,
    tolerances: Sequence[float] = _TOLERANCES,
    most: int = 300,
    metric: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Solved:
    """Match people and adjust the cameras in turn.

    Args:
        views: V views.
        cameras: Start, right to some degrees and decimetres.
        frames: Frames that may be used.
        free: (V, 9) unknowns that may change.
        prior: See `orplugins.rig.bundle.adjust`.
        lags: (V,) whole frames that are added to the frame numbers.
        tolerances: Of a match, round by round.
        most: People that are used at most.
        metric: The cameras that stay fix the scale: people are not taken to be of the usual size.
        say: Told what is going on.

    Returns:
        Cameras and people.

    Raises:
        ValueError: Too few people agree.
    """
    width = np.array([[view.focal * np.median(view.size)] for view in views])
    sigma = np.maximum(_FIRST_SIGMA * width, _LEAST_SIGMA_PX) * np.ones((1, 17))
    rules = None if metric else BodyRules()
    for round_, tolerance in enumerate(tolerances):
        groups = group(views, cameras.poses, frames, tolerance, lags)
        last = round_ == len(tolerances) - 1
        groups = groups.take(spread_out(groups, _places(views, cameras, groups), most if last else most // 2))
        if len(groups.frame) < 6:
            raise ValueError(f"{len(groups.frame)} people are seen by two cameras at once, expected 6 or more")
        seen = sightings(views, groups, sigma, bool(free[:, CLOCK].any() or cameras.offset.any()))
        points = intersect(cameras.poses, seen.rays, seen.weight > 0)
        say(f"round {round_ + 1} of {len(tolerances)}: {len(groups.frame)} people")
        for again in range(3 if last else 2):
            cameras, points, linear = adjust(
                cameras, points, seen, free, rules, prior=prior, steps=25 if last and again == 2 else 8
            )
            sigma = errors_of_joints(linear, seen)
            if again < (2 if last else 1):
                seen = gated(replace(seen, sigma=sigma), linear)
                rules = usual_bodies(points, seen, metric)
    points = np.where(seen.active[..., None], points, np.nan)
    return Solved(cameras, groups, seen, points, linear, free, rules, {}, prior)


def _places(views: Sequence[View], cameras: Cameras, groups: Groups) -> np.ndarray:
    """(P, 3) middles of people, metres."""
    weight = groups.gathered(views, "weight")
    points = intersect(cameras.poses, np.nan_to_num(groups.gathered(views, "rays")), weight > 0)
    known = np.isfinite(points).all(-1)[..., None]
    return np.where(known, points, 0.0).sum(1) / np.maximum(known.sum(1), 1)


def gated(seen: Sightings, linear: Linear) -> Sightings:
    """Leave out joints that are far from where they should be."""
    far = np.nan_to_num(linear.residual, nan=0.0) > _GATE * seen.sigma
    return replace(seen, weight=np.where(far, 0.0, seen.weight))


def errors_of_joints(linear: Linear, seen: Sightings) -> np.ndarray:
    """(V, 17) usual errors of joints, the same in all views, from the residuals; the freedom of the fit is allowed for.

    Errors of a view's own would run away: the view with the smaller ones would draw the joints to itself.
    """
    used = np.isfinite(linear.residual)
    if not used.any():
        return seen.sigma
    freedom = 1 - 3 * np.any(used, axis=1).sum() / max(2 * used.sum(), 1)
    # The median of a Gaussian error's length in two dimensions is 1.177 of them.
    factor = 1 / (1.1774 * np.sqrt(max(freedom, 0.1)))
    everything = factor * float(np.median(linear.residual[used]))
    sigma = np.empty(seen.sigma.shape)
    for j in range(17):
        own = linear.residual[:, :, j][used[:, :, j]]
        own_sigma = factor * float(np.median(own)) if len(own) else everything
        # As if twenty more of the usual error had been seen: few joints are no proof of a small error.
        own_sigma = (len(own) * own_sigma + 20 * everything) / (len(own) + 20)
        sigma[:, j] = np.clip(own_sigma, everything / 2, 3 * everything)
    return np.maximum(sigma, _LEAST_SIGMA_PX)


def usual_bodies(points: np.ndarray, seen: Sightings, metric: bool = False) -> BodyRules:
    """Lengths of bones as they are in this recording: no estimator's hips are another's.

    Args:
        points: (P, 17, 3) metres.
        seen: Detections.
        metric: As they are; otherwise all lengths are brought to the usual scale together.
    """
    lengths = bone_lengths(np.where(seen.active[..., None], points, np.nan))
    length = USUAL.copy()
    for k in range(0, len(USUAL), 2):
        own = lengths[:, k : k + 2]
        own = own[np.isfinite(own)]
        if len(own) >= 20:
            length[k : k + 2] = np.median(own)
    return BodyRules(length if metric else length / float(np.median(length / USUAL)))


def free_unknowns(views: int, fixed: Sequence[int] = (0,), focal: bool = False, clock: bool = False) -> np.ndarray:
    """(V, 9) unknowns of `adjust`: poses of all cameras but the fixed ones, and what else is asked for."""
    free = np.zeros((views, SIZE), dtype=bool)
    free[:, TURN] = free[:, PLACE] = True
    free[list(fixed)] = False
    free[:, FOCAL] = free[:, BARREL] = focal
    free[1:, CLOCK] = clock
    return free
