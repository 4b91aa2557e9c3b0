"""What a method adds to the common job of fine-tuning."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orplugins.finetune.best import Best
from orplugins.finetune.labels import Labels
from orplugins.finetune.settings import FinetuneSettings

Rows = dict[str, float]


@dataclass(frozen=True)
class LabelledSet:
    """Labelled pictures in a file.

    Attributes:
        labels: The content.
        file: COCO file in the network's joints or classes.
        images: Folder of the pictures.
    """

    labels: Labels
    file: Path
    images: Path


@dataclass(frozen=True)
class Training:
    """A training that a host is asked for.

    Attributes:
        train: What is learned from.
        held_out: What is scored.
        folder: The host's own files: checkpoints, from which it goes on, and logs.
        best: Keeps the best weights.
        iterations, batch, lr: As in `FinetuneSettings`, all of them known.
    """

    train: LabelledSet
    held_out: LabelledSet
    folder: Path
    best: Best
    iterations: int
    batch: int
    lr: float


class Method(ABC):
    """A network that can be fine-tuned: its labels, its figures, its training.

    Args:
        settings: What is asked for.
        config: The network's config.
        weights: Weights to start from.

    Attributes:
        cfg: The config, read.
        name: Key of `orplugins.resources.SHIPPED`.
        iterations: Training steps by default.
        rate: Default learning rate, as a share of the config's.
        score: The figure that decides which weights are the best: larger is better.
    """

    cfg: Any
    name: str
    iterations = 300
    rate = 0.1
    score: str

    def __init__(self, settings: FinetuneSettings, config: str, weights: str):
        self.settings, self.config, self.weights = settings, config, weights

    @abstractmethod
    def read(self, path: Path) -> Labels:
        """Read labelled pictures; raises ValueError or FileNotFoundError in one line."""

    def examples(self, labels: Labels) -> int:
        """How many examples labels make: pictures, or people where each is an example of its own."""
        return labels.pictures

    @abstractmethod
    def defaults(self) -> tuple[float, int]:
        """The config's learning rate, and pictures or people a step."""

    @abstractmethod
    def measure(self, weights: Path, truth: LabelledSet, folder: Path) -> Rows:
        """Figures of a file of weights, in percent."""

    @abstractmethod
    def train(self, training: Training) -> None:
        """Train, or go on; weights are offered to ``training.best``."""

    @abstractmethod
    def use(self, weights: Path, pictures: Path) -> str:
        """The command that uses the weights next, on a folder of pictures."""

    def finished(self, state: dict[str, Any]) -> dict[str, Any]:
        """The tensors that are written; layers that only training has are left out here."""
        return state


Say = Callable[[str], None]
