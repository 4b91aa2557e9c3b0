"""Which frames of several cameras are of one moment: by their times on one clock, within a tolerance."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Together(Generic[T]):
    """Frames of one moment.

    Attributes:
        time: Of the first of them, seconds.
        frames: {camera: frame}.
        spread: Seconds between the first and the last.
    """

    time: float
    frames: dict[str, T]
    spread: float


class Pairing(Generic[T]):
    """Puts frames together as they come.

    The earliest frame that waits begins a moment; of every camera the nearest frame within the tolerance joins. It is
    decided as soon as every running camera has a frame in it, or a later one, or when it is `overdue`. Cameras that
    do not run (stalled, disconnected, ended) are not waited for.

    Args:
        cameras: Their names.
        tolerance: Greatest difference of times in a moment, seconds.
        most: Frames of a camera that wait at most; beyond, the oldest is let go.
    """

    def __init__(self, cameras: list[str], tolerance: float, most: int = 64):
        if not tolerance > 0:
            raise ValueError(f"tolerance: found {tolerance}, expected seconds above 0")
        self.tolerance, self.most = tolerance, most
        self._waiting: dict[str, deque[tuple[float, T]]] = {camera: deque() for camera in cameras}
        self._latest: dict[str, float] = {}
        self._running = set(cameras)
        self._decided = float("-inf")
        self.dropped: Counter[str] = Counter()

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def push(self, camera: str, time: float, frame: T) -> list[Together[T]]:
        """Take a frame.

        Args:
            camera: Its camera, which runs from now on.
            time: On the common clock, seconds.
            frame: Whatever is to be put together.

        Returns:
            The moments that are decided now, in order. A frame from before the last decided moment is let go.
        """
        self._running.add(camera)
        waiting = self._waiting[camera]
        if waiting and time <= waiting[-1][0]:
            self.reset(camera)  # what is known of its clock was corrected
        self._latest[camera] = time
        if time <= self._decided:
            self.dropped[camera] += 1
        else:
            waiting.append((time, frame))
        if len(waiting) > self.most:
            waiting.popleft()
            self.dropped[camera] += 1
        return self._ready()

    def skip(self, camera: str, time: float) -> list[Together[T]]:
        """A camera has no frame of a time: what it sent is broken.

        Args:
            camera: The camera.
            time: On the common clock, seconds.

        Returns:
            As `push`.
        """
        self._latest[camera] = time + 1.001 * self.tolerance  # beyond every moment that it could have been in
        return self._ready()

    def stop(self, camera: str) -> list[Together[T]]:
        """A camera is not waited for any more, until its next frame.

        Args:
            camera: The camera.

        Returns:
            As `push`.
        """
        self._running.discard(camera)
        return self._ready()

    def overdue(self, before: float) -> list[Together[T]]:
        """Wait no longer for frames of moments that began too long ago.

        Args:
            before: They began before this time on the common clock.

        Returns:
            As `push`.
        """
        return self._ready(before)

    def reset(self, camera: str) -> None:
        """Forget what waits of a camera whose clock jumped: its times mean nothing any more.

        Args:
            camera: The camera.
        """
        self.dropped[camera] += len(self._waiting[camera])
        self._waiting[camera].clear()
        self._latest.pop(camera, None)

    def _ready(self, overdue: float = float("-inf")) -> list[Together[T]]:
        out: list[Together[T]] = []
        while any(self._waiting.values()):
            start = min(waiting[0][0] for waiting in self._waiting.values() if waiting)
            end = start + self.tolerance
            chosen = {}
            for camera, waiting in self._waiting.items():
                inside = [entry for entry in waiting if entry[0] <= end]
                if inside:
                    chosen[camera] = min(inside, key=lambda entry: entry[0] - start)
                elif camera in self._running and self._latest.get(camera, start) <= end and start >= overdue:
                    return out  # its frame of this moment may still come
            for camera, (time, _) in chosen.items():
                waiting = self._waiting[camera]
                while waiting and waiting[0][0] <= time:
                    waiting.popleft()
            times = [time for time, _ in chosen.values()]
            self._decided = start
            out.append(Together(start, {camera: one for camera, (_, one) in chosen.items()}, max(times) - start))
        return out
