"""A run on disk: every record as it comes, and at the end COCO, npz and TRC files of everybody.

``records.jsonl`` grows record by record, so that a run that is killed has lost nothing but its last line, and memory
does not grow. The other files are made of it when the run ends.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from orplugins.geometry.triangulation import Code
from orplugins.io.atomic import write_json
from orplugins.io.clip_files import write_motion_npz
from orplugins.io.files import require_file
from orplugins.io.json_fields import parse_json
from orplugins.io.run_folder import run_folder
from orplugins.io.trc import marker_name, write_trc, y_up
from orplugins.live.outputs import Output
from orplugins.skeletons import COCO_17

RECORDS = "records.jsonl"
_FLUSH_S = 1.0
_MOST_LINE = 1 << 24  # bytes


class FilesOutput(Output):
    """Writes a run to a folder.

    Args:
        folder: Empty, or not there yet.
        up: (3,) the room's vertical, for TRC files.
        fps: Of the clips; None: what the run had.
    """

    def __init__(self, folder: str | os.PathLike, up: np.ndarray | None = None, fps: float | None = None):
        self.folder, self.name = Path(folder), str(folder)
        self._up = np.array([0.0, 0.0, 1.0]) if up is None else np.asarray(up, dtype=np.float64)
        self._fps = fps
        self._taken = ExitStack()
        self._file: TextIO | None = None
        self._flushed = 0.0

    def open(self) -> None:
        """Take the folder."""
        self._taken.enter_context(run_folder(self.folder))
        path = self.folder / RECORDS
        if path.exists():
            self._taken.close()
            raise ValueError(f"{path}: holds an earlier run, expected a folder without one")
        self._file = open(path, "x", encoding="utf-8")

    def write(self, record: dict[str, Any], line: str) -> None:
        """Add a record's line."""
        assert self._file is not None
        self._file.write(line + "\n")
        now = time.monotonic()
        if now - self._flushed > _FLUSH_S or record["type"] != "people":
            self._file.flush()
            self._flushed = now

    def close(self) -> None:
        """Make the other files of the records."""
        if self._file is None:
            return
        self._file.close()
        self._file = None
        try:
            write_run(self.folder, self._up, self._fps)
        finally:
            self._taken.close()


def read_records(path: str | os.PathLike) -> Iterator[dict[str, Any]]:
    """Records of a run.

    Args:
        path: A file of lines.

    Yields:
        Records; a last line that was cut off, as of a run that was killed, is left out.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Another line that is no record.
    """
    with open(require_file(path, "a run's records", most_bytes=1 << 40), "rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(_MOST_LINE), b""), 1):
            if len(line) == _MOST_LINE:
                raise ValueError(f"{path}: line {number}: more than {_MOST_LINE} bytes, expected a record")
            try:
                record = parse_json(line.decode("utf-8"))
            except (ValueError, RecursionError) as error:
                if not line.endswith(b"\n"):
                    return
                raise ValueError(f"{path}: line {number}: not JSON ({error})") from None
            if not isinstance(record, dict) or "type" not in record:
                raise ValueError(f"{path}: line {number}: found {line[:40].decode()!r}, expected a record with a type")
            yield record


def write_run(folder: str | os.PathLike, up: np.ndarray, fps: float | None = None) -> list[Path]:
    """Make the files of a run of its records.

    Args:
        folder: With ``records.jsonl``.
        up: (3,) the room's vertical.
        fps: Frames a second of the clips; None: the median rate of the moments.

    Returns:
        ``CAMERA.coco.json`` for every camera, and for every person in 3D ``personN.npz`` and ``personN.trc``.

    Raises:
        FileNotFoundError, ValueError: No records.
    """
    folder = Path(folder)
    start: dict[str, Any] = {}
    images: dict[str, list[dict]] = {}
    people: dict[str, list[dict]] = {}
    times: list[float] = []
    tracks: dict[int, list[tuple[float, np.ndarray]]] = {}
    for number, record in enumerate(read_records(folder / RECORDS), 1):
        if record["type"] == "start":
            start = record
        if record["type"] != "people":
            continue
        try:
            times.append(float(record["time"]))
            for name, camera in record["cameras"].items():
                about = start["cameras"].get(name, {})
                _add_image(images.setdefault(name, []), people.setdefault(name, []), camera, about)
            for person in record["people3d"] or ():
                if person["track"] is not None:
                    tracks.setdefault(int(person["track"]), []).append((times[-1], _points(person["keypoints3d"])))
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"{folder / RECORDS}: record {number} is not as it was written: {error!r}") from None
    written = []
    for name in images:
        category = {"id": 1, "name": "person", "keypoints": start["joints"]}
        category["skeleton"] = [[a + 1, b + 1] for a, b in start["limbs"]]
        written.append(folder / f"{name}.coco.json")
        write_json(written[-1], {"images": images[name], "annotations": people[name], "categories": [category]})
    if tracks:
        rate = fps or _rate(times)
        for track, rows in sorted(tracks.items()):
            written += _write_person(folder, track, rows, rate, y_up(up))
    return written


def _points(rows: list) -> np.ndarray:
    points = np.array([[np.nan] * 3 if row is None else row for row in rows], dtype=np.float32)
    if points.shape != (COCO_17.num_joints, 3):
        raise ValueError(f"joints {points.shape}, expected ({COCO_17.num_joints}, 3)")
    return points


def _add_image(images: list[dict], people: list[dict], camera: dict, about: dict) -> None:
    number = len(images) + 1
    width, height = camera["size"] or about.get("size") or (0, 0)
    images.append({"id": number, "file_name": camera["name"], "width": width, "height": height, "time": camera["time"]})
    for person in camera["people"] or ():
        joints = np.array([[0.0] * 3 if row is None else row for row in person["keypoints"]])
        there = joints[joints[:, 2] > 0, :2]
        if not len(there):
            continue
        low, high = there.min(0), there.max(0)
        width, height = (high - low).tolist()
        people.append(
            {
                "id": len(people) + 1,
                "image_id": number,
                "category_id": 1,
                "keypoints": [v for x, y, score in joints.tolist() for v in (x, y, 2 if score > 0 else 0)],
                "keypoint_scores": joints[:, 2].tolist(),
                "num_keypoints": len(there),
                "bbox": [*low.tolist(), width, height],
                "area": width * height,
                "iscrowd": 0,
                "score": person["score"],
                "track_id": -1 if person["track"] is None else person["track"],
            }
        )


def _rate(times: list[float]) -> float:
    steps = np.diff(times)
    steps = steps[steps > 0]
    return round(float(1 / np.median(steps)), 2) if len(steps) else 1.0


def _write_person(
    folder: Path, track: int, rows: list[tuple[float, np.ndarray]], fps: float, turn: np.ndarray
) -> list[Path]:
    """A clip at a constant rate: moments go to the nearest frame, a frame without one is missing."""
    numbers = np.rint(np.array([when for when, _ in rows]) * fps).astype(np.int64)
    frames = np.arange(numbers[0], numbers[-1] + 1)
    xyz = np.full((len(frames), COCO_17.num_joints, 3), np.nan)
    xyz[numbers - numbers[0]] = np.array([points for _, points in rows])
    found = np.isfinite(xyz).all(-1)
    state, code = np.where(found, 2, 0), np.where(found, Code.OK, Code.MISSING)
    note = {"axes": "room", "first_frame": int(frames[0]), "track": track}
    npz, trc = folder / f"person{track}.npz", folder / f"person{track}.trc"
    write_motion_npz(npz, xyz, state, code, fps, note, COCO_17.name)
    write_trc(trc, frames, xyz @ turn.T, tuple(marker_name(joint) for joint in COCO_17.joints), fps)
    return [npz, trc]
