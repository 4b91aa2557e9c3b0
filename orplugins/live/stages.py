"""Stages: a thread each, with a short queue before it in which the newest wins."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Closed(Exception):
    """Nothing more will come out of a queue."""


class NewestQueue(Generic[T]):
    """A queue that never grows: what is too old makes room for what is new.

    Of what is in it the lightest goes first, among equals the oldest: a moment that all cameras saw does not give way
    to one that a single camera saw.

    Args:
        size: Items at most.
        keep_all: Let the giver wait instead, and drop nothing.
    """

    def __init__(self, size: int, keep_all: bool = False):
        if size < 1:
            raise ValueError(f"queue size: found {size}, expected 1 or more")
        self.size, self.keep_all, self.dropped = size, keep_all, 0
        self._items: deque[tuple[int, T]] = deque()
        self._changed = threading.Condition()
        self._closed = False

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T, weight: int = 1) -> None:
        """Add an item.

        Args:
            item: The item. After `close` it is let go.
            weight: See the class.
        """
        with self._changed:
            while self.keep_all and len(self._items) >= self.size and not self._closed:
                self._changed.wait()
            if self._closed:
                return
            self._items.append((weight, item))
            if len(self._items) > self.size:
                lightest = min(range(len(self._items)), key=lambda k: self._items[k][0])
                del self._items[lightest]
                self.dropped += 1
            self._changed.notify_all()

    def get(self) -> T:
        """Wait for the oldest item that is left.

        Returns:
            The item.

        Raises:
            Closed: The queue is empty and closed.
        """
        with self._changed:
            while not self._items:
                if self._closed:
                    raise Closed
                self._changed.wait()
            _, item = self._items.popleft()
            self._changed.notify_all()
            return item

    def close(self) -> None:
        """Nothing more will be put in; what is there can still be taken out."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class Stage(Generic[T]):
    """A thread that takes items out of its queue, works on them and hands them on.

    Args:
        name: For the table of latencies.
        work: Changes an item; what it raises ends the whole pipeline.
        inbox: The queue before it.
        outbox: The queue after it, None for the last stage.
        note: Called with the item, the stage's name and the seconds that the work took.
        failed: Called with an exception of `work`.
        weight: Of an item in the outbox.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[T], None],
        inbox: NewestQueue[T],
        outbox: NewestQueue[T] | None,
        note: Callable[[T, str, float], None],
        failed: Callable[[BaseException], None],
        weight: Callable[[T], int] = lambda item: 1,
    ):
        self.name, self.inbox, self.outbox = name, inbox, outbox
        self._work, self._note, self._failed, self._weight = work, note, failed, weight
        self.thread = threading.Thread(target=self._run, name=f"live-{name}", daemon=True)

    def _run(self) -> None:
        try:
            while True:
                try:
                    item = self.inbox.get()
                except Closed:
                    break
                start = time.perf_counter()
                self._work(item)
                self._note(item, self.name, time.perf_counter() - start)
                if self.outbox is not None:
                    self.outbox.put(item, self._weight(item))
        except BaseException as error:  # a thread's error must reach the caller: it is raised again there
            self._failed(error)
        finally:
            if self.outbox is not None:
                self.outbox.close()
