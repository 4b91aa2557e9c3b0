"""People of one camera over time, online: a Kalman filter a person, and the best assignment a frame.

A person is a place, a size and a pose about that place in units of the size. The filter (filterpy's) follows place and
size; the pose is carried along. A detection is compared with the pose where it is expected, joint by joint, so that
half of a person is compared with that half. Costs are assigned optimally (SciPy's). All limits are in seconds and in
sizes of the person, so that they mean the same at any frame rate and resolution.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from orplugins.geometry.assignment import match_pairs


@dataclass(frozen=True)
class TrackRules2D:
    """Limits of tracking. A size is the root of the area of the box around a person's joints.

    Attributes:
        reach: A detection is at most so far (median over joints) from where the person is expected, in sizes,
        speed: and further by so many sizes for each second since it was seen,
        most: but never further than this.
        patience_s: A track that was lost for longer is another person.
        memory_s: How long an unseen person goes on with its velocity.
        settle: A person counts from so many detections on: what a network takes for one by chance does not last.
        min_joints: Common joints that make a distance.
        min_size_px: What a smaller person counts as, pixels.
        turn: Standard deviation of accelerations, sizes per second squared.
        error: Standard deviation of a detection's place, sizes.
        size_error: Largest ratio of sizes of one person in neighbouring detections, as a logarithm.
    """

    reach: float = 0.35
    speed: float = 0.7
    most: float = 1.2
    patience_s: float = 2.0
    memory_s: float = 0.4
    settle: int = 3
    min_joints: int = 3
    min_size_px: float = 8.0
    turn: float = 3.0
    error: float = 0.03
    size_error: float = 0.25

    def __post_init__(self):
        for name in ("reach", "most", "patience_s", "memory_s", "turn", "error", "min_size_px", "size_error"):
            if not 0 < getattr(self, name) < np.inf:
                raise ValueError(f"tracking {name}: found {getattr(self, name)}, expected a number above 0")
        if self.settle < 1 or self.min_joints < 1 or not self.speed >= 0:
            raise ValueError("tracking: settle and min_joints: expected 1 or more; speed: expected 0 or more")


@dataclass(eq=False)
class _Track:
    filter: Any  # filterpy's KalmanFilter: x, y, log size and their velocities
    pose: np.ndarray  # (K, 2) about the place, in sizes; NaN where a joint was never seen
    time: float
    seen: int = 1
    settled: int | None = field(default=None)


class PeopleTracker2D:
    """Identities of one camera's people.

    Args:
        rules: Limits; None: the defaults.

    Raises:
        ImportError: filterpy is not installed (``pip install orplugins[live]``).
    """

    def __init__(self, rules: TrackRules2D | None = None):
        try:
            from filterpy.kalman import KalmanFilter
        except ImportError:
            text = "filterpy is not installed, which follows people: pip install orplugins[live]"
            raise ImportError(text) from None
        self._new_filter = KalmanFilter
        self.rules = rules or TrackRules2D()
        self._tracks: list[_Track] = []
        self._named = 0
        self._time = -np.inf

    def __len__(self) -> int:
        return len(self._tracks)

    def step(self, time: float, keypoints: np.ndarray) -> np.ndarray:
        """Follow people to the next frame.

        Args:
            time: Seconds. Where it goes back, as after a jump of the clock, everybody is new.
            keypoints: (N, K, 2 or more) x, y in pixels, NaN where a joint is missing.

        Returns:
            (N,) identities from 0 in the order in which people were settled; -1 for who is not settled yet.
        """
        rules = self.rules
        if time < self._time:
            self._tracks = []
        self._time = time
        joints = np.asarray(keypoints, dtype=np.float64)[..., :2]
        self._tracks = [track for track in self._tracks if time - track.time <= rules.patience_s]
        expected = [self._expected(track, time) for track in self._tracks]
        cost = self._costs(time, joints, expected)
        names = np.full(len(joints), -1)
        taken = set()
        for i, j in enumerate(match_pairs(cost)):
            if j >= 0:
                self._update(self._tracks[i], time, joints[j], expected[i])
                names[j] = self._name(self._tracks[i])
                taken.add(int(j))
        for j, person in enumerate(joints):
            if j not in taken and np.isfinite(person).all(-1).sum() >= rules.min_joints:
                self._tracks.append(self._begin(time, person))
                names[j] = self._name(self._tracks[-1])
        return names

    def _costs(self, time: float, joints: np.ndarray, expected: list[tuple[np.ndarray, float]]) -> np.ndarray:
        """(T, N) median distances of joints from where tracks are expected, in sizes; NaN for what cannot be."""
        rules = self.rules
        if not expected or not len(joints):
            return np.full((len(expected), len(joints)), np.nan)
        poses, sizes = np.stack([pose for pose, _ in expected]), np.array([size for _, size in expected])
        gap = np.array([time - track.time for track in self._tracks])
        settled = np.array([track.settled is not None for track in self._tracks])
        apart = np.linalg.norm(joints[None] - poses[:, None], axis=-1) / sizes[:, None, None]
        apart.sort(-1)  # NaN last
        count = np.isfinite(apart).sum(-1)
        at = np.maximum(count - 1, 0)
        far = sum(np.take_along_axis(apart, k[..., None], -1)[..., 0] for k in (at // 2, (at + 1) // 2)) / 2
        limit = np.minimum(rules.reach + rules.speed * gap, rules.most)
        # Whoever is settled, and was seen a moment ago, goes first: a lost track reaches further.
        late = 0.2 * rules.reach * np.minimum(gap, 1.0) + 0.1 * rules.reach * ~settled
        return np.where((count >= rules.min_joints) & (far <= limit[:, None]), far + late[:, None], np.nan)

    def _name(self, track: _Track) -> int:
        if track.settled is None and track.seen >= self.rules.settle:
            track.settled, self._named = self._named, self._named + 1
        return -1 if track.settled is None else track.settled

    def _begin(self, time: float, person: np.ndarray) -> _Track:
        low, high = np.nanmin(person, 0), np.nanmax(person, 0)
        size = max(float(np.sqrt(np.prod(high - low))), 0.5 * float((high - low).max()), self.rules.min_size_px)
        place = (low + high) / 2
        new = self._new_filter(dim_x=6, dim_z=3)
        new.x = np.array([*place, np.log(size), 0.0, 0.0, 0.0])[:, None]
        new.H = np.eye(3, 6)
        # At first nothing is known of the velocity: a body's size a second.
        spread = np.array([self.rules.error * size] * 2 + [self.rules.size_error] + [size] * 2 + [0.2])
        new.P = np.diag(spread**2)
        return _Track(new, (person - place) / size, time)

    def _motion(self, gap: float) -> tuple[np.ndarray, float]:
        """(6, 6) how a state goes on: velocities die away, nobody walks on for long unseen."""
        memory = self.rules.memory_s
        keep = float(np.exp(-gap / memory))
        matrix = np.eye(6)
        matrix[[0, 1, 2], [3, 4, 5]] = memory * (1 - keep)
        matrix[[3, 4, 5], [3, 4, 5]] = keep
        return matrix, keep

    def _expected(self, track: _Track, time: float) -> tuple[np.ndarray, float]:
        """(K, 2) where a track's joints are expected, and its size in pixels."""
        state = self._motion(time - track.time)[0] @ track.filter.x[:, 0]
        size = float(np.exp(state[2]))
        return state[:2] + size * track.pose, size

    def _update(self, track: _Track, time: float, person: np.ndarray, expected: tuple[np.ndarray, float]) -> None:
        pose, size = expected
        rules, gap = self.rules, time - track.time
        common = np.isfinite(person).all(-1) & np.isfinite(pose).all(-1)
        one, two = pose[common], person[common]
        shift = np.median(two - one, 0)
        spread = np.sqrt(((one - one.mean(0)) ** 2).sum()), np.sqrt(((two - two.mean(0)) ** 2).sum())
        ratio = np.log(max(spread[1], 1e-6) / max(spread[0], 1e-6))
        ratio = float(np.clip(ratio, -rules.size_error, rules.size_error)) if spread[0] > 0.1 * size else 0.0
        noise = np.zeros((6, 6))
        for axis, scale in enumerate((size, size, 0.2)):
            push = np.array([gap * gap / 2, gap]) * rules.turn * scale
            noise[np.ix_([axis, axis + 3], [axis, axis + 3])] = np.outer(push, push)
        track.filter.predict(F=self._motion(gap)[0], Q=noise)
        before = track.filter.x[:2, 0]
        error = np.diag(np.square([rules.error * size, rules.error * size, rules.size_error]))
        track.filter.update(np.array([*(before + shift), track.filter.x[2, 0] + ratio]), R=error)
        place, size = track.filter.x[:2, 0], float(np.exp(track.filter.x[2, 0]))
        seen = np.isfinite(person).all(-1)
        track.pose = np.where(seen[:, None], (person - place) / size, track.pose)
        track.time, track.seen = time, track.seen + 1
