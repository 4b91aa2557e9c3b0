"""What is made of a track once it is known: gaps bridged, joints smoothed, rows for files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from orplugins.geometry.timeseries import low_pass, resample


@dataclass(frozen=True)
class Followed:
    """People of all frames, in the order of frames and tracks.

    Attributes:
        frame: (Q,) frame numbers.
        track: (Q,) identities.
        points: (Q, J, 3) metres, NaN where missing.
        filled: (Q, J) joints that nobody measured at that moment.
        row: (Q,) row of the measured person, -1 where a whole person is filled in.
    """

    frame: np.ndarray
    track: np.ndarray
    points: np.ndarray
    filled: np.ndarray
    row: np.ndarray

    def clips(self) -> Iterator[tuple[int, np.ndarray]]:
        """Every track with its rows, in order of frames."""
        for track in np.unique(self.track):
            yield int(track), np.flatnonzero(self.track == track)


def follow(
    frames: np.ndarray, tracks: np.ndarray, points: np.ndarray, fps: float, fill_s: float = 0.0, smooth_hz: float = 0.0
) -> Followed:
    """Bridge gaps and smooth.

    Args:
        frames: (P,) frame numbers, sorted.
        tracks: (P,) identities; people with -1 are left out.
        points: (P, J, 3) metres, NaN where missing.
        fps: Frames a second.
        fill_s: Joints that are missing for at most this long are put on the line between; 0: none.
        smooth_hz: Cut-off of the low-pass filter, see `orplugins.geometry.timeseries.low_pass`; 0: none.

    Returns:
        The people.

    Raises:
        ValueError: Negative times or frequencies.
    """
    for name, value in (("fill_s", fill_s), ("smooth_hz", smooth_hz)):
        if not (np.isfinite(value) and value >= 0):
            raise ValueError(f"{name} is {value}, expected 0 or more")
    parts = []
    for track in np.unique(tracks[tracks >= 0]):
        rows = np.flatnonzero(tracks == track)
        wanted = np.arange(frames[rows[0]], frames[rows[-1]] + 1)
        row = np.full(len(wanted), -1)
        row[frames[rows] - wanted[0]] = rows
        joints = np.full((len(wanted), *points.shape[1:]), np.nan)
        joints[row >= 0] = points[rows]
        measured = np.isfinite(joints).all(-1)
        if fill_s:
            joints = resample(joints, wanted / fps, wanted / fps, fill_s + 1 / fps)
        if smooth_hz:
            joints = low_pass(joints, fps, smooth_hz)
        found = np.isfinite(joints).all(-1)
        some = np.any(found, axis=1) | (row >= 0)
        filled = np.logical_and(found, ~measured)
        parts.append((wanted[some], np.full(some.sum(), track), joints[some], filled[some], row[some]))
    if not parts:
        none = np.zeros(0, dtype=np.int64)
        return Followed(none, none, points[:0], np.zeros((0, points.shape[1]), dtype=bool), none)
    frame, track, joints, filled, row = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((track, frame))
    return Followed(*(column[order] for column in (frame, track, joints, filled, row)))
