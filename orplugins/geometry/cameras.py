"""Pinhole cameras: intrinsics, pose, projection and back-projection, lens distortion.

Camera axes: x right, y down, z forward (the optical axis). Depth is the z coordinate, not the length of the ray, as
depth sensors store it. Pixels: the centre of the top-left pixel is (0, 0). Lengths in metres.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from orplugins.geometry.lens import DISTORTION_COUNTS, DISTORTION_ORDERS, lens


@dataclass(frozen=True, eq=False)
class Camera:
    """A calibrated camera.

    Attributes:
        fx, fy, cx, cy: Focal lengths and principal point, pixels.
        size: (width, height), pixels.
        distortion: Empty (no distortion) or numbers in the order of `distortion_order`.
        distortion_order: "opencv" (4, 5, 8, 12 or 14 numbers: k1, k2, p1, p2, k3, k4, k5, k6, s1, s2, s3, s4, tx, ty),
            "mvor" (k1, k2, k3, p1, p2) or "fisheye" (k1, k2, k3, k4 of OpenCV's fisheye model, zeros too).
        pose: (4, 4) rigid camera-to-world matrix, metres.
        depth_unit_mm: Millimetres that one count of the camera's depth images stands for.

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
    depth_unit_mm: float = 1.0

    def __post_init__(self):
        for name in ("fx", "fy", "depth_unit_mm"):
            if not (np.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise ValueError(f"Camera.{name}: found {getattr(self, name)!r}, expected a number above 0")
        for name in ("cx", "cy"):
            if not np.isfinite(getattr(self, name)):
                raise ValueError(f"Camera.{name}: found {getattr(self, name)!r}, expected a finite number (pixels)")
        if len(self.size) != 2 or not all(1 <= n < 2**31 and int(n) == n for n in self.size):
            raise ValueError(f"Camera.size: found {self.size!r}, expected (width, height), two whole numbers above 0")
        if self.distortion_order not in DISTORTION_ORDERS:
            raise ValueError(
                f"Camera.distortion_order: found {self.distortion_order!r}, expected one of {list(DISTORTION_ORDERS)}"
            )
        distortion = tuple(float(value) for value in self.distortion)
        counts = DISTORTION_COUNTS[self.distortion_order]
        if len(distortion) not in counts or not np.isfinite(distortion).all():
            expected = ", ".join(map(str, counts))
            raise ValueError(f"Camera.distortion: found {self.distortion!r}, expected {expected} finite numbers")
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
        """Where ideal pinhole pixels appear in the distorted image.

        Args:
            pixels: (..., 2) of a camera without distortion.

        Returns:
            (..., 2) pixels of the distorted image.
        """
        rays = (_last(pixels, 2, "pixels") - (self.cx, self.cy)) / (self.fx, self.fy)
        return self._distort_rays(rays) * (self.fx, self.fy) + (self.cx, self.cy)

    def undistort(self, pixels: np.ndarray) -> np.ndarray:
        """Inverse of `distort`, to 1e-6 pixels.

        Args:
            pixels: (..., 2) of the distorted image.

        Returns:
            (..., 2) ideal pinhole pixels; NaN where the model has no inverse (outside its valid range).
        """
        rays = (_last(pixels, 2, "pixels") - (self.cx, self.cy)) / (self.fx, self.fy)
        if self.distortion:
            rays = lens(self.distortion_order, self.distortion).undistort(rays, 1e-6 / max(self.fx, self.fy))
        return rays * (self.fx, self.fy) + (self.cx, self.cy)

    def _distort_rays(self, rays: np.ndarray) -> np.ndarray:
        return lens(self.distortion_order, self.distortion).distort(rays) if self.distortion else rays


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

    Raises:
        ValueError: A lens that MVOR's five numbers cannot describe.
    """
    to_first = np.linalg.inv(cameras[0].pose)
    intrinsics = []
    for i, camera in enumerate(cameras):
        values = dict(zip(DISTORTION_ORDERS[camera.distortion_order], camera.distortion, strict=False))
        more = sorted(name for name, value in values.items() if value and name not in DISTORTION_ORDERS["mvor"])
        if more or camera.distortion_order == "fisheye":
            what = "a fisheye lens" if camera.distortion_order == "fisheye" else f"distortion {', '.join(more)}"
            raise ValueError(f"cameras_to_mvor: camera {i + 1} has {what}, expected k1, k2, k3, p1, p2 at most")
        intrinsics.append(
            {
                "serialnumber": str(i + 1),
                "skew_value": 0,
                "distortion": [values.get(name, 0.0) for name in DISTORTION_ORDERS["mvor"]],
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
