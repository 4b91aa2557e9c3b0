"""Which camera of a rig moved: by little and by much, and when the rig does not fit for other reasons."""

from dataclasses import replace

import numpy as np
import pytest

from orplugins.rig.update import Move, _nudged, update
from orplugins.structures import Rig
from tests.rig.people import bodies, errors, moved, rig, seen

NAMES = ["c0", "c1", "c2"]


@pytest.fixture(scope="module")
def room():
    cameras = rig(3)
    return cameras, seen(cameras, bodies(50, 3, 31))


def _as_if_moved(cameras, k, degrees, metres):
    return [moved(c, degrees, metres, seed=k) if v == k else c for v, c in enumerate(cameras)]


@pytest.mark.parametrize("degrees, metres, k", [(0.7, 0.0, 1), (0.0, 0.04, 2), (2.0, 0.05, 0), (10.0, 0.3, 1)])
def test_moves_of_all_sizes_are_found(room, degrees, metres, k):
    cameras, views = room
    done = update(views, Rig(_as_if_moved(cameras, k, degrees, metres), NAMES, None))
    assert done.moved == [NAMES[k]] and not done.remark
    turns, places, _ = errors(done.found.cameras, cameras)
    assert turns.max() < 0.2 and places.max() < 0.02


def test_what_is_wrong_everywhere_is_no_move(room):
    """Principal points 9 pixels off in all cameras, each another way: as if they had turned by a degree."""
    cameras, views = room
    off = [replace(c, cx=c.cx + 9 * np.cos(2 * v), cy=c.cy + 9 * np.sin(2 * v)) for v, c in enumerate(cameras)]
    done = update(views, Rig(off, NAMES, None))
    assert done.moved == [] and "no camera's move explains more than" in done.remark
    for one, two in zip(done.found.cameras, off, strict=True):
        np.testing.assert_array_equal(one.pose, two.pose)
    # A move that is larger than that is found all the same.
    done = update(views, Rig(_as_if_moved(off, 2, 5.0, 0.10), NAMES, None))
    assert done.moved == ["c2"]


def test_the_decision():
    small, chance = Move(0, 0.1, 0.001, 9.0, 0.99), Move(1, 3.0, 0.2, 1.5, 0.99)
    assert _nudged([small, chance]) == ([], "")
    assert _nudged([small, Move(2, 3.0, 0.2, 20.0, 0.9), Move(1, 2.0, 0.1, 20.0, 0.5)])[0] == [2]
    gone, remark = _nudged([Move(2, 3.0, 0.2, 20.0, 0.7), Move(1, 2.0, 0.1, 20.0, 0.5)])
    assert not gone and "3.0 degrees or 20 cm" in remark and "70 %" in remark
