"""Who is who: people over time in one camera, and people between two cameras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orplugins.geometry.assignment import NO_MATCH
from orplugins.geometry.cameras import Camera
from orplugins.geometry.epipolar import epipolar_distance
from orplugins.geometry.rectified import ParallelRig, StereoRules
from orplugins.geometry.triangulation import camera_rays, dlt, present, project, world_to_camera_matrices
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


def choose_subject(people: np.ndarray) -> int:
    """A frame's subject.

    Args:
        people: (N, J, 3) x, y, confidence.

    Returns:
        Index of the subject, -1 if there is nobody.
    """
    return int(np.argmax([subject_score(person) for person in people])) if len(people) else -1


def _trunk(person: np.ndarray, skeleton: Skeleton) -> np.ndarray:
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
    from scipy.optimize import linear_sum_assignment

    rules = rules or TrackRules()
    tracks: list[Track] = []
    for t, people in enumerate(frames):
        alive = [track for track in tracks if t - track.last_frame <= rules.patience]
        cost = np.full((len(alive), len(people)), NO_MATCH)
        for i, track in enumerate(alive):
            ends = _trunk(track.last, skeleton)
            torso = np.linalg.norm(ends[0, :2] - ends[1, :2]) if (ends[:, 2] > 0).all() else 0.0
            for j, person in enumerate(people):
                common = present(track.last) & present(person)
                if common.sum() >= rules.min_joints:
                    distance = np.median(np.linalg.norm(track.last[common, :2] - person[common, :2], axis=-1))
                    cost[i, j] = distance / max(torso, rules.min_torso_px)
        taken = set()
        for i, j in zip(*linear_sum_assignment(cost), strict=True):
            if cost[i, j] <= rules.reject:
                track = alive[i]
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


@dataclass(frozen=True)
class PairRules:
    """Weights of the cost between people of two cameras.

    Attributes:
        outside_px: Cost if all joints lie outside the range of depths, pixels.
        torso_px: Cost per unit of the logarithm of the torso's length over ``torso_m``, pixels.
        torso_m: Usual length of a torso, metres.
        min_joints: Minimum number of common joints.
        reject_px: Maximum cost of a pair, pixels.
    """

    outside_px: float = 50.0
    torso_px: float = 20.0
    torso_m: float = 0.50
    min_joints: int = 6
    reject_px: float = 25.0


def pair_cost(
    left: np.ndarray,
    right: np.ndarray,
    rig: ParallelRig,
    pair: PairRules | None = None,
    rules: StereoRules | None = None,
) -> np.ndarray:
    """Cost that people of two parallel cameras are one.

    Rows alone cannot separate two people at one distance: disparity range and body size help.

    Args:
        left: (L, 25, 3) people of the left camera, BODY_25.
        right: (R, 25, 3) people of the right camera.
        rig: The pair.
        pair: Weights; None: the defaults.
        rules: Limits of single joints; None: the defaults.

    Returns:
        (L, R) pixels; infinity for too few common joints.
    """
    pair, rules = pair or PairRules(), rules or StereoRules()
    neck, hip = BODY_25.index("neck"), BODY_25.index("mid_hip")
    factor = rig.focal_px * rig.baseline_m
    cost = np.full((len(left), len(right)), np.inf)
    for i, a in enumerate(left):
        for j, b in enumerate(right):
            used = present(a) & present(b) & (np.minimum(a[:, 2], b[:, 2]) >= rules.conf_min)
            if used.sum() < pair.min_joints:
                continue
            rows = np.abs((a[:, 1] - rig.left[1]) - (b[:, 1] - rig.right[1]))
            disparity = (a[:, 0] - rig.left[0]) - (b[:, 0] - rig.right[0])
            outside = (disparity < factor / rules.z_max_m) | (disparity > factor / rules.z_min_m)
            torso = 0.0
            if used[neck] and used[hip]:
                torso = 5.0
                if disparity[neck] > 0 and disparity[hip] > 0:
                    ends = [
                        np.array(
                            [a[k, 0] - rig.left[0], (a[k, 1] - rig.left[1] + b[k, 1] - rig.right[1]) / 2, rig.focal_px]
                        )
                        * (rig.baseline_m / disparity[k])
                        for k in (neck, hip)
                    ]
                    torso = abs(np.log(np.linalg.norm(ends[0] - ends[1]) / pair.torso_m))
            cost[i, j] = np.median(rows[used]) + pair.outside_px * outside[used].mean() + pair.torso_px * torso
    return cost


def general_pair_cost(
    cameras: Sequence[Camera],
    first: np.ndarray,
    second: np.ndarray,
    skeleton: Skeleton = BODY_25,
    pair: PairRules | None = None,
    rules: StereoRules | None = None,
) -> np.ndarray:
    """`pair_cost` for two cameras in any position.

    Epipolar distance takes the place of rows, depth in both cameras that of disparity.

    Args:
        cameras: The two cameras.
        first: (L, J, 3) people of the first camera.
        second: (R, J, 3) people of the second camera.
        skeleton: Their joint set.
        pair: Weights; None: the defaults.
        rules: Limits of single joints; None: the defaults.

    Returns:
        (L, R) pixels; infinity for too few common joints.
    """
    pair, rules = pair or PairRules(), rules or StereoRules()
    matrices = world_to_camera_matrices(cameras)
    cost = np.full((len(first), len(second)), np.inf)
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            used = present(a) & present(b) & (np.minimum(a[:, 2], b[:, 2]) >= rules.conf_min)
            if used.sum() < pair.min_joints:
                continue
            both = np.stack([a[used, :2], b[used, :2]])
            rays = camera_rays(cameras, both)
            pixels = [
                ray * (camera.fx, camera.fy) + (camera.cx, camera.cy) for ray, camera in zip(rays, cameras, strict=True)
            ]
            points = dlt(matrices, rays, np.ones(rays.shape[:-1]))
            depth = project(matrices, points)[1]
            outside = ((depth < rules.z_min_m) | (depth > rules.z_max_m)).any(0)
            solid = np.zeros((skeleton.num_joints, 4))
            solid[used] = np.concatenate([points, np.ones((len(points), 1))], -1)
            ends = _trunk(solid, skeleton)
            torso = 0.0
            if (ends[:, 3] > 0).all():
                length = np.linalg.norm(ends[0, :3] - ends[1, :3])
                torso = 5.0 if outside.all() else abs(np.log(max(length, 1e-6) / pair.torso_m))
            distance = np.median(epipolar_distance(cameras, *pixels))
            cost[i, j] = distance + pair.outside_px * outside.mean() + pair.torso_px * torso
    return cost


def track_points(
    frames: np.ndarray, points: np.ndarray, reject_m: float = 0.6, patience: int = 15, min_joints: int = 3
) -> np.ndarray:
    """Follow 3D people over time: optimal assignment on the median distance of joints (Hungarian).

    Args:
        frames: (P,) frame number of each person, sorted.
        points: (P, J, 3) metres, NaN where missing.
        reject_m: Maximum median distance between a person and the last pose of a track, metres.
        patience: A track ends after this many frames without a match.
        min_joints: Minimum number of common joints.

    Returns:
        (P,) track numbers from 0, in order of appearance.
    """
    from scipy.optimize import linear_sum_assignment

    tracks = np.full(len(frames), -1)
    last: dict[int, int] = {}
    for frame in np.unique(frames):
        new = np.flatnonzero(frames == frame)
        alive = [track for track, index in last.items() if frame - frames[index] <= patience]
        cost = np.full((len(alive), len(new)), NO_MATCH)
        for i, track in enumerate(alive):
            distance = np.linalg.norm(points[new] - points[last[track]], axis=-1)
            for j in range(len(new)):
                common = np.isfinite(distance[j])
                if common.sum() >= min_joints:
                    cost[i, j] = np.median(distance[j][common])
        for i, j in zip(*linear_sum_assignment(cost), strict=True):
            if cost[i, j] <= reject_m:
                tracks[new[j]] = alive[i]
        for index in new:
            if tracks[index] < 0:
                tracks[index] = max(last, default=-1) + 1
            last[int(tracks[index])] = int(index)
    return tracks
