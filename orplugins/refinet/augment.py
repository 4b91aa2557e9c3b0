"""More training frames from the same ones: mirrored images, and 2D poses that lack joints as detectors' poses do."""

from __future__ import annotations

import numpy as np

from orplugins.refinet.depth_camera import DepthCamera
from orplugins.skeletons import ITOP_15


def mirror_depth(depth: np.ndarray, camera: DepthCamera) -> np.ndarray:
    """Mirror a depth image about the camera's axis; a column that has no counterpart becomes holes.

    Args:
        depth: (H, W).
        camera: Its camera.

    Returns:
        (H, W) of the same dtype.

    Raises:
        ValueError: The axis lies neither on a pixel nor between two.
    """
    twice = round(2 * camera.cx)
    if abs(2 * camera.cx - twice) > 1e-6:
        raise ValueError(f"camera: found cx {camera.cx}, expected a multiple of 0.5 to mirror without resampling")
    width = depth.shape[1]
    # Column j shows what column `twice - j` showed.
    first, last = max(0, twice - width + 1), min(width - 1, twice)
    mirrored = np.zeros_like(depth)
    if first <= last:
        mirrored[:, first : last + 1] = depth[:, twice - last : twice - first + 1][:, ::-1]
    return mirrored


def mirror_joints(joints: np.ndarray, camera: DepthCamera | None = None) -> np.ndarray:
    """Mirror joints, left and right exchanged. A joint at the origin is missing and stays there.

    Args:
        joints: (..., 15, D) ITOP-15: pixels with a camera, millimetres without one, or flags (D = 1) either way.
        camera: Of joints in pixels.

    Returns:
        (..., 15, D).
    """
    joints = np.asarray(joints)[..., ITOP_15.flip_indices, :]
    if joints.shape[-1] == 1:
        return joints
    mirrored = joints.copy()
    mirrored[..., 0] = -joints[..., 0] + (0 if camera is None else 2 * camera.cx)
    return np.where((joints != 0).any(-1, keepdims=True), mirrored, joints)


def dropped_joints(
    pixels: np.ndarray, each: float, border: float, rng: np.random.RandomState, least: int = 4
) -> np.ndarray:
    """Which joints of a pose a detector would lack.

    Each one by chance, and, as at the image's border, all beyond a line across the pose. Where fewer than `least` would
    be left, none is dropped.

    Args:
        pixels: (15, 2).
        each: Probability of a joint to be dropped by itself.
        border: Probability of the line.
        rng: A generator, or `numpy.random` itself.
        least: Minimum number of joints that stay.

    Returns:
        (15,) bool.
    """
    gone = rng.uniform(size=len(pixels)) < each
    if rng.uniform() < border:
        axis, side = int(rng.uniform() < 0.7), 1 if rng.uniform() < 0.7 else -1  # mostly at the bottom
        along = side * pixels[:, axis]
        gone |= along > rng.uniform(along.min(), along.max())
    return gone if (~gone).sum() >= least else np.zeros(len(pixels), dtype=bool)
