"""People in 3D over time: who is who from one frame to the next, through gaps, and who is nobody.

Three steps. Frame by frame, people are assigned to where the tracks are expected (Hungarian); what does not fit begins
a new track. Then whole tracks are put together: two that are in one place at one time are one person found twice, and
one that begins where another would have gone is the same person after an occlusion. At last, tracks that were too short
are left out: what several cameras take for a person by chance does not last. All limits are in seconds and metres, so
that they mean the same at any frame rate.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from orplugins.geometry.assignment import match_pairs
from orplugins.skeletons import COCO_17

_TRUNK = [COCO_17.index(f"{side}_{part}") for side in ("left", "right") for part in ("shoulder", "hip")]
_BONES = np.array(
    [
        [COCO_17.index(f"{side}_{a}"), COCO_17.index(f"{side}_{b}")]
        for side in ("left", "right")
        for a, b in (("shoulder", "elbow"), ("elbow", "wrist"), ("shoulder", "hip"), ("hip", "knee"), ("knee", "ankle"))
    ]
)


@dataclass(frozen=True)
class PeopleTrackRules:
    """Limits of tracking.

    Attributes:
        reach_m: A person is at most so far (median over joints) from where the track is expected,
        speed: and further by so many metres for each second since it was seen,
        most_m: but never further than this.
        memory_s: Over which velocities are averaged, and for which a lost track goes on with its own.
        patience_s: A track that was lost for longer is another person.
        min_joints: Common joints that make a distance; with fewer it is that of the middles.
        same_m: Tracks nearer than this, whenever both are there, are one person.
        size: Deviation of the logarithm of people's size that tells two tracks apart.
        least_s: People who were seen for less are false; in recordings shorter than five times that, less than a fifth
            of the recording.
        least: And in fewer frames.
    """

    reach_m: float = 0.4
    speed: float = 1.5
    most_m: float = 1.5
    memory_s: float = 0.3
    patience_s: float = 3.0
    min_joints: int = 3
    same_m: float = 0.25
    size: float = 0.15
    least_s: float = 0.5
    least: int = 2


def track_people_3d(
    frames: np.ndarray, points: np.ndarray, fps: float, views: np.ndarray | None = None, rules=None
) -> np.ndarray:
    """Follow people over time.

    Args:
        frames: (P,) frame number of each person, sorted.
        points: (P, 17, 3) COCO-17, metres, NaN where missing.
        fps: Frames a second.
        views: (P,) how many views saw each: of somebody who was found twice the better one is kept. None: all alike.
        rules: `PeopleTrackRules`; None: the defaults.

    Returns:
        (P,) identities, from 0 in order of appearance; -1 for who is left out.

    Raises:
        ValueError: Frames that are not sorted, or no positive frame rate.
    """
    rules = rules or PeopleTrackRules()
    if not (np.isfinite(fps) and fps > 0):
        raise ValueError(f"fps is {fps}, expected frames a second above 0")
    if len(frames) > 1 and (np.diff(frames) < 0).any():
        raise ValueError("people are not in the order of their frames")
    if not len(frames):
        return np.zeros(0, dtype=np.int64)
    times = (np.asarray(frames) - frames[0]) / fps
    people = _People(times, np.asarray(points, dtype=np.float64))
    tracks = _pieces(people, np.asarray(frames), rules)
    weight = np.ones(len(frames)) if views is None else np.asarray(views, dtype=np.float64)
    weight = weight + np.isfinite(people.points).all(-1).mean(1)
    for _ in range(3):
        before = tracks.copy()
        tracks = _found_twice(tracks, people, np.asarray(frames), weight, rules)
        tracks = _after_gaps(tracks, people, rules)
        if (tracks == before).all():
            break
    return _numbered(_lasting(tracks, times, fps, rules))


def middle_of(points: np.ndarray) -> np.ndarray:
    """Middle of the trunk (..., 3) of people (..., 17, 3), or of all joints where no trunk was found."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # all missing
        trunk = np.nanmean(points[..., _TRUNK, :], -2)
        return np.where(np.isfinite(trunk), trunk, np.nanmedian(points, -2))


class _People:
    """Where people are.

    Attributes:
        times: (P,) seconds.
        points: (P, 17, 3).
        middle: (P, 3) of the trunk, or of all joints where no trunk was found.
        bones: (P, 10) logarithms of lengths.
    """

    def __init__(self, times: np.ndarray, points: np.ndarray):
        self.times, self.points = times, points
        self.middle = middle_of(points)
        with np.errstate(divide="ignore"):
            self.bones = np.log(np.linalg.norm(points[:, _BONES[:, 0]] - points[:, _BONES[:, 1]], axis=-1))

    def distance(self, expected: np.ndarray, middles: np.ndarray, new: np.ndarray, rules: PeopleTrackRules):
        """(A, N) metres between expected poses (A, 17, 3) with their middles and people ``new``."""
        apart = np.linalg.norm(expected[:, None] - self.points[new][None], axis=-1)
        common = np.isfinite(apart)
        apart.sort(-1)
        count = common.sum(-1)
        at = np.maximum(count - 1, 0)
        half = sum(np.take_along_axis(apart, k[..., None], -1)[..., 0] for k in (at // 2, (at + 1) // 2)) / 2
        between = np.linalg.norm(middles[:, None] - self.middle[new][None], axis=-1)
        return np.where(count >= rules.min_joints, half, between)


class _Piece:
    """A track that is being followed: joints when each was last seen, and the velocity of the middle."""

    def __init__(self, number: int, person: int, people: _People):
        self.number, self.person = number, person
        self.pose, self.middle = people.points[person].copy(), people.middle[person]
        self.velocity, self.time = np.zeros(3), people.times[person]

    def step(self, person: int, people: _People, rules: PeopleTrackRules) -> None:
        """Go on with a person; joints that it lacks go along with the others."""
        now, new = people.times[person], people.points[person]
        shift = (new - self.pose)[np.isfinite(new - self.pose).all(-1)]
        moved = np.median(shift, 0) if len(shift) else people.middle[person] - self.middle
        if np.isfinite(moved).all():
            share = 1 - np.exp(-(now - self.time) / rules.memory_s)
            self.velocity = self.velocity + share * (moved / (now - self.time) - self.velocity)
            self.pose = self.pose + moved
        self.pose = np.where(np.isfinite(new), new, self.pose)
        people.middle[person] = middle_of(self.pose)
        self.middle, self.time, self.person = people.middle[person], now, person

    def ahead(self, now: float, rules: PeopleTrackRules) -> np.ndarray:
        """(3,) how far the person has gone since it was seen; nobody walks on for long unseen."""
        return self.velocity * rules.memory_s * (1 - np.exp(-(now - self.time) / rules.memory_s))


class _Follower:
    """Tracks that are followed from frame to frame for as long as nothing is doubtful."""

    def __init__(self, rules: PeopleTrackRules):
        self.rules = rules
        self.alive: list[_Piece] = []
        self.count = 0

    def step(self, people: _People, new: np.ndarray) -> np.ndarray:
        """Follow to the people ``new`` of one moment: their tracks."""
        rules, now = self.rules, people.times[new[0]]
        self.alive = [piece for piece in self.alive if now - piece.time <= rules.patience_s]
        tracks = np.full(len(new), -1)
        if self.alive:
            moved = np.stack([piece.ahead(now, rules) for piece in self.alive])
            expected = np.stack([piece.pose for piece in self.alive]) + moved[:, None]
            middles = np.stack([piece.middle for piece in self.alive]) + moved
            distance = people.distance(expected, middles, new, rules)
            gap = np.array([now - piece.time for piece in self.alive])
            limit = np.minimum(rules.reach_m + rules.speed * gap, rules.most_m)[:, None]
            # Whoever was seen a moment ago goes first: a lost track reaches further.
            cost = np.where(distance <= limit, distance + 0.2 * rules.reach_m * np.minimum(gap, 1)[:, None], np.nan)
            for piece, j in zip(self.alive, match_pairs(cost), strict=True):
                if j >= 0:
                    piece.step(int(new[j]), people, rules)
                    tracks[j] = piece.number
        for j in np.flatnonzero(tracks < 0):
            tracks[j] = self.count
            self.alive.append(_Piece(self.count, int(new[j]), people))
            self.count += 1
        return tracks


def _pieces(people: _People, frames: np.ndarray, rules: PeopleTrackRules) -> np.ndarray:
    """(P,) tracks frame by frame."""
    tracks, follower = np.full(len(frames), -1), _Follower(rules)
    for new in np.split(np.arange(len(frames)), np.flatnonzero(np.diff(frames)) + 1):
        tracks[new] = follower.step(people, new)
    return tracks


class OnlineTracks:
    """Identities of people in 3D as they come, when nothing of what follows is known.

    The same steps from frame to frame as `track_people_3d`, without what looks back: whoever was seen in fewer than
    ``settle`` moments has no identity yet, and a track that ended begins anew only where it would have gone.

    Args:
        rules: Limits; None: the defaults.
        settle: A person counts from so many moments on: what several cameras take for one by chance does not last.
    """

    def __init__(self, rules: PeopleTrackRules | None = None, settle: int = 3):
        self.rules, self.settle = rules or PeopleTrackRules(), settle
        self._follower = _Follower(self.rules)
        self._seen: dict[int, int] = {}  # track -> moments, of tracks that are alive
        self._names: dict[int, int] = {}  # track -> identity, of those that settled
        self._count, self._time = 0, -np.inf

    def __len__(self) -> int:
        return len(self._follower.alive)

    def step(self, time: float, points: np.ndarray) -> np.ndarray:
        """Follow people to the next moment.

        Args:
            time: Seconds. Where it goes back, as after a jump of the clock, everybody is new.
            points: (P, 17, 3) COCO-17, metres, NaN where missing.

        Returns:
            (P,) identities from 0 in the order in which people settled, -1 for who has not.
        """
        if time <= self._time:
            self._follower.alive = []
        self._time = time
        if not len(points):
            return np.zeros(0, dtype=np.int64)
        people = _People(np.full(len(points), time), np.array(points, dtype=np.float64))
        tracks = self._follower.step(people, np.arange(len(points))).tolist()
        for track in tracks:
            self._seen[track] = self._seen.get(track, 0) + 1
            if self._seen[track] >= self.settle and track not in self._names:
                self._names[track], self._count = self._count, self._count + 1
        alive = {piece.number for piece in self._follower.alive}
        self._seen = {track: count for track, count in self._seen.items() if track in alive}
        self._names = {track: name for track, name in self._names.items() if track in alive}
        return np.array([self._names.get(track, -1) for track in tracks], dtype=np.int64)


def _members(tracks: np.ndarray) -> dict[int, np.ndarray]:
    return {int(t): np.flatnonzero(tracks == t) for t in np.unique(tracks[tracks >= 0])}


def _found_twice(tracks, people: _People, frames, weight, rules: PeopleTrackRules) -> np.ndarray:
    """Unite tracks that are in one place whenever both are there; of two people of a frame the better one is kept."""
    tracks, members = tracks.copy(), _members(tracks)
    order = sorted(members, key=lambda t: -len(members[t]))
    for k, one in enumerate(order):
        for two in order[k + 1 :]:
            if one not in members or two not in members:
                continue
            _, i, j = np.intersect1d(frames[members[one]], frames[members[two]], return_indices=True)
            a, b = members[one][i], members[two][j]
            if len(a) < max(2, 0.5 * len(members[two])):
                continue
            apart = np.linalg.norm(people.middle[a] - people.middle[b], axis=1)
            if not np.isfinite(apart).any() or np.nanmedian(apart) > rules.same_m:
                continue
            tracks[members[two]] = one
            tracks[np.where(weight[b] > weight[a], a, b)] = -1
            members[one] = np.flatnonzero(tracks == one)
            del members[two]
    return tracks


def _after_gaps(tracks, people: _People, rules: PeopleTrackRules) -> np.ndarray:
    """Put tracks together that go on where others ended."""
    members = _members(tracks)
    names = list(members)
    if len(names) < 2:
        return tracks
    first, last = (np.array([members[t][k] for t in names]) for k in (0, -1))
    start, end = people.times[first], people.times[last]
    before, after = (np.stack([_velocity(members[t], people, rules, late) for t in names]) for late in (True, False))
    size = [_size(members[t], people) for t in names]
    gap = start[None] - end[:, None]
    ahead = np.clip(gap, 0, rules.memory_s)[..., None]
    apart = people.middle[first][None] - people.middle[last][:, None]
    with np.errstate(invalid="ignore"):
        off = np.linalg.norm(apart - ahead * (before[:, None] + after[None]) / 2, axis=-1)
        limit = np.minimum(rules.reach_m + rules.speed * gap, rules.most_m)
        cost = off / limit + 0.1 * gap
        for i, one in enumerate(size):
            for j, two in enumerate(size):
                ratio = np.abs(one - two)
                if np.isfinite(ratio).any():
                    cost[i, j] += 0.3 * (np.nanmedian(ratio) / rules.size) ** 2
        cost = np.where((gap > 1e-9) & (gap <= rules.patience_s), cost, np.nan)
    out = tracks.copy()
    root = {t: t for t in names}
    for i, j in enumerate(match_pairs(cost, 1.0)):
        if j >= 0:
            root[names[j]] = names[i]
    for t in names:
        top = t
        while root[top] != top:
            top = root[top]
        out[members[t]] = top
    return out


def _velocity(members: np.ndarray, people: _People, rules: PeopleTrackRules, late: bool) -> np.ndarray:
    """(3,) of the middle at the end of a track, or at its beginning: the slope over the memory."""
    times = people.times[members]
    near = times >= times[-1] - 2 * rules.memory_s if late else times <= times[0] + 2 * rules.memory_s
    t, x = times[near], people.middle[members[near]]
    known = np.isfinite(x).all(1)
    if known.sum() < 3 or np.ptp(t[known]) < rules.memory_s / 2:
        return np.zeros(3)
    return np.polyfit(t[known] - t[known].mean(), x[known], 1)[0]


def _size(members: np.ndarray, people: _People) -> np.ndarray:
    """Usual logarithms of a person's bones."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.nanmedian(people.bones[members], 0)


def _lasting(tracks: np.ndarray, times: np.ndarray, fps: float, rules: PeopleTrackRules) -> np.ndarray:
    """Leave out those who were seen too shortly."""
    length = times[-1] + 1 / fps
    least = max(rules.least if length * fps > 5 else 1, min(rules.least_s, length / 5) * fps)
    count = np.bincount(tracks[tracks >= 0], minlength=1)
    return np.where((tracks >= 0) & (count[np.maximum(tracks, 0)] >= least - 1e-6), tracks, -1)


def _numbered(tracks: np.ndarray) -> np.ndarray:
    """From 0 in order of appearance."""
    names, first = np.unique(tracks[tracks >= 0], return_index=True)
    new = np.full(int(tracks.max()) + 2, -1)
    new[names[np.argsort(first)]] = np.arange(len(names))
    return new[tracks]
