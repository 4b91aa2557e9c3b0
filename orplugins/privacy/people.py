"""From finds to people: what is hidden of each, and how sure the detectors were.

A person is what several passes found at one place. Of the joints of all passes the union is hidden, so that a pass that
errs does not uncover what another has right. The constants were chosen on generated pictures, recall first
(``dev/hide_table.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from orplugins.adaptation.fusion import iou
from orplugins.privacy.finds import JOINTS, Finds
from orplugins.privacy.settings import HEADS

_SAME = 0.55  # least overlap of boxes that are one person
_KNOWN = 0.15  # least confidence of a joint that says where a head is
_HEAD, _SHOULDERS, _HIPS = slice(0, 5), [5, 6], [11, 12]
# Radius of a head with its cap, in units of what a find shows of the body. Adults' means: the head with a cap is 0.27 m
# high, shoulder joints lie 0.36 m apart and 0.5 m above the hips, and a standing person is 1.7 m high.
_PER_SHOULDERS, _PER_TRUNK, _PER_BOX = 0.38, 0.27, 0.075
_LEAST, _MOST = 0.2, 0.5  # radius: of the geometric mean of a box's sides, and of its shorter side
_CIRCLE = 1.5  # of that radius is hidden: joints of a head are often some pixels wrong
_UPRIGHT = 1.2  # height of a box over its width, above which its top holds the head
_TOP, _WIDEST = 0.286, 2.0  # of an upright box's height is hidden, in at most so many times that width
_BORDER = 2.0  # pixels: a box that is so near to the border shows a part of somebody
_PART = 1.2  # of such a box is hidden, where it is not upright
_WHOLE = 0.3  # least score at which somebody without joints, who is not upright, is hidden as a whole
_BODY = 1.15  # of a person's box is hidden


@dataclass(frozen=True, eq=False)
class Person:
    """One person in one picture.

    Attributes:
        centre: (2,) of the head, or of the person where people are hidden; pixels, edges at 0.
        half: (2,) half of the width and height of the head, or of the person.
        shapes: (M, 5) what is hidden: x1, y1, x2, y2 and 1 for an ellipse, 0 for a box.
        score: Mean over all passes, 0 for one that did not find the person.
        support: Share of the passes that found the person.
        joints: (17, 3) of the find with the highest score that has joints; NaN without.
        why: "found", or how somebody whom no pass found is known.
    """

    centre: np.ndarray
    half: np.ndarray
    shapes: np.ndarray
    score: float
    support: float
    joints: np.ndarray
    why: str = "found"

    @property
    def radius(self) -> float:
        """Half of the shorter side, pixels."""
        return float(self.half.min())

    def moved(self, centre: np.ndarray, grown: float, why: str) -> Person:
        """The same person elsewhere.

        Args:
            centre: (2,) new place.
            grown: By how much each shape's sides are put outwards, in radii.
            why: How the person is known to be there.
        """
        more = grown * self.radius * np.array([-1, -1, 1, 1, 0])
        shapes = self.shapes + np.r_[np.tile(centre - self.centre, 2), 0] + more
        return replace(self, centre=centre, shapes=shapes, joints=no_joints(), why=why)


def no_joints() -> np.ndarray:
    """(17, 3) NaN."""
    return np.full((JOINTS, 3), np.nan)


def people_of(
    found: Finds, passes: int, size: tuple[int, int], what: str = HEADS, margin: float = 1.0, least: float = 0.0
) -> list[Person]:
    """The people of a picture.

    Finds are taken by falling score; each joins the group whose mean box it overlaps most, or opens one.

    Args:
        found: What all passes found.
        passes: Their number.
        size: (width, height) of the picture.
        what: "heads", or anything else for whole people.
        margin: Factor of the sizes of what is hidden.
        least: Least score of a person.

    Returns:
        By falling score.
    """
    groups: list[list[int]] = []
    means = np.zeros((0, 4))
    for k in np.argsort(-found.scores, kind="stable"):
        overlap = iou(found.boxes[k], means)[0]
        g = int(np.argmax(overlap)) if len(overlap) else -1
        if g >= 0 and overlap[g] >= _SAME:
            groups[g].append(int(k))
            means[g] = np.average(found.boxes[groups[g]], axis=0, weights=found.scores[groups[g]] + 1e-9)
        else:
            groups.append([int(k)])
            means = np.vstack([means, found.boxes[k]])
    people = []
    for box, group in zip(means, groups, strict=True):
        members = found.where(np.array(group))
        best = np.zeros(passes)
        np.maximum.at(best, members.passes, members.scores)
        score = float(best.sum() / passes)
        if score >= least:
            support = float((best > 0).mean())
            people.append(_person(box, members, score, support, size, what, margin))
    return sorted(people, key=lambda person: -person.score)


def _person(box: np.ndarray, members: Finds, score: float, support: float, size, what: str, margin: float) -> Person:
    posed = np.flatnonzero(np.isfinite(members.joints).any((1, 2)))
    joints = members.joints[posed[0]] if len(posed) else no_joints()
    shapes, centre, half = _head(box, members, score, size, margin)
    if what != HEADS:  # a head is hidden as well as it would be alone
        body, centre, half = _body(box, members, margin)
        shapes = np.concatenate([body, shapes])
    return Person(centre, half, shapes, score, support, joints)


def _body(box: np.ndarray, members: Finds, margin: float):
    """Shapes, centre and half sides of a whole person: the box, and what of the joints lies outside it."""
    points = members.joints[members.joints[..., 2] >= _KNOWN][:, :2]
    low, high = np.minimum(box[:2], points.min(0, initial=np.inf)), np.maximum(box[2:], points.max(0, initial=-np.inf))
    centre, half = (low + high) / 2, (high - low) / 2
    return _shape(centre, half * _BODY * margin, 0), centre, half


def _head(box: np.ndarray, members: Finds, score: float, size: tuple[int, int], margin: float):
    """Shapes, centre and half sides of a head: circles about the joints, and a part of the box, or all of it."""
    circles = [
        (*head_circle(own, points), weight)
        for own, points, weight in zip(members.boxes, members.joints, members.scores, strict=True)
        if (points[_HEAD, 2] >= _KNOWN).any()
    ]
    shapes = [_shape(centre, np.full(2, radius * _CIRCLE * margin), 1) for centre, radius, _ in circles]
    sides, middle = box[2:] - box[:2], (box[:2] + box[2:]) / 2
    part = middle, sides / 2
    if sides[1] >= _UPRIGHT * sides[0]:
        top = _TOP * sides[1]
        part = np.array([middle[0], box[1] + top / 2 / 1.3]), np.array([min(sides[0] * 1.3, _WIDEST * top), top]) / 2
        shapes.append(_shape(part[0], part[1] * margin, 0))
    elif (box[:2] < _BORDER).any() or (box[2:] > np.array(size) - _BORDER).any():
        shapes.append(_shape(middle, sides / 2 * _PART * margin, 0))
    elif not circles and score >= _WHOLE:
        shapes.append(_shape(middle, sides / 2 * margin, 0))
    if circles:
        weights = [weight for *_, weight in circles]
        centre = np.average([c for c, *_ in circles], axis=0, weights=weights)
        part = centre, np.full(2, np.median([radius for _, radius, _ in circles]))
    return np.concatenate([*shapes, np.zeros((0, 5))]), *part


def head_circle(box: np.ndarray, joints: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre and radius of a head with its cap, by the joints.

    The largest of several measures is taken: who is seen from above has a short trunk, who is seen from the side has
    narrow shoulders, and of who is cut off or covered the box is short.

    Args:
        box: (4,).
        joints: (17, 3) of which at least one of the head's is known.
    """
    known = joints[:, 2] >= _KNOWN  # NaN is not
    head = joints[_HEAD][known[_HEAD]]
    centre = np.average(head[:, :2], axis=0, weights=head[:, 2])
    sides = box[2:] - box[:2]
    radius = max(_PER_BOX * float(sides.max()), _LEAST * float(np.sqrt(sides.prod())))
    if known[_SHOULDERS].all():
        radius = max(radius, _PER_SHOULDERS * float(np.linalg.norm(joints[5, :2] - joints[6, :2])))
        if known[_HIPS].all():
            trunk = joints[_SHOULDERS, :2].mean(0) - joints[_HIPS, :2].mean(0)
            radius = max(radius, _PER_TRUNK * float(np.linalg.norm(trunk)))
    radius = max(radius, 1.2 * float(np.median(np.linalg.norm(head[:, :2] - centre, axis=1))))
    return centre, max(min(radius, _MOST * float(sides.min())), 1.0)


def _shape(centre: np.ndarray, half: np.ndarray, is_round: int) -> np.ndarray:
    return np.array([[*(centre - half), *(centre + half), is_round]])
