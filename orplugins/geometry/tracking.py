"""Who is who over time: people of one camera in 2D. In 3D: `orplugins.multiview.tracks`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orplugins.geometry.assignment import NO_MATCH, match_pairs
from orplugins.geometry.triangulation import present
from orplugins.skeletons import BODY_25, Skeleton, convert


def subject_score(person: np.ndarray) -> float:
    """How much of a frame's subject a person is: area of the joints' box times their mean confidence.

    Args:
        person: (J, 3) x, y, confidence.

    Returns:
        The score; 0 without a joint.
    """
    found = present(person)
    if not found.any():
        return 0.0
    low, high = person[found, :2].min(0), person[found, :2].max(0)
    return float(np.prod(high - low) * person[found, 2].mean())


def trunk(person: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """(2, 3): neck and mid hip."""
    wanted = convert(person, skeleton, BODY_25)
    return wanted[[BODY_25.index("neck"), BODY_25.index("mid_hip")]]


@dataclass
class Track:
    """One person over time.

    Attributes:
        start: First frame.
        indices: Frame -> index of the person's detection.
        last: (J, 3) the last pose.
        last_frame: Its frame.
        score: Sum of `subject_score`.
    """

    start: int
    indices: dict[int, int]
    last: np.ndarray
    last_frame: int
    score: float = 0.0


@dataclass(frozen=True)
class TrackRules:
    """Limits of tracking.

    Attributes:
        reject: Maximum cost of a match, in torso lengths.
        patience: Frames without a match after which a track ends.
        min_joints: Minimum number of common joints.
        min_torso_px: What a shorter torso counts as, pixels.
    """

    reject: float = 1.0
    patience: int = 15
    min_joints: int = 6
    min_torso_px: float = 20.0


def track_people(
    frames: Sequence[np.ndarray], skeleton: Skeleton = BODY_25, rules: TrackRules | None = None
) -> list[Track]:
    """Follow people through one camera's frames.

    The cost between a person and the last pose of a track is the median distance of their common joints, in torso
    lengths of the track; assignments are optimal (Hungarian).

    Args:
        frames: One (N, J, 3) array per frame (N may be 0).
        skeleton: Their joint set.
        rules: Limits; None: the defaults.

    Returns:
        Tracks by falling sum of `subject_score`: the first is the subject.
    """
    rules = rules or TrackRules()
    tracks: list[Track] = []
    for t, people in enumerate(frames):
        alive = [track for track in tracks if t - track.last_frame <= rules.patience]
        cost = np.full((len(alive), len(people)), NO_MATCH)
        for i, track in enumerate(alive):
            ends = trunk(track.last, skeleton)
            torso = np.linalg.norm(ends[0, :2] - ends[1, :2]) if (ends[:, 2] > 0).all() else 0.0
            for j, person in enumerate(people):
                common = present(track.last) & present(person)
                if common.sum() >= rules.min_joints:
                    distance = np.median(np.linalg.norm(track.last[common, :2] - person[common, :2], axis=-1))
                    cost[i, j] = distance / max(torso, rules.min_torso_px)
        taken = set()
        for track, j in zip(alive, match_pairs(cost, rules.reject), strict=True):
            if j >= 0:
                track.indices[t], track.last, track.last_frame = int(j), people[j], t
                track.score += subject_score(people[j])
                taken.add(j)
        for j, person in enumerate(people):
            if j not in taken and present(person).sum() >= rules.min_joints:
                tracks.append(Track(t, {t: j}, person, t, subject_score(person)))
    return sorted(tracks, key=lambda track: -track.score)


def track_poses(track: Track, frames: Sequence[np.ndarray], joints: int) -> np.ndarray:
    """Poses of one track.

    Args:
        track: The track.
        frames: One (N, J, 3) array per frame.
        joints: J.

    Returns:
        (F, J, 3), zeros where the person was not seen.
    """
    out = np.zeros((len(frames), joints, 3))
    for t, index in track.indices.items():
        out[t] = frames[t][index]
    return out
