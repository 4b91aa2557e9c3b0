"""People found twice, with sides exchanged, are counted once."""

import numpy as np

from orplugins.depthpose.paf.doubles import without_doubles
from orplugins.skeletons import COCO_17


def person(x):
    """(17, 2) a person who faces the camera, 10 high, at x."""
    left, right = x + 1.5, x - 1.5
    rows = dict(nose=(x, 1), shoulder=2.5, elbow=4, wrist=5.5, hip=6, knee=8, ankle=10.5, eye=0.8, ear=1)
    places = np.zeros((17, 2))
    for joint, name in enumerate(COCO_17.joints):
        side, _, kind = name.rpartition("_")
        places[joint] = rows["nose"] if not side else (left if side == "left" else right, rows[kind])
    return places


def exchanged(places):
    """The same with left for right."""
    order = np.arange(17)
    for left, right in COCO_17.flip_pairs:
        order[[left, right]] = right, left
    return places[order]


def test_a_person_with_sides_exchanged_is_dropped():
    once = person(20.0)
    found = np.stack([exchanged(once) + 0.3, once, person(27.0)])
    assert without_doubles(found, np.array([2.0, 3.0, 1.0]), COCO_17.joints, 0.08).tolist() == [False, True, True]
    assert without_doubles(found, np.array([2.0, 3.0, 1.0]), COCO_17.joints, 0.0).all()


def test_a_fragment_of_a_double_is_dropped_and_a_neighbour_is_not():
    once, part = person(20.0), exchanged(person(20.0))
    part[[0, 1, 2, 3, 4, 11, 12, 13, 14]] = np.nan
    beside = person(21.2)  # overlaps, but stands elsewhere
    found = np.stack([once, part, beside])
    assert without_doubles(found, np.array([3.0, 1.0, 2.0]), COCO_17.joints, 0.08).tolist() == [True, False, True]


def test_nobody_and_one():
    assert without_doubles(np.zeros((0, 17, 2)), np.zeros(0), COCO_17.joints, 0.1).shape == (0,)
    assert without_doubles(person(1.0)[None], np.ones(1), COCO_17.joints, 0.1).tolist() == [True]
