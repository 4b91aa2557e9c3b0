"""What the numbers in frame names mean: frames counted one by one, every n-th frame, or time stamps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Ticks a second of the clocks that recorders name files by, and the frame rates that cameras have.
TICKS = {"s": 1.0, "ms": 1e3, "us": 1e6, "100 ns": 1e7, "ns": 1e9}
RATES = (1, 2, 5, 6, 7.5, 10, 12, 12.5, 15, 20, 24, 25, 30, 48, 50, 60, 75, 90, 100, 120, 200, 240)
# Beyond this nobody counts frames: more than a month at 30 a second.
_MOST_FRAMES = 100_000_000
_MOST_STRIDE = 14  # a step of 15 and more may as well be milliseconds of a camera with 60 frames a second
_MOST_SECONDS = 4.1e9  # since 1970, in the year 2100
_MOST_MISSING = 100  # missing frames for one that is there, where every number gets a place
_SPARSE = 1000  # no recording has that many missing frames for one that is there


def is_recording(frames: int, span: int) -> bool:
    """Whether so many frames over a span of so many numbers are those of a recording with gaps, and may be expanded."""
    return span <= max(_MOST_MISSING * frames, 1000)


@dataclass(frozen=True, eq=False)
class FrameClock:
    """Places of frames on their recording's clock.

    Attributes:
        index: (F,) int64, increasing; equal in recordings whose clocks are the same.
        time: (F,) seconds where numbers are time stamps, else None.
        fps: Frames a second where numbers are time stamps, else None.
        needs_fps: The frame rate cannot be told, and is not that of a recording of consecutive frames.
        note: How the numbers were understood, "" if they count frames.
    """

    index: np.ndarray
    time: np.ndarray | None = None
    fps: float | None = None
    needs_fps: bool = False
    note: str = ""


def frame_clock(numbers: Sequence[int], where: str, fps: float | None = None) -> FrameClock:
    """Understand the numbers of a recording's frames.

    Args:
        numbers: Increasing whole numbers.
        where: Their file or folder, for messages.
        fps: The frame rate if it is known; it decides where a step could be of several units.

    Returns:
        Places on the clock. Nothing is expanded: there are as many as numbers.

    Raises:
        ValueError: Numbers that are neither, with the one that does not fit.
    """
    stamps = [int(number) for number in numbers]
    if len(stamps) < 2:
        return FrameClock(np.array([n if abs(n) < _MOST_FRAMES else 0 for n in stamps], dtype=np.int64))
    steps = [b - a for a, b in zip(stamps, stamps[1:], strict=False)]
    # The lower one of two middles: a single jump among few frames is a gap, not a step.
    least, step = min(steps), sorted(steps)[(len(steps) - 1) // 2]
    if least < 1:
        raise ValueError(f"{where}: frame number {stamps[steps.index(least) + 1]} is not above the one before it")
    if stamps[0] < _MOST_FRAMES and step <= _MOST_STRIDE:
        return _counted(stamps, steps, least, where)
    if stamps[0] < _MOST_FRAMES and all(s % least == 0 for s in steps) and fps is None and least <= _SPARSE:
        index = np.array([round(n / least) for n in stamps], dtype=np.int64)
        note = (
            f"{where}: frame numbers go in steps of {least}: every {least}th frame, or time stamps in ms "
            f"({1000 / least:.3g} frames a second)"
        )
        return FrameClock(index, needs_fps=True, note=note)
    return _timed(stamps, step, where, fps)


def _counted(stamps: list[int], steps: list[int], least: int, where: str) -> FrameClock:
    widest = max(steps)
    if widest > max(_SPARSE * len(stamps), 10 * _SPARSE):
        far = stamps[steps.index(widest) + 1]
        raise ValueError(f"{where}: frame number {far} comes after {far - widest}, expected a recording's frames")
    if least > 1 and len(stamps) > 2 and all(s % least == 0 for s in steps):
        index = np.array([round(n / least) for n in stamps], dtype=np.int64)
        note = f"{where}: frame numbers go in steps of {least}: every {least}th frame of a recording"
        return FrameClock(index, needs_fps=True, note=note)
    return FrameClock(np.array(stamps, dtype=np.int64))


def _timed(stamps: list[int], step: int, where: str, fps: float | None) -> FrameClock:
    wanted = (fps,) if fps else RATES
    fits, others = [], []
    for unit, ticks in TICKS.items():
        # Ticks of 100 ns are counted from the years 1 and 1601 on as well.
        if stamps[0] / ticks > _MOST_SECONDS * (16 if unit == "100 ns" else 1):
            continue
        rate = ticks / step
        nearest = min(wanted, key=lambda known: abs(np.log(rate / known)))
        if abs(rate / nearest - 1) < 0.1:
            fits.append((abs(rate / nearest - 1), unit, ticks, float(nearest)))
        elif RATES[0] / 2 <= rate <= RATES[-1] * 1.1 and not fps:
            others.append((0.0, unit, ticks, round(rate, 2)))
    # A camera of varying rate may have none of the usual ones; then only one unit may make it a camera.
    fits = fits or (others if len(others) == 1 else [])
    if not fits:
        known = f"{fps:g} frames a second" if fps else "any usual frame rate"
        raise ValueError(
            f"{where}: frame numbers from {stamps[0]} on in steps of {step:g}: time stamps in none of "
            f"{', '.join(TICKS)} at {known}"
        )
    _, unit, ticks, rate = min(fits)
    # Whole ticks first: a float64 does not hold nanoseconds since 1970.
    seconds = np.array([(n - stamps[0]) / ticks for n in stamps])
    start = round(stamps[0] * rate / ticks)
    index = start + np.rint(seconds * rate).astype(np.int64)
    if (np.diff(index) < 1).any():
        index = start + np.arange(len(stamps))
    note = f"{where}: frame numbers are time stamps in {unit}: {rate:g} frames a second"
    return FrameClock(index, seconds + stamps[0] / ticks, rate, note=note)
