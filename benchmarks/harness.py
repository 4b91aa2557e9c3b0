"""Paired timing: the two things compared take turns, so that a machine's ups and downs hit both alike."""

from __future__ import annotations

import contextlib
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class Comparison:
    """One measured pair.

    Attributes:
        name: What is done.
        baseline, contender: Names of the two sides.
        baseline_ms, contender_ms: Median milliseconds of a run.
        ratio: Median of the paired ratios baseline / contender: above 1 the contender is quicker.
        low, high: Smallest and largest paired ratio.
        repeats: Pairs measured.
        shapes: Inputs in words.
    """

    name: str
    baseline: str
    contender: str
    baseline_ms: float
    contender_ms: float
    ratio: float
    low: float
    high: float
    repeats: int
    shapes: dict[str, str] = field(default_factory=dict)

    def line(self) -> str:
        shapes = ", ".join(f"{key} {value}" for key, value in self.shapes.items())
        return (
            f"{self.name}: {self.baseline} {self.baseline_ms:.2f} ms, {self.contender} {self.contender_ms:.2f} ms, "
            f"ratio {self.ratio:.2f} ({self.low:.2f}-{self.high:.2f}, {self.repeats} pairs; {shapes})"
        )


def compare(
    name: str,
    baseline: tuple[str, Callable[[], object]],
    contender: tuple[str, Callable[[], object]],
    repeats: int,
    warmup: int = 1,
    shapes: dict[str, str] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Comparison:
    """Time two callables in the order A B A B, after ``warmup`` runs of each that do not count.

    On a busy machine ``clock=time.process_time`` says what a thread would need that has a core to itself.
    """
    if repeats < 1:
        raise ValueError(f"repeats: found {repeats}, expected at least 1")
    for _ in range(warmup):
        baseline[1]()
        contender[1]()
    pairs = [(_milliseconds(baseline[1], clock), _milliseconds(contender[1], clock)) for _ in range(repeats)]
    ratios = [a / b for a, b in pairs]
    return Comparison(
        name,
        baseline[0],
        contender[0],
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        statistics.median(ratios),
        min(ratios),
        max(ratios),
        repeats,
        dict(shapes or {}),
    )


def _milliseconds(run: Callable[[], object], clock: Callable[[], float]) -> float:
    start = clock()
    run()
    return (clock() - start) * 1e3


def set_threads(threads: int) -> None:
    """One number of threads for all: the environment for libraries not yet imported, their own calls for the others."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(threads)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)
    try:
        import cv2
    except ImportError:
        return
    cv2.setNumThreads(threads)


def machine() -> dict[str, str]:
    """Processor, cores, and versions of what is installed."""
    from importlib import metadata

    found = {"cpu": _cpu(), "cores": str(os.cpu_count()), "python": platform.python_version()}
    for package in ("numpy", "torch", "opencv-python", "mmpose", "mmcv", "mmcv-lite", "sal-detectron2"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


def _cpu() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def report(comparisons: list[Comparison], threads: int) -> dict:
    """What ``--out`` holds."""
    return {"machine": machine(), "threads": threads, "comparisons": [asdict(row) for row in comparisons]}
