"""Videos to frames and back, through OpenCV's FFmpeg.

Frames are (H, W, 3) uint8 BGR, upright: a rotation that the file asks for is applied while reading.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from orplugins.io.atomic import atomic_path, write_json
from orplugins.io.images import image_files, read_image, write_image
from orplugins.io.json_fields import load_json, number
from orplugins.io.media_files import MOST_PIXELS, require_video

if TYPE_CHECKING:
    import cv2

VIDEO_SUFFIXES = frozenset({".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv"})
# What a folder of frames says about the video it came from.
NOTE = "video.json"
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
    frame: np.ndarray | None
    capture, frame, info = _open(path)
    count = 0
    try:
        while frame is not None:
            count += 1
            yield frame
            ok, following = capture.read()
            frame = following if ok else None
    finally:
        capture.release()
    # Containers that store a duration only give a rounded number.
    if count < info.frames - max(2, 0.02 * info.frames):
        raise ValueError(f"{path}: cut off or damaged: {count} frames could be read, the header declares {info.frames}")


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


def write_video(path: str | os.PathLike, frames: Iterable[np.ndarray], fps: float) -> int:
    """Write frames as a video, whole or not at all.

    The suffix chooses the form: ``.mp4``, ``.m4v``, ``.mov`` and ``.mkv`` hold MPEG-4, ``.avi`` Motion JPEG. A side of
    odd length, which MPEG-4 cannot store, is extended by a repeated line.

    Args:
        path: The file.
        frames: (H, W, 3) uint8 BGR, all of one size.
        fps: Frames per second.

    Returns:
        Number of frames written.

    Raises:
        ValueError: Another suffix, no frame, a frame of another size than the first (which one is named), or a bad
            ``fps``.
    """
    import cv2

    path = Path(path)
    if path.suffix.lower() not in _CODECS:
        raise ValueError(f"{path}: suffix '{path.suffix}', expected one of {', '.join(sorted(_CODECS))}")
    if not 0 < fps < 10000:
        raise ValueError(f"{path}: fps is {fps}, expected a number between 0 and 10000")
    writer, count = None, 0
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
                writer.write(frame)
                count += 1
            if writer is None:
                raise ValueError(f"{path}: no frame to write")
        finally:
            if writer is not None:
                writer.release()
    return count


def split_video(video: str | os.PathLike, folder: str | os.PathLike, suffix: str = ".jpg") -> VideoInfo:
    """Write a video's frames to a folder as ``000000.jpg``, ``000001.jpg``, ..., and `NOTE` beside them.

    A frame that is there already is left as it is, so an interrupted run goes on. The note is written last and holds
    fps, size and number of frames.

    Args:
        video: The file.
        folder: Made if it is missing.
        suffix: Image format.

    Returns:
        What the note holds.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: As in `read_video`; the frames that could be read are there, the note then is not.
    """
    folder, info, count = Path(folder), probe_video(video), 0
    folder.mkdir(parents=True, exist_ok=True)
    for frame in read_video(video):
        path = folder / f"{count:06d}{suffix}"
        if not path.exists():
            write_image(path, frame)
        count += 1
    note = {**asdict(info), "frames": count}
    write_json(folder / NOTE, note, indent=1)
    return VideoInfo(**note)


def join_frames(folder: str | os.PathLike, video: str | os.PathLike, fps: float | None = None) -> int:
    """Write the images of a folder, in natural order, as a video.

    Args:
        folder: The images.
        video: The file to write, see `write_video`.
        fps: Frames per second; None reads it from the folder's `NOTE`.

    Returns:
        Number of frames written.

    Raises:
        FileNotFoundError: No image, or no ``fps`` and no note.
        ValueError: An unreadable image, or one of another size.
    """
    folder = Path(folder)
    paths = image_files(folder)
    if fps is None:
        if not (folder / NOTE).is_file():
            raise FileNotFoundError(
                f"{folder / NOTE}: no such file; say how many frames per second the video shall have"
            )
        fps = number(load_json(folder / NOTE), "fps", str(folder / NOTE))
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

    return write_video(video, pictures(), fps)
