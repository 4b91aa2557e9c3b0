"""A RealSense camera, or a file that its tools recorded, through ``pyrealsense2``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from orplugins.depth.png import counts_to_mm
from orplugins.geometry.cameras import Camera
from orplugins.live.frames import Frame, Source, SourceLost

TIMEOUT_MS = 2000


class RealSenseSource(Source):
    """Colour, and depth brought into the colour camera's view.

    Args:
        name: Of the camera.
        serial: Of the device, "" for any.
        recording: A ``.bag`` file instead of a device.
        size: (width, height) of both streams.
        fps: Frames a second that the device is asked for.
        library: ``pyrealsense2``, or what has its interface; None imports it.
    """

    def __init__(
        self,
        name: str,
        serial: str = "",
        recording: str | os.PathLike | None = None,
        size: tuple[int, int] = (640, 480),
        fps: int = 30,
        library: Any = None,
    ):
        super().__init__(name, f"realsense {serial or recording or name}")
        self.serial, self.recording, self.size, self.fps = serial, recording, size, fps
        self.live = recording is None
        self._rs, self._pipeline, self._unit_mm = library, None, 1.0

    def open(self) -> None:
        """Start the device, see `Source.open`."""
        if self._rs is None:
            try:
                import pyrealsense2
            except ImportError as error:
                text = f"{self.name}: pyrealsense2 is not installed: pip install orplugins[realsense] ({error})"
                raise ImportError(text) from None
            self._rs = pyrealsense2
        rs = self._rs
        if self.recording is not None and not os.path.isfile(self.recording):
            raise FileNotFoundError(f"{self.recording}: no such recording of a RealSense camera")
        config, pipeline = rs.config(), rs.pipeline()
        if self.recording is not None:
            config.enable_device_from_file(str(self.recording), False)
        else:
            if self.serial:
                config.enable_device(self.serial)
            config.enable_stream(rs.stream.depth, *self.size, rs.format.z16, self.fps)
            config.enable_stream(rs.stream.color, *self.size, rs.format.bgr8, self.fps)
        try:
            profile = pipeline.start(config)
            scale = profile.get_device().first_depth_sensor().get_depth_scale()
            lens = profile.get_stream(rs.stream.color).as_video_stream_profile().get_intrinsics()
        except RuntimeError as error:
            raise SourceLost(f"{self.name}: RealSense {self.serial or self.recording or ''}: {error}") from None
        self._pipeline, self._unit_mm = pipeline, 1000 * scale
        self.sizes = {kind: (lens.width, lens.height) for kind in ("color", "depth")}
        brown = lens.model == rs.distortion.brown_conrady
        if any(lens.coeffs) and not brown:
            self.notes = [f"{self.name}: lens model {lens.model} is not that of OpenCV: its distortion is left out"]
        distortion = tuple(lens.coeffs) if any(lens.coeffs) and brown else ()
        self.camera = Camera(
            fx=lens.fx,
            fy=lens.fy,
            cx=lens.ppx,
            cy=lens.ppy,
            size=(lens.width, lens.height),
            distortion=distortion,
        )

    def close(self) -> None:
        """Stop the device."""
        if self._pipeline is not None:
            pipeline, self._pipeline = self._pipeline, None
            try:
                pipeline.stop()
            except RuntimeError as error:  # the device is gone, which is why it is closed
                self.notes.append(f"{self.name}: {error}")

    def frames(self) -> Iterator[Frame]:
        """Frames as the device gives them."""
        align = self._rs.align(self._rs.stream.color)
        while (pipeline := self._pipeline) is not None:
            try:
                arrived, together = pipeline.try_wait_for_frames(TIMEOUT_MS)
            except RuntimeError as error:
                raise SourceLost(f"RealSense: {error}") from None
            if not arrived:
                if not self.live:
                    return
                raise SourceLost(f"RealSense: no frame for {TIMEOUT_MS / 1000:g} s")
            yield self._frame(align, together)

    def _frame(self, align: Any, together: Any) -> Frame:
        stamp, number = together.get_timestamp() / 1000, int(together.get_frame_number())
        frame = Frame(self.name, number, stamp, name=f"{self.name}/{number:08d}")
        try:
            together = align.process(together)
            color, depth = together.get_color_frame(), together.get_depth_frame()
            if not color or not depth:
                frame.problem = f"frame {number}: no {'colour' if not color else 'depth'} image"
                return frame
            # The library uses its buffers again: a frame that waits in a queue needs a copy.
            frame.color = np.array(np.asanyarray(color.get_data()), dtype=np.uint8)
            frame.depth = counts_to_mm(np.array(np.asanyarray(depth.get_data()), dtype=np.uint16), self._unit_mm)
        except RuntimeError as error:
            return Frame(self.name, number, stamp, name=frame.name, problem=f"frame {number}: {error}")
        if frame.color.ndim != 3 or frame.depth.shape != frame.color.shape[:2]:
            problem = f"frame {number}: colour {frame.color.shape}, depth {frame.depth.shape}, expected one size"
            return Frame(self.name, number, stamp, name=frame.name, problem=problem)
        if self.recording is not None and self._is_rgb(together):
            frame.color = np.ascontiguousarray(frame.color[..., ::-1])
        return frame

    def _is_rgb(self, together: Any) -> bool:
        """Files keep the order that was recorded, most of them RGB."""
        return together.get_color_frame().get_profile().format() == self._rs.format.rgb8
