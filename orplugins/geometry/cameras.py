"""Pinhole cameras: intrinsics, pose, projection and back-projection, lens distortion.

Camera axes: x right, y down, z forward (the optical axis). Depth is the z coordinate, not the length of the ray, as
depth sensors store it. Pixels: the centre of the top-left pixel is (0, 0). Lengths in metres.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

# MVOR's file lists the three radial terms first, OpenCV the tangential ones in the middle.
DISTORTION_ORDERS = {
    "opencv": ("k1", "k2", "p1", "p2", "k3"),
    "mvor": ("k1", "k2", "k3", "p1", "p2"),
}


@dataclass(frozen=True, eq=False)
class Camera:
    """A calibrated camera.

    Attributes:
        fx, fy, cx, cy: Focal lengths and principal point, pixels.
        size: (width, height), pixels.
        distortion: Empty (no distortion) or five numbers, see `distortion_order`.
        distortion_order: "opencv" (k1, k2, p1, p2, k3) or "mvor" (k1, k2, k3, p1, p2).
        pose: (4, 4) rigid camera-to-world matrix, metres.

    Raises:
        ValueError: For a field of another shape, a focal length that is not positive, or a pose that is not rigid.
    """

    fx: float
    fy: float
    cx: float
    cy: float
    size: tuple[int, int]
    distortion: tuple[float, ...] = ()
    distortion_order: str = "opencv"
    pose: np.ndarray = field(default_factory=lambda: np.eye(4))

    def __post_init__(self):
        for name in ("fx", "fy"):
            if not (np.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise ValueError(f"Camera.{name}: found {getattr(self, name)!r}, expected a number above 0 (pixels)")
        for name in ("cx", "cy"):
            if not np.isfinite(getattr(self, name)):
                raise ValueError(f"Camera.{name}: found {getattr(self, name)!r}, expected a finite number (pixels)")
        if len(self.size) != 2 or min(self.size) < 1 or any(int(n) != n for n in self.size):
            raise ValueError(f"Camera.size: found {self.size!r}, expected (width, height), two whole numbers above 0")
        if self.distortion_order not in DISTORTION_ORDERS:
            raise ValueError(
                f"Camera.distortion_order: found {self.distortion_order!r}, expected one of {list(DISTORTION_ORDERS)}"
            )
        distortion = tuple(float(value) for value in self.distortion)
        if len(distortion) not in (0, 5) or not np.isfinite(distortion).all():
            raise ValueError(f"Camera.distortion: found {self.distortion!r}, expected none or five finite numbers")
        pose = np.array(self.pose, dtype=np.float64)
        if pose.shape != (4, 4):
            raise ValueError(f"Camera.pose: found shape {pose.shape}, expected (4, 4)")
        rotation = pose[:3, :3]
        # Calibration files carry rounded numbers: a rotation is accepted when it is one to about 0.05 degrees.
        orthogonal = np.abs(rotation @ rotation.T - np.eye(3)).max() < 1e-3 and np.linalg.det(rotation) > 0
        if not (np.isfinite(pose).all() and orthogonal and np.abs(pose[3] - (0, 0, 0, 1)).max() < 1e-6):
            raise ValueError(f"Camera.pose: found\n{pose}\nexpected a rigid camera-to-world matrix")
        pose.flags.writeable = False
        object.__setattr__(self, "size", (int(self.size[0]), int(self.size[1])))
        object.__setattr__(self, "distortion", distortion)
        object.__setattr__(self, "pose", pose)

    @property
    def matrix(self) -> np.ndarray:
        """(3, 3) intrinsic matrix."""
        return np.array([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1]], dtype=np.float64)

    def resized(self, size: tuple[int, int]) -> Camera:
        """The same camera with its image resized.

        Args:
            size: (width, height) of the resized image, pixels.

        Returns:
            The camera with intrinsics of that resolution; distortion and pose stay.
        """
        sx, sy = size[0] / self.size[0], size[1] / self.size[1]
        # The image's corner, not the first pixel's centre, is the fixed point of a resize: hence the halves.
        return replace(
            self,
            fx=self.fx * sx,
            fy=self.fy * sy,
            cx=(self.cx + 0.5) * sx - 0.5,
            cy=(self.cy + 0.5) * sy - 0.5,
            size=(int(size[0]), int(size[1])),
        )

    def world_to_camera(self, points: np.ndarray) -> np.ndarray:
        """World points in this camera's axes.

        Args:
            points: (..., 3), metres.

        Returns:
            (..., 3), metres.
        """
        return (_last(points, 3, "points") - self.pose[:3, 3]) @ np.linalg.inv(self.pose[:3, :3]).T

    def camera_to_world(self, points: np.ndarray) -> np.ndarray:
        """Points in this camera's axes in the world.

        Args:
            points: (..., 3), metres.

        Returns:
            (..., 3), metres.
        """
        return _last(points, 3, "points") @ self.pose[:3, :3].T + self.pose[:3, 3]

    def project(self, points: np.ndarray, distort: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Project world points.

        Args:
            points: (..., 3), metres.
            distort: Apply the lens distortion. MVOR's published code does not, hence the default.

        Returns:
            pixels: (..., 2). Not meaningful where the depth is <= 0 (behind the camera): check it.
            depth: (...), metres along the optical axis. A depth of exactly 0 divides by 1, as MVOR's code does.
        """
        local = self.world_to_camera(points)
        depth = local[..., 2]
        rays = local[..., :2] / np.where(depth == 0, 1.0, depth)[..., None]
        if distort:
            rays = self._distort_rays(rays)
        return rays * (self.fx, self.fy) + (self.cx, self.cy), depth

    def back_project(self, pixels: np.ndarray, depth_m: np.ndarray, undistort: bool = False) -> np.ndarray:
        """World points of pixels with known depth.

        Args:
            pixels: (..., 2).
            depth_m: (...), metres along the optical axis.
            undistort: Remove the lens distortion first; NaN where that is impossible.

        Returns:
            (..., 3), metres.
        """
        pixels = _last(pixels, 2, "pixels")
        if undistort:
            pixels = self.undistort(pixels)
        rays = (pixels - (self.cx, self.cy)) / (self.fx, self.fy)
        depth = np.broadcast_to(np.asarray(depth_m, dtype=np.float64), rays.shape[:-1])[..., None]
        return self.camera_to_world(np.concatenate([rays * depth, depth], axis=-1))

    def distort(self, pixels: np.ndarray) -> np.ndarray:
        """Where ideal pinhole pixels appear in the distorted image (Brown-Conrady model).

        Args:
            pixels: (..., 2) of a camera without distortion.

        Returns:
            (..., 2) pixels of the distorted image.
        """
        rays = (_last(pixels, 2, "pixels") - (self.cx, self.cy)) / (self.fx, self.fy)
        return self._distort_rays(rays) * (self.fx, self.fy) + (self.cx, self.cy)

    def undistort(self, pixels: np.ndarray, iterations: int = 30) -> np.ndarray:
        """Inverse of `distort`, by Newton's method with step halving, to 1e-6 pixels.

        Args:
            pixels: (..., 2) of the distorted image.
            iterations: Maximum number of Newton steps.

        Returns:
            (..., 2) ideal pinhole pixels; NaN where the model has no inverse (outside its valid range).
        """
        observed = (_last(pixels, 2, "pixels") - (self.cx, self.cy)) / (self.fx, self.fy)
        if not self.distortion:
            return observed * (self.fx, self.fy) + (self.cx, self.cy)
        # Newton with a step that is halved until the error falls: strong lenses (MVOR's have k3 = 13) make the usual
        # fixed-point iteration diverge in the corners.
        rays = observed.copy()
        error = self._distort_rays(rays) - observed
        for _ in range(iterations):
            xx, xy, yy = self._jacobian(rays)
            determinant = xx * yy - xy * xy
            # A zero determinant (the model folds over) leaves the point where it is; it is reported as NaN below.
            determinant = np.where(np.abs(determinant) < 1e-12, np.inf, determinant)
            ex, ey = error[..., 0], error[..., 1]
            step = np.stack([(yy * ex - xy * ey) / determinant, (xx * ey - xy * ex) / determinant], axis=-1)
            scale = np.ones(rays.shape[:-1] + (1,))
            for _ in range(8):
                candidate = rays - scale * step
                new_error = self._distort_rays(candidate) - observed
                worse = np.linalg.norm(new_error, axis=-1) > np.linalg.norm(error, axis=-1)
                if not worse.any():
                    break
                scale[worse] /= 2
            rays, error = candidate, new_error
            if np.nanmax(np.abs(error), initial=0) < 1e-13:
                break
        # Beyond the radius where the model folds over there may be roots, but no light comes that way: the derivative
        # must be positive definite.
        xx, xy, yy = self._jacobian(rays)
        valid = (xx * yy > xy * xy) & (xx > 0)
        failed = ~(valid & (np.abs(error).max(axis=-1, initial=0) * max(self.fx, self.fy) < 1e-6))
        rays[failed] = np.nan
        return rays * (self.fx, self.fy) + (self.cx, self.cy)

    def _coefficients(self) -> dict[str, float]:
        return dict(zip(DISTORTION_ORDERS[self.distortion_order], self.distortion, strict=True))

    def _distort_rays(self, rays: np.ndarray) -> np.ndarray:
        if not self.distortion:
            return rays
        c = self._coefficients()
        x, y = rays[..., 0], rays[..., 1]
        s = x * x + y * y
        radial = 1 + s * (c["k1"] + s * (c["k2"] + s * c["k3"]))
        return np.stack(
            [
                x * radial + 2 * c["p1"] * x * y + c["p2"] * (s + 2 * x * x),
                y * radial + c["p1"] * (s + 2 * y * y) + 2 * c["p2"] * x * y,
            ],
            axis=-1,
        )

    def _jacobian(self, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Derivative of `_distort_rays`, a symmetric matrix, as its entries xx, xy, yy of shape (...)."""
        c = self._coefficients()
        x, y = rays[..., 0], rays[..., 1]
        s = x * x + y * y
        radial = 1 + s * (c["k1"] + s * (c["k2"] + s * c["k3"]))
        slope = 2 * (c["k1"] + s * (2 * c["k2"] + s * 3 * c["k3"]))  # d(radial)/dx = slope * x
        xx = radial + slope * x * x + 2 * c["p1"] * y + 6 * c["p2"] * x
        yy = radial + slope * y * y + 6 * c["p1"] * y + 2 * c["p2"] * x
        xy = slope * x * y + 2 * c["p1"] * x + 2 * c["p2"] * y
        return xx, xy, yy


def cameras_from_mvor(cam_params: dict, world: str = "camera1") -> list[Camera]:
    """Cameras of MVOR's `cameras_info.camParams`.

    The file has millimetres, row-major 4x4 matrices, and extrinsics that take camera i's coordinates to camera 1: they
    are the poses of the cameras in camera 1.

    Args:
        cam_params: The dict with `intrinsics`, `extrinsics` (lists, one entry per camera) and `firstCamToRoomRef`.
        world: "camera1" (the frame of MVOR's 3D annotations) or "room".

    Returns:
        The cameras in the file's order.

    Raises:
        ValueError: A field is missing or has another shape; it is named.
    """
    if world not in ("camera1", "room"):
        raise ValueError(f"cameras_from_mvor: world is {world!r}, expected 'camera1' or 'room'")
    intrinsics = _field(cam_params, "intrinsics", "camParams")
    extrinsics = _field(cam_params, "extrinsics", "camParams")
    if len(intrinsics) != len(extrinsics):
        raise ValueError(
            f"camParams.extrinsics: found {len(extrinsics)} entries, expected {len(intrinsics)}, as many as intrinsics"
        )
    to_world = np.eye(4)
    if world == "room":
        to_world = _pose_from_mm(_field(cam_params, "firstCamToRoomRef", "camParams"), "camParams.firstCamToRoomRef")
    cameras = []
    for i, (entry, pose) in enumerate(zip(intrinsics, extrinsics, strict=True)):
        where = f"camParams.intrinsics[{i}]"
        fx, fy = _numbers(_field(entry, "focallength", where), 2, f"{where}.focallength")
        cx, cy = _numbers(_field(entry, "principalpoint", where), 2, f"{where}.principalpoint")
        size = _numbers(_field(entry, "imagesize", where), 2, f"{where}.imagesize")
        distortion = entry.get("distortion") or ()
        if len(distortion):
            distortion = _numbers(distortion, 5, f"{where}.distortion")
        cameras.append(
            Camera(
                fx=fx,
                fy=fy,
                cx=cx,
                cy=cy,
                size=(int(size[0]), int(size[1])),
                distortion=tuple(distortion),
                distortion_order="mvor",
                pose=to_world @ _pose_from_mm(pose, f"camParams.extrinsics[{i}]"),
            )
        )
    return cameras


def cameras_to_mvor(cameras: Sequence[Camera], first_to_room: np.ndarray | None = None) -> dict:
    """`camParams` of cameras that share one world: the inverse of `cameras_from_mvor`.

    Args:
        cameras: Camera 1 first; extrinsics are written relative to it.
        first_to_room: (4, 4) pose of camera 1 in the room, metres; None writes null.

    Returns:
        The dict, in the file's units (millimetres).
    """
    to_first = np.linalg.inv(cameras[0].pose)
    intrinsics = []
    for i, camera in enumerate(cameras):
        values = dict.fromkeys(DISTORTION_ORDERS["mvor"], 0.0)
        if camera.distortion:
            values = camera._coefficients()
        intrinsics.append(
            {
                "serialnumber": str(i + 1),
                "skew_value": 0,
                "distortion": [values[name] for name in DISTORTION_ORDERS["mvor"]],
                "principalpoint": [float(camera.cx), float(camera.cy)],
                "focallength": [float(camera.fx), float(camera.fy)],
                "imagesize": list(camera.size),
            }
        )
    return {
        "firstCamToRoomRef": None if first_to_room is None else _pose_to_mm(first_to_room),
        "intrinsics": intrinsics,
        "ids": [str(i + 1) for i in range(len(cameras))],
        "extrinsics": [_pose_to_mm(to_first @ camera.pose) for camera in cameras],
    }


def _pose_from_mm(values: Sequence[float], where: str) -> np.ndarray:
    pose = np.array(_numbers(values, 16, where)).reshape(4, 4)
    pose[:3, 3] /= 1000
    return pose


def _pose_to_mm(pose: np.ndarray) -> list[float]:
    pose = np.array(pose, dtype=np.float64)
    pose[:3, 3] *= 1000
    return pose.ravel().tolist()


def _field(record: dict, name: str, where: str):
    if not isinstance(record, dict) or record.get(name) is None:
        found = sorted(record) if isinstance(record, dict) else type(record).__name__
        raise ValueError(f"{where}.{name}: missing, found {found}")
    return record[name]


def _numbers(values, count: int, where: str) -> list[float]:
    try:
        array = np.asarray(values, dtype=np.float64).ravel()
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where}: found {values!r}, expected {count} numbers") from error
    if array.size != count or not np.isfinite(array).all():
        raise ValueError(f"{where}: found {values!r}, expected {count} finite numbers")
    return array.tolist()


def _last(points: np.ndarray, size: int, name: str) -> np.ndarray:
    points = np.asarray(points, dtype=np.float64)
    if points.ndim == 0 or points.shape[-1] != size:
        raise ValueError(f"{name}: found shape {points.shape}, expected (..., {size})")
    return points
