"""The one-euro filter: a low-pass filter whose cut-off rises with speed, for values that come one by one.

Still joints are calm, moving ones are not late. Formulas: Casiez, Roussel, Vogel, "1 euro filter" (CHI 2012).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class OneEuroRules:
    """How strongly values are smoothed.

    Attributes:
        min_cutoff: Cut-off of what stands still, Hz: lower is calmer.
        beta: By how much the cut-off rises with speed, Hz for each unit a second: higher is less late.
        speed_cutoff: Cut-off of the speed itself, Hz.

    Raises:
        ValueError: A cut-off that is not above 0, or a negative beta.
    """

    min_cutoff: float = 1.0
    beta: float = 3.0
    speed_cutoff: float = 1.0

    def __post_init__(self):
        for name in ("min_cutoff", "speed_cutoff"):
            if not 0 < getattr(self, name) < np.inf:
                raise ValueError(f"one-euro {name}: found {getattr(self, name)}, expected a frequency above 0 Hz")
        if not 0 <= self.beta < np.inf:
            raise ValueError(f"one-euro beta: found {self.beta}, expected 0 or more")


def _share(cutoff, step: float):
    """How much of a new value enters, at a cut-off (Hz) and a time step (s)."""
    turn = 2 * np.pi * cutoff * step
    return turn / (turn + 1)


class OneEuro:
    """Points of one person, which are smoothed as they come.

    Args:
        rules: How; None: the defaults, for metres.
    """

    def __init__(self, rules: OneEuroRules | None = None):
        self.rules = rules or OneEuroRules()
        self.time: float | None = None
        self._value = self._speed = np.zeros(0)

    def step(self, time: float, points: np.ndarray) -> np.ndarray:
        """Smooth the points of a moment.

        Args:
            time: Seconds; later than before, else the filter begins anew.
            points: (J, D), NaN where missing; a joint that comes back begins anew.

        Returns:
            (J, D), NaN where they were.
        """
        points = np.asarray(points, dtype=np.float64)
        if self.time is None or time <= self.time or points.shape != self._value.shape:
            self.time, self._value, self._speed = time, points.copy(), np.zeros(points.shape)
            return points.copy()
        step, self.time = time - self.time, time
        known = np.isfinite(self._value).all(-1, keepdims=True) & np.isfinite(points).all(-1, keepdims=True)
        with np.errstate(invalid="ignore"):
            speed = (points - self._value) / step
            self._speed = np.where(
                known, self._speed + _share(self.rules.speed_cutoff, step) * (speed - self._speed), 0.0
            )
            # One cut-off a joint, by the length of its velocity: axes alike, whichever way the world is turned.
            fast = np.linalg.norm(self._speed, axis=-1, keepdims=True)
            share = _share(self.rules.min_cutoff + self.rules.beta * fast, step)
            self._value = np.where(known, self._value + share * (points - self._value), points)
        return self._value.copy()


class OneEuroTracks:
    """A filter for every track; those that were not seen for a while are forgotten, so that memory stays flat.

    Args:
        rules: See `OneEuro`.
        patience: Seconds for which an unseen track is remembered.
    """

    def __init__(self, rules: OneEuroRules | None = None, patience: float = 3.0):
        self.rules, self.patience = rules or OneEuroRules(), patience
        self._filters: dict[int, OneEuro] = {}

    def __len__(self) -> int:
        return len(self._filters)

    def step(self, time: float, tracks: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Smooth the people of a moment.

        Args:
            time: Seconds.
            tracks: (P,) identities; people with -1 are left as they are.
            points: (P, J, D), NaN where missing.

        Returns:
            (P, J, D).
        """
        out = np.array(points, dtype=np.float64)
        for row, track in enumerate(np.asarray(tracks).tolist()):
            if track >= 0:
                out[row] = self._filters.setdefault(track, OneEuro(self.rules)).step(time, out[row])
        self._filters = {
            track: one for track, one in self._filters.items() if one.time is None or time - one.time <= self.patience
        }
        return out
