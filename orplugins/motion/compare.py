"""Two recordings of one motion, compared: time offset, alignment, distances, angles.

Neither is the truth: A is a reference, and the numbers say how well B agrees with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from orplugins.geometry.pose_error import velocity_error
from orplugins.geometry.similarity import Similarity, align_clip
from orplugins.geometry.timeseries import count_jumps, jitter, resample
from orplugins.motion.measures import (
    CORE_ANGLES,
    CORE_ROOTS,
    bone_variation,
    count_spikes,
    joint_angle,
    partial_n_mpjpe,
    partial_p_mpjpe,
    range_of_motion,
)
from orplugins.motion.offset import TimeOffset, find_offset, overlap
from orplugins.skeletons import CORE_12, SKELETONS, Skeleton

MODES = ("none", "root", "rigid", "similarity")
MAX_GAP_FRAMES = 5


@dataclass(frozen=True)
class Recording:
    """A motion.

    Attributes:
        name: Of the recording.
        xyz: (F, J, 3) metres, NaN = missing.
        state: (F, J) 2 measured, 1 inferred, 0 missing.
        time: (F,) seconds.
        fps: Frames per second.
        skeleton: The joint set.
        root: What positions are relative to, one of `orplugins.motion.kinect_files.ROOTS`.
    """

    name: str
    xyz: np.ndarray
    state: np.ndarray
    time: np.ndarray
    fps: float
    skeleton: Skeleton
    root: str = "absolute"

    def core(self, measured_only: bool = False) -> np.ndarray:
        """The joints that all systems have.

        Args:
            measured_only: Take inferred joints as missing.

        Returns:
            (F, 12, 3) metres, NaN where missing.
        """
        index = [self.skeleton.index(_core_name(joint, self.skeleton)) for joint in CORE_12.joints]
        keep = self.state[:, index] >= (2 if measured_only else 1)
        return np.where(keep[..., None], self.xyz[:, index], np.nan)


def _core_name(joint: str, skeleton: Skeleton) -> str:
    if skeleton is SKELETONS["itop_15"]:
        return joint.replace("wrist", "hand").replace("ankle", "foot")
    return joint


@dataclass(frozen=True)
class Sequence:
    """What one recording says about itself.

    Attributes:
        missing: Share of joint samples that are missing.
        inferred: Share of joint samples that are inferred.
        missing_per_joint: (12,) share by joint.
        jumps: See `orplugins.geometry.timeseries.count_jumps`.
        spikes: See `orplugins.motion.measures.count_spikes`.
        jitter: See `orplugins.geometry.timeseries.jitter`, m/s^2.
        bone_variation: See `orplugins.motion.measures.bone_variation`.
    """

    missing: float
    inferred: float
    missing_per_joint: np.ndarray
    jumps: int
    spikes: int
    jitter: float
    bone_variation: np.ndarray


@dataclass(frozen=True)
class Angle:
    """Agreement of one joint angle.

    Attributes:
        a: (F,) degrees in A.
        b: (F,) degrees in B.
        rmse: Root of the mean squared difference, degrees.
        pearson: Correlation.
        rom: Ranges of motion in A and B, degrees.
    """

    a: np.ndarray
    b: np.ndarray
    rmse: float
    pearson: float
    rom: tuple[float, float]


@dataclass(frozen=True)
class Alignment:
    """Distances under one spatial alignment.

    Attributes:
        transform: What brings B onto A.
        a, b: (F, 12, 3) the aligned clips, metres.
        mpjpe: Mean distance, millimetres.
        per_joint, median, p95: (12,) mean, median and 95th percentile of each joint's distance, millimetres.
        offset: (12, 3) mean of B minus A for each joint, millimetres.
        velocity: Mean distance of the first differences along time, millimetres per frame.
    """

    transform: Similarity
    a: np.ndarray
    b: np.ndarray
    mpjpe: float
    per_joint: np.ndarray
    median: np.ndarray
    p95: np.ndarray
    offset: np.ndarray
    velocity: float


@dataclass(frozen=True)
class Comparison:
    """Agreement of ``b`` with the reference ``a`` over the frames that both have, from frame ``start`` of ``a``."""

    names: tuple[str, str]
    fps: float
    offset: TimeOffset
    common: np.ndarray
    alignments: dict[str, Alignment]
    p_mpjpe: float
    p_mpjpe_frames: int
    n_mpjpe: float
    angles: dict[str, Angle]
    sequences: tuple[Sequence, Sequence]
    start: int = 0
    warnings: list[str] = field(default_factory=list)


def describe(core: np.ndarray, fps: float, state: np.ndarray | None = None) -> Sequence:
    """Measures of one recording.

    Args:
        core: (F, 12, 3) metres, NaN = missing.
        fps: Frames per second.
        state: (F, 12) states, to count inferred joints; None: none is inferred.

    Returns:
        The measures.
    """
    missing = ~np.isfinite(core).all(-1)
    inferred = float((state == 1).mean()) if state is not None else 0.0
    return Sequence(
        float(missing.mean()),
        inferred,
        missing.mean(0),
        count_jumps(core, fps),
        count_spikes(core),
        jitter(core, fps),
        bone_variation(core),
    )


def compare_core(
    a: np.ndarray, b: np.ndarray, fps: float, names: tuple[str, str] = ("A", "B"), max_lag: int = 30
) -> Comparison:
    """Compare two clips of one frame rate.

    Args:
        a: (F, 12, 3) the reference, metres, NaN = missing.
        b: (G, 12, 3) likewise.
        fps: Frames per second.
        names: Of the clips.
        max_lag: Maximum time offset, frames.

    Returns:
        The comparison.

    Raises:
        ValueError: The clips have no joint in common after the time offset is taken out.
    """
    offset = find_offset(a, b, max_lag)
    left, right, start = overlap(a, b, offset.lag)
    common = np.isfinite(left).all(-1) & np.isfinite(right).all(-1)
    if common.sum() < 3:
        raise ValueError(f"{names[0]} and {names[1]}: {int(common.sum())} common joint samples, nothing to compare")
    alignments = {mode: _aligned(left, right, mode, common) for mode in MODES}
    similar = alignments["similarity"]
    p_error, p_frames = partial_p_mpjpe(right, left)
    angles = {name: _angle(left, right, joints) for name, joints in CORE_ANGLES.items()}
    root = alignments["root"]
    return Comparison(
        names,
        fps,
        offset,
        common,
        alignments,
        1000 * p_error,
        p_frames,
        1000 * partial_n_mpjpe(root.b, root.a),
        angles,
        (describe(a, fps), describe(b, fps)),
        start,
        [*offset.warnings, *_scale_warning(similar.transform.scale)],
    )


def compare(a: Recording, b: Recording, measured_only: bool = False, max_lag: int = 30) -> Comparison:
    """Compare two recordings; B is resampled to the frame rate of A if it has another one.

    Args:
        a: The reference.
        b: The other one.
        measured_only: Take inferred joints as missing.
        max_lag: Maximum time offset, frames.

    Returns:
        The comparison.

    Raises:
        ValueError: The recordings have no joint in common.
    """
    core_a, core_b = a.core(measured_only), b.core(measured_only)
    warnings = []
    if abs(a.fps - b.fps) > 1e-6:
        times = np.arange(b.time[0], b.time[-1] + 1e-9, 1 / a.fps)
        core_b = resample(core_b, b.time, times, MAX_GAP_FRAMES / a.fps)
        warnings.append(f"{b.name} has {b.fps:g} frames a second: resampled to the {a.fps:g} of {a.name}")
    if "hip_center" in (a.root, b.root):
        # A motion without a place in the room can only be compared about its root.
        core_a, core_b = (core - core[:, list(CORE_ROOTS)].mean(1, keepdims=True) for core in (core_a, core_b))
        warnings.append("one of them is relative to the hips: both are taken about the middle of their own hips")
    if len(core_a) != len(core_b):
        warnings.append(f"{a.name} has {len(core_a)} frames and {b.name} {len(core_b)}: only the overlap is compared")
    result = compare_core(core_a, core_b, a.fps, (a.name, b.name), max_lag)
    result.warnings[:0] = warnings
    return result


def _scale_warning(scale: float) -> list[str]:
    return [] if 0.8 < scale < 1.25 else [f"the fitted scale {scale:.3f} is far from 1: look at the units"]


def _aligned(a: np.ndarray, b: np.ndarray, mode: str, common: np.ndarray) -> Alignment:
    a, b, transform = align_clip(a, b, mode, CORE_ROOTS)
    error = np.where(common, np.linalg.norm(a - b, axis=-1), np.nan) * 1000
    joints = [error[:, j][np.isfinite(error[:, j])] for j in range(error.shape[1])]
    finite = np.concatenate(joints)
    per_joint, median, p95 = (
        np.array([f(e) if len(e) else np.nan for e in joints])
        for f in (np.mean, np.median, lambda e: np.percentile(e, 95))
    )
    shift = np.where(common[..., None], b - a, np.nan) * 1000
    with np.errstate(invalid="ignore"):
        count = np.isfinite(shift).sum(0)
        offset = np.where(count > 0, np.nansum(shift, 0) / np.maximum(count, 1), np.nan)
    mean = float(finite.mean()) if len(finite) else float("nan")
    return Alignment(transform, a, b, mean, per_joint, median, p95, offset, 1000 * velocity_error(b, a))


def _angle(a: np.ndarray, b: np.ndarray, joints: tuple[int, int, int]) -> Angle:
    one, two = joint_angle(a, joints), joint_angle(b, joints)
    common = np.isfinite(one) & np.isfinite(two)
    x, y = one[common], two[common]
    rmse = float(np.sqrt(((x - y) ** 2).mean())) if len(x) else float("nan")
    moving = len(x) > 1 and x.std() > 0 and y.std() > 0
    pearson = float(np.corrcoef(x, y)[0, 1]) if moving else float("nan")
    return Angle(one, two, rmse, pearson, (range_of_motion(one), range_of_motion(two)))
