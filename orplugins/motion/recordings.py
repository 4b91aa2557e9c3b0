"""A motion from whatever file it is in, ready to be compared."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from orplugins.io.clip_files import read_motion_npz
from orplugins.io.kinect_files import KinectRecord, read_kinect_export, read_kinect_record
from orplugins.motion.compare import Recording
from orplugins.skeletons import H36M_17, KINECT_20, SKELETONS


def read_recording(path: str | os.PathLike, name: str | None = None, fps: float | None = None) -> Recording:
    """Read a motion.

    Kinds: a Kinect text record; our npz of a clip (``xyz``, ``state``, ``fps``, ``layout``); ``pose.npy`` (F, 17, 3) of
    the lifter; a Kinect export (npy (F, 20, 3), npz, csv).

    Args:
        path: The file.
        name: Of the recording; None: the file's (or its folder's).
        fps: Frame rate of kinds that hold none (30 if None).

    Returns:
        The recording.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: One line with file, field, found and expected; no frame at all; no joint in any frame.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file, expected a motion")
    if path.is_dir():
        raise ValueError(f"{path}: is a folder, expected a motion (record.txt, motion.npz, pose.npy, a Kinect export)")
    generic = path.stem in ("record", "motion", "pose", "people")
    name = name or (path.resolve().parent.name if generic else path.stem)
    if path.suffix == ".txt":
        recording = _from_record(read_kinect_record(path), name)
    elif path.suffix == ".npz" and "layout" in np.load(path, allow_pickle=False).files:
        data = read_motion_npz(path)
        if data["layout"] not in SKELETONS:
            raise ValueError(f"{path}: layout {data['layout']!r}, expected one of {', '.join(SKELETONS)}")
        if not 0 < data["fps"] < np.inf:
            raise ValueError(f"{path}: fps is {data['fps']}, expected a number above 0")
        time = np.arange(len(data["xyz"])) / data["fps"]
        recording = Recording(
            name, data["xyz"], data["state"], time, data["fps"], SKELETONS[data["layout"]], data["root"]
        )
    elif path.suffix == ".npy" and np.load(path, mmap_mode="r", allow_pickle=False).shape[1:] == (
        H36M_17.num_joints,
        3,
    ):
        xyz = np.load(path, allow_pickle=False).astype(np.float64)
        state = np.where(np.isfinite(xyz).all(-1), 2, 0)
        recording = Recording(name, xyz, state, np.arange(len(xyz)) / (fps or 30.0), fps or 30.0, H36M_17, "hip_center")
    else:
        recording = _from_record(read_kinect_export(path, fps or 30.0), name)
    if not len(recording.xyz):
        raise ValueError(f"{path}: no frame in it")
    if not (recording.state > 0).any():
        raise ValueError(f"{path}: no joint is present in any of its {len(recording.xyz)} frames")
    return recording


def _from_record(record: KinectRecord, name: str) -> Recording:
    if not len(record.frame):
        raise ValueError(f"{name}: no frame in the Kinect record")
    one = record.one_body()
    return Recording(name, one.xyz, one.state, one.time, one.fps, KINECT_20, one.root)
