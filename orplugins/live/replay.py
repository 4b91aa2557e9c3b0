"""Recordings played as if they were cameras: videos, folders of colour images, of depth images, or of both."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orplugins.depth.png import is_depth_png, load_depth
from orplugins.io.frame_clock import frame_clock
from orplugins.io.frame_names import last_number
from orplugins.io.images import image_files, image_size, read_image
from orplugins.io.json_fields import load_json, number
from orplugins.io.video import NOTE, VIDEO_SUFFIXES, probe_video, read_timed_video
from orplugins.live.frames import Frame, Source

_COLOR = ("color", "colour", "rgb")


class Pace:
    """When frames are due: one for all recordings of a run, so that they stay in step.

    Args:
        speed: 1 plays as fast as it was recorded, 2 twice as fast; infinity waits for nothing.
    """

    def __init__(self, speed: float = 1.0):
        if not speed > 0:
            raise ValueError(f"speed: found {speed}, expected a number above 0")
        self.speed = speed
        self._lock = threading.Lock()
        self._first: dict[str, float] = {}  # recordings that were opened: their first frames' times
        self._start: float | None = None

    def join(self, name: str, first: float) -> None:
        """A recording takes part.

        Args:
            name: Of its camera.
            first: Time of its first frame, seconds.
        """
        with self._lock:
            self._first[name] = first

    def wait(self, time_: float, stopped: threading.Event) -> float:
        """Wait until a frame is due.

        Args:
            time_: Its time in the recording, seconds.
            stopped: Ends the waiting.

        Returns:
            By how much it is late, seconds.
        """
        if not np.isfinite(self.speed):
            return 0.0
        with self._lock:
            now = time.monotonic()
            self._start = now if self._start is None else self._start
            due = self._start + (time_ - min(self._first.values())) / self.speed
        if due > now:
            stopped.wait(due - now)
            return 0.0
        return now - due


@dataclass(frozen=True)
class _Planned:
    """A frame that is to come: its time, its name, and what reads its images."""

    number: int
    time: float
    name: str
    color: Path | None = None
    depth: Path | None = None


class ReplaySource(Source):
    """A recording.

    A folder holds images, or a folder ``color`` and a folder ``depth`` (16-bit PNG, paired by the numbers at the end of
    their names). Times are those of `orplugins.io.video.split_video`'s note, of names that are time stamps, or of
    frames counted at a rate.

    Args:
        name: Of the camera.
        path: A video or a folder.
        pace: When frames are due.
        fps: Frames a second, where the recording does not say.
        depth_unit_mm: Millimetres a count of depth images.
    """

    live = False

    def __init__(
        self, name: str, path: str | os.PathLike, pace: Pace, fps: float | None = None, depth_unit_mm: float = 1.0
    ):
        super().__init__(name, "recording")
        self.path, self.pace, self.fps, self.depth_unit_mm = Path(path), pace, fps, depth_unit_mm
        self.skipped = 0
        self._planned: list[_Planned] = []
        self._stopped = threading.Event()

    def open(self) -> None:
        """Look into the recording, see `Source.open`."""
        self._stopped.clear()
        if self.path.is_dir():
            self._planned = self._folder()
            first = self._planned[0]
            if first.color is not None:
                self.sizes["color"] = image_size(first.color)[0]
            if first.depth is not None:
                self.sizes["depth"] = image_size(first.depth)[0]
            self.pace.join(self.name, first.time)
        elif self.path.suffix.lower() in VIDEO_SUFFIXES or self.path.is_file():
            self.sizes["color"] = probe_video(self.path).size
            self.pace.join(self.name, 0.0)
        else:
            raise FileNotFoundError(f"{self.path}: no such recording, expected a video or a folder of images")

    def close(self) -> None:
        """Wake whoever waits for the next frame."""
        self._stopped.set()

    def frames(self) -> Iterator[Frame]:
        """Frames when they are due."""
        for planned, read in self._read() if self._planned else self._video():
            late_by = self.pace.wait(planned.time, self._stopped)
            if self._stopped.is_set():
                return
            if late_by > 0.5:  # reading cannot keep up: what a camera would have lost is not read at all
                self.skipped += 1
                continue
            yield read()

    def _read(self) -> Iterator[tuple[_Planned, Callable[[], Frame]]]:
        for planned in self._planned:
            yield planned, lambda planned=planned: self._images(planned)  # type: ignore[misc]

    def _images(self, planned: _Planned) -> Frame:
        frame = Frame(self.name, planned.number, planned.time, name=planned.name)
        try:
            if planned.color is not None:
                frame.color = read_image(planned.color)
            if planned.depth is not None:
                frame.depth = load_depth(planned.depth, unit_mm=self.depth_unit_mm)
        except (OSError, ValueError) as error:
            return Frame(self.name, planned.number, planned.time, name=planned.name, problem=str(error))
        return frame

    def _video(self) -> Iterator[tuple[_Planned, Callable[[], Frame]]]:
        count = 0
        try:
            for image, at in read_timed_video(self.path):
                frame = Frame(self.name, count, at, color=image, name=f"{self.path.name}#{count}")
                yield _Planned(count, at, frame.name), lambda frame=frame: frame  # type: ignore[misc]
                count += 1
        except (OSError, ValueError) as error:
            time_ = count / (self.fps or probe_video(self.path).fps)
            broken = Frame(self.name, count, time_, name=f"{self.path.name}#{count}", problem=str(error))
            yield _Planned(count, time_, broken.name), lambda: broken

    def _folder(self) -> list[_Planned]:
        color = next((self.path / name for name in _COLOR if (self.path / name).is_dir()), None)
        depth = self.path / "depth" if (self.path / "depth").is_dir() else None
        if color is None and depth is None:
            paths = image_files(self.path)
            if is_depth_png(paths[0]):
                return self._timed({"depth": paths}, self.path)
            return self._timed({"color": paths}, self.path)
        parts = {name: image_files(folder) for name, folder in (("color", color), ("depth", depth)) if folder}
        return self._timed(parts, color or depth or self.path)

    def _timed(self, parts: dict[str, list[Path]], folder: Path) -> list[_Planned]:
        """Frames by the numbers in their names; a frame that lacks one of two images has the other."""
        by_number: dict[int, dict[str, Path]] = {}
        for kind, paths in parts.items():
            for place, path in enumerate(paths):
                counted = last_number(path.stem)
                key = place if counted is None else counted
                if kind in by_number.setdefault(key, {}):
                    raise ValueError(f"{path}: two {kind} images of frame {key} in {path.parent}")
                by_number[key][kind] = path
        numbers = sorted(by_number)
        times, index = self._times(numbers, folder)
        return [
            _Planned(place, at, next(iter(by_number[key].values())).name, **by_number[key])
            for key, at, place in zip(numbers, times, index, strict=True)
        ]

    def _times(self, numbers: list[int], folder: Path) -> tuple[list[float], list[int]]:
        note = folder / NOTE
        if note.is_file():
            said = load_json(note)
            stamps = said.get("times") if isinstance(said, dict) else None
            if isinstance(stamps, list) and numbers[-1] < len(stamps) and self.fps is None:
                return [float(stamps[n]) for n in numbers], numbers
            fps = self.fps or number(said, "fps", str(note))
            return [n / fps for n in numbers], numbers
        clock = frame_clock(numbers, str(folder), self.fps)
        index = [int(n) for n in clock.index]
        if clock.time is not None:
            return [float(t) for t in clock.time], index
        if self.fps is None:
            raise ValueError(f"{folder}: the names of its images do not tell the frame rate, expected --fps")
        return [n / self.fps for n in index], index
