"""From the people of two parallel cameras to one subject's joints over time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from orplugins.geometry.assignment import match_pairs
from orplugins.geometry.rectified import (
    ParallelRig,
    StereoRules,
    triangulate_rectified,
)
from orplugins.geometry.timeseries import parabola_offset, resample, running_median
from orplugins.geometry.tracking import subject_score, track_people
from orplugins.geometry.triangulation import Code, present
from orplugins.multiview.association import PairRules, pair_cost
from orplugins.skeletons import BODY_25

_MAX_LAG = 60


@dataclass(frozen=True)
class StereoClip:
    """A subject's clip on the left camera's clock.

    Attributes:
        clip: Cleaned joints, BODY_25.
        counts: Joint samples by reason, before cleaning.
        offset: Frames by which the right camera was late.
        corrected: Whether the offset was taken out.
        warnings: What a person should know.
        subject: (F, 25, 3) what the left and the right camera saw of the subject, on one clock.
        rig: The pair, with mirrored images and exchanged cameras put right.
    """

    clip: Clip
    counts: dict[str, int]
    offset: float
    corrected: bool
    warnings: list[str]
    subject: tuple[np.ndarray, np.ndarray]
    rig: ParallelRig


def stereo_clip(
    left: list[np.ndarray],
    right: list[np.ndarray],
    rig: ParallelRig,
    rules: StereoRules | None = None,
    mirrored: bool = False,
    auto_swap: bool = False,
    synchronise: bool = True,
) -> StereoClip:
    """Find the subject in both cameras, triangulate and clean.

    The subject is the left camera's longest and largest person; its partner in the right camera is found frame by
    frame.

    Args:
        left: One (N, 25, 3) per frame of the left camera.
        right: One (N, 25, 3) per frame of the right camera; clips of different length are cut to the shorter, with a
            warning.
        rig: The pair.
        rules: Limits; None: the defaults.
        mirrored: The images are mirror images (as Kinect's software shows them).
        auto_swap: Exchange the cameras if the disparities say so; otherwise that is an error.
        synchronise: Take out a time offset above 0.1 frame when the rows agree well (correlation above 0.9).

    Returns:
        The clip.

    Raises:
        ValueError: Nobody to follow, or the cameras are exchanged.
    """
    rules, warnings = rules or StereoRules(), []
    if len(left) != len(right):
        warnings.append(f"left has {len(left)} frames and right {len(right)}: cut to {min(len(left), len(right))}")
    frames = min(len(left), len(right))
    left, right = left[:frames], right[:frames]
    if mirrored:
        left, right = ([unmirror(people, rig.size[0]) for people in view] for view in (left, right))
        width = rig.size[0] - 1
        rig = replace(rig, left=(width - rig.left[0], rig.left[1]), right=(width - rig.right[0], rig.right[1]))
    first, second = _subject(left, right, rig, rules)
    notes, swapped = check_pair(first, second, rig)
    if swapped or not _any_pair(first, second):
        exchanged = replace(rig, left=rig.right, right=rig.left)
        other = _subject(right, left, exchanged, rules)
        if _any_pair(*other) and not check_pair(*other, exchanged)[1]:
            if not auto_swap:
                raise ValueError(
                    "stereo: the disparities are negative: left and right camera are exchanged, or the images "
                    "are mirror images"
                )
            first, second, rig = *other, exchanged
            notes = ["left and right camera were exchanged", *check_pair(first, second, rig)[0]]
    warnings += notes
    offset, correlation = row_offset(first, second)
    if not correlation > 0.9:  # recordings that were started by hand are further apart
        far = row_offset(first, second, max_lag=min(_MAX_LAG, len(first) // 3))
        offset, correlation = far if far[1] > 0.95 else (offset, correlation)
    corrected = synchronise and abs(offset) > 0.1 and correlation > 0.9
    if corrected:
        second = shift_sequence(second, offset)
        warnings.append(f"the right camera is {offset:+.2f} frames late (row correlation {correlation:.3f}): taken out")
    xyz, code, _ = triangulate_rectified(first, second, rig, rules)
    counts = {Code(c).name.lower(): int((code == c).sum()) for c in np.unique(code)}
    return StereoClip(clean_clip(xyz, code, rules), counts, offset, corrected, warnings, (first, second), rig)


def _any_pair(first: np.ndarray, second: np.ndarray) -> bool:
    return bool(((first[..., 2] > 0) & (second[..., 2] > 0)).any())


def _subject(left: list, right: list, rig: ParallelRig, rules: StereoRules) -> tuple[np.ndarray, np.ndarray]:
    """(F, 25, 3) of the subject in each camera, zeros where it is not there."""
    tracks = track_people(left)
    if not tracks:
        raise ValueError("stereo: nobody with six joints or more in the left camera")
    first, second = np.zeros((2, len(left), BODY_25.num_joints, 3))
    for t, index in tracks[0].indices.items():
        first[t] = left[t][index]
        if len(right[t]):
            partner = match_pairs(pair_cost(left[t], right[t], rig, rules=rules), PairRules.reject_px)[index]
            if partner >= 0:
                second[t] = right[t][partner]
            elif len(left[t]) == len(right[t]) == 1 and subject_score(right[t][0]) > 0:
                second[t] = right[t][0]  # one person each: the rules for single joints give the reasons
    return first, second


# Parent, child: the bones whose lengths a clip must keep.
BONES = tuple(limb for limb in BODY_25.limbs if 1 <= min(limb) and max(limb) <= 14)  # neither face nor feet


@dataclass(frozen=True)
class Clip:
    """Joints of one person over time.

    Attributes:
        xyz: (F, J, 3) metres in left-camera axes, NaN where missing.
        state: (F, J) 2 measured, 1 inferred, 0 missing.
        code: (F, J) reasons.
    """

    xyz: np.ndarray
    state: np.ndarray
    code: np.ndarray


def check_pair(left: np.ndarray, right: np.ndarray, rig: ParallelRig) -> tuple[list[str], bool]:
    """Look at a whole clip.

    Args:
        left: (F, J, 3) one person in the left camera.
        right: (F, J, 3) the same person in the right camera.
        rig: The pair.

    Returns:
        Warnings, and whether the two cameras are exchanged (negative median disparity).
    """
    both = present(left) & present(right)
    if not both.any():
        return ["no joint is seen by both cameras"], False
    disparity = (left[..., 0] - rig.left[0] - right[..., 0] + rig.right[0])[both]
    rows = (left[..., 1] - rig.left[1] - right[..., 1] + rig.right[1])[both]
    warnings = []
    if np.median(np.abs(rows)) > 4:
        warnings.append(f"median row mismatch {np.median(np.abs(rows)):.1f} px: the pair does not look rectified")
    return warnings, bool(np.median(disparity) < 0)


def unmirror(keypoints: np.ndarray, width: int) -> np.ndarray:
    """Joints of a mirrored image in the unmirrored one: u -> w - 1 - u, left and right exchanged.

    Args:
        keypoints: (..., 25, 3) BODY_25.
        width: w, pixels.

    Returns:
        (..., 25, 3).
    """
    out = np.array(keypoints, dtype=np.float64)[..., list(BODY_25.flip_indices), :]
    out[..., 0] = np.where(present(out), width - 1 - out[..., 0], out[..., 0])
    return out


def row_offset(left: np.ndarray, right: np.ndarray, max_lag: int = 5) -> tuple[float, float]:
    """Time offset of two free-running cameras from the image rows, which depth does not influence.

    Args:
        left: (F, J, 3) one person in the left camera.
        right: (F, J, 3) the same person in the right camera.
        max_lag: Maximum offset looked at, frames.

    Returns:
        (offset, correlation): ``right[t + offset]`` was taken together with ``left[t]``; frames, with a parabola
        through the neighbours of the best whole lag. (0, nan) if nothing moves.
    """
    rows = [np.where(present(view), view[..., 1], np.nan) for view in (left, right)]
    scores = []
    for lag in range(-max_lag, max_lag + 1):
        start, stop = max(0, -lag), min(len(rows[0]), len(rows[1]) - lag)
        a, b = rows[0][start:stop], rows[1][start + lag : stop + lag]
        common = np.isfinite(a) & np.isfinite(b)
        if stop - start < 10 or not common.any():
            scores.append(np.nan)
            continue
        count = np.maximum(common.sum(0), 1)
        a, b = (np.where(common, x - np.where(common, x, 0).sum(0) / count, 0) for x in (a, b))
        norm = np.sqrt((a**2).sum() * (b**2).sum())
        scores.append((a * b).sum() / norm if norm > 0 else np.nan)
    if not np.isfinite(scores).any():
        return 0.0, float("nan")
    best = int(np.nanargmax(scores))
    return best - max_lag + parabola_offset(scores, best), float(scores[best])


def shift_sequence(keypoints: np.ndarray, offset: float) -> np.ndarray:
    """The sequence as it would have been seen some frames later; confidence of the weaker neighbour.

    Args:
        keypoints: (F, J, 3) x, y, confidence.
        offset: Frames.

    Returns:
        (F, J, 3), zeros where a neighbour is missing.
    """
    frames = np.arange(len(keypoints))
    seen = present(keypoints)
    moved = resample(np.where(seen[..., None], keypoints[..., :2], np.nan), frames, frames + offset, max_gap=1)
    lower = np.clip(np.floor(frames + offset).astype(int), 0, len(frames) - 1)
    upper = np.clip(np.ceil(frames + offset).astype(int), 0, len(frames) - 1)
    confidence = np.minimum(keypoints[lower][..., 2], keypoints[upper][..., 2])
    valid = np.isfinite(moved).all(-1)
    return np.where(valid[..., None], np.concatenate([moved, confidence[..., None]], -1), 0.0)


def clean_clip(xyz: np.ndarray, code: np.ndarray, rules: StereoRules | None = None, bones=BONES) -> Clip:
    """Bone lengths, temporal outliers, short gaps, in this order (see `StereoRules`).

    Args:
        xyz: (F, J, 3) metres, NaN where missing.
        code: (F, J) reasons so far.
        rules: Limits; None: the defaults.
        bones: (parent, child) pairs.

    Returns:
        The cleaned clip.
    """
    rules = rules or StereoRules()
    xyz, code = np.array(xyz, dtype=np.float64), np.array(code, dtype=np.int64)
    refused = np.zeros(code.shape, dtype=bool)
    for parent, child in bones:  # all judged on the unfiltered data
        length = np.linalg.norm(xyz[:, child] - xyz[:, parent], axis=-1)
        valid = np.isfinite(length)
        if valid.sum() >= rules.bone_min_frames:
            usual = np.median(length[valid])
            limit = max(rules.bone_relative * usual, rules.bone_absolute_m)
            refused[:, child] |= valid & (np.abs(length - usual) > limit)
    xyz[refused], code[refused] = np.nan, Code.BONE_LENGTH
    middle = running_median(xyz, rules.median_half_window)
    with np.errstate(invalid="ignore"):
        outlier = np.linalg.norm(xyz - middle, axis=-1) > rules.median_tolerance_m
    xyz[outlier], code[outlier] = np.nan, Code.TEMPORAL_OUTLIER
    state = np.where(np.isfinite(xyz).all(-1), 2, 0)
    for joint in range(xyz.shape[1]):
        valid = np.flatnonzero(state[:, joint] == 2)
        for before, after in zip(valid[:-1], valid[1:], strict=True):
            if 1 < after - before <= rules.gap_max_frames + 1:
                inside = np.arange(before + 1, after)
                share = ((inside - before) / (after - before))[:, None]
                xyz[inside, joint] = (1 - share) * xyz[before, joint] + share * xyz[after, joint]
                state[inside, joint], code[inside, joint] = 1, Code.FILLED
    return Clip(xyz, state, code)
