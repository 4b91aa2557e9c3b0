"""Signals over time: resampling, gaps, running medians, jumps and jitter; NaN is missing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def running_median(values: np.ndarray, half_window: int, least: int = 3) -> np.ndarray:
    """Running median along the first axis, over [t - half_window, t + half_window]; NaN is ignored.

    Args:
        values: (F, ...), NaN = missing.
        half_window: Frames to either side.
        least: Minimum number of valid values in a window.

    Returns:
        (F, ...); NaN where the window holds fewer valid values than ``least``.
    """
    frames = len(values)
    padded = np.full((frames + 2 * half_window, *values.shape[1:]), np.nan)
    padded[half_window : half_window + frames] = values
    windows = np.stack([padded[k : k + frames] for k in range(2 * half_window + 1)])
    windows.sort(axis=0)  # NaN last
    count = np.isfinite(windows).sum(0)
    lower = np.take_along_axis(windows, np.maximum(count - 1, 0)[None] // 2, 0)[0]
    upper = np.take_along_axis(windows, np.minimum(count // 2, 2 * half_window)[None], 0)[0]
    return np.where(count >= least, (lower + upper) / 2, np.nan)


def resample(values: np.ndarray, times: np.ndarray, wanted: np.ndarray, max_gap: float = np.inf) -> np.ndarray:
    """Linear interpolation in time.

    A value between two valid samples further apart than ``max_gap`` stays NaN, and so does anything before the first
    and after the last valid sample.

    Args:
        values: (F, ...), NaN = missing.
        times: (F,) times of the values, ascending.
        wanted: (G,) times to interpolate at, in the same unit.
        max_gap: Longest gap that is bridged, in the unit of ``times``.

    Returns:
        (G, ...) float64.
    """
    values = np.asarray(values, dtype=np.float64)
    flat = values.reshape(len(values), -1)
    out = np.full((len(wanted), flat.shape[1]), np.nan)
    for column in range(flat.shape[1]):
        valid = np.flatnonzero(np.isfinite(flat[:, column]))
        if not len(valid):
            continue
        known = times[valid]
        out[:, column] = np.interp(wanted, known, flat[valid, column], left=np.nan, right=np.nan)
        after = np.clip(np.searchsorted(known, wanted), 1, len(known) - 1) if len(known) > 1 else None
        if after is not None and np.isfinite(max_gap):
            exact = np.isin(wanted, known)
            wide = known[after] - known[after - 1] > max_gap + 1e-9
            out[wide & ~exact, column] = np.nan
    return out.reshape(len(wanted), *values.shape[1:])


def parabola_offset(scores: Sequence[float], best: int) -> float:
    """Sub-sample position of a maximum, by a parabola through it and its two neighbours.

    Args:
        scores: Values at equal steps.
        best: Index of the maximum.

    Returns:
        Offset of the parabola's top from ``best``, in steps; 0 at the ends and where there is no maximum.
    """
    if not 0 < best < len(scores) - 1:
        return 0.0
    before, top, after = scores[best - 1], scores[best], scores[best + 1]
    curve = before - 2 * top + after
    return float(0.5 * (before - after) / curve) if np.isfinite(curve) and curve < 0 else 0.0


JUMP_M_PER_S = 4.5


def count_jumps(poses: np.ndarray, fps: float, limit: float = JUMP_M_PER_S) -> int:
    """Number of joint steps between consecutive valid frames that are faster than a limit.

    Args:
        poses: (F, ..., 3), metres, NaN = missing.
        fps: Frames per second.
        limit: Speed limit, m/s.

    Returns:
        The number of steps above the limit.
    """
    with np.errstate(invalid="ignore"):
        return int((np.linalg.norm(np.diff(poses, axis=0), axis=-1) * fps > limit).sum())


def jitter(poses: np.ndarray, fps: float) -> float:
    """Mean length of the second differences over time (acceleration).

    Args:
        poses: (F, ..., 3), metres, NaN = missing.
        fps: Frames per second.

    Returns:
        m/s^2; NaN where no three consecutive frames are valid.
    """
    second = np.linalg.norm(poses[2:] - 2 * poses[1:-1] + poses[:-2], axis=-1) * fps**2
    return float(np.nanmean(second)) if np.isfinite(second).any() else float("nan")


def fill_gaps(values: np.ndarray, detected: np.ndarray) -> np.ndarray:
    """Linear interpolation over frames that were not detected, constant beyond the first and the last detected one.

    Args:
        values: (F, ...); the values of frames that were not detected are ignored.
        detected: (F,) bool, at least one True.

    Returns:
        (F, ...) of the same dtype.
    """
    frames, flat = np.arange(len(values)), values.reshape(len(values), -1)
    filled = [np.interp(frames, frames[detected], column[detected]) for column in flat.T]
    return np.stack(filled, 1).astype(values.dtype).reshape(values.shape)


def low_pass(values: np.ndarray, fps: float, cutoff_hz: float) -> np.ndarray:
    """Smooth with a Butterworth filter of second order that runs forwards and backwards, so that nothing is late.

    The cut-off is that of the two runs together (Winter, Biomechanics and Motor Control, section 2.2.4). Gaps stay
    gaps: each stretch without NaN is filtered by itself.

    Args:
        values: (F, ...), NaN = missing.
        fps: Values a second.
        cutoff_hz: Frequency at which half of the power is left. From half of ``fps`` on there is nothing to smooth.

    Returns:
        (F, ...) float64; NaN where it was.
    """
    from scipy.signal import butter, sosfiltfilt

    out = np.array(values, dtype=np.float64)
    corrected = cutoff_hz / (np.sqrt(2) - 1) ** 0.25
    if corrected >= 0.99 * fps / 2:
        return out
    sections = butter(2, corrected, fs=fps, output="sos")
    flat = out.reshape(len(out), -1)
    for column in flat.T:
        known = np.flatnonzero(np.isfinite(column))
        for part in np.split(known, np.flatnonzero(np.diff(known) > 1) + 1):
            if len(part) > 2:
                around = min(len(part) - 1, int(np.ceil(fps / cutoff_hz)))
                column[part] = sosfiltfilt(sections, column[part], padlen=around)
    return flat.reshape(out.shape)
