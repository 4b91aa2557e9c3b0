"""How a student is trained on a recording."""

from __future__ import annotations

from dataclasses import dataclass

NORMS = ("frozen", "batch")


@dataclass(frozen=True)
class StudentTraining:
    """Training of a student in one round.

    Attributes:
        size: (width, height) at which the network sees the pictures.
        iterations: Steps.
        batch: Pictures a step.
        rate: Learning rate, as a share of the config's (for its own number of pictures a step).
        norms: "frozen" keeps batch norm's statistics, "batch" updates them.
        seed: Of order and views.
    """

    size: tuple[int, int]
    iterations: int = 480
    batch: int = 2
    rate: float = 0.1
    norms: str = "frozen"
    seed: int = 0
