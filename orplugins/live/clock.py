"""Clocks of cameras against the clock of this machine: how far apart they are, and whether they jump.

A frame comes some time after it was taken. The least that was seen of (arrival - time stamp) in the last seconds is the
offset of the camera's clock from ours plus its shortest delay: the usual filter of clock synchronisation. Frames may be
late for many reasons, but none comes from the future: what is earlier than the offset allows is a jump forwards, and
time stamps that go back are a jump backwards.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Jump:
    """A clock that jumped.

    Attributes:
        camera: Whose.
        seconds: By so much; below 0: back.
    """

    camera: str
    seconds: float

    def __str__(self) -> str:
        where = "forwards" if self.seconds > 0 else "back"
        return f"clock jumped {where} by {abs(self.seconds):.3f} s"


class CameraClock:
    """One camera's clock.

    Args:
        camera: Name.
        window: Seconds over which the least delay is looked for.
        limit: Jumps below this are taken for delays, seconds.
    """

    def __init__(self, camera: str, window: float = 10.0, limit: float = 0.25):
        self.camera, self.window, self.limit = camera, window, limit
        # (arrival, arrival - time), the differences growing: only these can ever be the least of the window.
        self._least: deque[tuple[float, float]] = deque()
        self._last: tuple[float, float] | None = None

    @property
    def offset(self) -> float | None:
        """Seconds to add to a time stamp for our clock; None before the first frame."""
        return self._least[0][1] if self._least else None

    def step(self, time: float, arrival: float) -> Jump | None:
        """Take note of a frame.

        Args:
            time: Its time stamp, seconds.
            arrival: When it came, seconds of this machine's clock.

        Returns:
            What the clock did since the last frame, if it jumped; from there on the offset is learned anew.
        """
        difference, jump = arrival - time, None
        if self._last is not None:
            expected = self._last[0] + arrival - self._last[1]
            offset = self.offset
            ahead = offset is not None and difference < offset - self.limit
            if ahead or time <= self._last[0]:
                jump = Jump(self.camera, time - expected)
                self._least.clear()
        self._last = time, arrival
        while self._least and self._least[-1][1] >= difference:
            self._least.pop()
        self._least.append((arrival, difference))
        while self._least[0][0] < arrival - self.window:
            self._least.popleft()
        return jump


class Clocks:
    """The clocks of all cameras, on that of this machine.

    Args:
        clocks: {camera: name of its clock}; cameras with one clock keep their time stamps' differences.
        limit: See `CameraClock`.
    """

    def __init__(self, clocks: dict[str, str], limit: float = 0.25):
        self.names, self.limit = dict(clocks), limit
        self._own = {camera: CameraClock(camera, limit=limit) for camera in clocks}

    def step(self, camera: str, time: float, arrival: float) -> tuple[float, Jump | None]:
        """Take note of a frame.

        Args:
            camera: Its camera.
            time: Its time stamp.
            arrival: When it came.

        Returns:
            Its time on our clock, and the jump of its camera's clock if there was one.
        """
        jump = self._own[camera].step(time, arrival)
        return time + self._offset(camera), jump

    def _offset(self, camera: str) -> float:
        """A shared clock has one offset, unless a camera has left it: by a jump that the others did not make."""
        own = self._own[camera].offset
        assert own is not None  # a frame has just come
        shared = sorted(
            offset
            for other, clock in self._own.items()
            if self.names[other] == self.names[camera] and (offset := clock.offset) is not None
        )
        middle = shared[(len(shared) - 1) // 2]
        return middle if abs(own - middle) <= self.limit else own

    def apart(self) -> dict[str, float]:
        """{camera: seconds by which its clock is ahead of the first camera's}, of cameras that sent frames."""
        offsets = {camera: offset for camera, clock in self._own.items() if (offset := clock.offset) is not None}
        if not offsets:
            return {}
        first = next(iter(offsets.values()))
        return {camera: float(np.round(first - offset, 6)) for camera, offset in offsets.items()}
