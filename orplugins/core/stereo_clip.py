"""From the people of two parallel cameras to one subject's joints over time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from orplugins.core.association import match_pairs, pair_cost, subject_score, track_people
from orplugins.core.skeletons import BODY_25
from orplugins.core.stereo import (
    Clip,
    ParallelRig,
    StereoRules,
    check_pair,
    clean_clip,
    row_offset,
    shift_sequence,
    triangulate_rectified,
    unmirror,
)
from orplugins.core.triangulation import Code


@dataclass(frozen=True)
class StereoClip:
    """A subject's clip on the left camera's clock.

    Attributes:
        clip: Cleaned joints, BODY_25.
        counts: Joint samples by reason, before cleaning.
        offset: Frames by which the right camera was late; ``corrected``: it was taken out.
        warnings: What a person should know.
    """

    clip: Clip
    counts: dict[str, int]
    offset: float
    corrected: bool
    warnings: list[str]


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
        left, right: One (N, 25, 3) a frame; clips of different length are cut to the shorter, with a warning.
        mirrored: The pictures are mirror images (as Kinect's software shows them).
        auto_swap: Exchange the cameras if the disparities say so; otherwise that is an error.
        synchronise: Take out a time offset above 0.1 frame when the rows agree well (correlation above 0.9).

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
                    "stereo: the disparities are negative: left and right camera are exchanged, or the pictures "
                    "are mirror images"
                )
            first, second, rig = *other, exchanged
            notes = ["left and right camera were exchanged", *check_pair(first, second, rig)[0]]
    warnings += notes
    offset, correlation = row_offset(first, second)
    corrected = synchronise and abs(offset) > 0.1 and correlation > 0.9
    if corrected:
        second = shift_sequence(second, offset)
        warnings.append(f"the right camera is {offset:+.2f} frames late (row correlation {correlation:.3f}): taken out")
    xyz, code, _ = triangulate_rectified(first, second, rig, rules)
    counts = {Code(c).name.lower(): int((code == c).sum()) for c in np.unique(code)}
    return StereoClip(clean_clip(xyz, code, rules), counts, offset, corrected, warnings)


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
            partner = match_pairs(pair_cost(left[t], right[t], rig, rules=rules))[index]
            if partner >= 0:
                second[t] = right[t][partner]
            elif len(left[t]) == len(right[t]) == 1 and subject_score(right[t][0]) > 0:
                second[t] = right[t][0]  # one person each: the rules for single joints give the reasons
    return first, second
