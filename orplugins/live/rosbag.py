"""Recordings of ROS 1 (``.bag``) and ROS 2 (a folder, or ``.mcap``), through ``rosbags``; ROS itself is not needed."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from orplugins.depth.png import counts_to_mm
from orplugins.geometry.cameras import Camera
from orplugins.live.frames import Frame, Source
from orplugins.live.replay import Pace

_IMAGES = ("sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage")
_INFO = "sensor_msgs/msg/CameraInfo"
# Encodings of sensor_msgs/Image: dtype, channels, order.
_COLOR = {"bgr8": "bgr", "rgb8": "rgb", "bgra8": "bgr", "rgba8": "rgb", "mono8": "grey", "8UC3": "bgr", "8UC1": "grey"}
_DEPTH = {"16UC1", "mono16", "32FC1"}
_LENSES = {"plumb_bob": "opencv", "rational_polynomial": "opencv", "equidistant": "fisheye"}


class RosBagSource(Source):
    """Images of one or two topics.

    Colour is known from depth by the encoding; two topics are put together by their time stamps. Time stamps are those
    of the messages' headers.

    Args:
        name: Of the camera.
        path: The recording.
        topics: Of images; none: the only ones there are.
        pace: When frames are due.
        together: Greatest difference of the time stamps of one frame's images, seconds.
    """

    live = False

    def __init__(self, name: str, path: str | os.PathLike, topics: tuple[str, ...], pace: Pace, together: float = 0.02):
        super().__init__(name, f"bag {os.path.abspath(path)}")
        if len(topics) > 2:
            raise ValueError(f"{path}: {len(topics)} topics for one camera, expected one of colour and one of depth")
        self.path, self.topics, self.pace, self.together = Path(path), topics, pace, together
        self._reader: Any = None
        self._stopped = threading.Event()
        self._reading = False
        self.skipped = 0

    def open(self) -> None:
        """Look into the recording, see `Source.open`."""
        self._stopped.clear()
        try:
            from rosbags.highlevel import AnyReader
            from rosbags.typesys import Stores, get_typestore
        except ImportError as error:
            text = f"{self.name}: rosbags is not installed: pip install orplugins[rosbags] ({error})"
            raise ImportError(text) from None
        if not self.path.exists():
            raise FileNotFoundError(f"{self.path}: no such recording of ROS")
        # Recordings of ROS 2 before Jazzy hold no definitions of their messages.
        with _readable(self.path, "no recording of ROS 1 or 2"):
            reader = AnyReader([self.path], default_typestore=get_typestore(Stores.ROS2_HUMBLE))
            reader.open()
        self._reader = reader
        images = [one for one in reader.connections if one.msgtype in _IMAGES]
        if not self.topics:
            self.topics = tuple(dict.fromkeys(one.topic for one in images))
        known = ", ".join(dict.fromkeys(one.topic for one in images)) or "none"
        if not 0 < len(self.topics) <= 2:
            raise ValueError(f"{self.path}: topics of images: {known}; expected a choice, {self.path}#/topic[,/topic]")
        for topic in self.topics:
            if topic not in {one.topic for one in images}:
                raise ValueError(f"{self.path}: no images of topic {topic}, found {known}")
        first = next(self._messages(), None)
        if first is None:
            raise ValueError(f"{self.path}: no message of {', '.join(self.topics)}")
        self.pace.join(self.name, first[1])
        self._intrinsics()
        for topic in self.topics:
            for _, _, image, _ in self._decoded(topic):
                if image is not None:
                    self.sizes["depth" if image.ndim == 2 else "color"] = image.shape[1::-1]
                    break

    def close(self) -> None:
        """Let go of the file."""
        self._stopped.set()
        if not self._reading:  # else its thread is in the file: it closes it when it leaves
            self._close_file()

    def _close_file(self) -> None:
        if self._reader is not None:
            reader, self._reader = self._reader, None
            reader.close()

    def frames(self) -> Iterator[Frame]:
        """Frames when they are due."""
        self._reading = True
        try:
            yield from self._frames()
        finally:
            self._reading = False
            self._close_file()

    def _frames(self) -> Iterator[Frame]:
        waiting: Frame | None = None
        number = 0
        for _, stamp, image, problem in self._to_the_damage():
            if self._stopped.is_set():
                return
            kind = "depth" if image is not None and image.ndim == 2 else "color"
            if waiting is not None and (
                image is None
                or stamp - waiting.time > self.together
                or waiting.image(kind) is not None
                or waiting.problem
            ):
                yield from self._due(waiting)
                waiting = None
            if waiting is None:
                waiting = Frame(self.name, number, stamp, name=f"{self.path.name}#{number}", problem=problem)
                number += 1
            if image is not None:
                setattr(waiting, kind, image)
            if len(self.topics) == 1 or (waiting.color is not None and waiting.depth is not None):
                yield from self._due(waiting)
                waiting = None
        if waiting is not None:
            yield from self._due(waiting)

    def _due(self, frame: Frame) -> Iterator[Frame]:
        if self.pace.wait(frame.time, self._stopped) > 0.5:
            self.skipped += 1
        else:
            yield frame

    def _messages(self, *topics: str) -> Iterator[tuple[str, float, Any]]:
        """(topic, seconds, message) of the images, in the order of the recording."""
        wanted = topics or self.topics
        connections = [one for one in self._reader.connections if one.topic in wanted and one.msgtype in _IMAGES]
        messages = iter(self._reader.messages(connections=connections))
        while True:
            with _readable(self.path, "damaged"):
                following = next(messages, None)
                if following is None:
                    return
                connection, written, raw = following
                message = self._reader.deserialize(raw, connection.msgtype)
                stamp = message.header.stamp
                # Drivers that set no time leave zero: then the time of recording counts.
                seconds = stamp.sec + stamp.nanosec / 1e9 or written / 1e9
            yield connection.topic, seconds, message

    def _to_the_damage(self) -> Iterator[tuple[str, float, np.ndarray | None, str | None]]:
        """All images; where the file is damaged, that is the last one's problem."""
        seconds = 0.0
        try:
            for topic, seconds, image, problem in self._decoded():
                yield topic, seconds, image, problem
        except ValueError as error:
            yield "", seconds, None, str(error)

    def _decoded(self, *topics: str) -> Iterator[tuple[str, float, np.ndarray | None, str | None]]:
        for topic, seconds, message in self._messages(*topics):
            try:
                yield topic, seconds, image_of(message), None
            except ValueError as error:
                yield topic, seconds, None, f"{self.path}: {topic} at {seconds:.3f} s: {error}"

    def _intrinsics(self) -> None:
        """From the topic ``camera_info`` beside that of the images."""
        wanted = {f"{topic.rsplit('/', 1 + topic.endswith('compressed'))[0]}/camera_info" for topic in self.topics}
        connections = [one for one in self._reader.connections if one.msgtype == _INFO and one.topic in wanted]
        if not connections:
            return
        with _readable(self.path, "damaged"):
            first = next(iter(self._reader.messages(connections=connections)), None)
            info = None if first is None else self._reader.deserialize(first[2], first[0].msgtype)
        if first is not None and info is not None:
            connection = first[0]
            matrix = np.asarray(info.k if hasattr(info, "k") else info.K, dtype=np.float64).reshape(3, 3)
            lens = tuple(float(value) for value in (info.d if hasattr(info, "d") else info.D))
            if not matrix[0, 0] > 0:
                self.notes.append(f"{self.name}: {connection.topic} holds no calibration")
                return
            order = _LENSES.get(info.distortion_model) if any(lens) else "opencv"
            if order is None:
                self.notes.append(f"{self.name}: lens model {info.distortion_model!r} is not known: it is left out")
            self.camera = Camera(
                fx=matrix[0, 0],
                fy=matrix[1, 1],
                cx=matrix[0, 2],
                cy=matrix[1, 2],
                size=(int(info.width), int(info.height)),
                distortion=lens if order and any(lens) else (),
                distortion_order=order or "opencv",
            )
            return


def image_of(message: Any) -> np.ndarray:
    """The picture of a message ``sensor_msgs/Image`` or ``sensor_msgs/CompressedImage``.

    Args:
        message: As ``rosbags`` gives it.

    Returns:
        (H, W, 3) uint8 BGR, or depth (H, W) uint16 millimetres.

    Raises:
        ValueError: An encoding that is not known here, or data that do not fit the size.
    """
    data = np.asarray(message.data, dtype=np.uint8)
    if not hasattr(message, "encoding"):
        return _decompressed(message.format, data)
    encoding, height, width = message.encoding, int(message.height), int(message.width)
    if encoding in _DEPTH:
        wide = 4 if encoding == "32FC1" else 2
        kind = np.dtype("f4" if wide == 4 else "u2").newbyteorder(">" if message.is_bigendian else "<")
        values = _rows(data, height, width * wide, int(message.step)).copy().view(kind).reshape(height, width)
        return _millimetres(values)
    if encoding not in _COLOR:
        raise ValueError(f"encoding {encoding!r}, expected one of {', '.join((*_COLOR, *sorted(_DEPTH)))}")
    order = _COLOR[encoding]
    channels = 1 if order == "grey" else 4 if encoding.endswith("a8") else 3
    image = _rows(data, height, width * channels, int(message.step)).reshape(height, width, channels)
    if order == "grey":
        return np.repeat(image, 3, -1)
    return np.ascontiguousarray(image[..., :3] if order == "bgr" else image[..., 2::-1])


def _rows(data: np.ndarray, height: int, wide: int, step: int) -> np.ndarray:
    if step < wide or data.size < height * step or not height * wide:
        raise ValueError(f"{data.size} bytes in rows of {step}, expected {height} rows of {wide} or more")
    return np.ascontiguousarray(data[: height * step].reshape(height, step)[:, :wide])


def _millimetres(values: np.ndarray) -> np.ndarray:
    """Depth of 16 bits is in millimetres, depth of 32 bits in metres (REP 118), NaN where nothing was measured."""
    if values.dtype.kind == "f":
        mm = np.nan_to_num(values.astype(np.float64) * 1000, nan=0.0, posinf=0.0, neginf=0.0)
        return np.where((mm > 0) & (mm < 65535), np.rint(mm), 0).astype(np.uint16)
    return counts_to_mm(values.astype(np.uint16))


def _decompressed(form: str, data: np.ndarray) -> np.ndarray:
    import cv2

    depth = "compressedDepth" in form
    # image_transport puts 12 bytes of its own before the PNG of a depth image.
    image = cv2.imdecode(data[12:] if depth else data, cv2.IMREAD_UNCHANGED if depth else cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"{data.size} bytes that are no {form or 'image'}")
    if not depth:
        return image
    if image.dtype != np.uint16 or image.ndim != 2:
        raise ValueError(f"compressed depth {image.dtype} {image.shape}, expected 16 bits of millimetres")
    return _millimetres(image)


@contextmanager
def _readable(path: Path, what: str) -> Iterator[None]:
    """`rosbags` raises whatever broken bytes lead to: one line that names the file."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        raise ValueError(f"{path}: {what}: {' '.join(str(error).split()) or type(error).__name__}") from None
