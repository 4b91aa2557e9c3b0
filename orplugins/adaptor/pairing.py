"""How two streams of records, labelled and unlabelled, become batches of pictures of one orientation each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

Record = TypeVar("Record")
Batch = tuple[list[Record], list[Record]]


class _Buckets(Generic[Record]):
    """Records of one stream that wait, landscape and others apart."""

    def __init__(self, landscape: Callable[[Record], bool], size: int):
        self.landscape, self.size = landscape, size
        self.waiting: tuple[list[Record], list[Record]] = ([], [])
        self.last = self.waiting[0]

    def offer(self, record: Record) -> None:
        """Put a record into its bucket; while the bucket that was used last is full, any record is thrown away."""
        if not self.full():
            self.last = self.waiting[0 if self.landscape(record) else 1]
            self.last.append(record)

    def full(self) -> bool:
        """Whether the bucket that was used last is full."""
        return len(self.last) == self.size

    def take(self) -> list[Record]:
        """Empty that bucket."""
        taken = self.last[:]
        self.last.clear()
        return taken


def pair_published(
    labelled: Iterator[Record],
    unlabelled: Iterator[Record],
    sizes: tuple[int, int],
    landscape: Callable[[Record], bool],
) -> Iterator[Batch]:
    """The release's rule: both streams are read in step; one whose part is complete throws records away.

    Args:
        labelled: Records.
        unlabelled: Records.
        sizes: Of the labelled and of the unlabelled part of a batch.
        landscape: Whether a record's picture is wider than high.

    Yields:
        Batches, until one of the streams ends.
    """
    first, second = (_Buckets(landscape, size) for size in sizes)
    for one, other in zip(labelled, unlabelled, strict=False):
        first.offer(one)
        second.offer(other)
        if first.full() and second.full():
            yield first.take(), second.take()


def pair_kept(
    labelled: Iterator[Record],
    unlabelled: Iterator[Record],
    sizes: tuple[int, int],
    landscape: Callable[[Record], bool],
) -> Iterator[Batch]:
    """Each stream is read only as far as its next batch needs, so that no record is thrown away.

    Args:
        labelled: As in `pair_published`.
        unlabelled: As there.
        sizes: As there.
        landscape: As there.

    Yields:
        Batches, until one of the streams ends.
    """

    def batches(records: Iterator[Record], size: int) -> Iterator[list]:
        buckets = _Buckets(landscape, size)
        for record in records:
            buckets.offer(record)
            if buckets.full():
                yield buckets.take()

    yield from zip(batches(labelled, sizes[0]), batches(unlabelled, sizes[1]), strict=False)


RULES = {"published": pair_published, "kept": pair_kept}
