"""Joints from two parallel cameras, and cleaning of a clip of joints.

Two rectified cameras side by side, the right one ``baseline_m`` along the left one's x axis. A joint at (uL, vL) and
(uR, vR) has the disparity d = (uL - cxL) - (uR - cxR) and lies at Z = f T / d, X = (uL - cxL) T / d,
Y = ((vL - cyL) + (vR - cyR)) / 2 T / d (Hartley & Zisserman, section 11.12; T the baseline).

Everything in the image stays in pixels and every length in metres. A factor such as 0.0002645833 m per pixel is the
size of a pixel of a 96 dpi *screen* (0.0254 m / 96) and has nothing to do with a camera: applied to f and d alike it
cancels, applied to one of them the depth is wrong by 3780, and used for X = k (u - cx) the result is f k / Z of the
truth, about 7 % at 2 m. There is no place for it here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from orplugins.core.skeletons import BODY_25
from orplugins.core.timing import parabola_offset, resample
from orplugins.core.triangulation import Code, on_border, present

# Parent, child: the bones whose lengths a clip must keep.
BONES = ((1, 2), (2, 3), (3, 4), (1, 5), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (10, 11), (8, 12), (12, 13), (13, 14))


@dataclass(frozen=True)
class ParallelRig:
    """Two parallel cameras with one focal length.

    Attributes:
        baseline_m: Distance T of the optical centres, metres.
        focal_px: Focal length, pixels of the images that the joints are in.
        size: (width, height).
        left, right: Principal points, pixels.
    """

    baseline_m: float
    focal_px: float
    size: tuple[int, int]
    left: tuple[float, float]
    right: tuple[float, float]

    def __post_init__(self):
        if not self.focal_px >= 10:
            raise ValueError(
                f"rig: focal_px is {self.focal_px}, expected pixels (10 or more); it looks like metres or mm"
            )
        if not 0 < self.baseline_m < 20:
            raise ValueError(f"rig: baseline_m is {self.baseline_m}, expected metres above 0 and below 20")

    def resized(self, size: tuple[int, int]) -> ParallelRig:
        """The rig for pictures resized to (width, height), the aspect kept."""
        factor = size[0] / self.size[0]
        if abs(size[1] / self.size[1] - factor) > 0.01 * factor:
            raise ValueError(f"rig: cannot resize {self.size} to {size}: one focal length needs one scale")
        left, right = (tuple((value + 0.5) * factor - 0.5 for value in point) for point in (self.left, self.right))
        return replace(self, focal_px=self.focal_px * factor, size=tuple(size), left=left, right=right)


@dataclass(frozen=True)
class StereoRules:
    """Limits for single joints and for a clip (defaults: 640 x 480, a person in a treatment room)."""

    conf_min: float = 0.3
    border_px: float = 8
    row_tolerance_px: float = 12
    disparity_min_px: float = 0.5
    z_min_m: float = 0.8
    z_max_m: float = 4.5
    bone_relative: float = 0.25
    bone_absolute_m: float = 0.05
    bone_min_frames: int = 10
    median_half_window: int = 2
    median_tolerance_m: float = 0.15
    gap_max_frames: int = 5


@dataclass(frozen=True)
class Clip:
    """Joints of one person: (F, J, 3) metres in left-camera axes, (F, J) states (2 measured, 1 inferred, 0 missing)
    and (F, J) reasons."""

    xyz: np.ndarray
    state: np.ndarray
    code: np.ndarray


def triangulate_rectified(
    left: np.ndarray, right: np.ndarray, rig: ParallelRig, rules: StereoRules | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions of joints (..., J, 3: u, v, confidence) seen by a parallel pair.

    Returns:
        (..., J, 3) metres in left-camera axes, NaN where refused; (..., J) :class:`Code`, the first rule that fails;
        (..., J) disparity in pixels, NaN where missing.
    """
    left, right = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if left.shape != right.shape or left.shape[-1] != 3:
        raise ValueError(f"stereo: left {left.shape} and right {right.shape}, expected the same (..., J, 3)")
    rules = rules or StereoRules()
    in_left, in_right = present(left), present(right)
    both = in_left & in_right
    x_left, y_left = left[..., 0] - rig.left[0], left[..., 1] - rig.left[1]
    x_right, y_right = right[..., 0] - rig.right[0], right[..., 1] - rig.right[1]
    disparity = np.where(both, x_left - x_right, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        per_pixel = rig.baseline_m / disparity
        depth = rig.focal_px * per_pixel
        xyz = np.stack([x_left * per_pixel, (y_left + y_right) / 2 * per_pixel, depth], -1)
        low = np.minimum(left[..., 2], right[..., 2]) < rules.conf_min
        edge = on_border(left[..., :2], rig.size, rules.border_px) | on_border(
            right[..., :2], rig.size, rules.border_px
        )
        failing = (
            (Code.DEPTH_RANGE, (depth < rules.z_min_m) | (depth > rules.z_max_m)),
            (Code.DISPARITY, disparity <= rules.disparity_min_px),
            (Code.ROW_MISMATCH, np.abs(y_left - y_right) > rules.row_tolerance_px),
            (Code.BORDER, edge),
            (Code.LOW_CONFIDENCE, low),
            (Code.MISSING_RIGHT, ~in_right),
            (Code.MISSING_LEFT, ~in_left),
            (Code.MISSING, ~in_left & ~in_right),
        )
    code = np.zeros(both.shape, dtype=np.int64)
    for reason, mask in failing:  # the first rule is written last
        code[mask] = reason
    return np.where((code == Code.OK)[..., None], xyz, np.nan), code, disparity


def check_pair(left: np.ndarray, right: np.ndarray, rig: ParallelRig) -> tuple[list[str], bool]:
    """Look at a whole clip: warnings, and whether the two cameras are exchanged (negative median disparity)."""
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
    """Joints (..., 25, 3) of a mirrored picture in the unmirrored one: u -> w - 1 - u, left and right exchanged."""
    out = np.array(keypoints, dtype=np.float64)[..., list(BODY_25.flip_indices), :]
    out[..., 0] = np.where(present(out), width - 1 - out[..., 0], out[..., 0])
    return out


def row_offset(left: np.ndarray, right: np.ndarray, max_lag: int = 5) -> tuple[float, float]:
    """Time offset of two free-running cameras from the image rows, which depth does not influence.

    Args:
        left, right: (F, J, 3) one person in both cameras.
        max_lag: Largest offset looked at, frames.

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
    """The sequence (F, J, 3) as it would have been seen ``offset`` frames later; confidence of the weaker neighbour."""
    frames = np.arange(len(keypoints))
    seen = present(keypoints)
    moved = resample(np.where(seen[..., None], keypoints[..., :2], np.nan), frames, frames + offset, max_gap=1)
    lower = np.clip(np.floor(frames + offset).astype(int), 0, len(frames) - 1)
    upper = np.clip(np.ceil(frames + offset).astype(int), 0, len(frames) - 1)
    confidence = np.minimum(keypoints[lower][..., 2], keypoints[upper][..., 2])
    valid = np.isfinite(moved).all(-1)
    return np.where(valid[..., None], np.concatenate([moved, confidence[..., None]], -1), 0.0)


def clean_clip(xyz: np.ndarray, code: np.ndarray, rules: StereoRules | None = None, bones=BONES) -> Clip:
    """Bone lengths, temporal outliers, short gaps, in this order (see :class:`StereoRules`).

    Args:
        xyz: (F, J, 3), NaN where missing.
        code: (F, J) reasons so far.
        bones: (parent, child) pairs.
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


def running_median(values: np.ndarray, half_window: int, least: int = 3) -> np.ndarray:
    """Median over [t - half_window, t + half_window] along the first axis, NaN ignored; NaN with fewer than
    ``least``."""
    frames = len(values)
    padded = np.full((frames + 2 * half_window, *values.shape[1:]), np.nan)
    padded[half_window : half_window + frames] = values
    windows = np.stack([padded[k : k + frames] for k in range(2 * half_window + 1)])
    windows.sort(axis=0)  # NaN last
    count = np.isfinite(windows).sum(0)
    lower = np.take_along_axis(windows, np.maximum(count - 1, 0)[None] // 2, 0)[0]
    upper = np.take_along_axis(windows, np.minimum(count // 2, 2 * half_window)[None], 0)[0]
    return np.where(count >= least, (lower + upper) / 2, np.nan)
