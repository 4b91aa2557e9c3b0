"""A Kinect for Azure, or a file that its recorder wrote (``.mkv``), through ``pyk4a``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.live.frames import Frame, Source, SourceLost

TIMEOUT_MS = 2000
_SIZES = {"RES_720P": (1280, 720), "RES_1080P": (1920, 1080), "RES_1440P": (2560, 1440), "RES_1536P": (2048, 1536),
          "RES_2160P": (3840, 2160), "RES_3072P": (4096, 3072)}  # fmt: skip


class KinectAzureSource(Source):
    """Colour, and depth brought into the colour camera's view.

    Args:
        name: Of the camera.
        device: Number of the device.
        recording: A ``.mkv`` file instead of a device.
        fps: 5, 15 or 30.
        library: ``pyk4a``, or what has its interface; None imports it.
    """

    def __init__(
        self,
        name: str,
        device: int = 0,
        recording: str | os.PathLike | None = None,
        fps: int = 15,
        library: Any = None,
    ):
        super().__init__(name, f"k4a {recording or device}")
        if fps not in (5, 15, 30):
            raise ValueError(f"{name}: a Kinect for Azure has 5, 15 or 30 frames a second, found {fps}")
        self.device, self.recording, self.fps = device, recording, fps
        self.live = recording is None
        self._k4a, self._opened = library, None

    def open(self) -> None:
        """Start the device, see `Source.open`."""
        if self._k4a is None:
            try:
                import pyk4a
            except ImportError as error:
                reason = " ".join(str(error).split())
                text = f"{self.name}: pyk4a and Microsoft's libk4a are needed: pip install orplugins[k4a] ({reason})"
                raise ImportError(text) from None
            self._k4a = pyk4a
        k4a = self._k4a
        try:
            if self.recording is not None:
                if not os.path.isfile(self.recording):
                    raise FileNotFoundError(f"{self.recording}: no such recording of a Kinect for Azure")
                opened = k4a.PyK4APlayback(str(self.recording))
                opened.open()
            else:
                config = k4a.Config(
                    color_resolution=k4a.ColorResolution.RES_720P,
                    depth_mode=k4a.DepthMode.NFOV_UNBINNED,
                    camera_fps=getattr(k4a.FPS, f"FPS_{self.fps}"),
                    synchronized_images_only=True,
                )
                opened = k4a.PyK4A(config, device_id=self.device)
                opened.start()
            matrix = opened.calibration.get_camera_matrix(k4a.CalibrationType.COLOR)
            lens = opened.calibration.get_distortion_coefficients(k4a.CalibrationType.COLOR)
        except k4a.K4AException as error:
            what = self.recording if self.recording is not None else f"device {self.device}"
            raise SourceLost(f"{self.name}: Kinect for Azure, {what}: cannot be opened {error}".rstrip()) from None
        self._opened = opened
        chosen = "RES_720P" if self.live else opened.configuration["color_resolution"].name
        if chosen not in _SIZES:
            raise ValueError(f"{self.recording}: colour resolution {chosen}, expected a recording with colour")
        size = _SIZES[chosen]
        self.sizes = {"color": size, "depth": size}
        self.camera = Camera(
            fx=float(matrix[0][0]),
            fy=float(matrix[1][1]),
            cx=float(matrix[0][2]),
            cy=float(matrix[1][2]),
            size=size,
            distortion=tuple(float(value) for value in lens) if any(lens) else (),
        )

    def close(self) -> None:
        """Stop the device."""
        if self._opened is not None:
            opened, self._opened = self._opened, None
            try:
                opened.stop() if self.live else opened.close()
            except self._k4a.K4AException as error:  # the device is gone, which is why it is closed
                self.notes.append(f"{self.name}: {error}")

    def frames(self) -> Iterator[Frame]:
        """Frames as the device gives them."""
        number = 0
        while (opened := self._opened) is not None:
            try:
                capture = opened.get_capture(TIMEOUT_MS) if self.live else opened.get_next_capture()
            except EOFError:
                return
            except self._k4a.K4AException as error:
                late = isinstance(error, self._k4a.K4ATimeoutException)
                why = f"no frame for {TIMEOUT_MS / 1000:g} s" if late else f"the device failed {error}".rstrip()
                raise SourceLost(f"Kinect for Azure: {why}") from None
            frame = self._frame(capture, number)
            if frame is not None:
                yield frame
                number += 1

    def _frame(self, capture: Any, number: int) -> Frame | None:
        """None for a capture without any image, as recordings begin and end."""
        color, depth = capture.color, capture.transformed_depth
        if color is None and depth is None:
            return None
        stamp = (capture.color_timestamp_usec if color is not None else capture.depth_timestamp_usec) / 1e6
        frame = Frame(self.name, number, stamp, name=f"{self.name}/{number:08d}")
        if color is None or depth is None:
            frame.problem = f"frame {number}: no {'colour' if color is None else 'depth'} image"
            return frame
        color = self._decoded(np.asarray(color))
        if color is None or color.ndim != 3 or np.shape(depth) != color.shape[:2]:
            size = "none" if color is None else str(color.shape)
            frame.problem = f"frame {number}: colour {size}, depth {np.shape(depth)}, expected one size"
            return frame
        frame.color, frame.depth = color, np.array(depth, dtype=np.uint16)
        return frame

    @staticmethod
    def _decoded(color: np.ndarray) -> np.ndarray | None:
        """(H, W, 3) BGR; recordings hold JPEG, a device gives BGRA."""
        if color.ndim == 3:
            return np.ascontiguousarray(color[..., :3])
        import cv2

        return cv2.imdecode(color.reshape(-1).view(np.uint8), cv2.IMREAD_COLOR)
