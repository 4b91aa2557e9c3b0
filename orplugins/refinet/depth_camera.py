"""Depth cameras as RefiNet's data sets give them: no lens model, no pose, y up."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from orplugins.geometry.cameras import Camera


@dataclass(frozen=True)
class DepthCamera:
    """A pinhole camera whose y axis points up (or, as in Baracca's published clouds, down).

    Attributes:
        fx, fy, cx, cy: Focal lengths and principal point, pixels.
        y_up: Whether y = (cy - v) z / fy.
        epsilon: Added to z / f when projecting. ITOP's 1e-9 sends a point at the origin to the principal point.
    """

    fx: float
    fy: float
    cx: float
    cy: float
    y_up: bool = True
    epsilon: float = 1e-9

    def __post_init__(self):
        values = (self.fx, self.fy, self.cx, self.cy)
        if not (np.isfinite(values).all() and self.fx > 0 and self.fy > 0):
            raise ValueError(f"DepthCamera: found fx, fy, cx, cy = {values}, expected finite pixels, fx and fy above 0")

    @classmethod
    def from_camera(cls, camera: Camera) -> DepthCamera:
        """The same lens without distortion and pose.

        Args:
            camera: The camera.

        Returns:
            The depth camera, y up.
        """
        return cls(camera.fx, camera.fy, camera.cx, camera.cy)

    @property
    def _signs(self) -> np.ndarray:
        return np.array([1.0, -1.0 if self.y_up else 1.0])

    def back_project(self, pixels: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Points of pixels with known depth.

        Args:
            pixels: (..., 2).
            z: (...) depth along the optical axis.

        Returns:
            (..., 3) in the unit of ``z``.
        """
        z = np.asarray(z, dtype=np.float64)[..., None]
        # In this order of operations ITOP's clouds come out to the last bit: some points lie on a tie of float16.
        rays = (np.asarray(pixels, dtype=np.float64) - (self.cx, self.cy)) * (self._signs / (self.fx, self.fy))
        return np.concatenate([rays * z, z], axis=-1)

    def project(self, points: np.ndarray) -> np.ndarray:
        """Pixels of points.

        Args:
            points: (..., 3) in the camera's axes.

        Returns:
            (..., 2).
        """
        points = np.asarray(points, dtype=np.float64)
        z = points[..., 2:] / (self.fx, self.fy) + self.epsilon
        return points[..., :2] * self._signs / z + (self.cx, self.cy)

    def scaled(self, factor: float) -> DepthCamera:
        """The camera of an enlarged image (pixel centres stay where they are: 0 to 0).

        Args:
            factor: By how much it is enlarged.

        Returns:
            The camera with intrinsics of that resolution.
        """
        return replace(self, fx=self.fx * factor, fy=self.fy * factor, cx=self.cx * factor, cy=self.cy * factor)


# ITOP's own constant is 0.0035 = 1 / f (Haque et al. 2016).
ITOP_CAMERA = DepthCamera(1 / 0.0035, 1 / 0.0035, 160.0, 120.0)

_FX, _FY, _CX, _CY = 461.605, 461.226, 336.14, 231.349
_WIDTH, _HEIGHT = 640, 480
BARACCA_ORIENTATIONS = (0, 90, 180, 270, 360)


def baracca_camera(orientation: int, preparation: str = "correct") -> DepthCamera:
    """Baracca's camera for images that are stored turned.

    Args:
        orientation: Degrees counter-clockwise, one of `BARACCA_ORIENTATIONS`.
        preparation: "published" swaps width and height at 180 degrees, as the released table does; "correct" does not.

    Returns:
        The camera.

    Raises:
        ValueError: Another orientation or preparation.
    """
    if orientation not in BARACCA_ORIENTATIONS:
        raise ValueError(f"orientation: found {orientation!r}, expected one of {BARACCA_ORIENTATIONS} degrees")
    if preparation not in ("published", "correct"):
        raise ValueError(f"preparation: found {preparation!r}, expected 'published' or 'correct'")
    if orientation == 90:
        return DepthCamera(_FY, _FX, _CY, _WIDTH - _CX)
    if orientation == 270:
        return DepthCamera(_FY, _FX, _HEIGHT - _CY, _CX)
    if orientation == 180:
        width, height = (_HEIGHT, _WIDTH) if preparation == "published" else (_WIDTH, _HEIGHT)
        return DepthCamera(_FX, _FY, width - _CX, height - _CY)
    return DepthCamera(_FX, _FY, _CX, _CY)


def baracca_cloud_camera() -> DepthCamera:
    """The camera of Baracca's published clouds: 1-based pixels, y down, whatever the image's orientation."""
    return DepthCamera(_FX, _FY, _CX - 1, _CY - 1, y_up=False)
