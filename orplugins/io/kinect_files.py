"""Kinect v1 recordings: a plain text record of 20 joints, and the exports of recording programs.

The record, one line per frame and body::

    # kinect-record 1.0
    # source: openpose_stereo
    # fps: 30
    ...
    0 0.000000 0 -0.376318 -0.079247 2.898665 2 ...

83 columns: frame number, time in seconds, body, then x y z state of each joint. Missing: ``nan nan nan 0``. It reads
with ``numpy.loadtxt``. Frame numbers are the time base: a lost frame is a line of state 0, never left out.
"""

from __future__ import annotations

import csv
import io
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from orplugins.geometry.kinect import to_kinect
from orplugins.io.arrays import load_npy, load_npz
from orplugins.io.atomic import atomic_write
from orplugins.io.files import read_text, require_file
from orplugins.skeletons import KINECT_20, Skeleton

SOURCES = ("videopose3d", "openpose_stereo", "kinect_v1", "multi_view")
ROOTS = ("absolute", "absolute-estimated", "hip_center")
AXES = "kinect-v1 (x: to the left of the sensor, y: up, z: away from the sensor)"
_COLUMNS = 3 + 4 * KINECT_20.num_joints
_KEYS = ("source", "fps", "units", "axes", "root", "joints", "columns", "frames")
# One body gets a line for every frame number: more than this, and many times the lines that are there, is no recording.
_MOST_FRAMES = 100_000
# Units that recording programs give time in: seconds, ms, us, ticks of 100 ns, ns. A Kinect takes at most 30 frames a
# second, so each unit has steps of its own.
_TIME_UNITS = (1.0, 1e-3, 1e-6, 1e-7, 1e-9)


def _vendor_name(joint: str) -> str:
    """hip_center -> HipCenter, left_elbow -> ElbowLeft: the names of Kinect's own documents."""
    parts = joint.split("_")
    if parts[0] in ("left", "right"):
        parts = parts[1:] + parts[:1]
    return "".join(part.capitalize() for part in parts)


JOINT_NAMES = tuple(_vendor_name(joint) for joint in KINECT_20.joints)


@dataclass(frozen=True)
class KinectRecord:
    """A recording in Kinect axes.

    Attributes:
        frame: (L,) frame numbers, sorted, then by body.
        time: (L,) seconds.
        body: (L,) body index.
        xyz: (L, 20, 3) metres, NaN where missing.
        state: (L, 20) 0 missing, 1 inferred, 2 tracked.
        fps: Frames per second.
        source, root: See `SOURCES`, `ROOTS`.
        extra: Further header lines.
    """

    frame: np.ndarray
    time: np.ndarray
    body: np.ndarray
    xyz: np.ndarray
    state: np.ndarray
    fps: float
    source: str
    root: str
    extra: dict[str, str] = field(default_factory=dict)

    def __post_init__(self):
        lines = len(self.frame)
        shapes = {"time": (lines,), "body": (lines,), "xyz": (lines, 20, 3), "state": (lines, 20)}
        for name, shape in shapes.items():
            if np.shape(getattr(self, name)) != shape:
                raise ValueError(f"Kinect record: {name} has shape {np.shape(getattr(self, name))}, expected {shape}")
        if not 0 < self.fps < 10_000:
            raise ValueError(f"Kinect record: fps is {self.fps}, expected a number above 0")
        _check_frames(self.frame, self.time, self.fps)
        order = np.lexsort((self.body, self.frame))
        if (order != np.arange(lines)).any():
            raise ValueError("Kinect record: lines are not sorted by frame, then body")
        for kind, value, known in (("source", self.source, SOURCES), ("root", self.root, ROOTS)):
            if value not in known:
                raise ValueError(f"Kinect record: {kind} is {value!r}, expected one of {', '.join(known)}")
        if not np.isin(self.state, (0, 1, 2)).all():
            raise ValueError("Kinect record: states other than 0, 1, 2")

    def one_body(self, body: int | None = None) -> KinectRecord:
        """One body with a line for every frame number from the first to the last (missing ones with state 0).

        Args:
            body: Its index; None: the body with the most tracked joints.

        Returns:
            The record of that body.

        Raises:
            ValueError: There is no such body.
        """
        bodies = np.unique(self.body)
        if body is None:
            body = max(bodies, key=lambda b: int((self.state[self.body == b] > 0).sum()))
        if body not in bodies:
            raise ValueError(f"Kinect record: no body {body}, found {bodies.tolist()}")
        chosen = np.flatnonzero(self.body == body)
        frames = np.arange(self.frame.min(), self.frame.max() + 1)
        xyz, state = np.full((len(frames), 20, 3), np.nan), np.zeros((len(frames), 20), dtype=np.int64)
        at = self.frame[chosen] - frames[0]
        xyz[at], state[at] = self.xyz[chosen], self.state[chosen]
        # True time stamps are kept; lost frames get theirs from the neighbours.
        time = np.interp(frames, self.frame[chosen], self.time[chosen])
        return KinectRecord(
            frames, time, np.full(len(frames), body), xyz, state, self.fps, self.source, self.root, self.extra
        )


def _check_frames(frame: np.ndarray, time: np.ndarray, fps: float) -> None:
    """Refuse time stamps in the place of frame numbers: every number between them would count as a lost frame."""
    numbers = np.unique(frame)
    if len(numbers) < 2:
        return
    span, step = int(numbers[-1]) - int(numbers[0]) + 1, float(np.median(np.diff(numbers)))
    elapsed = float(np.ptp(time)) * fps / (len(numbers) - 1)  # frames from one line to the next, by the clock
    if span > max(_MOST_FRAMES, 20 * len(numbers)) or (step >= 10 and step > 2 * elapsed):
        raise ValueError(
            f"Kinect record: frame numbers from {numbers[0]} to {numbers[-1]} on {len(numbers)} lines, by {step:g} "
            "each; expected numbers that count frames (are these time stamps?)"
        )


def make_record(
    xyz: np.ndarray,
    state: np.ndarray,
    skeleton: Skeleton,
    fps: float,
    source: str,
    root: str,
    extra: dict[str, str] | None = None,
    camera_axes: bool = True,
    time: np.ndarray | None = None,
    first_frame: int = 0,
    **options,
) -> KinectRecord:
    """One person's clip in any joint set as a record.

    Args:
        xyz: (F, J, 3) metres, NaN where missing.
        state: (F, J).
        skeleton: The joint set.
        fps: Frames per second.
        source: One of `SOURCES`.
        root: One of `ROOTS`.
        extra: Further header lines.
        camera_axes: The input is in camera axes; False: in Kinect axes already.
        time: (F,) seconds; None: by ``fps``.
        first_frame: Number of the first frame.
        **options: Those of `orplugins.motion.kinect.to_kinect`.

    Returns:
        The record.
    """
    points, states = to_kinect(xyz, state, skeleton, camera_axes=camera_axes, **options)
    frames = np.arange(first_frame, first_frame + len(points))
    time = frames / fps if time is None else np.asarray(time, dtype=np.float64)
    return KinectRecord(
        frames, time, np.zeros(len(points), dtype=np.int64), points, states, fps, source, root, extra or {}
    )


def write_kinect_record(path: str | os.PathLike, record: KinectRecord) -> None:
    """Write a record, whole or not at all.

    Args:
        path: The file.
        record: What to write.
    """
    lines = [
        "# kinect-record 1.0",
        f"# source: {record.source}",
        f"# fps: {record.fps:g}",
        "# units: m",
        f"# axes: {AXES}",
        f"# root: {record.root}",
        f"# joints: {' '.join(JOINT_NAMES)}",
        "# columns: frame time body then x y z state for each joint",
        f"# frames: {len(np.unique(record.frame))}",
        *(f"# {key}: {value}" for key, value in record.extra.items()),
    ]
    for k in range(len(record.frame)):
        joints = (
            f"{x:.6f} {y:.6f} {z:.6f} {state}" if state else "nan nan nan 0"
            for (x, y, z), state in zip(record.xyz[k], record.state[k], strict=True)
        )
        lines.append(f"{record.frame[k]} {record.time[k]:.6f} {record.body[k]} " + " ".join(joints))
    with atomic_write(path) as file:
        file.write("\n".join(lines) + "\n")


def read_kinect_record(path: str | os.PathLike) -> KinectRecord:
    """Read a record.

    Args:
        path: The file.

    Returns:
        The record.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Not a record of version 1, wrong number of columns, unsorted frames; names the line.
    """
    name = str(path)
    header: dict[str, str] = {}
    rows, version = [], None
    text = read_text(path, "a kinect-record")
    if not text.isascii():
        raise ValueError(f"{name}: holds characters that are not ASCII, expected a kinect-record")
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("#"):
            words = line[1:].strip()
            if words.startswith("kinect-record"):
                version = words.split()[-1][:20]
            key, colon, value = words.partition(":")
            if colon:
                header[key.strip()] = value.strip()
        elif line.strip():
            values = line.split()
            if len(values) != _COLUMNS:
                raise ValueError(f"{name}: line {number} has {len(values)} columns, expected {_COLUMNS}")
            try:
                rows.append([float(value) for value in values])
            except ValueError as error:
                raise ValueError(f"{name}: line {number}: {error}") from None
    if version is None or version.split(".")[0] != "1":
        raise ValueError(f"{name}: version is {version}, expected '# kinect-record 1.x' in the header")
    try:
        fps = float(header["fps"])
    except (KeyError, ValueError):
        raise ValueError(f"{name}: 'fps' is {header.get('fps')!r}, expected a number") from None
    table = np.array(rows, dtype=np.float64).reshape(-1, _COLUMNS)
    joints = table[:, 3:].reshape(-1, 20, 4)
    for what, numbers in (("frame", table[:, 0]), ("body", table[:, 2]), ("state", joints[..., 3])):
        _check_whole(numbers, f"{name}: '{what}'")
    state = joints[..., 3].astype(np.int64)
    if not np.isfinite(table[:, 1]).all() or not np.isfinite(joints[state > 0, :3]).all():
        raise ValueError(f"{name}: holds NaN or infinity as a time or a joint that is not missing, expected numbers")
    extra = {key: value for key, value in header.items() if key not in _KEYS}
    try:
        return KinectRecord(
            table[:, 0].astype(np.int64),
            table[:, 1],
            table[:, 2].astype(np.int64),
            np.where(state[..., None] > 0, joints[..., :3], np.nan),
            state,
            fps,
            header.get("source", "kinect_v1"),
            header.get("root", "absolute"),
            extra,
        )
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def read_kinect_export(path: str | os.PathLike, fps: float = 30.0) -> KinectRecord:
    """Read a Kinect program's export.

    npy (F, 20, 3 or 4), npz with ``xyz`` and ``state``, or CSV with a header that names the joints: ``<Joint>X``,
    ``<Joint>Y``, ``<Joint>Z`` and (optional) ``<Joint>State`` by Kinect's names, upper or lower case, with or without
    ``_`` or ``.``; optional ``Frame`` and ``Time``. The SDK's zeros for untracked joints become missing.

    Args:
        path: The file.
        fps: Frames per second.

    Returns:
        The record.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: None of these forms.
    """
    path = require_file(path, "a Kinect export")
    time = None
    if path.suffix == ".csv":
        xyz, state, time = _read_csv(path)
    elif path.suffix in (".npy", ".npz"):
        xyz, state = _read_arrays(path)
    else:
        raise ValueError(f"{path}: unknown kind {path.suffix!r}, expected .npy, .npz or .csv")
    there = np.isfinite(xyz).all(-1) & (xyz != 0).any(-1)
    state = np.where(there, 2 if state is None else state, 0)
    if time is not None and len(time) > 1:
        time = _seconds(time, path)
        fps = float(round(1 / np.median(np.diff(time)), 3))
    try:
        return make_record(xyz, state, KINECT_20, fps, "kinect_v1", "absolute", camera_axes=False, time=time)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _seconds(time: np.ndarray, path: Path) -> np.ndarray:
    """Times in seconds, whatever unit they are in."""
    steps = np.diff(time)
    if not np.isfinite(time).all() or (steps <= 0).any():
        raise ValueError(f"{path}: 'Time' holds numbers that do not grow from line to line, expected seconds")
    step = float(np.median(steps))
    if 0.001 <= step <= 4:  # rates that no Kinect has, but in the unit that we write
        return time
    unit = next((unit for unit in _TIME_UNITS if 1 / 65 < step * unit < 1 / 5), None)
    if unit is None:
        raise ValueError(f"{path}: 'Time' grows by {step:g} a line, expected seconds (or ms, us, ticks of 100 ns, ns)")
    return (time - time[0]) * unit


def _check_whole(values: np.ndarray, where: str) -> None:
    bad = values[~(np.isfinite(values) & (values == np.trunc(values)) & (np.abs(values) < 2**53))]
    if len(bad):
        raise ValueError(f"{where} is {bad[0]:g}, expected a whole number")


def _read_arrays(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    state = None
    if path.suffix == ".npz":
        arrays = load_npz(path, ("xyz", "state"))
        if "xyz" not in arrays:
            raise ValueError(f"{path}: missing array 'xyz', expected a Kinect export")
        xyz, state = arrays["xyz"], arrays.get("state")
    else:
        xyz = load_npy(path)
    if xyz.ndim != 3 or xyz.shape[1] != 20 or xyz.shape[2] not in (3, 4) or xyz.dtype.kind not in "fiu":
        raise ValueError(f"{path}: {xyz.dtype} {xyz.shape}, expected numbers (frames, 20, 3) or (frames, 20, 4)")
    xyz = xyz.astype(np.float64)
    if xyz.shape[2] == 4:
        xyz, state = xyz[..., :3], xyz[..., 3]
    if state is not None:
        if state.shape != xyz.shape[:2] or state.dtype.kind not in "fiub":
            raise ValueError(f"{path}: 'state' is {state.dtype} {state.shape}, expected numbers {xyz.shape[:2]}")
        _check_whole(state.astype(np.float64), f"{path}: 'state'")
    return xyz, None if state is None else state.astype(np.int64)


def _read_csv(path: Path) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    try:
        reader = csv.reader(io.StringIO(read_text(path, "a Kinect export as CSV"), newline=""))
        lines = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise ValueError(f"{path}: not CSV: {error}") from None
    if len(lines) < 2:
        raise ValueError(f"{path}: {len(lines)} lines, expected a header and frames")
    head = [name.strip().lower().replace("_", "").replace(".", "").replace(" ", "") for name in lines[0][1]]
    missing = [f"{joint}{axis}" for joint in JOINT_NAMES for axis in "XYZ" if f"{joint}{axis}".lower() not in head]
    if missing:
        raise ValueError(f"{path}: the header lacks {', '.join(missing[:4])}{'...' if len(missing) > 4 else ''}")
    table = np.array([_csv_numbers(row, len(head), f"{path}: line {number}") for number, row in lines[1:]])
    xyz = np.stack([table[:, [head.index(f"{j}{a}".lower()) for a in "XYZ"]] for j in JOINT_NAMES], 1)
    states = [f"{joint}state".lower() for joint in JOINT_NAMES]
    state = None
    if all(name in head for name in states):
        state = np.nan_to_num(table[:, [head.index(name) for name in states]])
        _check_whole(state, f"{path}: a state")
        state = state.astype(np.int64)
    return xyz, state, table[:, head.index("time")] if "time" in head else None


def _csv_numbers(row: list[str], columns: int, where: str) -> list[float]:
    if len(row) != columns:
        raise ValueError(f"{where} has {len(row)} columns, expected {columns} as the header")
    try:
        return [float(value) if value.strip() else np.nan for value in row]
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
