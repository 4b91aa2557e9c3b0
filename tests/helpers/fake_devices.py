"""Cameras that are not there: scripted ones, and libraries of devices with the interface of the real ones.

The images of a scripted camera hold its number and that of the frame, and nothing else; `FakeNetwork` reads them and
gives the people that were generated for that moment.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np

from orplugins.live.frames import Frame, Source, SourceLost
from orplugins.skeletons import COCO_17
from orplugins.structures import Poses2D

FPS = 15.0


def walkers(frames: int, people: int, seed: int = 0, fps: float = FPS):
    """Detections [frame][camera] (N, 17, 3) of people who walk about, and their (F, people, 17, 3); three cameras."""
    from orplugins.synthetic.motion_points import body_motion, in_skeleton, observe, room_rig

    rng, bodies = np.random.default_rng(seed), []
    t = np.arange(frames) / fps
    for k in range(people):
        body = in_skeleton(body_motion(rng, frames, fps, ("arms", "reach")[k % 2]), COCO_17)
        body = body - body[:, 11:13].mean((0, 1)) * (1, 1, 0)
        turn = 2 * np.pi * (t / 12 + k / people)
        radius = 0.9 + 0.3 * (k % 2)
        bodies.append(body + np.stack([radius * np.cos(turn), radius * np.sin(turn), 0 * t], -1)[:, None])
    world = np.stack(bodies, 1)
    cameras = room_rig()
    return cameras, [[observe(camera, frame, rng, 1.5, 0.03) for camera in cameras] for frame in world], world


def coded(camera: int, number: int) -> np.ndarray:
    """(12, 16, 3) an image that says what it is."""
    image = np.zeros((12, 16, 3), dtype=np.uint8)
    image[0, 0], image[0, 1] = (camera, number >> 24 & 255, number >> 16 & 255), (number >> 8 & 255, number & 255, 0)
    return image


class FakeNetwork:
    """Gives the people of a coded image.

    Args:
        detections: [frame][camera] (N, 17, 3).
        delay: Seconds that it takes.
    """

    kind = "color"
    skeleton = COCO_17

    def __init__(self, detections, delay: float = 0.0):
        self.detections, self.delay = detections, delay

    def __call__(self, image: np.ndarray) -> Poses2D:
        if self.delay:
            time.sleep(self.delay)
        camera, *digits = image[0, :2].ravel()[:5].tolist()
        number, last = int.from_bytes(bytes(digits), "big"), len(self.detections) - 1
        # Forwards and back again: nobody leaps where the recording begins anew.
        at = number % (2 * last) if last else 0
        people = self.detections[min(at, 2 * last - at)][camera]
        return Poses2D("", np.where(people[..., 2:] > 0, people, np.nan), COCO_17, size=(640, 480))


@dataclass
class Script:
    """What happens to a camera, in frames counted from its first one; or at the next frame, where that one was lost.

    Attributes:
        stalls: {frame: seconds without a frame before it}.
        lost: {frame: seconds for which the device is away before it}.
        broken: Frames without an image.
        jumps: {frame: seconds by which the clock jumps at it}.
        end: Frames after which the camera stops; None: never.
    """

    stalls: dict[int, float] = field(default_factory=dict)
    lost: dict[int, float] = field(default_factory=dict)
    broken: frozenset[int] = frozenset()
    jumps: dict[int, float] = field(default_factory=dict)
    end: int | None = None


class FakeCamera(Source):
    """A device with a script.

    Args:
        name: Of the camera.
        index: Its number in the images.
        script: What happens.
        fps: Frames a second.
        clock: Its clock's name; cameras of one clock have frames at equal times.
        offset: Of its clock from that of this machine, seconds.
        jitter: Standard deviation of time stamps, seconds.
        image: Makes the images, of (camera, frame).
    """

    def __init__(
        self,
        name: str,
        index: int,
        script: Script | None = None,
        fps: float = FPS,
        clock: str | None = None,
        offset: float = 0.0,
        jitter: float = 0.0,
        image: Callable[[int, int], np.ndarray] = coded,
    ):
        super().__init__(name, clock or name)
        self.index, self.script, self.fps, self.offset, self.jitter = index, script or Script(), fps, offset, jitter
        self.image = image
        self.number, self.opened, self._away_until = 0, 0, 0.0
        self.did: Counter[str] = Counter()  # frames that pass while the device is away leave out what they had to do
        self._stalls, self._lost, self._jumps, self._broken = (
            sorted(what) for what in (self.script.stalls, self.script.lost, self.script.jumps, self.script.broken)
        )
        self._jumped = 0.0
        self._rng = np.random.default_rng(index)
        self._stopped = threading.Event()

    def open(self) -> None:
        if time.perf_counter() < self._away_until:
            raise SourceLost(f"{self.name}: no such device")
        self.opened += 1
        self._stopped.clear()
        self.sizes = {"color": (16, 12)}

    def close(self) -> None:
        self._stopped.set()

    def frames(self):
        # All cameras take their frames at the same moments, as synchronised ones do.
        end = np.inf if self.script.end is None else self.script.end
        while not self._stopped.is_set():
            now = time.perf_counter()
            # On a busy machine frames are lost, the last one too.
            self.number = max(self.number, int(np.ceil(now * self.fps)) - self._first(now))
            if self.number >= end:
                return
            if self._due(self._lost):
                self._away_until = now + self.script.lost[self._lost.pop(0)]
                self.did["lost"] += 1
                raise SourceLost("the cable was pulled")
            stall = self.script.stalls[self._stalls.pop(0)] if self._due(self._stalls) else 0.0
            due = (self.number + self._first(now)) / self.fps + stall
            if self._stopped.wait(max(due - now, 0.0)):
                return
            number = self.number
            jumps, broken = self._due(self._jumps), self._due(self._broken)
            self._jumped += self.script.jumps[self._jumps.pop(0)] if jumps else 0.0
            self.did.update(jump=jumps, broken=broken)
            stamp = (number + self._first(now)) / self.fps + self.offset + self._jumped
            stamp += float(self._rng.normal(0, self.jitter)) if self.jitter else 0.0
            frame = Frame(self.name, number, stamp, name=f"{self.name}/{number:06d}")
            if broken:
                self._broken.pop(0)
                frame.problem = f"frame {number}: the image was cut off"
            else:
                frame.color = self.image(self.index, number + self._first(now))
            self.number += 1
            yield frame

    def _due(self, script: list[int]) -> bool:
        return bool(script) and script[0] <= self.number

    def _first(self, now: float) -> int:
        if not hasattr(self, "_start"):
            self._start = int(np.ceil(now * self.fps))
        return self._start


# ---- pyrealsense2


class _RsFrame:
    def __init__(self, data):
        self._data = data

    def get_data(self):
        return self._data

    def get_profile(self):
        return SimpleNamespace(format=lambda: "bgr8")


class _RsFrames:
    def __init__(self, number, stamp_ms, color, depth):
        self._number, self._stamp, self._color, self._depth = number, stamp_ms, color, depth

    def get_timestamp(self):
        return self._stamp

    def get_frame_number(self):
        return self._number

    def get_color_frame(self):
        return None if self._color is None else _RsFrame(self._color)

    def get_depth_frame(self):
        return None if self._depth is None else _RsFrame(self._depth)


def fake_realsense(frames, fail_after: int | None = None, present: bool = True, scale: float = 0.001):
    """What ``import pyrealsense2`` gives, with one device.

    Args:
        frames: (colour, depth in counts) of each frame; None for one that is missing.
        fail_after: The device goes away after so many frames, once.
        present: Whether there is a device.
        scale: Metres a count.
    """
    state = SimpleNamespace(given=0, failed=False, started=0, stopped=0, files=[])
    lens = SimpleNamespace(width=8, height=6, fx=7.0, fy=7.5, ppx=3.5, ppy=2.5, model="brown_conrady", coeffs=[0.0] * 5)

    class Profile:
        def get_device(self):
            return SimpleNamespace(first_depth_sensor=lambda: SimpleNamespace(get_depth_scale=lambda: scale))

        def get_stream(self, _):
            return SimpleNamespace(as_video_stream_profile=lambda: SimpleNamespace(get_intrinsics=lambda: lens))

    class Pipeline:
        def start(self, config):
            if not present:
                raise RuntimeError("No device connected")
            state.started += 1
            return Profile()

        def try_wait_for_frames(self, timeout_ms):
            if fail_after is not None and state.given == fail_after and not state.failed:
                state.failed = True
                raise RuntimeError("Device disconnected")
            if state.given >= len(frames):
                return False, None
            color, depth = frames[state.given]
            state.given += 1
            return True, _RsFrames(state.given, 1000.0 * state.given / 30, color, depth)

        def stop(self):
            state.stopped += 1

    class Config:
        def enable_device(self, serial):
            state.serial = serial

        def enable_device_from_file(self, path, repeat_playback=True):
            state.files.append((path, repeat_playback))

        def enable_stream(self, *args):
            pass

    return SimpleNamespace(
        config=Config,
        pipeline=Pipeline,
        stream=SimpleNamespace(depth="depth", color="color"),
        format=SimpleNamespace(z16="z16", bgr8="bgr8", rgb8="rgb8"),
        distortion=SimpleNamespace(brown_conrady="brown_conrady", inverse_brown_conrady="inverse_brown_conrady"),
        align=lambda to: SimpleNamespace(process=lambda together: together),
        state=state,
    )


# ---- pyk4a


class K4AException(Exception):
    pass


class K4ATimeoutException(K4AException):
    pass


def fake_k4a(captures, present: bool = True, fail_after: int | None = None, resolution: str = "RES_720P"):
    """What ``import pyk4a`` gives, with one device and any recording.

    Args:
        captures: (colour, depth brought to colour) of each; None for one that is missing.
        present: Whether there is a device.
        fail_after: No capture comes after so many, once.
        resolution: Of the colour camera.
    """
    state = SimpleNamespace(given=0, failed=False, started=0, stopped=0)
    matrix = np.array([[600.0, 0, 639.5], [0, 600.0, 359.5], [0, 0, 1]])
    calibration = SimpleNamespace(
        get_camera_matrix=lambda kind: matrix, get_distortion_coefficients=lambda kind: np.zeros(8)
    )

    def following(at_end):
        if fail_after is not None and state.given == fail_after and not state.failed:
            state.failed = True
            raise K4ATimeoutException
        if state.given >= len(captures):
            raise at_end
        color, depth = captures[state.given]
        state.given += 1
        stamp = int(1e6 * state.given / 15)
        return SimpleNamespace(
            color=color, transformed_depth=depth, color_timestamp_usec=stamp, depth_timestamp_usec=stamp
        )

    class PyK4A:
        def __init__(self, config=None, device_id=0):
            self.calibration = calibration

        def start(self):
            if not present:
                raise K4AException
            state.started += 1

        def stop(self):
            state.stopped += 1

        def get_capture(self, timeout=-1):
            return following(K4AException("gone"))

    class PyK4APlayback:
        def __init__(self, path):
            self.calibration = calibration
            self.configuration = {"color_resolution": SimpleNamespace(name=resolution)}

        def open(self):
            if not present:
                raise K4AException("Cannot open file")

        def close(self):
            state.stopped += 1

        def get_next_capture(self):
            return following(EOFError())

    return SimpleNamespace(
        PyK4A=PyK4A,
        PyK4APlayback=PyK4APlayback,
        Config=lambda **options: SimpleNamespace(**options),
        ColorResolution=SimpleNamespace(RES_720P=1),
        DepthMode=SimpleNamespace(NFOV_UNBINNED=2),
        FPS=SimpleNamespace(FPS_5=0, FPS_15=1, FPS_30=2),
        CalibrationType=SimpleNamespace(COLOR=1),
        K4AException=K4AException,
        K4ATimeoutException=K4ATimeoutException,
        state=state,
    )
