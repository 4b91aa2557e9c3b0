"""Files of a rig's people: everybody frame by frame, the longest track as a clip and a Kinect record, a TRC each."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from orplugins.geometry.triangulation import Code, present
from orplugins.io.c3d_files import write_c3d
from orplugins.io.clip_files import write_motion_npz, write_people
from orplugins.io.kinect_files import make_record, write_kinect_record
from orplugins.io.markers import marker_name
from orplugins.io.trc import write_trc, y_up
from orplugins.multiview.people import People
from orplugins.multiview.whole_tracks import Followed
from orplugins.skeletons import COCO_17
from orplugins.structures import Rig

_SHOULDERS = [COCO_17.index("left_shoulder"), COCO_17.index("right_shoulder")]
_HIPS = [COCO_17.index("left_hip"), COCO_17.index("right_hip")]


def write_rig_people(
    out: Path,
    followed: Followed,
    people: People,
    rig: Rig,
    fps: float,
    first: int,
    last: int,
    extra: dict,
    c3d: bool = False,
) -> None:
    """Write ``people.json``, ``motion.npz`` and ``record.txt`` of the longest track, and ``person<track>.trc``.

    Clip and record are in the first camera's axes, TRC and C3D files in the rig's, turned so that y is up.

    Args:
        out: Folder.
        followed: The people, their frame numbers those of the recording.
        people: What they were made of.
        rig: The cameras.
        fps: Frames a second.
        first: First frame number of the recording.
        last: The last one.
        extra: Further entries of ``people.json``.
        c3d: Write ``person<track>.c3d``, too.
    """
    code = _codes(followed, people)
    write_people(
        out / "people.json",
        followed.frame,
        followed.track,
        followed.points,
        code,
        COCO_17.joints,
        extra,
        [_detail(row, people, len(rig.cameras)) for row in followed.row],
    )
    turn = y_up(rig.up if rig.up is not None else _upright(followed.points))
    markers = tuple(marker_name(joint) for joint in COCO_17.joints)
    longest = None
    for track, rows in followed.clips():
        numbers = np.arange(followed.frame[rows[0]], followed.frame[rows[-1]] + 1)
        clip = np.full((len(numbers), COCO_17.num_joints, 3), np.nan)
        clip[followed.frame[rows] - numbers[0]] = followed.points[rows]
        write_trc(out / f"person{track}.trc", numbers, clip @ turn.T, markers, fps)
        if c3d:
            write_c3d(out / f"person{track}.c3d", numbers, clip @ turn.T, markers, fps)
        if longest is None or len(rows) > len(longest):
            longest = rows
    if longest is None:
        return
    xyz = np.full((last - first + 1, COCO_17.num_joints, 3), np.nan)
    state, why = np.zeros(xyz.shape[:2], dtype=np.int64), np.full(xyz.shape[:2], Code.MISSING, dtype=np.int64)
    at = followed.frame[longest] - first
    xyz[at] = rig.cameras[0].world_to_camera(followed.points[longest])
    found = np.isfinite(xyz[at]).all(-1)
    state[at] = np.where(found, np.where(followed.filled[longest], 1, 2), 0)
    why[at] = np.where(found, code[longest], Code.MISSING)
    note = {"cameras": rig.names, "axes": "first camera", "track": int(followed.track[longest[0]])}
    write_motion_npz(out / "motion.npz", xyz, state, why, fps, note, COCO_17.name)
    count = {"cameras": str(len(rig.cameras))}
    record = make_record(xyz, state, COCO_17, fps, "multi_view", "absolute", count, first_frame=first)
    write_kinect_record(out / "record.txt", record)


def _codes(followed: Followed, people: People) -> np.ndarray:
    """(Q, 17) why each joint is there or is not."""
    seen = present(people.keypoints).sum(1)
    code = np.where(people.views > 0, Code.OK, np.where(seen < 2, Code.MISSING, Code.REPROJECTION))
    own = np.full(followed.filled.shape, Code.MISSING, dtype=np.int64)
    measured = followed.row >= 0
    own[measured] = code[followed.row[measured]]
    return np.where(followed.filled, Code.FILLED, own)


def _detail(row: int, people: People, cameras: int) -> dict:
    if row < 0:
        return {"detections": [-1] * cameras, "error_px": [None] * COCO_17.num_joints}
    error = [None if np.isnan(e) else round(float(e), 2) for e in people.error[row]]
    return {"detections": people.members[row].tolist(), "error_px": error}


def _upright(points: np.ndarray) -> np.ndarray:
    """(3,) the direction of people's trunks; z where none is known."""
    trunk = points[:, _SHOULDERS].mean(1) - points[:, _HIPS].mean(1)
    trunk = trunk[np.isfinite(trunk).all(1)]
    up = np.median(trunk, 0) if len(trunk) else np.zeros(3)
    return up if np.linalg.norm(up) > 0 else np.array([0.0, 0.0, 1.0])
