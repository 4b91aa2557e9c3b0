"""How long things take: percentiles of many times in a memory that does not grow."""

from __future__ import annotations

import threading
from collections.abc import Iterable

import numpy as np

# Bins of 3 % from 10 microseconds to beyond a quarter of an hour: a percentile is off by 1.5 % at most.
_LEAST, _STEP, _BINS = 1e-5, 1.03, 620


class Histogram:
    """Times, in bins that grow with them."""

    def __init__(self):
        self.counts = np.zeros(_BINS, dtype=np.int64)
        self.most = 0.0

    def add(self, seconds: float) -> None:
        """Count a time; negative ones, of clocks that were set back, count as none."""
        place = np.log(max(seconds, _LEAST) / _LEAST) / np.log(_STEP)
        self.counts[min(int(place), _BINS - 1)] += 1
        self.most = max(self.most, seconds)

    @property
    def count(self) -> int:
        """How many."""
        return int(self.counts.sum())

    def percentile(self, share: float) -> float:
        """The time that a share (0 to 1) of all do not exceed, seconds; NaN without any."""
        if not self.count:
            return float("nan")
        place = int(np.searchsorted(np.cumsum(self.counts), share * self.count))
        return min(float(_LEAST * _STEP ** (place + 0.5)), self.most)


class Latency:
    """Times of every stage; safe to use from several threads."""

    def __init__(self):
        self._lock = threading.Lock()
        self._stages: dict[str, Histogram] = {}

    def add(self, stage: str, seconds: float) -> None:
        """Note a time.

        Args:
            stage: Of which.
            seconds: How long it took.
        """
        with self._lock:
            self._stages.setdefault(stage, Histogram()).add(seconds)

    def table(self, stages: Iterable[str] | None = None) -> dict[str, dict[str, float]]:
        """{stage: {"p50", "p99", "most" in milliseconds, "count"}}, of some stages in that order or of all."""
        with self._lock:
            wanted = self._stages if stages is None else [name for name in stages if name in self._stages]
            return {
                name: {
                    "p50": round(1000 * self._stages[name].percentile(0.5), 3),
                    "p99": round(1000 * self._stages[name].percentile(0.99), 3),
                    "most": round(1000 * self._stages[name].most, 3),
                    "count": self._stages[name].count,
                }
                for name in wanted
            }
