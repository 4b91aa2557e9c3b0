"""A motion from whatever file it is in, ready to be compared."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from orplugins.io.arrays import load_npy, npz_names
from orplugins.io.c3d_files import read_c3d
from orplugins.io.clip_files import read_motion_npz
from orplugins.io.files import require_file
from orplugins.io.kinect_files import KinectRecord, read_kinect_export, read_kinect_record
from orplugins.io.markers import Markers
from orplugins.io.trc import read_trc
from orplugins.motion.compare import Recording
from orplugins.skeletons import COCO_17, H36M_17, KINECT_20, SKELETONS


def read_recording(path: str | os.PathLike, name: str | None = None, fps: float | None = None) -> Recording:
    """Read a motion.

    Kinds: a Kinect text record; our npz of a clip (``xyz``, ``state``, ``fps``, ``layout``); ``pose.npy`` (F, 17, 3) of
    the lifter; a Kinect export (npy (F, 20, 3), npz, csv); TRC and C3D, whose markers are called as joints are.

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
    path = require_file(path, "a motion (record.txt, motion.npz, pose.npy, a Kinect export, TRC, C3D)")
    generic = path.stem in ("record", "motion", "pose", "people")
    name = name or (path.resolve().parent.name if generic else path.stem)
    if path.suffix.lower() in (".trc", ".c3d"):
        recording = _from_markers(read_trc(path) if path.suffix.lower() == ".trc" else read_c3d(path), name, path)
    elif path.suffix == ".txt":
        recording = _from_record(read_kinect_record(path), name, path)
    elif path.suffix == ".npz" and "layout" in npz_names(path):
        data = read_motion_npz(path)
        skeleton = SKELETONS.get(data["layout"])
        if skeleton is None or data["xyz"].shape[1] != skeleton.num_joints:
            raise ValueError(
                f"{path}: layout {data['layout'][:80]!r} with {data['xyz'].shape[1]} joints, expected one of "
                f"{', '.join(SKELETONS)} and its joints"
            )
        time = np.arange(len(data["xyz"])) / data["fps"]
        recording = Recording(name, data["xyz"], data["state"], time, data["fps"], skeleton, data["root"])
    elif path.suffix == ".npy" and (xyz := load_npy(path)).shape[1:] == (H36M_17.num_joints, 3):
        if xyz.dtype.kind not in "fiu":
            raise ValueError(f"{path}: holds {xyz.dtype}, expected numbers (F, 17, 3)")
        xyz = xyz.astype(np.float64)
        state = np.where(np.isfinite(xyz).all(-1), 2, 0)
        recording = Recording(name, xyz, state, np.arange(len(xyz)) / (fps or 30.0), fps or 30.0, H36M_17, "hip_center")
    else:
        recording = _from_record(read_kinect_export(path, fps or 30.0), name, path)
    if not len(recording.xyz):
        raise ValueError(f"{path}: no frame in it")
    if not (recording.state > 0).any():
        raise ValueError(f"{path}: no joint is present in any of its {len(recording.xyz)} frames")
    return recording


def _from_markers(markers: Markers, name: str, path: Path) -> Recording:
    xyz = markers.coco(str(path))
    state = np.where(np.isfinite(xyz).all(-1), 2, 0)
    return Recording(name, xyz, state, markers.frames / markers.fps, markers.fps, COCO_17)


def _from_record(record: KinectRecord, name: str, path: Path) -> Recording:
    if not len(record.frame):
        raise ValueError(f"{path}: no frame in it")
    one = record.one_body()
    return Recording(name, one.xyz, one.state, one.time, one.fps, KINECT_20, one.root)
