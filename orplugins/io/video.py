"""Videos to frames and back, through OpenCV's FFmpeg.

Frames are (H, W, 3) uint8 BGR, upright: a rotation that the file asks for is applied while reading.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from orplugins.io.atomic import atomic_path, write_json
from orplugins.io.images import image_files, read_image, write_image
from orplugins.io.json_fields import load_json, number, numbers, text
from orplugins.io.media_files import MOST_PIXELS, require_video
from orplugins.io.run_folder import run_folder

if TYPE_CHECKING:
    import cv2

VIDEO_SUFFIXES = frozenset({".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv"})
# What a folder of frames says about the video it came from.
NOTE = "video.json"
_SOURCE = ".source.json"  # written first: whose frames these are
_CODECS = {".avi": "MJPG", ".mp4": "mp4v", ".m4v": "mp4v", ".mov": "mp4v", ".mkv": "mp4v"}


@dataclass(frozen=True)
class VideoInfo:
    """What a video's header says.

    Attributes:
        path: The file.
        fps: Frames per second.
        size: (width, height) of the upright frames.
        frames: Declared number of frames; 0 where the container does not say.
        rotation: Clockwise degrees by which stored frames are turned to be upright.
    """

    path: str
    fps: float
    size: tuple[int, int]
    frames: int
    rotation: int


def probe_video(path: str | os.PathLike) -> VideoInfo:
    """Read a video's header and first frame.

    Args:
        path: The file.

    Returns:
        What the header says.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Not a video, of a codec that is not known here, or without a frame.
    """
    capture, first, info = _open(path)
    capture.release()
    return info


def read_video(path: str | os.PathLike) -> Iterator[np.ndarray]:
    """Read a video's upright frames, each in an array of its own.

    Args:
        path: The file.

    Yields:
        (H, W, 3) uint8 BGR.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: As in `probe_video`; also, after the last readable frame, if the file declares clearly more.
    """
    for frame, _ in read_timed_video(path):
        yield frame


def read_timed_video(
    path: str | os.PathLike, first: int = 0, stop: int | None = None
) -> Iterator[tuple[np.ndarray, float]]:
    """Read a video's frames with their time stamps, which a variable frame rate needs.

    Frames before the first one wanted are decoded all the same: containers find a frame by its number only nearly.

    Args:
        path: The file.
        first: Number of the first frame that is given.
        stop: Number of the first frame that is not given any more; None: to the end.

    Yields:
        (H, W, 3) uint8 BGR, and seconds since the video's first frame; where a file has no time stamps, by its frame
        rate.

    Raises:
        FileNotFoundError, ValueError: As in `read_video`; of a file that declares more frames, if those that are
            missing were wanted.
    """
    import cv2

    capture, frame, info = _open(path)
    count, start, before, there = 0, capture.get(cv2.CAP_PROP_POS_MSEC) / 1000, -1.0, True
    try:
        while there and (stop is None or count < stop):
            time = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000 - start
            if not time > before:
                time = max(before, 0.0) + 1 / info.fps if count else 0.0
            if count >= first:
                ok, frame = (True, frame) if count == 0 else capture.retrieve()
                if not ok:
                    break
                yield frame, round(time, 6)
            count, before = count + 1, time
            there = capture.grab()
    finally:
        capture.release()
    # Containers that store a duration only give a rounded number.
    if (stop is None or count < stop) and count < info.frames - max(2, 0.02 * info.frames):
        raise ValueError(f"{path}: cut off or damaged: {count} frames could be read, the header declares {info.frames}")


def varies(times: Sequence[float]) -> bool:
    """Whether time stamps (seconds) are those of a variable frame rate."""
    steps = np.diff(np.asarray(times, dtype=np.float64))
    return bool(len(steps)) and bool(np.abs(steps - np.median(steps)).max() > 0.5 * np.median(steps))


def pace(times: Sequence[float], fps: float) -> tuple[float, list[int]]:
    """How often a video of a constant rate has to show frames so that each is seen at its time.

    Args:
        times: Seconds.
        fps: The mean rate.

    Returns:
        Frames per second, and how often each frame is shown; the mean rate, and once, where the rate is constant or
        the video would become more than twenty times as long.
    """
    once = fps, [1] * len(times)
    if not varies(times):
        return once
    rate = min(1 / float(np.median(np.diff(times))), 120.0)
    ticks = np.round((np.asarray(times) - times[0]) * rate).astype(int)
    repeats = [*np.diff(ticks).tolist(), 1]
    return (rate, repeats) if sum(repeats) <= 20 * len(repeats) else once


def _open(path: str | os.PathLike) -> tuple[cv2.VideoCapture, np.ndarray, VideoInfo]:
    import cv2

    path = require_video(path)
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise ValueError(f"{path}: not a video, damaged, or of a codec that OpenCV's FFmpeg does not know")
    pixels = capture.get(cv2.CAP_PROP_FRAME_WIDTH) * capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
    if not 0 < pixels <= MOST_PIXELS:
        capture.release()
        raise ValueError(f"{path}: frames of {pixels:.0f} pixels, expected 1 to {MOST_PIXELS}")
    capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
    ok, frame = capture.read()
    if not ok:
        capture.release()
        raise ValueError(f"{path}: a video without a readable frame")
    fps = capture.get(cv2.CAP_PROP_FPS)
    if not 0 < fps < 10000:
        capture.release()
        raise ValueError(f"{path}: found {fps} frames per second, expected a number between 0 and 10000")
    frames = max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
    rotation = int(capture.get(cv2.CAP_PROP_ORIENTATION_META)) % 360
    return capture, frame, VideoInfo(str(path), float(fps), frame.shape[1::-1], frames, rotation)


def write_video(
    path: str | os.PathLike, frames: Iterable[np.ndarray], fps: float, times: Sequence[float] | None = None
) -> int:
    """Write frames as a video, whole or not at all: they are counted back before the file gets its name.

    The suffix chooses the form: ``.mp4``, ``.m4v``, ``.mov`` and ``.mkv`` hold MPEG-4, ``.avi`` Motion JPEG. A side of
    odd length, which MPEG-4 cannot store, is extended by a repeated line.

    Args:
        path: The file.
        frames: (H, W, 3) uint8 BGR, all of one size.
        fps: Frames per second.
        times: Seconds of each frame; where they are of a variable rate, frames are repeated so that each is seen at its
            time.

    Returns:
        Number of frames given.

    Raises:
        OSError: The encoder left frames out, as on a full disk.
        ValueError: Another suffix, no frame, a frame of another size than the first (which one is named), or a bad
            ``fps``.
    """
    import cv2

    path = Path(path)
    if path.suffix.lower() not in _CODECS:
        raise ValueError(f"{path}: suffix '{path.suffix}', expected one of {', '.join(sorted(_CODECS))}")
    if not 0 < fps < 10000:
        raise ValueError(f"{path}: fps is {fps}, expected a number between 0 and 10000")
    fps, repeats = pace(times, fps) if times else (fps, [])
    writer, count, written = None, 0, 0
    size: tuple[int, ...] = ()
    with atomic_path(path) as temporary:
        try:
            for frame in frames:
                if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
                    raise ValueError(f"{path}: frame {count} is {frame.dtype} {frame.shape}, expected uint8 (H, W, 3)")
                if writer is None:
                    size = frame.shape
                    even = (size[1] + size[1] % 2, size[0] + size[0] % 2)
                    codec = cv2.VideoWriter.fourcc(*_CODECS[path.suffix.lower()])
                    writer = cv2.VideoWriter(str(temporary), cv2.CAP_FFMPEG, codec, float(fps), even)
                    if not writer.isOpened():
                        raise ValueError(f"{path}: OpenCV cannot write {_CODECS[path.suffix.lower()]} of {even} pixels")
                if frame.shape != size:
                    raise ValueError(
                        f"{path}: frame {count} is {frame.shape[1]}x{frame.shape[0]}, "
                        f"expected {size[1]}x{size[0]} as the first"
                    )
                if size[0] % 2 or size[1] % 2:
                    frame = cv2.copyMakeBorder(frame, 0, size[0] % 2, 0, size[1] % 2, cv2.BORDER_REPLICATE)
                for _ in range(repeats[count] if count < len(repeats) else 1):
                    writer.write(frame)
                    written += 1
                count += 1
            if writer is None:
                raise ValueError(f"{path}: no frame to write")
        finally:
            if writer is not None:
                writer.release()
        found = _count(temporary)  # OpenCV's writer reports no error, not even a full disk
        if found != written:
            free = shutil.disk_usage(temporary.parent).free
            raise OSError(
                f"{path}: {found} of {written} frames can be read back, nothing was written; "
                f"{free // 2**20} MiB are free there"
            )
    return count


def _count(path: Path) -> int:
    """Number of frames that can be read."""
    import cv2

    capture, count = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG), 0
    while capture.isOpened() and capture.grab():
        count += 1
    capture.release()
    return count


def split_video(video: str | os.PathLike, folder: str | os.PathLike, suffix: str = ".jpg") -> VideoInfo:
    """Write a video's frames to a folder as ``000000.jpg``, ``000001.jpg``, ..., and `NOTE` beside them.

    A frame that is there already is left as it is, so an interrupted run goes on. The note is written last and holds
    fps, size and number of frames, and with a variable rate every frame's time in seconds.

    Args:
        video: The file.
        folder: Made if it is missing.
        suffix: Image format.

    Returns:
        What the note holds.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: As in `read_video`; the frames that could be read are there, the note then is not. Or the folder
            holds the frames of another video.
    """
    folder, info = Path(folder), probe_video(video)
    times: list[float] = []
    with run_folder(folder, below=False):
        _claim(folder, Path(video), suffix)
        for frame, time in read_timed_video(video):
            path = folder / f"{len(times):06d}{suffix}"
            if not path.exists():
                write_image(path, frame)
            times.append(time)
        note = {**asdict(info), "frames": len(times)}
        write_json(folder / NOTE, {**note, **({"times": times} if varies(times) else {})}, indent=1)
    return VideoInfo(**note)


def _claim(folder: Path, video: Path, suffix: str) -> None:
    """Note which video a folder's frames are of; refuse those of another."""
    status = video.stat()
    source = [os.path.abspath(video), status.st_size, status.st_mtime_ns]
    note = folder / _SOURCE
    if note.is_file():
        found = load_json(note)
        if found != source:
            said = found[0] if isinstance(found, list) and found else "another"
            raise ValueError(
                f"{folder}: holds frames of {said}, or of {video} before it was changed; choose another folder, or "
                "remove this one"
            )
    elif (folder / f"000000{suffix}").exists() and not _is_of(folder / NOTE, video):
        raise ValueError(f"{folder}: holds images of which it is not known what they are of; choose another folder")
    else:
        write_json(note, source)


def _is_of(note: Path, video: Path) -> bool:
    """Whether a folder's note, which may have been written before there was `_SOURCE`, names a video."""
    return note.is_file() and os.path.abspath(text(load_json(note), "path", str(note))) == os.path.abspath(video)


def join_frames(folder: str | os.PathLike, video: str | os.PathLike, fps: float | None = None) -> int:
    """Write the images of a folder, in natural order, as a video.

    Args:
        folder: The images.
        video: The file to write, see `write_video`.
        fps: Frames per second; None reads it, and the frames' times, from the folder's `NOTE`.

    Returns:
        Number of frames written.

    Raises:
        FileNotFoundError: No image, or no ``fps`` and no note.
        ValueError: An unreadable image, or one of another size.
    """
    folder = Path(folder)
    paths, times = image_files(folder), None
    if fps is None:
        if not (folder / NOTE).is_file():
            raise FileNotFoundError(
                f"{folder / NOTE}: no such file; say how many frames per second the video shall have"
            )
        note = load_json(folder / NOTE)
        fps = number(note, "fps", str(folder / NOTE))
        if len(note.get("times") or ()) == len(paths):
            times = numbers(note, "times", len(paths), str(folder / NOTE)).tolist()
    size = None

    def pictures() -> Iterator[np.ndarray]:
        nonlocal size
        for path in paths:
            frame = read_image(path)
            size = size or frame.shape
            if frame.shape != size:
                raise ValueError(
                    f"{path}: {frame.shape[1]}x{frame.shape[0]} pixels, expected {size[1]}x{size[0]} as {paths[0].name}"
                )
            yield frame

    return write_video(video, pictures(), fps, times)
