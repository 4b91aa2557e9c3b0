"""Recordings that say too little, or something else than they seem to: a clear statement, or the right cameras."""

from dataclasses import replace

import numpy as np
import pytest

from orplugins.rig.calibrate import calibrate
from orplugins.rig.settings import Knowledge
from orplugins.rig.timing import likely_lags
from orplugins.rig.verdict import judge
from orplugins.synthetic.motion_points import look_at
from tests.rig.people import bodies, errors, moved, rig, seen, walking

FRAMES = 50


def _said(cameras, views) -> str:
    """Why there is no calibration to be trusted; empty where there is, and then it is right."""
    names = [f"c{k}" for k in range(len(cameras))]
    try:
        found = calibrate(views, [replace(c, pose=np.eye(4)) for c in cameras], names, Knowledge())
    except ValueError as error:
        return str(error)
    verdict = judge(found)
    if verdict.trusted:
        turns, places, _ = errors(found.cameras, cameras)
        assert turns.max() < 1.5 and places.max() < 0.15, "wrong, and nothing is said"
    return " / ".join(verdict.problems)


def _mirrored(view):
    return {t: np.where(p[..., 2:] > 0, p * (-1, 1, 1) + (639, 0, 0), 0) for t, p in view.items()}


@pytest.fixture(scope="module")
def room():
    cameras = rig(3)
    return cameras, bodies(FRAMES, 3, 1)


@pytest.mark.parametrize("count", [4, 8])
def test_many_cameras(count):
    cameras = [
        look_at((3.2 * np.cos(a), 3.2 * np.sin(a), 2.3 + 0.1 * (k % 3)), (0, 0.1 * k, 1.0))
        for k, a in enumerate(np.linspace(0.1, 2 * np.pi, count, endpoint=False))
    ]
    assert not _said(cameras, seen(cameras, bodies(40, 2, 7)))


def test_people_in_a_line(room):
    cameras, points = room
    points = points.copy()
    points[..., :2] -= points[:, :, 11:13, :2].mean(2, keepdims=True)
    points[..., 0] += np.arange(3)[None, :, None] - 1.0
    # Right or too uncertain, as the dice fall; never wrong in silence.
    said = _said(cameras, seen(cameras, points))
    assert not said or "too uncertain" in said


def test_two_people_and_cameras_face_to_face(room):
    cameras, points = room
    assert not _said(cameras, seen(cameras, points[:, :2]))
    face = [look_at((3.2, 0, 1.6), (0, 0, 1.2)), look_at((-3.2, 0, 1.6), (0, 0, 1.2))]
    assert not _said(face, seen(face, points))


def test_a_plane_before_two_cameras(room):
    cameras, points = room
    flat = points * (0.02, 1, 1)
    assert "two different geometries explain the people" in _said(cameras[:2], seen(cameras[:2], flat))


def test_two_cameras_at_one_place(room):
    cameras, points = room
    same = [cameras[0], moved(cameras[0], 8, 0.0)]
    assert "no geometry explains" in _said(same, seen(same, points))
    same = [*same, cameras[1]]
    assert "m apart, expected those of a room" in _said(same, seen(same, points))


def test_one_person_who_stands_still(room):
    cameras, _ = room
    points = np.repeat(bodies(1, 1, 3, 0.0), FRAMES, 0)
    assert "everybody stands in one spot" in _said(cameras, seen(cameras, points, noise=1.5, lone=0))


def test_mirrored_images(room):
    cameras, points = room
    views = seen(cameras, points)
    assert "images are mirrored" in _said(cameras, [views[0], _mirrored(views[1]), views[2]])
    assert "or these are mirrored" in _said(cameras, [_mirrored(view) for view in views])


def test_another_frame_rate_and_other_moments(room):
    cameras, points = room
    views = seen(cameras, walking(160, 3, 3), missing=0.05, lone=0.0)
    slow = {n // 2: people for n, people in views[1].items() if n % 2 == 0}
    assert "c1: its people fit the others'" in _said(cameras, [views[0], slow, views[2]])
    views = seen(cameras, points)
    other = {(t + 17) % FRAMES: people for t, people in views[1].items()}
    assert "c1" in _said(cameras, [views[0], other, views[2]])


def test_a_recording_shorter_than_the_largest_offset(room):
    cameras, _ = room
    from orplugins.rig.observations import observe

    views = [observe(view, c) for view, c in zip(seen(cameras, walking(30, 1, 3)), cameras, strict=True)]
    assert likely_lags(views[0], views[1], 60) == [0]
