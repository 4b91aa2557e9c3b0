"""The time offset between two recordings of the same motion."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from orplugins.geometry.timeseries import parabola_offset, running_median


@dataclass(frozen=True)
class TimeOffset:
    """``b[t + lag]`` matches ``a[t]``.

    Attributes:
        lag: Whole frames; 0 where nothing could be found (then ``warnings`` says why).
        fractional: With a parabola through the neighbours, reported only.
        correlation: Score of the best lag, NaN without a usable channel.
        scores: One for each lag from -max_lag to max_lag.
        used: Channels that moved enough in both.
        channels: Of A and B, see `distance_channels`.
        warnings: What a person should know.
    """

    lag: int
    fractional: float
    correlation: float
    scores: np.ndarray
    used: np.ndarray
    channels: tuple[np.ndarray, np.ndarray]
    warnings: list[str] = field(default_factory=list)


def distance_channels(poses: np.ndarray) -> np.ndarray:
    """Distances of all joint pairs i < j after a running median of 5: they do not depend on the camera.

    Args:
        poses: (F, J, 3) metres, NaN = missing.

    Returns:
        (F, J (J - 1) / 2) metres.
    """
    i, j = np.triu_indices(poses.shape[1], 1)
    return running_median(np.linalg.norm(poses[:, i] - poses[:, j], axis=-1), 2)


def find_offset(
    a: np.ndarray, b: np.ndarray, max_lag: int = 30, least_motion: float = 0.02, least_score: float = 0.5
) -> TimeOffset:
    """Time offset of two motions at one frame rate.

    The score of a lag is the mean Pearson correlation of the inter-joint distances that vary enough in both; a channel
    needs max(30, half the shorter clip) common samples.

    Args:
        a: (F, J, 3) metres, NaN = missing.
        b: (G, J, 3) likewise.
        max_lag: Maximum offset, frames.
        least_motion: Minimum standard deviation of a channel that is used, metres.
        least_score: Minimum score of an offset that is believed.

    Returns:
        The offset.
    """
    channels = distance_channels(a), distance_channels(b)
    used = np.ones(channels[0].shape[1], dtype=bool)
    for values in channels:
        finite = np.isfinite(values)
        count = finite.sum(0)
        mean = np.where(finite, values, 0).sum(0) / np.maximum(count, 1)
        variance = np.where(finite, (values - mean) ** 2, 0).sum(0) / np.maximum(count, 1)
        used &= (count > 1) & (np.sqrt(variance) >= least_motion)
    least = max(30, min(len(a), len(b)) // 2)
    lags = np.arange(-max_lag, max_lag + 1)
    scores = np.array([_score(channels[0][:, used], channels[1][:, used], lag, least) for lag in lags.tolist()])
    if not np.isfinite(scores).any():
        note = "no joint distance moves enough in both clips" if not used.any() else "the clips overlap too little"
        return TimeOffset(0, 0.0, float("nan"), scores, used, channels, [f"time offset not found: {note}; 0 is used"])
    best = min(np.flatnonzero(scores == np.nanmax(scores)), key=lambda k: abs(lags[k]))
    top, warnings = scores[best], []
    if top < least_score:
        warnings.append(f"time offset not found: best correlation {top:.2f} is below {least_score}; 0 is used")
        return TimeOffset(0, 0.0, float(top), scores, used, channels, warnings)
    peaks = [k for k in range(1, len(scores) - 1) if scores[k] >= scores[k - 1] and scores[k] >= scores[k + 1]]
    others = [int(lags[k]) for k in peaks if abs(k - best) > 5 and scores[k] >= 0.98 * top]
    if others:
        warnings.append(f"time offset is ambiguous (periodic motion): {int(lags[best])} or {others} frames fit alike")
    if best in (0, len(lags) - 1):
        warnings.append(f"the best time offset {int(lags[best])} is at the end of the range looked at")
    fractional = lags[best] + parabola_offset(scores.tolist(), best)
    return TimeOffset(int(lags[best]), float(fractional), float(top), scores, used, channels, warnings)


def _score(a: np.ndarray, b: np.ndarray, lag: int, least: int) -> float:
    start, stop = max(0, -lag), min(len(a), len(b) - lag)
    if stop - start < least or not a.shape[1]:
        return float("nan")
    x, y = a[start:stop], b[start + lag : stop + lag]
    common = np.isfinite(x) & np.isfinite(y)
    count = common.sum(0)
    kept = count >= least
    if not kept.any():
        return float("nan")
    x, y, common, count = x[:, kept], y[:, kept], common[:, kept], count[kept]
    x, y = (np.where(common, v - np.where(common, v, 0).sum(0) / count, 0) for v in (x, y))
    norm = np.sqrt((x**2).sum(0) * (y**2).sum(0))
    correlation = (x * y).sum(0)[norm > 0] / norm[norm > 0]
    return float(correlation.mean()) if len(correlation) else float("nan")


def overlap(a: np.ndarray, b: np.ndarray, lag: int) -> tuple[np.ndarray, np.ndarray, int]:
    """The frames of two clips (F, ...) and (G, ...) that have a partner: a[t] and b[t + lag], and the first such t.

    Measures of one clip alone, such as its range of motion, then describe the same span of time as those of the other.
    """
    start = max(0, -lag)
    stop = max(start, min(len(a), len(b) - lag))
    return a[start:stop], b[start + lag : stop + lag], start
