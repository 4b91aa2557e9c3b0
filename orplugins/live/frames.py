"""Frames, and the interface of what gives them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from orplugins.geometry.cameras import Camera

Size = tuple[int, int]


class SourceLost(OSError):
    """A device went away, or gives nothing any more; opening the source again may help."""


@dataclass(eq=False)
class Frame:
    """What a camera saw at one moment.

    Attributes:
        camera: Name of the camera.
        number: Of the frame; cameras count on over what was lost.
        time: Seconds on the source's clock.
        color: (H, W, 3) uint8 BGR, None without.
        depth: (H, W) uint16 millimetres, 0 for a hole; None without.
        name: The frame's key: of a recording the file or the frame of the video.
        problem: Why it could not be read; then there are no images.
        arrival: When it came here, seconds of `time.perf_counter`; the capture sets it.
    """

    camera: str
    number: int
    time: float
    color: np.ndarray | None = None
    depth: np.ndarray | None = None
    name: str = ""
    problem: str | None = None
    arrival: float = 0.0

    def image(self, kind: str) -> np.ndarray | None:
        """The image that a network of a kind, ``"color"`` or ``"depth"``, looks at."""
        return self.depth if kind == "depth" else self.color


class Source(ABC):
    """A camera, or its recording.

    Attributes:
        name: Of the camera.
        clock: Sources with equal names stamp their frames by one clock.
        live: A device: it may be lost and come back. A recording ends.
        sizes: {"color" or "depth": (width, height)} of its frames, from when it is open.
        camera: Intrinsics of both images, which cover each other, with an identity pose; None if they are not known.
        notes: What is to be known of it, a sentence each.
    """

    live = True

    def __init__(self, name: str, clock: str):
        self.name, self.clock = name, clock
        self.sizes: dict[str, Size] = {}
        self.camera: Camera | None = None
        self.notes: list[str] = []

    @abstractmethod
    def open(self) -> None:
        """Start the camera, or look into the recording.

        Raises:
            SourceLost: A device that is not there.
            OSError, ValueError: No such recording, or none.
            ImportError: The device's library is not installed.
        """

    @abstractmethod
    def frames(self) -> Iterator[Frame]:
        """Frames as they come.

        Yields:
            Frames; one that is broken has a problem instead of images.

        Raises:
            SourceLost: The device was lost.
        """

    @abstractmethod
    def close(self) -> None:
        """Stop the camera. More than once is no error."""
