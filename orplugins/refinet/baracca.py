"""Baracca (D'Eusanio et al., ICPR 2020): depth images of people around a car, 8 viewpoints, no ground truth.

Depth images are ``<root>/<subject>/<view>/imgDepth_<subject>_<view>_<frame>.png`` (three digits each, 16-bit
millimetres), and ``<root>/viewpoints.json`` has the rotation of each viewpoint's images.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orplugins.io.arrays import load_npz
from orplugins.io.json_fields import field, load_json
from orplugins.io.safe_pickle import load_plain_pickle
from orplugins.refinet.depth_camera import BARACCA_ORIENTATIONS
from orplugins.skeletons import BODY_25, ITOP_15, convert

SEQUENCE_FILE = "hrnet_w48_384x288_with_yolo.pkl"


@dataclass(frozen=True)
class BaraccaFrame:
    """One image.

    Attributes:
        row: Its number in the published order.
        subject, view, frame: Which image it is.
        path: The file.
        orientation: How it was turned, degrees counter-clockwise.
    """

    row: int
    subject: int
    view: int
    frame: int
    path: Path
    orientation: int


def baracca_frames(root: str | os.PathLike, subjects: int = 30, views: int = 8, frames: int = 10) -> list[BaraccaFrame]:
    """All frames in the order subject (from 1), viewpoint, frame (both from 0).

    Args:
        root: The folder with ``viewpoints.json``.
        subjects: Number of subjects.
        views: Number of viewpoints.
        frames: Frames of each.

    Returns:
        The frames.

    Raises:
        FileNotFoundError: There is no ``viewpoints.json``.
        ValueError: A viewpoint is missing, or has another orientation.
    """
    root = Path(root)
    path = root / "viewpoints.json"
    content = load_json(path)
    orientations = []
    for view in range(views):
        entry = field(content, str(view), str(path))
        values = field(entry, "orientation", f"{path}: '{view}'")
        value = values[0] if isinstance(values, list) and values else values
        if type(value) not in (int, float) or value not in BARACCA_ORIENTATIONS:
            raise ValueError(
                f"{path}: '{view}': 'orientation' is {repr(values)[:80]}, expected one of {BARACCA_ORIENTATIONS}"
            )
        orientations.append(int(value))
    out: list[BaraccaFrame] = []
    for subject in range(1, subjects + 1):
        for view in range(views):
            for frame in range(frames):
                name = f"imgDepth_{subject:03d}_{view:03d}_{frame:03d}.png"
                image = root / f"{subject:03d}" / f"{view:03d}" / name
                out.append(BaraccaFrame(len(out), subject, view, frame, image, orientations[view]))
    return out


def load_baracca_poses(path: str | os.PathLike, frames: list[BaraccaFrame]) -> np.ndarray:
    """Read input poses of all frames.

    Args:
        path: A .npz with `arr_0` (..., J, C) or a pickled (F, J, C) for all frames, J 15 or 25 (BODY_25); or a folder
            with a pickle in each sequence's folder (2023 branch), which may be the data root itself.
        frames: F frames.

    Returns:
        (F, 15, 3) x, y in pixels, score; missing joints are (0, 0, 0).

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Another form, or NaN or infinity.
    """
    path = Path(path)
    if path.is_dir():
        return np.stack([_sequence_pose(path, frame) for frame in frames])
    if path.suffix == ".npz":
        arrays = load_npz(path)
        if "arr_0" not in arrays:
            raise ValueError(f"{path}: missing array 'arr_0', found {sorted(arrays)}")
        poses = arrays["arr_0"]
    else:
        poses = load_plain_pickle(path)
    if not isinstance(poses, np.ndarray) or poses.ndim < 3 or poses.dtype.kind not in "iuf":
        raise ValueError(f"{path}: found {type(poses).__name__}, expected an array (..., J, C)")
    poses = poses.reshape(-1, *poses.shape[-2:]).astype(np.float64)
    if len(poses) != len(frames) or poses.shape[1] not in (15, 25) or poses.shape[2] < 2:
        raise ValueError(f"{path}: found shape {poses.shape}, expected ({len(frames)}, 15 or 25, 2 or more)")
    if not np.isfinite(poses).all():
        raise ValueError(f"{path}: found NaN or infinity, expected finite pixels")
    present = (poses[..., :2] != 0).any(-1)
    score = poses[..., 2] if poses.shape[2] > 2 else present
    poses = np.concatenate([poses[..., :2], np.where(present, np.maximum(score, 1e-6), 0)[..., None]], axis=-1)
    return convert(poses, BODY_25, ITOP_15) if poses.shape[1] == 25 else poses


_cache: dict[Path, dict] = {}


def _sequence_pose(folder: Path, frame: BaraccaFrame) -> np.ndarray:
    sequence = f"{frame.subject:03d}/{frame.view:03d}"
    path = folder / sequence / SEQUENCE_FILE
    if path not in _cache:
        _cache.clear()  # sequences come one after the other
        content = field(load_plain_pickle(path), "IR", str(path))
        if not isinstance(content, dict):
            raise ValueError(f"{path}: 'IR' is {type(content).__name__}, expected a dict from image to people")
        # Some copies have backslashes or a leading separator.
        _cache[path] = {str(key).replace("\\", "/").lstrip("/"): value for key, value in content.items()}
    key = f"{sequence}/{frame.path.name.replace('Depth', 'IR')}"
    people = _cache[path].get(key)
    if people is None:
        raise ValueError(f"{path}: missing image '{key}'")
    if not isinstance(people, (list, tuple)) and not (isinstance(people, np.ndarray) and people.ndim):
        raise ValueError(f"{path}: '{key}' is {type(people).__name__}, expected a list of people")
    if not len(people):
        return np.zeros((15, 3))
    try:
        pose = np.asarray(people[0], dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{path}: '{key}' holds something that is not a number, expected (15, 2 or more)") from None
    if pose.ndim != 2 or pose.shape[0] != 15 or pose.shape[1] < 2 or not np.isfinite(pose).all():
        raise ValueError(f"{path}: '{key}': found shape {pose.shape}, expected finite numbers (15, 2 or more)")
    present = (pose[:, :2] != 0).any(-1)
    return np.concatenate([pose[:, :2], present[:, None]], axis=1)
