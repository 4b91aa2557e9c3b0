"""What passes through the stages: the frames of one moment, and what is found in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter
from time import time as seconds_since_1970
from typing import Any, Protocol

import numpy as np

from orplugins.live.frames import Frame
from orplugins.structures import Poses2D


@dataclass(frozen=True, eq=False)
class Placed:
    """People in 3D.

    Attributes:
        points: (P, 17, 3) COCO-17, metres in the room's axes, NaN where missing.
        members: P times {camera: number of the person's detection there}.
        source: What the room made of it, for its own later stages.
    """

    points: np.ndarray
    members: tuple[dict[str, int], ...]
    source: Any = None


@dataclass(eq=False)
class Moment:
    """Frames of one moment on their way.

    Attributes:
        number: Counted from 0.
        time: Seconds on the common clock.
        wall: Seconds since 1970 when it was put together.
        frames: {camera: frame}.
        spread: Seconds between the first and the last frame.
        captured: When the first of its frames came, `time.perf_counter`.
        people: {camera: poses in its image}, of the cameras whose network worked.
        tracks: {camera: (N,) identities in its images, -1 for who has none yet}.
        placed: People in 3D; None where nobody looked: too few cameras, or no calibration.
        room_tracks: (P,) identities in 3D.
        latency_ms: {stage: milliseconds}, "total" from the arrival of the first frame on.
    """

    number: int
    time: float
    frames: dict[str, Frame]
    spread: float
    wall: float = field(default_factory=seconds_since_1970)
    captured: float = field(default_factory=perf_counter)
    people: dict[str, Poses2D] = field(default_factory=dict)
    tracks: dict[str, np.ndarray] = field(default_factory=dict)
    placed: Placed | None = None
    room_tracks: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    latency_ms: dict[str, float] = field(default_factory=dict)


class Network(Protocol):
    """Whatever finds people in an image, as `orplugins.deploy.load` gives it."""

    def __call__(self, image: np.ndarray) -> Poses2D:
        """People of an image: (H, W, 3) uint8 BGR, or depth (H, W) uint16 millimetres."""


class Room(Protocol):
    """What places people of calibrated cameras in 3D, as `orplugins.multiview.online.LiveRoom` does."""

    def associate(self, people: dict[str, Poses2D]) -> Placed | None:
        """Who is who across cameras, and where; None where that cannot be told."""

    def refine(self, placed: Placed, people: dict[str, Poses2D], depth: dict[str, np.ndarray]) -> Placed:
        """The same with what depth images say."""

    def follow(self, time: float, placed: Placed) -> np.ndarray:
        """(P,) identities over time, -1 for who has none yet."""
