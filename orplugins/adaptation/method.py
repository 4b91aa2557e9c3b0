"""What the adaptation asks of a method: reading, finding, labels, training. The rest is the same for all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from orplugins.adaptation.agreement import AgreementRules, FrameLabels
from orplugins.adaptation.fusion import Detections

Finder = Callable[[np.ndarray, int], list[Detections]]  # picture, number of views -> the answer of each


@dataclass(frozen=True)
class Labelled:
    """A frame that a student is trained on.

    Attributes:
        path: Its file.
        labels: What is said about it.
    """

    path: Path
    labels: FrameLabels


@dataclass(frozen=True)
class Lesson:
    """What a student is trained on, and where.

    Attributes:
        frames: Labelled frames.
        weights: What it begins with.
        rooms: How many generated pictures it sees beside them.
        seed: Of rooms, order and views.
        out: Folder; a training that was stopped goes on there.
    """

    frames: Sequence[Labelled]
    weights: str
    rooms: int
    seed: int
    out: Path


@dataclass(frozen=True)
class AdaptSettings:
    """How networks are adapted.

    Attributes:
        rounds: The second round's teacher is the first one's student, if that is better.
        most_frames: Of a longer recording so many, evenly spaced, are used.
        held_out: Share of the frames that no training sees, in five runs.
        most_judged: Of those, so many are looked at to judge a network.
        rooms: Generated room pictures for a hundred frames; nothing else keeps a network from forgetting.
        room_tests: Generated room pictures to judge a network by.
        seed: Of everything random.
    """

    rounds: int = 1
    most_frames: int = 600
    held_out: float = 0.15
    most_judged: int = 60
    rooms: int = 15
    room_tests: int = 30
    seed: int = 0


class Method(Protocol):
    """A network and how it is trained further."""

    name: str
    weights: str  # of the teacher
    holes: bool  # 0 in `grey` is a hole
    rules: AgreementRules  # which detections become labels

    def read(self, path: Path) -> np.ndarray:
        """A frame as the network takes it."""

    def grey(self, picture: np.ndarray) -> np.ndarray:
        """The same as (H, W) or (H, W, 3) uint8, in which what differs by 14 is another thing."""

    def show(self, picture: np.ndarray) -> np.ndarray:
        """The same as (H, W, 3) uint8 BGR, to be looked at."""

    def begin(self, size: tuple[int, int]) -> dict[str, Any]:
        """Be told the frames' (width, height); returns what answers depend on, for the report."""

    def finder(self, weights: str) -> Finder:
        """Answers about views of a picture: the first is what a user gets, the second is compared with it."""

    def views(self) -> int:
        """Number of views that a teacher is asked for."""

    def rooms(self, count: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """Generated pictures of rooms, as `read` gives frames, and the boxes (N, 4) of the people in each."""

    def train(self, lesson: Lesson) -> Path:
        """Train a student, or go on with it; returns its weights (.safetensors)."""

    def usage(self, weights: Path) -> str:
        """The command that uses adapted weights."""
