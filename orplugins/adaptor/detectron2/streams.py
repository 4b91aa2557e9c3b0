"""What the trainer asks of its loader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

Records = list[dict[str, Any]]


class TwoStreams(Protocol):
    """Labelled and unlabelled pictures in step: what `loader.build_adaptor_train_loader(cfg)` returns.

    A run that was killed goes on bit-equal if `skip` steps can be left out without their pictures being read, and if a
    step's pictures are made (views drawn at random) by the ``next`` that yields them: every step has a seed of its own.
    What waits in a bucket for a later step is therefore a data set's record, not a picture.

    Attributes:
        skip: Steps that are left out at the beginning; set before iterating.
        unlabelled: How many unlabelled pictures one pass over the sets has.
    """

    skip: int
    unlabelled: int

    def __iter__(self) -> Iterator[tuple[Records, Records, Records, Records]]:
        """Yield a process's share of a step without end: labelled weak and strong, unlabelled weak and strong."""
        ...
