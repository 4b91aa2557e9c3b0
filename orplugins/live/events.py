"""What happened to cameras: lost, back, broken frames, clocks that jumped. Each is said once, not a thousand times."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

# What makes a run fail in the end; the others are to be known.
FAILURES = frozenset({"broken frame", "network failed", "output failed", "did not come back"})


@dataclass(frozen=True)
class Event:
    """Something that happened.

    Attributes:
        what: Such as "stalled".
        camera: Of which; "" if of none.
        text: More about it.
        wall: Seconds since 1970.
    """

    what: str
    camera: str
    text: str
    wall: float

    def __str__(self) -> str:
        camera = f"{self.camera}: " if self.camera else ""
        return f"{camera}{self.what}{f': {self.text}' if self.text else ''}"


class Events:
    """Counts events and hands them on, each kind of a camera at most once in a while.

    Args:
        tell: Called with each event that is handed on.
        every: Seconds between two events of one kind and camera that are handed on; all are counted.
    """

    def __init__(self, tell: Callable[[Event], None], every: float = 5.0):
        self._tell, self._every = tell, every
        self._lock = threading.Lock()
        self._last: dict[tuple[str, str], float] = {}
        self.counts: Counter[tuple[str, str]] = Counter()

    def add(self, what: str, camera: str = "", text: str = "", always: bool = False) -> None:
        """Note an event.

        Args:
            what: See `Event`.
            camera: See `Event`.
            text: See `Event`.
            always: Hand it on however soon it comes after the last.
        """
        with self._lock:
            key, now = (what, camera), time.monotonic()
            self.counts[key] += 1
            quiet = not always and now - self._last.get(key, -1e9) < self._every
            if not quiet:
                self._last[key] = now
        if not quiet:
            self._tell(Event(what, camera, text, time.time()))

    def summary(self) -> dict[str, dict[str, int]]:
        """{camera: {what: how often}}; "" for events of no camera."""
        with self._lock:
            out: dict[str, dict[str, int]] = {}
            for (what, camera), count in sorted(self.counts.items()):
                out.setdefault(camera, {})[what] = count
        return out

    @property
    def failures(self) -> int:
        """How many of `FAILURES` there were."""
        with self._lock:
            return sum(count for (what, _), count in self.counts.items() if what in FAILURES)
