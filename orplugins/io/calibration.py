"""Calibration files: several cameras of one world, or a parallel pair.

JSON or YAML::

    {"cameras": [{"image_size": [w, h], "K": 3x3, "dist": [k1, k2, p1, p2, k3], "R": 3x3, "t": [3]}, ...],
     "up": [0, 0, 1]}
    {"parallel": {"baseline_m": 0.28, "focal_px": 525, "cx": 319.5, "cy": 239.5, "image_size": [640, 480]}}

R and t take world to camera, metres, pixels; ``dist`` is OpenCV's model. ``up`` (optional) is the world's vertical.
OpenPose's XML files (``CameraMatrix`` 3x4, ``Intrinsics``, ``Distortion``) are read from a folder, one per camera.

One depth camera alone is a smaller file, see `load_camera`.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from orplugins.geometry.cameras import DISTORTION_ORDERS, Camera
from orplugins.geometry.rectified import ParallelRig
from orplugins.io.json_fields import entries, field, load_json, number, numbers
from orplugins.structures import Rig


def _load(path: Path):
    if path.suffix.lower() not in (".yaml", ".yml"):
        return load_json(path)
    import yaml

    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file, expected a calibration")
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: not YAML: {str(error).splitlines()[0]}") from None


def _flat(values) -> list:
    """Nested lists (matrices) as one flat list, for the checks of `numbers`."""
    if isinstance(values, list) and values and isinstance(values[0], list):
        return [value for row in values for value in row]
    return values


def _camera(entry: dict, where: str) -> Camera:
    entry = {key: _flat(value) for key, value in entry.items()}
    width, height = numbers(entry, "image_size", 2, where)
    k = numbers(entry, "K", 9, where).reshape(3, 3)
    if abs(k[0, 1]) > 1e-6 * abs(k[0, 0]) or np.abs(k[2] - (0, 0, 1)).max() > 1e-9:
        raise ValueError(f"{where}: 'K' is {k.tolist()}, expected [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]")
    if min(k[0, 0], k[1, 1]) < 10:
        raise ValueError(f"{where}: focal length {k[0, 0]:g}, expected pixels (10 or more); it looks like metres or mm")
    rotation = numbers(entry, "R", 9, where).reshape(3, 3)
    translation = numbers(entry, "t", 3, where)
    if np.abs(rotation @ rotation.T - np.eye(3)).max() > 1e-3 or np.linalg.det(rotation) < 0:
        raise ValueError(
            f"{where}: 'R' is no rotation (R R^T - 1 up to {np.abs(rotation @ rotation.T - np.eye(3)).max():.3g}, "
            f"determinant {np.linalg.det(rotation):.3g})"
        )
    dist = numbers(entry, "dist", (0, 4, 5), where) if entry.get("dist") else np.zeros(0)
    distorted = len(dist) > 0 and np.abs(dist).max() > 0
    distortion = tuple(np.concatenate([dist, np.zeros(5 - len(dist))])) if distorted else ()
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation.T, -rotation.T @ translation
    return Camera(k[0, 0], k[1, 1], k[0, 2], k[1, 2], (int(width), int(height)), distortion, pose=pose)


def read_rig(path: str | os.PathLike) -> Rig:
    """Read calibrated cameras: a JSON or YAML file, or a folder of OpenPose's XML files (sorted by name).

    A ``parallel`` file gives two cameras whose world is the left one.

    Args:
        path: The file or folder.

    Returns:
        Two cameras or more, in metres and pixels.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: One line with file, camera, field, found and expected.
    """
    path = Path(path)
    if path.is_dir():
        files = sorted(path.glob("*.xml"))
        if len(files) < 2:
            raise ValueError(f"{path}: {len(files)} XML files, expected OpenPose's calibration of two cameras or more")
        return Rig([_openpose_camera(file) for file in files], [file.stem for file in files], None)
    data = _load(path)
    if isinstance(data, dict) and "parallel" in data:
        rig = _parallel(data["parallel"], f"{path}: parallel")
        pose = np.eye(4)
        pose[0, 3] = rig.baseline_m
        cameras = [
            Camera(rig.focal_px, rig.focal_px, *rig.left, rig.size),
            Camera(rig.focal_px, rig.focal_px, *rig.right, rig.size, pose=pose),
        ]
        return Rig(cameras, ["left", "right"], np.array([0.0, -1.0, 0.0]))
    records = entries(field(data, "cameras", str(path)), f"{path}: cameras")
    if len(records) < 2:
        raise ValueError(f"{path}: {len(records)} cameras, expected two or more")
    cameras = [_camera(record, f"{path}: cameras[{i}]") for i, record in enumerate(records)]
    up = numbers(data, "up", 3, str(path)) if "up" in data else None
    return Rig(cameras, [str(r.get("name", f"camera{i + 1}")) for i, r in enumerate(records)], up)


def read_parallel(path: str | os.PathLike) -> ParallelRig:
    """Read the ``parallel`` form.

    Args:
        path: A JSON or YAML file.

    Returns:
        The pair.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file has no such part (a general rig is read by `read_rig`).
    """
    return _parallel(field(_load(Path(path)), "parallel", str(path)), f"{path}: parallel")


def is_parallel(path: str | os.PathLike) -> bool:
    """Whether a calibration file describes a parallel pair.

    Args:
        path: The file; a folder describes none.

    Returns:
        True if it has a ``parallel`` part.
    """
    path = Path(path)
    if path.is_dir():
        return False
    data = _load(path)
    return isinstance(data, dict) and "parallel" in data


def _parallel(entry, where: str) -> ParallelRig:
    middle = (number(entry, "cx", where), number(entry, "cy", where))
    right = (
        number(entry, "cx_right", where) if "cx_right" in entry else middle[0],
        number(entry, "cy_right", where) if "cy_right" in entry else middle[1],
    )
    width, height = numbers(entry, "image_size", 2, where)
    try:
        return ParallelRig(
            number(entry, "baseline_m", where),
            number(entry, "focal_px", where),
            (int(width), int(height)),
            middle,
            right,
        )
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _openpose_camera(path: Path) -> Camera:
    """Read OpenPose's XML, the form of OpenCV's FileStorage.

    The image's size is twice the principal point if not given.
    """
    from xml.etree import ElementTree

    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise ValueError(f"{path}: not XML: {error}") from None
    matrices = {}
    for name, count in (("CameraMatrix", 12), ("Intrinsics", 9), ("Distortion", None)):
        node = root.find(name)
        text = None if node is None else node.findtext("data")
        if text is None:
            raise ValueError(f"{path}: no element {name} with data, expected OpenPose's calibration")
        try:
            values = [float(value) for value in text.split()]
        except ValueError:
            raise ValueError(f"{path}: {name} holds something that is not a number") from None
        if count is not None and len(values) != count:
            raise ValueError(f"{path}: {name} has {len(values)} numbers, expected {count}")
        matrices[name] = values
    k, extrinsic = np.reshape(matrices["Intrinsics"], (3, 3)), np.reshape(matrices["CameraMatrix"], (3, 4))
    size = [round(2 * k[0, 2]), round(2 * k[1, 2])]
    entry = {
        "image_size": size,
        "K": k.ravel().tolist(),
        "dist": matrices["Distortion"][:5],
        "R": extrinsic[:, :3].ravel().tolist(),
        "t": extrinsic[:, 3].tolist(),
    }
    return _camera(entry, str(path))


def load_camera(path: str | os.PathLike) -> Camera:
    """Read one camera's intrinsics.

    The file is ``{"fx": .., "fy": .., "cx": .., "cy": .., "size": [width,
    height]}``, in pixels, with `distortion` (five numbers) and `distortion_order` ("opencv" or "mvor") if the depth
    image is not undistorted.

    Args:
        path: JSON file.

    Returns:
        The camera, at the origin of its world.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: One line with file, field, found and expected.
    """
    record = load_json(path)
    where = str(path)
    fx, fy, cx, cy = (number(record, name, where) for name in ("fx", "fy", "cx", "cy"))
    size = numbers(record, "size", 2, where)
    distortion = numbers(record, "distortion", 5, where) if record.get("distortion") else ()
    order = record.get("distortion_order", "opencv")
    if order not in DISTORTION_ORDERS:
        raise ValueError(f"{where}: 'distortion_order' is {order!r}, expected one of {sorted(DISTORTION_ORDERS)}")
    try:
        return Camera(fx, fy, cx, cy, size=(size[0], size[1]), distortion=tuple(distortion), distortion_order=order)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
