"""Camera arithmetic of VideoPose3D: screen units, unit quaternions, projection with a clamped ratio.

Screen units keep the aspect: x runs from -1 to 1 over the image's width, y by the same scale about the image's middle
(Pavllo et al. 2019, arXiv 1811.11742; their public data files use them). Camera axes: x right, y down, z forward,
metres. The functions use operators that numpy arrays and torch tensors share, so they take either.
"""

from __future__ import annotations

import numpy as np

# How a pose in camera axes is turned for display, z up: the nominal camera of VideoPose3D's in-the-wild animation.
DISPLAY_QUATERNION = (0.1407056450843811, -0.1500701755285263, -0.755240797996521, 0.6223280429840088)
NUM_INTRINSICS = 9  # fx, fy, cx, cy, k1, k2, k3, p1, p2 in screen units
CX, P1 = 2, 7  # the entries of the intrinsics vector that change sign in a mirror image


def to_screen(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Pixels in screen units.

    Args:
        pixels: (..., 2).
        size: (width, height) of the image.

    Returns:
        (..., 2).
    """
    width, height = size
    return pixels * (2.0 / width) - np.array([1.0, height / width], dtype=pixels.dtype)


def rotate(quaternion, vectors: np.ndarray) -> np.ndarray:
    """Turn vectors by a unit quaternion.

    Args:
        quaternion: (4,) w, x, y, z.
        vectors: (..., 3).

    Returns:
        (..., 3).
    """
    quaternion = np.asarray(quaternion, dtype=vectors.dtype)
    axis = np.broadcast_to(quaternion[1:], vectors.shape)
    first = np.cross(axis, vectors)
    return vectors + 2 * (quaternion[0] * first + np.cross(axis, first))


def world_to_camera(points: np.ndarray, orientation, position) -> np.ndarray:
    """World points in camera axes.

    Args:
        points: (..., 3) metres.
        orientation: (4,) unit quaternion w, x, y, z that turns camera axes to world axes.
        position: (3,) of the camera, metres.

    Returns:
        (..., 3) metres.
    """
    w, x, y, z = orientation
    return rotate((w, -x, -y, -z), points - np.asarray(position, dtype=points.dtype))


def camera_to_world(points: np.ndarray, orientation, position=(0.0, 0.0, 0.0)) -> np.ndarray:
    """Inverse of `world_to_camera`.

    Args:
        points: (..., 3) metres in camera axes.
        orientation: (4,) unit quaternion w, x, y, z that turns camera axes to world axes.
        position: (3,) of the camera, metres.

    Returns:
        (..., 3) metres.
    """
    return rotate(orientation, points) + np.asarray(position, dtype=points.dtype)


def project_screen(points, intrinsics, distort: bool = True):
    """Project camera-space points into screen units.

    x/z and y/z are clamped to [-1, 1] before anything else, also behind the camera: early in training a network puts
    joints anywhere. The tangential term is neither OpenCV's nor that of mmpose's ``SimpleCamera``.

    Args:
        points: (N, ..., 3), array or tensor.
        intrinsics: (N, 9), the same kind; it is not changed.
        distort: Apply k and p; otherwise focal length and centre only.

    Returns:
        (N, ..., 2).

    Raises:
        ValueError: Shapes that do not fit.
    """
    if intrinsics.shape[-1] != NUM_INTRINSICS or len(intrinsics) != len(points):
        raise ValueError(f"intrinsics have shape {tuple(intrinsics.shape)}, expected ({len(points)}, {NUM_INTRINSICS})")
    values = intrinsics.reshape(len(points), *(1,) * (points.ndim - 2), NUM_INTRINSICS)
    focal, centre, k, p = values[..., 0:2], values[..., 2:4], values[..., 4:7], values[..., 7:9]
    ratio = (points[..., :2] / points[..., 2:3]).clip(-1, 1)
    if distort:
        r2 = (ratio**2).sum(-1)[..., None]
        radial = 1 + k[..., 0:1] * r2 + k[..., 1:2] * r2**2 + k[..., 2:3] * r2**3
        tangential = (p * ratio).sum(-1)[..., None]
        ratio = ratio * (radial + tangential) + p * r2
    return focal * ratio + centre


def display_points(poses: np.ndarray) -> np.ndarray:
    """Poses turned for display: z up, the lowest point of the whole clip at height 0.

    One offset for the clip, so that a jump stays a jump.

    Args:
        poses: (F, J, 3) camera axes.

    Returns:
        (F, J, 3).
    """
    turned = camera_to_world(poses, DISPLAY_QUATERNION)
    turned[..., 2] -= np.nanmin(turned[..., 2])
    return turned
