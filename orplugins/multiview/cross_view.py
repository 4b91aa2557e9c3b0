"""Which poses and boxes of several views are one person each: all views of a moment are decided together.

Every set of people, one a view at most, gets a value: what its poses say (`same_pose`) and how well all of them agree
on a place (`floor_places`). Of all choices of sets that share nobody, the one with the highest sum is taken; a pair
that looks likely by itself gives way where a third view says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.multiview.floor_places import FloorPlaces
from orplugins.multiview.people import pack
from orplugins.multiview.same_pose import PoseRules, pose_evidence
from orplugins.skeletons import CAMMA_10


@dataclass(frozen=True)
class Seen:
    """The people of one view at one moment.

    Attributes:
        boxes: (N, 4) x, y, width, height, pixels.
        poses: (N, 10, 3) CAMMA-10: x, y, confidence; zeros for people who have a box only.
    """

    boxes: np.ndarray
    poses: np.ndarray

    @property
    def posed(self) -> np.ndarray:
        """(N,) who has a pose."""
        return np.any(self.poses.reshape(-1, CAMMA_10.num_joints, 3)[..., 2] > 0, axis=1)


@dataclass(frozen=True)
class CrossViewRules:
    """When people of two views are believed to be one.

    Attributes:
        link: A larger set is held together by pairs of at least this value.
        most: Sets of a moment that are looked at.
    """

    link: float = -1.5
    most: int = 5000


Node = tuple[int, int]  # view and number


@dataclass(frozen=True)
class Who:
    """Who is who at one moment.

    Attributes:
        people: Members (view, number) of everybody who is in two views or more.
        scores: 0 to 1 of every pair of two views; of those in one person 0.5 and more, of others below 0.1.
    """

    people: list[tuple[Node, ...]]
    scores: dict[tuple[Node, Node], float]


def who_is_who(
    cameras: Sequence[Camera],
    moments: Sequence[Sequence[Seen]],
    places: FloorPlaces | None = None,
    pose_rules: PoseRules | None = None,
    rules: CrossViewRules | None = None,
) -> list[Who]:
    """Associate people across views.

    Args:
        cameras: V cameras of one world.
        moments: For every moment V views, undistorted.
        places: Of the same cameras in axes with the floor; None: only people with poses are associated.
        pose_rules: Errors of joints; None: the defaults.
        rules: Limits; None: the defaults.

    Returns:
        Who is who, for every moment.
    """
    rules = rules or CrossViewRules()
    tables = _pose_tables(cameras, moments, pose_rules)
    return [_Moment(views, poses, places, rules).decide() for views, poses in zip(moments, tables, strict=True)]


def _pose_tables(cameras, moments, rules) -> list[dict[tuple[int, int], np.ndarray]]:
    """For every moment and pair of views the (N, M) evidence of poses, NaN where one has none; all at once."""
    out: list[dict[tuple[int, int], np.ndarray]] = [{} for _ in moments]
    for a, b in combinations(range(len(cameras)), 2):
        first, second, sizes = [], [], []
        for views in moments:
            one, two = views[a].poses, views[b].poses
            first.append(np.repeat(one, len(two), axis=0))
            second.append(np.tile(two, (len(one), 1, 1)))
            sizes.append((len(one), len(two)))
        empty = [np.zeros((0, CAMMA_10.num_joints, 3))]
        left, right = (np.concatenate(side + empty) for side in (first, second))
        value = pose_evidence([cameras[a], cameras[b]], left, right, rules)
        value[~(np.any(left[..., 2] > 0, axis=1) & np.any(right[..., 2] > 0, axis=1))] = np.nan
        ends = np.cumsum([n * m for n, m in sizes])
        for t, (size, part) in enumerate(zip(sizes, np.split(value, ends[:-1]), strict=True)):
            out[t][a, b] = part.reshape(size)
    return out


class _Moment:
    def __init__(self, views: Sequence[Seen], poses: dict, places: FloorPlaces | None, rules: CrossViewRules):
        self.rules, self.places = rules, places
        self.nodes: list[Node] = [(v, i) for v, view in enumerate(views) for i in range(len(view.boxes))]
        self.posed = {(v, i): bool(view.posed[i]) for v, view in enumerate(views) for i in range(len(view.boxes))}
        self.density: dict[Node, np.ndarray] = {}
        if places is not None and not all(self.posed.values()):
            for v, view in enumerate(views):
                if len(view.boxes):
                    found = places.evidence(v, view.boxes, view.poses)
                    self.density |= {(v, i): row for i, row in enumerate(found)}
        self.pair: dict[tuple[Node, Node], float] = {}
        for one, two in combinations(self.nodes, 2):
            if one[0] != two[0]:
                both = self.posed[one] and self.posed[two]
                alone = self._meeting((one, two)) if self.density else -np.inf
                self.pair[one, two] = float(poses[one[0], two[0]][one[1], two[1]]) if both else alone

    def _meeting(self, members: Sequence[Node]) -> float:
        """Logarithm of how much better one place explains all than a place each."""
        if len(members) < 2:
            return 0.0
        assert self.places is not None
        total = self.density[members[0]]
        for node in members[1:]:
            total = total * (self.density[node] / self.places.crowd)
        return float(np.log(total.sum() * self.places.area + 1e-12))

    def value(self, members: Sequence[Node]) -> float:
        """What speaks for a set being one person."""
        posed = [node for node in members if self.posed[node]]
        total = sum(self.pair[pair] for pair in combinations(posed, 2))
        if len(posed) == len(members):
            return total
        if not self.density:
            return -np.inf
        return total + self._meeting(members) - self._meeting(posed)

    def decide(self) -> Who:
        sets = [(value, members) for members, value in self._sets() if value > 0]
        number = {node: k for k, node in enumerate(self.nodes)}
        chosen = pack([(value, tuple(number[node] for node in members)) for value, members in sets])
        people = [tuple(sorted(self.nodes[k] for k in members)) for members in chosen]
        together = {pair for members in people for pair in combinations(members, 2)}
        scores = {}
        for pair, value in self.pair.items():
            sure = 1 / (1 + np.exp(-np.clip(value, -50, 50)))
            scores[pair] = float(0.5 + 0.5 * sure if pair in together else 0.0999 * sure)
        return Who(people, scores)

    def _sets(self):
        """(members, value), members by view."""
        level = [(pair, self.pair[pair]) for pair in self.pair if self.pair[pair] > self.rules.link]
        count = 0
        linked = {frozenset(pair) for pair, _ in level}
        known = {pair for pair, _ in level}
        while level and count < self.rules.most:
            count += len(level)
            yield from level
            larger = []
            for members, _ in level:
                for node in self.nodes:
                    if node[0] in {v for v, _ in members}:
                        continue
                    new = tuple(sorted((*members, node)))
                    if new not in known and any(frozenset((node, other)) in linked for other in members):
                        known.add(new)
                        value = self.value(new)
                        if value > 0:
                            larger.append((new, value))
            level = larger
