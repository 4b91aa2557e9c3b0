"""Depth patches around joints: the input of RefiNet's module A."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orplugins.refinet.checks import checked_depth, checked_joints, half_metres

# Statistics of ITOP's depth, metres.
ITOP_PATCH_MEAN, ITOP_PATCH_STD = 3.5929703780637663, 0.49173036596476444


@dataclass(frozen=True)
class PatchSettings:
    """How a patch is cut.

    Attributes:
        size: Side of a patch, pixels.
        preparation: "published": the window follows Python's slice rules, so that a start left of or above the image
            reads nothing or wraps round, what is read stands in the top-left corner, and holes take the mean of the
            whole map (`normalize="domain"`) or of the patch (`"patch"`). "correct": the window stays centred on the
            joint's nearest pixel, and both holes and what lies outside the image take the patch's own mean.
        normalize: "domain": (metres - mean) / std with the constants below, ITOP's by default. "patch": each patch has
            mean 0 and standard deviation 1 over its measured pixels (Baracca). "joint": metres relative to the patch's
            mean, times 4, so that the same body looks the same at every distance.
    """

    size: int = 40
    preparation: str = "published"
    normalize: str = "domain"
    mean: float = ITOP_PATCH_MEAN
    std: float = ITOP_PATCH_STD

    def __post_init__(self):
        if self.size < 2 or self.size % 2:
            raise ValueError(f"size: found {self.size!r}, expected an even number of pixels")
        if self.preparation not in ("published", "correct"):
            raise ValueError(f"preparation: found {self.preparation!r}, expected 'published' or 'correct'")
        if self.normalize not in ("domain", "patch", "joint"):
            raise ValueError(f"normalize: found {self.normalize!r}, expected 'domain', 'patch' or 'joint'")


# A limb's thickness, 0.25 m, becomes 1 with normalize="joint"; the background is cut at twice that.
_JOINT_SCALE, _JOINT_LIMIT = 4.0, 2.0


def depth_patches(joints: np.ndarray, depth_mm: np.ndarray, settings: PatchSettings | None = None) -> np.ndarray:
    """Patches around joints, all joints and people at once.

    Args:
        joints: (..., K, 2) pixels.
        depth_mm: (H, W) millimetres, 0 = hole.
        settings: How patches are cut; None: the defaults.

    Returns:
        (..., K, size, size) float32.
    """
    settings = settings or PatchSettings()
    joints = checked_joints(joints, 2)
    depth = checked_depth(depth_mm)
    shape = (*joints.shape[:-1], settings.size, settings.size)
    joints = np.clip(joints.reshape(-1, 2), -1e6, 1e6)
    if settings.preparation == "published":
        centres = np.trunc(joints).astype(np.int64)
        bounds = [
            _slice(centres[:, 1], depth.shape[0], settings.size),
            _slice(centres[:, 0], depth.shape[1], settings.size),
        ]
    else:
        centres = np.rint(joints).astype(np.int64)
        bounds = [
            _centred(centres[:, 1], depth.shape[0], settings.size),
            _centred(centres[:, 0], depth.shape[1], settings.size),
        ]
    (rows, row_inside), (columns, column_inside) = bounds
    inside = row_inside[:, :, None] & column_inside[:, None, :]
    patches = np.where(inside, depth[rows[:, :, None], columns[:, None, :]], np.float32(0))
    return _normalized(patches, depth, settings).reshape(shape)


def _slice(centre: np.ndarray, length: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices (K, size) that `array[centre - size // 2 : centre + size // 2]` reads, and which of them exist."""
    start, end = centre - size // 2, centre + size // 2
    start = np.where(start < 0, np.maximum(start + length, 0), start)
    end = np.where(end < 0, np.maximum(end + length, 0), np.minimum(end, length))
    index = start[:, None] + np.arange(size)
    return np.minimum(index, length - 1), index < end[:, None]


def _centred(centre: np.ndarray, length: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    index = centre[:, None] - size // 2 + np.arange(size)
    return np.clip(index, 0, length - 1), (index >= 0) & (index < length)


def _normalized(patches: np.ndarray, depth: np.ndarray, settings: PatchSettings) -> np.ndarray:
    measured = patches != 0
    if settings.preparation == "published" and settings.normalize == "domain":
        # The published loader works on float16 metres; the map's mean is one of them too.
        metres = np.where(measured, half_metres(patches), half_metres(depth).mean(dtype=np.float32).astype(np.float16))
        return ((metres.astype(np.float64) - settings.mean) / settings.std).astype(np.float32)
    count = measured.sum(axis=(1, 2), keepdims=True)
    mean = patches.sum(axis=(1, 2), keepdims=True, dtype=np.float64) / np.maximum(count, 1)
    filled = np.where(measured, patches, mean)
    if settings.normalize == "domain":
        metres = np.where(count > 0, filled / 1000, settings.mean)
        return ((metres - settings.mean) / settings.std).astype(np.float32)
    centred = filled - mean
    if settings.normalize == "joint":
        scaled = centred / 1000 * _JOINT_SCALE
        return np.clip(scaled, -_JOINT_LIMIT, _JOINT_LIMIT).astype(np.float32)
    # Filled pixels are at the mean and add nothing.
    std = np.sqrt((centred**2).sum(axis=(1, 2), keepdims=True) / np.maximum(count, 1))
    return (centred / np.where(std > 0, std, 1)).astype(np.float32)
