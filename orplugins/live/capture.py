"""Capture: a thread a camera, which opens its source again when it is lost, and says when nothing comes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from orplugins.live.events import Events
from orplugins.live.frames import Frame, Source

_FIRST_RETRY, _LAST_RETRY = 0.5, 5.0  # seconds


class InStep:
    """Keeps recordings that are read as fast as they can be from running away from each other.

    Args:
        cameras: Their names.
        ahead: Seconds by which one may be ahead of the last.
    """

    def __init__(self, cameras: list[str], ahead: float = 0.5):
        self._at = dict.fromkeys(cameras, float("-inf"))
        self._ahead, self._changed = ahead, threading.Condition()

    def wait(self, camera: str, time_: float, stopped: threading.Event) -> None:
        """Wait until a camera may give a frame.

        Args:
            camera: The camera.
            time_: Of its frame.
            stopped: Ends the waiting.
        """
        with self._changed:
            self._at[camera] = time_
            self._changed.notify_all()
            while not stopped.is_set() and time_ > min(self._at.values()) + self._ahead:
                self._changed.wait(0.1)

    def end(self, camera: str) -> None:
        """A camera gives nothing more: the others do not wait for it."""
        with self._changed:
            self._at.pop(camera, None)
            self._changed.notify_all()


class Capture:
    """The thread of one camera.

    Args:
        source: The camera, open already.
        accept: Called with every frame.
        ended: Called when no more will come.
        events: Where disconnections are told.
        failed: Called with what must end the run.
        in_step: For recordings that are read without waiting.
    """

    def __init__(
        self,
        source: Source,
        accept: Callable[[Frame], None],
        ended: Callable[[str], None],
        events: Events,
        failed: Callable[[BaseException], None],
        in_step: InStep | None = None,
    ):
        self.source, self.name = source, source.name
        self._accept, self._ended, self._events, self._failed, self._in_step = accept, ended, events, failed, in_step
        self.stopped = threading.Event()
        self.lost_since: float | None = None
        self.last_frame = time.perf_counter()
        self.finished = False
        self.frames = 0
        self.thread = threading.Thread(target=self._run, name=f"live-capture-{self.name}", daemon=True)

    def stop(self) -> None:
        """End the thread; a device that hangs in its driver is left behind."""
        self.stopped.set()
        self.source.close()

    def _run(self) -> None:
        try:
            while not self.stopped.is_set():
                try:
                    self._read()
                    break  # a recording's end, or a device that was stopped
                except (OSError, RuntimeError) as error:
                    # Drivers raise both when a cable is pulled. A recording has no cable.
                    if not self.source.live:
                        raise
                    self._lost(error)
            if self.lost_since is not None and self.stopped.is_set():
                self._events.add("did not come back", self.name)
        except BaseException as error:  # it is raised again by whoever waits for the run
            self._failed(error)
        finally:
            self.finished = True
            self.source.close()
            if self._in_step is not None:
                self._in_step.end(self.name)
            self._ended(self.name)

    def _read(self) -> None:
        for frame in self.source.frames():
            if self.stopped.is_set():
                return
            frame.arrival = self.last_frame = time.perf_counter()
            if self.lost_since is not None:
                away = frame.arrival - self.lost_since
                self.lost_since = None
                self._events.add("rejoined", self.name, f"after {away:.1f} s", always=True)
            if self._in_step is not None:
                self._in_step.wait(self.name, frame.time, self.stopped)
            self.frames += 1
            self._accept(frame)

    def _lost(self, error: Exception) -> None:
        """Say so, and try until it opens again."""
        if self.lost_since is None:
            self.lost_since = time.perf_counter()
            self._events.add("disconnected", self.name, " ".join(str(error).split()), always=True)
        pause = _FIRST_RETRY
        self.source.close()
        while not self.stopped.wait(pause):
            try:
                self.source.open()
                return
            except (OSError, RuntimeError):  # still away, as was said
                pause = min(2 * pause, _LAST_RETRY)
