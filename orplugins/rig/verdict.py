"""Whether a calibration from people can be trusted, in words."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from orplugins.geometry.rig_checks import baselines
from orplugins.rig.agreement import TOLERANCE, pair_total
from orplugins.rig.bundle import adjust
from orplugins.rig.calibrate import Calibration
from orplugins.rig.essential import essential_of, sampson
from orplugins.rig.groups import group
from orplugins.rig.points import relative_pose
from orplugins.rig.selection import common_frames, people_per_frame, spaced
from orplugins.rig.uncertainty import stretches, turn_degrees

# Beyond these a calibration is of no use for people in three dimensions, degrees and metres.
MOST_DEGREES, MOST_METRES = 2.5, 0.15
_LEAST_PEOPLE, _LEAST_MATCHED, _LEAST_ALIKE = 30, 0.3, 0.35
# People of different moments agree as well: nothing was learnt.
_CHANCE = 0.75
# Tolerance of that comparison: so many times the usual error, and at least this share of people's size.
_NOISE, _FINEST = 4.0, 0.012
_HALVES = 4.0  # standard deviations between both halves of the recording
_FRAMES = 300
_EXCHANGED = 0.4
_RIVAL = 0.85
# A camera's best pair against the others', and the error from which on that matters, as a share of people's size.
_WORSE, _LEAST_WORSE, _LEAST_PAIR = 3.0, 0.01, 15
_MIRRORED = 0.7


@dataclass(frozen=True, eq=False)
class Verdict:
    """What speaks for and against a calibration.

    Attributes:
        problems: Why it is not to be trusted, one sentence each; none: trust it.
        remarks: What is to be known.
        matched: Share of the detections that other cameras could confirm and do.
        chance: Agreement of people of different moments, as a share of that of the same moment.
        residual: Median distance of joints from where they should be, pixels, for each camera.
        halves_degrees, halves_m: Largest difference of turn and place between both halves of the recording.
    """

    problems: list[str]
    remarks: list[str]
    matched: float
    chance: float
    residual: np.ndarray
    halves_degrees: float
    halves_m: float

    @property
    def trusted(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.problems


def judge(found: Calibration) -> Verdict:
    """Look at a calibration from all sides.

    Args:
        found: The calibration.

    Returns:
        The verdict.
    """
    problems: list[str] = []
    remarks: list[str] = []
    _judge_people(found, problems)
    _judge_spread(found, problems)
    matched, chance = _judge_chance(found, problems)
    degrees, metres = _judge_halves(found, problems, remarks)
    _judge_rivals(found, problems)
    _judge_pairs(found, problems)
    _judge_sides(found, problems)
    _judge_bodies(found, problems, remarks)
    residual = np.array(
        [np.nanmedian(r) if np.isfinite(r).any() else np.nan for r in np.moveaxis(found.solved.linear.residual, 1, 0)]
    )
    far = baselines(found.cameras)
    if far.max() > 20 or far.min() < 0.1:
        problems.append(f"the cameras are {far.min():.2f} to {far.max():.1f} m apart, expected those of a room")
    return Verdict(problems, remarks, matched, chance, residual, degrees, metres)


def _judge_people(found: Calibration, problems: list[str]) -> None:
    members = found.solved.groups.members >= 0
    if len(members) < _LEAST_PEOPLE:
        problems.append(
            f"{len(members)} people are seen by two cameras, expected {_LEAST_PEOPLE} or more: record longer"
        )
    for name, seen in zip(found.names, members.sum(0), strict=True):
        if seen < _LEAST_PEOPLE / 2:
            problems.append(f"{name}: it has {seen} people in common with the others, expected {_LEAST_PEOPLE // 2}")


def _judge_spread(found: Calibration, problems: list[str]) -> None:
    wide = [
        f"{name} ({turn:.1f} degrees, {100 * place:.0f} cm)"
        for name, turn, place in zip(found.names, found.spread.turn, found.spread.place, strict=True)
        if not (turn < MOST_DEGREES and place < MOST_METRES)
    ]
    if wide:
        reach = np.nanstd(found.points.reshape(-1, 3), axis=0)
        where = f"people are spread over {reach[0]:.2f} x {reach[1]:.2f} m"
        problems.append(
            f"too uncertain: {', '.join(wide)}; {where}: a recording in which they walk about the whole room says more"
        )
    spots = found.points[:, [5, 6, 11, 12]].mean(1)
    spots = spots[np.isfinite(spots).all(1)]
    if len(spots) > 3 and np.sqrt(np.linalg.eigvalsh(np.cov(spots[:, :2].T))[1]) < 0.15:
        problems.append("everybody stands in one spot: the cameras' places are not told by that; let people walk about")


def _judge_chance(found: Calibration, problems: list[str]) -> tuple[float, float]:
    """Share of matched detections, and agreement of people of different moments."""
    views, poses = found.views, found.solved.cameras.poses
    frames = spaced(common_frames(views, found.lags), _FRAMES)
    right = group(views, poses, frames, TOLERANCE, found.lags)
    counts = people_per_frame(views, frames, found.lags)
    possible = np.minimum(counts, np.sort(counts, axis=1)[:, -2:-1]).sum()
    matched = float((right.members >= 0).sum() / max(possible, 1))
    pairs = list(itertools.combinations(range(len(views)), 2))
    # Half of the recording away nobody should meet anybody, but those who never move.
    # Where joints are known well, small movements tell moments apart: who works at a table does not go far.
    fine = float(np.clip(_NOISE * _relative_error(found), _FINEST, TOLERANCE))
    own, wrong = (
        sum(
            pair_total(views[a], views[b], poses[[a, b]], frames, fine, (found.lags[a], found.lags[b]), shift)
            for a, b in pairs
        )
        for shift in (0, len(frames) // 2)
    )
    chance = wrong / max(own, 1e-9)
    if matched < _LEAST_MATCHED:
        problems.append(
            f"{100 * matched:.0f} % of the people whom two cameras could see agree, expected "
            f"{100 * _LEAST_MATCHED:.0f} % or more"
        )
    if chance > _CHANCE:
        problems.append(
            f"people of different moments agree {100 * chance:.0f} % as well as those of one moment: the views have "
            "nothing in common, or nobody moves"
        )
    return matched, chance


def _relative_error(found: Calibration) -> float:
    """Usual distance of joints from where they should be, as a share of people's size in the image."""
    groups, residual = found.solved.groups, found.solved.linear.residual
    shares = []
    for v, view in enumerate(found.views):
        there = groups.members[:, v] >= 0
        size = view.focal * view.size[groups.members[there, v]]
        shares.append((residual[there, v] / np.maximum(size, 1e-9)[:, None]).ravel())
    every = np.concatenate(shares)
    return float(np.nanmedian(every)) if np.isfinite(every).any() else 1.0


def _judge_halves(found: Calibration, problems: list[str], remarks: list[str]) -> tuple[float, float]:
    """Calibrate both halves of the people apart: how far their cameras are from each other."""
    solved = found.solved
    blocks = stretches(solved.groups.frame, found.video)
    sides = []
    for odd in (0, 1):
        chosen = np.flatnonzero(blocks % 2 == odd)
        if len(chosen) < 10:
            remarks.append("too few people to compare both halves of the recording")
            return float("nan"), float("nan")
        cameras, _, _ = adjust(
            solved.cameras,
            np.nan_to_num(solved.points[chosen]),
            solved.seen.take(chosen),
            solved.free,
            solved.rules,
            prior=solved.prior,
        )
        sides.append(cameras)
    degrees = np.array([turn_degrees(a, b) for a, b in zip(sides[0].rotation, sides[1].rotation, strict=True)])
    sizes = [np.linalg.norm(side.place - side.place[0]) for side in sides]
    places = [side.place * found.scale.factor * sizes[0] / size for side, size in zip(sides, sizes, strict=True)]
    metres = np.linalg.norm(places[0] - places[1], axis=1)
    # Halves have twice the variance of the whole, and there are two of them.
    for name, d, m, turn, place in zip(
        found.names, degrees, metres, found.spread.turn, found.spread.place, strict=True
    ):
        if (d > max(_HALVES * 2 * turn, 0.5) and d > MOST_DEGREES) or (
            m > max(_HALVES * 2 * place, 0.02) and m > MOST_METRES
        ):
            problems.append(
                f"{name}: both halves of the recording disagree by {d:.1f} degrees and {100 * m:.0f} cm: did it move "
                "in between?"
            )
    return float(degrees.max()), float(metres.max())


def _judge_rivals(found: Calibration, problems: list[str]) -> None:
    """Two cameras alone have no third to tell two geometries apart."""
    if len(found.names) == 2:
        pair = next(iter(found.solved.pairs.values()))
        if pair.rival > _RIVAL * pair.score:
            problems.append("two different geometries explain the people about as well: record more people, or longer")


def _judge_pairs(found: Calibration, problems: list[str]) -> None:
    """Of three cameras or more: one whose people fit the others' far worse than those fit each other."""
    count = len(found.names)
    if count < 3:
        return
    errors = np.full((count, count), np.nan)
    for a, b in itertools.combinations(range(count), 2):
        errors[a, b] = errors[b, a] = _pair_error(found, a, b)
    for k, name in enumerate(found.names):
        own = errors[k, np.isfinite(errors[k])]
        others = np.delete(np.delete(errors, k, 0), k, 1)
        if len(own) and np.isfinite(others).any():
            ratio = own.min() / max(float(np.nanmin(others)), 1e-6)
            if ratio > _WORSE and own.min() > _LEAST_WORSE:
                problems.append(
                    f"{name}: its people fit the others' {ratio:.0f} times worse than those fit each other: another "
                    "clock or frame rate, or images that are not of this recording"
                )


def _pair_error(found: Calibration, a: int, b: int) -> float:
    """Median distance of two cameras' people from their epipolar lines, as a share of people's size."""
    groups, views = found.solved.groups, found.views
    both = (groups.members[:, [a, b]] >= 0).all(1)
    if both.sum() < _LEAST_PAIR:
        return float("nan")
    rays, weight = groups.gathered(views, "rays")[both], groups.gathered(views, "weight")[both]
    seen = (weight[:, a] > 0) & (weight[:, b] > 0)
    poses = found.solved.cameras.poses
    distance = sampson(essential_of(relative_pose(poses[a], poses[b]))[None], rays[:, a][seen], rays[:, b][seen])[0]
    size = np.repeat(views[a].size[groups.members[both, a]][:, None], 17, 1)[seen]
    return float(np.median(distance / np.maximum(size, 1e-9)))


def _judge_sides(found: Calibration, problems: list[str]) -> None:
    """In a mirrored world noses are on the back of heads: left is not where it is for somebody who looks that way."""
    points = found.points
    nose, ears = points[:, 0], points[:, [3, 4]].mean(1)
    up = points[:, [5, 6]].mean(1) - points[:, [11, 12]].mean(1)
    across = (points[:, 5] - points[:, 6]) + (points[:, 11] - points[:, 12])
    side = (np.cross(up, nose - ears) * across).sum(1)
    side = side[np.isfinite(side)]
    if len(side) >= _LEAST_PAIR and (side < 0).mean() > _MIRRORED:
        problems.append(
            f"{100 * (side < 0).mean():.0f} % of the noses are on the back of heads: left and right are exchanged in "
            "all images, or these are mirrored"
        )


def _judge_bodies(found: Calibration, problems: list[str], remarks: list[str]) -> None:
    if np.isfinite(found.scale.bodies) and not 0.75 < found.scale.bodies < 1.3:
        problems.append(
            f"people are {found.scale.bodies:.2f} times as large as usual ones: the known length is wrong, or the "
            "geometry is"
        )
    share = found.solved.groups.flipped.sum(0) / np.maximum((found.solved.groups.members >= 0).sum(0), 1)
    for name, odd in zip(found.names, share, strict=True):
        if odd > _EXCHANGED:
            remarks.append(
                f"{name}: left and right are exchanged in {100 * odd:.0f} % of its people: is the image mirrored?"
            )
    if not np.isfinite(found.scale.bodies):
        remarks.append("too few arms and legs are seen to tell people's size")
