"""Joints from two parallel cameras.

Two rectified cameras side by side, the right one ``baseline_m`` along the left one's x axis. A joint at (uL, vL) and
(uR, vR) has the disparity d = (uL - cxL) - (uR - cxR) and lies at Z = f T / d, X = (uL - cxL) T / d, Y = ((vL - cyL) +
(vR - cyR)) / 2 T / d (Hartley & Zisserman, section 11.12; T the baseline).

Everything in the image stays in pixels and every length in metres. A factor such as 0.0002645833 m per pixel is the
size of a pixel of a 96 dpi *screen* (0.0254 m / 96) and has nothing to do with a camera: applied to f and d alike it
cancels, applied to one of them the depth is wrong by 3780, and used for X = k (u - cx) the result is f k / Z of the
truth, about 7 % at 2 m. There is no place for it here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from orplugins.geometry.triangulation import Code, on_border, present


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
        if not 0 < self.baseline_m < np.inf:
            raise ValueError(f"rig: baseline_m is {self.baseline_m}, expected metres above 0")

    def resized(self, size: tuple[int, int]) -> ParallelRig:
        """The rig for images of another resolution.

        Args:
            size: (width, height), pixels, of the same aspect ratio.

        Returns:
            The rig with focal length and principal points of that resolution.

        Raises:
            ValueError: The aspect ratio differs by more than 1 %.
        """
        factor = size[0] / self.size[0]
        if abs(size[1] / self.size[1] - factor) > 0.01 * factor:
            raise ValueError(f"rig: cannot resize {self.size} to {size}: one focal length needs one scale")
        left, right = (((x + 0.5) * factor - 0.5, (y + 0.5) * factor - 0.5) for x, y in (self.left, self.right))
        return replace(self, focal_px=self.focal_px * factor, size=(size[0], size[1]), left=left, right=right)


@dataclass(frozen=True)
class StereoRules:
    """Limits for single joints and for a clip (defaults: 640 x 480, a person in a treatment room).

    Attributes:
        conf_min: Minimum confidence in both images.
        border_px: Width of the border in which joints are refused, pixels.
        row_tolerance_px: Maximum difference of the two rows, pixels.
        disparity_min_px: Minimum disparity, pixels.
        z_min_m, z_max_m: Range of depths, metres.
        bone_relative: Allowed deviation of a bone from its median length, as a share of it ...
        bone_absolute_m: ... or in metres, whichever is larger.
        bone_min_frames: Frames that a bone's median length needs.
        median_half_window: Frames to either side in the running median.
        median_tolerance_m: Maximum distance of a joint from its running median, metres.
        gap_max_frames: Longest gap that is filled, frames.
    """

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


def triangulate_rectified(
    left: np.ndarray, right: np.ndarray, rig: ParallelRig, rules: StereoRules | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions of joints seen by a rectified stereo pair.

    Args:
        left: (..., J, 3) u, v in pixels and confidence in the left image.
        right: (..., J, 3) likewise in the right image.
        rig: The pair, at the resolution that the joints are in.
        rules: Limits; None: the defaults.

    Returns:
        (..., J, 3) metres in left-camera axes, NaN where refused; (..., J) `Code`, the first rule that fails; (..., J)
        disparity in pixels, NaN where missing.

    Raises:
        ValueError: The two shapes differ, or the last axis is not 3.
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
