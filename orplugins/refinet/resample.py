"""Bring any camera's depth image to the lens that a refiner was trained for.

A patch's 40 pixels are so many centimetres at a distance for one focal length only. The image is resampled (nearest
pixel: a mean of two surfaces would be a point in the air), never its distances.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.refinet.checks import checked_depth, checked_joints
from orplugins.refinet.depth_camera import ITOP_CAMERA, DepthCamera


@dataclass(frozen=True, eq=False)
class Resampler:
    """Maps images and joints of a camera to a pinhole camera of another focal length and back.

    Attributes:
        source: The camera; its lens distortion is taken out, its pose is not used.
        focal: Focal length to bring it to, pixels; ITOP's by default.
    """

    source: Camera
    focal: float = ITOP_CAMERA.fx

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of resampled images: as much as the source sees, without distortion."""
        width, height = self.source.size
        return (max(1, round(width * self.focal / self.source.fx)), max(1, round(height * self.focal / self.source.fy)))

    @property
    def camera(self) -> DepthCamera:
        """The camera of resampled images."""
        sx, sy = self.focal / self.source.fx, self.focal / self.source.fy
        return DepthCamera(self.focal, self.focal, self.source.cx * sx, self.source.cy * sy)

    def depth(self, depth_mm: np.ndarray) -> np.ndarray:
        """Bring a depth image to the other lens.

        Args:
            depth_mm: (H, W) of the source's size, millimetres, 0 = hole.

        Returns:
            (h, w) float32 of `size`; what lies outside is a hole.

        Raises:
            ValueError: Another size than the source's.
        """
        depth = checked_depth(depth_mm)
        width, height = self.source.size
        if depth.shape != (height, width):
            raise ValueError(
                f"depth: found {depth.shape[1]}x{depth.shape[0]}, expected {width}x{height}, the size in "
                "the camera's file"
            )
        columns, rows = np.meshgrid(np.arange(self.size[0]), np.arange(self.size[1]))
        pixels = np.rint(self.source.distort(self._ideal(np.stack([columns, rows], axis=-1))))
        inside = ((pixels >= 0) & (pixels < (width, height))).all(axis=-1)
        x, y = np.where(inside[..., None], pixels, 0).astype(np.int64).transpose(2, 0, 1)
        return np.where(inside, depth[y, x], np.float32(0))

    def joints(self, pixels: np.ndarray) -> np.ndarray:
        """Joints of the source image in the resampled one.

        Args:
            pixels: (..., 2) of the source image.

        Returns:
            (..., 2) of the resampled image.
        """
        ideal = self.source.undistort(checked_joints(np.atleast_2d(pixels), 2, "joints"))
        scale = (self.focal / self.source.fx, self.focal / self.source.fy)
        return np.nan_to_num(ideal * scale, nan=-1e4).reshape(np.shape(pixels))

    def back(self, pixels: np.ndarray) -> np.ndarray:
        """Joints of the resampled image in the source image.

        Args:
            pixels: (..., 2) of the resampled image.

        Returns:
            (..., 2) of the source image.
        """
        return self.source.distort(self._ideal(pixels))

    def _ideal(self, pixels: np.ndarray) -> np.ndarray:
        return np.asarray(pixels, dtype=np.float64) * (self.source.fx / self.focal, self.source.fy / self.focal)


def to_metres(points_mm: np.ndarray) -> np.ndarray:
    """RefiNet's points in the project's camera axes.

    Args:
        points_mm: (..., 3) millimetres, y up.

    Returns:
        (..., 3) metres, y down.
    """
    return np.asarray(points_mm, dtype=np.float64) * (1e-3, -1e-3, 1e-3)
