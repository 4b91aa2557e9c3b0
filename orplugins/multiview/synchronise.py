"""Whether the clocks of several cameras agree, from the motion of people in their images.

Detections of one moment lie on each other's epipolar lines; those of different moments do not, if people move across
them. The squared distance over lags has its minimum at the time offset, and is a parabola about it. What is constant in
the distance of a joint (a calibration that is not perfect, a detector that finds the near side of a shoulder) counts
little. A frame rate that differs shows as an offset that drifts.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orplugins.geometry.assignment import match_pairs
from orplugins.geometry.cameras import Camera
from orplugins.geometry.epipolar import fundamental_matrix
from orplugins.geometry.timeseries import parabola_offset
from orplugins.geometry.triangulation import present
from orplugins.multiview.fit import sizes

View = dict[int, np.ndarray]
# Distances beyond this share of a person's size say nothing more: somebody else, or a wrong joint.
_MOST = 0.15
# The largest people of a frame that are looked at.
_MOST_PEOPLE = 5
# Weight of the constant part of a joint's squared distance beside the changing one's 1.
_CONSTANT = 0.2
# Frame rates that are mixed up, frames a second.
_FRAME_RATES = (15.0, 24.0, 25.0, 30.0, 50.0, 60.0)
RATES = tuple(sorted({b / a for a in _FRAME_RATES for b in _FRAME_RATES if a != b and 1 / 3 <= b / a <= 3}))


@dataclass(frozen=True)
class SyncRules:
    """What is looked for, and when it is believed.

    Attributes:
        max_lag: Largest offset, frames.
        frames: Number of frames of a view that are compared with another's, evenly spaced.
        least: Minimum number of frames in which both views have people.
        gain: The squared distance at the offset must be smaller than that at 0 by this factor (mean of the pairs).
        fit: Largest distance at the offset, as a share of people's size: beyond, the rig is wrong and says nothing.
        end_gain: The same for offsets that differ between both ends of a take.
        drift: Difference of the offsets at both ends of a take at which frame rates are compared, frames.
    """

    max_lag: int = 60
    frames: int = 150
    least: int = 20
    gain: float = 1.25
    fit: float = 0.045
    end_gain: float = 2.0
    drift: float = 1.5


@dataclass(frozen=True)
class Clock:
    """A camera's clock: frame t of the others was taken together with frame ``rate * (t - first) + first + offset``.

    Attributes:
        offset: Frames.
        rate: Frames of this camera for each of the others; 1 unless another one is seen.
        gain: Factor by which the squared distances fall with this clock.
        jump: Offsets in the first and in the last third of the take, where they differ and no rate explains it.
    """

    offset: float = 0.0
    rate: float = 1.0
    gain: float = 1.0
    jump: tuple[float, float] | None = None


class _Pair:
    """Distances between the detections of two views, and what they say about the time between them."""

    def __init__(self, cameras: Sequence[Camera], a: View, b: View, first: int, rules: SyncRules):
        numbers = np.array(sorted(n for n, people in a.items() if len(people)))
        chosen = np.linspace(0, len(numbers) - 1, min(rules.frames, len(numbers))).astype(int)
        self.numbers, self.first, self.rules = numbers[chosen], first, rules
        self.b_numbers = np.array(sorted(n for n, people in b.items() if len(people)))
        self.a = _Padded(cameras[0], [a[n] for n in self.numbers.tolist()])
        self.b = _Padded(cameras[1], [b[n] for n in self.b_numbers.tolist()])
        fundamental = fundamental_matrix(cameras)
        self.line_b, self.line_a = self.a.points @ fundamental.T, self.b.points @ fundamental
        self.lags = np.arange(-rules.max_lag, rules.max_lag + 1)
        errors = self._all_errors(1.0)
        self.table = self._cost(errors)
        third = len(self.numbers) // 3
        ends = [self._cost(errors[:, part]) for part in (slice(0, third), slice(len(self.numbers) - third, None))]
        self.ends = [self._lag(table) for table in ends]
        # How much worse each end's offset is at the other end: below 1.2 the ends say the same.
        self.contradiction = self._contradiction(ends) if third >= rules.least else 1.0
        self.floor = float(np.mean([np.nanmin(table) if np.isfinite(table).any() else np.inf for table in ends]))

    @property
    def sharpness(self) -> float:
        """How much the cost rises two frames from its minimum, as a share of it."""
        if not np.isfinite(self.table).any():
            return 0.0
        best = int(np.nanargmin(self.table))
        around = self.table[[max(best - 2, 0), min(best + 2, len(self.table) - 1)]]
        return float(np.nanmin(around) / self.table[best] - 1) if np.isfinite(around).any() else 0.0

    def _contradiction(self, tables: list[np.ndarray]) -> float:
        ratios = []
        for table, other in zip(tables, self.ends[::-1], strict=True):
            known = np.flatnonzero(np.isfinite(table))
            if not len(known):
                return 1.0
            nearest = known[np.abs(self.lags[known] - other).argmin()]
            ratios.append(table[nearest] / table[known].min())
        return float(min(ratios))

    def at_rate(self, rate: float) -> tuple[float, float]:
        """Offset and cost if b has ``rate`` frames for each of a."""
        table = self._cost(self._all_errors(rate))
        return (self._lag(table), float(np.nanmin(table))) if np.isfinite(table).any() else (0.0, np.inf)

    def _lag(self, table: np.ndarray) -> float:
        if not np.isfinite(table).any():
            return 0.0
        best = int(np.nanargmin(table))
        return float(self.lags[best] + parabola_offset((-table).tolist(), best))

    def _all_errors(self, rate: float) -> np.ndarray:
        wanted = rate * (self.numbers - self.first) + self.first
        return np.stack([self._errors(np.round(wanted + lag).astype(np.int64)) for lag in self.lags])

    def _cost(self, errors: np.ndarray) -> np.ndarray:
        """(L,) from (L, F, 17); NaN for lags at which too few frames have people in both views."""
        known = np.isfinite(errors)
        frames = known.any(2).sum(1)
        enough = frames >= max(0.6 * frames.max(initial=0), min(self.rules.least, 0.5 * errors.shape[1]), 4)
        count = known.sum(1)
        mean = np.where(known, errors, 0.0).sum(1) / np.maximum(count, 1)
        square = np.where(known, errors**2, 0.0).sum(1) / np.maximum(count, 1)
        cost = square - (1 - _CONSTANT) * mean**2
        moving = self._moving(cost[enough], count[enough])
        cost, count = cost[:, moving], count[:, moving]
        total = (cost * count).sum(1) / np.maximum(count.sum(1), 1)
        return np.where(enough, total + 1e-8, np.nan)

    def _moving(self, cost: np.ndarray, count: np.ndarray) -> np.ndarray:
        """(C,) the joints whose cost depends most on the lag: a third of those that are seen often enough."""
        seen = (count >= 0.3 * count.max(initial=1)).all(0) if len(count) else np.zeros(cost.shape[1], dtype=bool)
        if not seen.any():
            return np.ones(cost.shape[1], dtype=bool)
        change = np.where(seen, cost.max(0) - cost.min(0), -1.0)
        return change >= np.sort(change[seen])[-max(seen.sum() // 3, 1)]

    def _errors(self, wanted: np.ndarray) -> np.ndarray:
        """(F, N x 17) signed distances between a's people and those of the wanted frames of b that they belong to."""
        row = np.searchsorted(self.b_numbers, wanted)
        found = row < len(self.b_numbers)
        row = np.where(found, row, 0)
        found &= self.b_numbers[row] == wanted
        out = np.full((len(wanted), self.a.seen[0].size), np.nan)
        if not found.any():
            return out
        mine, row = np.flatnonzero(found), row[found]
        x2, l2, l1 = self.b.points[row][:, None], self.line_b[mine][:, :, None], self.line_a[row][:, None]
        value = (x2 * l2).sum(-1)
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = 0.5 * value * (1 / np.hypot(l2[..., 0], l2[..., 1]) + 1 / np.hypot(l1[..., 0], l1[..., 1]))
            size = np.sqrt(self.a.size[mine][:, :, None] * self.b.size[row][:, None])
            share = np.clip(distance / size[..., None], -_MOST, _MOST)
        shared = self.a.seen[mine][:, :, None] & self.b.seen[row][:, None]
        count = shared.sum(-1)
        mean = np.where(shared, share**2, 0.0).sum(-1) / np.maximum(count, 1)
        mean = np.where(count >= 4, mean, np.inf)
        mine_best, other_best = mean.argmin(2), mean.argmin(1)
        people = np.arange(mean.shape[1])
        mutual = np.take_along_axis(other_best, mine_best, 1) == people
        chosen = np.take_along_axis(share, mine_best[:, :, None, None], 2)[:, :, 0]
        both = np.take_along_axis(shared, mine_best[:, :, None, None], 2)[:, :, 0]
        known = both & mutual[..., None] & np.isfinite(np.take_along_axis(mean, mine_best[..., None], 2))
        out[mine] = np.where(known, chosen, np.nan).reshape(len(mine), -1)
        return out


class _Padded:
    def __init__(self, camera: Camera, frames: list[np.ndarray]):
        people = np.zeros((len(frames), max(map(len, frames)), *frames[0].shape[1:]))
        for row, frame in zip(people, frames, strict=True):
            row[: len(frame)] = frame
        largest = np.argsort(-sizes(people), axis=1)[:, :_MOST_PEOPLE]
        people = np.take_along_axis(people, largest[..., None, None], 1)
        self.seen, self.size = present(people), np.maximum(sizes(people), 1.0)
        pixels = np.where(self.seen[..., None], people[..., :2], 0.0)
        pixels = camera.undistort(pixels) if camera.distortion else pixels
        self.seen &= np.isfinite(pixels).all(-1)
        self.points = np.concatenate([np.where(self.seen[..., None], pixels, 0.0), np.ones((*self.seen.shape, 1))], -1)


def _gain(table: np.ndarray) -> float:
    middle = table[len(table) // 2]
    return float(middle / np.nanmin(table)) if np.isfinite(middle) else np.inf if np.isfinite(table).any() else 1.0


def find_clocks(cameras: Sequence[Camera], views: Sequence[View], rules: SyncRules | None = None) -> list[Clock]:
    """Estimate the clock of every camera from the people in its images.

    Args:
        cameras: V cameras of one world.
        views: V detections (N, 17, 3) by frame number.
        rules: What is looked for; None: the defaults.

    Returns:
        V clocks; those of most cameras have offset 0. Where nothing moves, or nothing fits, all have.
    """
    rules = rules or SyncRules()
    seen = [sum(len(people) > 0 for people in view.values()) for view in views]
    usable = [v for v, count in enumerate(seen) if count >= rules.least]
    clocks = [Clock() for _ in cameras]
    if len(usable) < 2:
        return clocks
    first = min(min(view) for view in views if view)
    pairs = {
        (a, b): _Pair([cameras[a], cameras[b]], views[a], views[b], first, rules)
        for a, b in itertools.combinations(usable, 2)
    }
    pairs = {key: pair for key, pair in pairs.items() if pair.floor <= rules.fit**2}
    usable = [v for v in usable if any(v in key for key in pairs)]
    if not usable:
        return clocks
    drifting = {
        key
        for key, pair in pairs.items()
        if abs(pair.ends[1] - pair.ends[0]) >= rules.drift and pair.contradiction > 1.2
    }
    counts = {v: sum(v in key for key in drifting) for v in usable}
    reference = min(usable, key=lambda v: counts[v])
    odd = [v for v in usable if v != reference and _drifts(reference, v, drifting, seen)]
    for v in odd:
        clocks[v] = _rate(cameras, views, (reference, v), first, rules)
    steady = [v for v in usable if clocks[v].rate == 1 and clocks[v].jump is None]
    for v, clock in _offsets({key: pair for key, pair in pairs.items() if set(key) <= set(steady)}, steady).items():
        clocks[v] = clock
    return clocks


def _drifts(reference: int, v: int, drifting: set, seen: list[int]) -> bool:
    ratio = seen[v] / seen[reference]
    return tuple(sorted((reference, v))) in drifting or min(abs(ratio / rate - 1) for rate in RATES) < 0.01


def _rate(cameras, views, names: tuple[int, int], first: int, rules: SyncRules) -> Clock:
    """Clock of the second camera against the first: another frame rate, or an offset that jumps."""
    a, b = names
    pair = _Pair([cameras[a], cameras[b]], views[a], views[b], first, rules)
    at_one = float(np.nanmin(pair.table)) if np.isfinite(pair.table).any() else np.inf
    span = (pair.numbers[-1] - pair.numbers[0]) * 2 / 3
    drift = pair.ends[1] - pair.ends[0]
    tried = {rate: pair.at_rate(rate) for rate in (*RATES, 1 + drift / max(float(span), 1.0))}
    # A rate that cameras have is preferred to one that only fits.
    rate = min(tried, key=lambda r: tried[r][1] * (1.0 if r in RATES else 1.5))
    offset, cost = tried[rate]
    if cost < at_one / (1.2 * rules.gain) and cost < (2.0 if rate in RATES else 1.3) * pair.floor:
        return Clock(offset, rate, at_one / cost)
    if abs(drift) >= rules.drift and pair.contradiction > rules.end_gain:
        return Clock(pair.ends[0], 1.0, _gain(pair.table), (pair.ends[0], pair.ends[1]))
    return Clock()


class _Table:
    """Logarithm of a pair's cost at any offset, with a parabola through the nearest whole ones."""

    def __init__(self, pair: _Pair):
        self.values, self.most = pair.table, len(pair.table) // 2
        self.beyond = float(np.nanmax(self.values))

    def _at(self, lag: int) -> float:
        inside = abs(lag) <= self.most and np.isfinite(self.values[lag + self.most])
        return float(self.values[lag + self.most]) if inside else self.beyond

    def __call__(self, lag: float) -> float:
        whole = round(lag)
        part, middle = lag - whole, self._at(whole)
        if abs(part) > 1e-9:
            before, after = self._at(whole - 1), self._at(whole + 1)
            middle += 0.5 * part * (after - before) + 0.5 * part**2 * (before + after - 2 * middle)
        return float(np.log(max(middle, 1e-8)))


def _offsets(pairs: dict[tuple[int, int], _Pair], names: list[int]) -> dict[int, Clock]:
    """Offsets that explain all pairs best, by descent from those of the sharpest pairs."""
    pairs = {key: pair for key, pair in pairs.items() if np.isfinite(pair.table).any()}
    if not pairs:
        return {}
    tables = {key: _Table(pair) for key, pair in pairs.items()}
    most = next(iter(tables.values())).most

    def total(v: int, offset: float, offsets: dict[int, float]) -> float:
        others = {**offsets, v: offset}
        mine = [(key, table) for key, table in tables.items() if v in key]
        return sum(table(others[key[1]] - others[key[0]]) for key, table in mine) / max(len(mine), 1)

    def descend(start: dict[int, float], fixed: int, steps: np.ndarray) -> dict[int, float]:
        offsets = dict(start)
        for _ in range(6):
            before = dict(offsets)
            for v in offsets:
                if v != fixed:
                    tried = [(total(v, start[v] + step, offsets), abs(step), start[v] + step) for step in steps]
                    offsets[v] = min(tried)[2]
            if offsets == before:
                break
        return offsets

    whole = descend(_start(pairs, names), names[0], np.arange(-most, most + 1.0))
    values = list(whole.values())
    usual = max(values, key=lambda o: (values.count(o), -abs(o)))
    fixed = next(v for v, o in whole.items() if o == usual)
    offsets = descend({v: o - usual for v, o in whole.items()}, fixed, np.linspace(-0.5, 0.5, 21))
    clocks = {}
    for v, offset in offsets.items():
        gain = float(np.exp(total(v, 0.0, offsets) - total(v, offset, offsets)))
        nearest = float(round(offset))
        offset = nearest if abs(offset - nearest) < 0.15 else float(offset)
        clocks[v] = Clock(offset, 1.0, gain) if gain >= 1.1 else Clock(0.0, 1.0, gain)
    return clocks


def _start(pairs: dict[tuple[int, int], _Pair], names: list[int]) -> dict[int, float]:
    """Whole offsets along the tree of the sharpest pairs."""
    offsets = {names[0]: 0.0}
    order = sorted(pairs, key=lambda key: -pairs[key].sharpness)
    while len(offsets) < len(names):
        edge = next((key for key in order if (key[0] in offsets) != (key[1] in offsets)), None)
        if edge is None:
            offsets.update({v: 0.0 for v in names if v not in offsets})
            break
        lag = float(pairs[edge].lags[np.nanargmin(pairs[edge].table)])
        a, b = edge
        offsets.update({b: offsets[a] + lag} if a in offsets else {a: offsets[b] - lag})
    return offsets


def believed(clock: Clock, rules: SyncRules | None = None) -> bool:
    """Whether a clock differs from the others' by about a frame or more, beyond doubt."""
    rules = rules or SyncRules()
    return clock.jump is not None or clock.rate != 1 or (abs(clock.offset) >= 0.75 and clock.gain >= rules.gain)


def on_one_clock(view: View, clock: Clock, first: int, frames: Sequence[int]) -> View:
    """A view's detections at the moments of the others' frames.

    Between two frames joints are interpolated; people are those of the nearer frame.

    Args:
        view: Detections (N, 17, 3) by frame number.
        clock: The view's.
        first: First frame number of all views.
        frames: Frame numbers of the others.

    Returns:
        Detections by the others' frame numbers.
    """
    out = {}
    for t in frames:
        place = clock.rate * (t - first) + first + clock.offset
        lower = int(np.floor(place + 1e-6))
        share = max(place - lower, 0.0)
        before, after = view.get(lower), view.get(lower + 1)
        if share < 0.02 or before is None or after is None or not (len(before) and len(after)):
            nearest = before if share < 0.5 else after
            if nearest is not None:
                out[t] = nearest
            continue
        out[t] = _between(before, after, share) if share < 0.5 else _between(after, before, 1 - share)
    return out


def _between(near: np.ndarray, far: np.ndarray, share: float) -> np.ndarray:
    both = present(near)[:, None] & present(far)[None]
    distance = np.linalg.norm(near[:, None, :, :2] - far[None, :, :, :2], axis=-1)
    count = both.sum(-1)
    mean = np.where(both, distance, 0.0).sum(-1) / np.maximum(count, 1)
    cost = np.where((count > 3) & (mean < 0.3 * sizes(near)[:, None]), mean, np.inf)
    out = near.copy()
    for i, j in enumerate(match_pairs(cost)):
        if j >= 0:
            moved = (1 - share) * near[i, :, :2] + share * far[j, :, :2]
            out[i, :, :2] = np.where(both[i, j][:, None], moved, near[i, :, :2])
    return out
