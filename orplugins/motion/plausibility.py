"""Whether two recordings can be compared: units, clocks, sides. What makes the numbers meaningless is named."""

from __future__ import annotations

import numpy as np

from orplugins.geometry.similarity import align_clip
from orplugins.geometry.timeseries import resample
from orplugins.motion.compare import MAX_GAP_FRAMES, Comparison, Recording
from orplugins.motion.measures import CORE_ROOTS, partial_p_mpjpe
from orplugins.motion.offset import TimeOffset, find_offset, overlap
from orplugins.skeletons import CORE_12

# Bones of grown-up people, metres, about: enough to tell metres from other units.
_USUAL = {("shoulder", "elbow"): 0.28, ("elbow", "wrist"): 0.25, ("hip", "knee"): 0.42, ("knee", "ankle"): 0.42}
_UNITS = {"millimetres": 1e-3, "centimetres": 1e-2, "kilometres": 1e3}
_SIZES = (0.2, 5.0)
_TIME_UNITS = {"milliseconds": 1e3, "microseconds": 1e6, "ticks of 100 ns": 1e7, "nanoseconds": 1e9}
_FPS = (1.0, 1000.0)
_USUAL_FPS = 30.0
_FRAME_RATES = (15.0, 24.0, 25.0, 30.0, 50.0, 60.0, 100.0, 120.0)
_RATES = tuple(sorted({b / a for a in _FRAME_RATES for b in _FRAME_RATES if a != b and 1 / 4 <= b / a <= 4}))
# Correlations below which motions are not alike, and from which on nothing is looked for.
_SAME, _GOOD = 0.3, 0.98
_WIDEST_LAG, _TRIED, _FAR_MM = 600, 20, 50.0


def check_recording(recording: Recording) -> None:
    """Refuse a recording whose unit of length or time is not the one that all others are in.

    Args:
        recording: The recording.

    Raises:
        ValueError: People of an impossible size, or an impossible frame rate; the likely unit is named.
    """
    who, fps, time = recording.name, recording.fps, recording.time
    if not np.isfinite(fps) or fps <= 0 or not np.isfinite(time).all() or (np.diff(time) < 0).any():
        raise ValueError(f"{who}: frame rate {fps:g}, expected a positive number and time stamps that rise")
    step = float(np.median(np.diff(time))) if len(time) > 2 else 0.0
    if step > 0 and not 0.2 < step * fps < 5:
        unit = min(_TIME_UNITS, key=lambda name: abs(np.log(step * fps / _TIME_UNITS[name])))
        raise ValueError(
            f"{who}: time stamps are {step:g} apart at {fps:g} frames a second, expected seconds; they look like {unit}"
        )
    if not _FPS[0] <= fps <= _FPS[1]:
        unit = min(_TIME_UNITS, key=lambda name: abs(np.log(fps * _TIME_UNITS[name] / _USUAL_FPS)))
        likely = f"; its time stamps look like {unit}" if fps < _FPS[0] else ""
        raise ValueError(f"{who}: {fps:.3g} frames a second, expected {_FPS[0]:g} to {_FPS[1]:g}{likely}")
    size = body_size(recording.core())
    if not np.isnan(size) and not _SIZES[0] <= size <= _SIZES[1]:
        unit = min(_UNITS, key=lambda name: abs(np.log(size * _UNITS[name])))
        raise ValueError(f"{who}: people are {size:.3g} times as large as usual, expected metres; it looks like {unit}")


def body_size(core: np.ndarray) -> float:
    """Size of a person as a share of a usual one's, by the bones of arms and legs; NaN if none is known.

    Args:
        core: (F, 12, 3) metres, NaN where missing.
    """
    shares = []
    for (a, b), usual in _USUAL.items():
        for side in ("left", "right"):
            bone = core[:, CORE_12.index(f"{side}_{a}")] - core[:, CORE_12.index(f"{side}_{b}")]
            shares.append(np.linalg.norm(bone, axis=-1) / usual)
    known = np.concatenate(shares)
    known = known[np.isfinite(known)]
    return float(np.median(known)) if len(known) else float("nan")


def check_comparison(a: Recording, b: Recording, found: Comparison, max_lag: int) -> None:
    """Refuse numbers of two recordings that are not of the same moments, or of the same sides.

    Args:
        a: The reference.
        b: The other one.
        found: Their comparison.
        max_lag: Largest offset that was looked for, frames.

    Raises:
        ValueError: Offset beyond ``max_lag``, another frame rate than stated, sides exchanged, a mirror image, or no
            likeness of the motions.
    """
    names = f"{found.names[0]} and {found.names[1]}"
    core_a, core_b = a.core(), _on_clock(b, a.fps, 1.0)
    if "hip_center" in (a.root, b.root):
        core_a, core_b = (core - core[:, list(CORE_ROOTS)].mean(1, keepdims=True) for core in (core_a, core_b))
    _check_offset(names, core_a, core_b, found, a.fps, max_lag)
    if np.isfinite(found.offset.correlation) and found.offset.correlation < _GOOD:
        _check_rate(names, core_a, b, found, a.fps, max_lag)
        sides = find_offset(core_a, core_b[:, list(CORE_12.flip_indices)], max_lag)
        if _better(sides, found.offset):
            raise ValueError(
                f"{names}: left and right are exchanged in one of them (correlation {_both(sides, found)})"
            )
        if found.offset.correlation < _SAME and found.offset.used.sum() >= 3:
            raise ValueError(
                f"{names}: the motions are not alike at any time offset up to {max_lag} frames (best correlation "
                f"{found.offset.correlation:.2f}): recordings of something else?"
            )
    rigid = found.alignments["similarity"]
    mirror, frames = partial_p_mpjpe(rigid.b * (-1, 1, 1), rigid.a)
    if frames and found.p_mpjpe > 50 and 1000 * mirror < 0.5 * found.p_mpjpe:
        raise ValueError(
            f"{names}: one is a mirror image (P-MPJPE {found.p_mpjpe:.0f} mm, mirrored {1000 * mirror:.0f})"
        )


def _check_offset(
    names: str, core_a: np.ndarray, core_b: np.ndarray, found: Comparison, fps: float, max_lag: int
) -> None:
    """Look beyond ``max_lag``: periodic motions correlate at many offsets, but lie on each other at one."""
    most, here = min(_WIDEST_LAG, max(len(core_a), len(core_b)) - 30), found.alignments["rigid"].mpjpe
    if not (most > max_lag > 0 and here > _FAR_MM):
        return
    scores = np.nan_to_num(find_offset(core_a, core_b, most).scores, nan=-1.0)
    lags = [int(k) - most for k in np.argsort(-scores)[:_TRIED] if scores[k] > 0.7 and abs(int(k) - most) > max_lag]
    errors = {lag: _rigid_error(*overlap(core_a, core_b, lag)[:2]) for lag in lags}
    lag = min(errors, key=lambda key: errors[key], default=0)
    if errors and errors[lag] < 0.4 * here:
        raise ValueError(
            f"{names}: frame t of the first is frame t {lag:+d} of the second ({lag / fps:+.2f} s), beyond the "
            f"{max_lag} frames that were looked at (distance {errors[lag]:.0f} mm then, {here:.0f} as it is): see "
            "--max-lag"
        )


def _rigid_error(a: np.ndarray, b: np.ndarray) -> float:
    if (np.isfinite(a).all(-1) & np.isfinite(b).all(-1)).sum() < 3:
        return float("inf")
    left, right, _ = align_clip(a, b, "rigid", CORE_ROOTS)
    return 1000 * float(np.nanmean(np.linalg.norm(left - right, axis=-1)))


def _check_rate(names: str, core_a: np.ndarray, b: Recording, found: Comparison, fps: float, max_lag: int) -> None:
    tried = {rate: find_offset(core_a, _on_clock(b, fps, rate), max(max_lag, 10)) for rate in _RATES}
    rate = max(tried, key=lambda r: np.nan_to_num(tried[r].correlation, nan=-1.0))
    if _better(tried[rate], found.offset):
        raise ValueError(
            f"{names}: they have other frame rates than they say: {found.names[1]} has {rate:.4g} frames for each that "
            f"it should have, so {b.fps * rate:.3g} a second, not {b.fps:.3g}, if {found.names[0]} is right "
            f"(correlation {_both(tried[rate], found)}): see --fps"
        )


def _on_clock(b: Recording, fps: float, rate: float) -> np.ndarray:
    """B at the moments of a clock of ``fps``, if it has ``rate`` times as many frames as it says."""
    if rate == 1 and abs(b.fps - fps) < 1e-6:
        return b.core()
    time = b.time / rate
    wanted = np.arange(time[0], time[-1] + 1e-9, 1 / fps)
    return resample(b.core(), time, wanted, MAX_GAP_FRAMES / fps)


def _better(other: TimeOffset, found: TimeOffset) -> bool:
    return bool(other.correlation > 0.7 and 1 - other.correlation < 0.35 * (1 - found.correlation))


def _both(other: TimeOffset, found: Comparison) -> str:
    return f"{other.correlation:.2f} then, {found.offset.correlation:.2f} as it is"
