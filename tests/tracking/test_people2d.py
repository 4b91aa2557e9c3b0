"""Identities of people in images: through gaps, past each other, at any frame rate and resolution."""

import sys

import numpy as np
import pytest

pytest.importorskip("filterpy", reason="pip install orplugins[live]")
from orplugins.tracking.people2d import PeopleTracker2D, TrackRules2D

FPS = 15.0
BODY = np.random.default_rng(3).uniform(-1, 1, (17, 2)) * (25, 60)


def person(x, y=200.0, scale=1.0):
    return np.array([x, y]) + scale * BODY


def follow(frames, fps=FPS, rules=None):
    tracker = PeopleTracker2D(rules)
    return [tracker.step(t / fps, np.asarray(people).reshape(-1, 17, 2)) for t, people in enumerate(frames)]


def test_a_person_counts_once_it_has_settled():
    out = follow([[person(100 + 2 * t)] for t in range(5)])
    assert [row.tolist() for row in out] == [[-1], [-1], [0], [0], [0]]


def test_nobody():
    assert [len(row) for row in follow([[], [], []])] == [0, 0, 0]


def test_order_of_detections_does_not_matter():
    frames = [[person(100 + 3 * t), person(400 - 3 * t, 220)] for t in range(20)]
    swapped = [people[:: 1 - 2 * (t % 2)] for t, people in enumerate(frames)]
    for t, (one, two) in enumerate(zip(follow(frames), follow(swapped), strict=True)):
        if t >= 2:
            assert one.tolist() == two[:: 1 - 2 * (t % 2)].tolist() == [0, 1]


def test_through_an_occlusion_of_somebody_who_walks():
    # 6 px a frame, 90 px a second; gone for ten frames.
    out = follow([[] if 20 <= t < 30 else [person(50 + 6 * t)] for t in range(50)])
    assert {int(row[0]) for t, row in enumerate(out) if len(row) and t > 2} == {0}


def test_past_each_other():
    frames = [[person(100 + 8 * t, 200), person(420 - 8 * t, 212)] for t in range(40)]
    out = follow(frames)
    assert all(row.tolist() == [0, 1] for row in out[3:])


def test_half_of_a_person_is_compared_with_that_half():
    whole = [[person(100 + 2 * t)] for t in range(20)]
    for t in range(8, 14):
        whole[t] = [np.where(np.arange(17)[:, None] < 8, person(100 + 2 * t), np.nan)]
    assert all(row.tolist() == [0] for row in follow(whole)[3:])


def test_somebody_new_after_long():
    rules = TrackRules2D(patience_s=1.0)
    out = follow([[person(100)] if t < 10 or t > 40 else [] for t in range(60)], rules=rules)
    assert out[9].tolist() == [0] and out[-1].tolist() == [1]


def test_entries_and_exits():
    frames = [
        ([person(60 + 5 * t)] if t < 30 else []) + ([person(500 - 4 * (t - 15))] if t >= 15 else []) for t in range(60)
    ]
    out = follow(frames)
    assert out[14].tolist() == [0] and out[20].tolist() == [0, 1] and out[-1].tolist() == [1]


@pytest.mark.parametrize("scale", [0.2, 4.0])
@pytest.mark.parametrize("fps", [7.5, 30.0])
def test_any_resolution_and_rate(scale, fps):
    count = int(3 * fps)
    frames = [
        [scale * person(100 + 90 * t / fps), scale * person(420 - 90 * t / fps, 212)] if not 1 < t / fps < 1.4 else []
        for t in range(count)
    ]
    out = follow(frames, fps)
    assert out[-1].tolist() == [0, 1]


def test_a_clock_that_went_back_begins_anew():
    tracker = PeopleTracker2D(TrackRules2D(settle=1))
    assert tracker.step(10.0, person(100)[None]).tolist() == [0]
    assert tracker.step(5.0, person(100)[None]).tolist() == [1] and len(tracker) == 1


def test_memory_is_flat():
    rng, tracker = np.random.default_rng(0), PeopleTracker2D()
    for t in range(400):
        tracker.step(t / FPS, np.stack([person(rng.uniform(0, 5000), rng.uniform(0, 5000)) for _ in range(3)]))
        assert len(tracker) <= 3 * (2 * FPS + 2)


def test_who_has_too_few_joints_is_nobody():
    few = np.full((1, 17, 2), np.nan)
    few[0, :2] = 5
    tracker = PeopleTracker2D(TrackRules2D(settle=1))
    assert tracker.step(0.0, few).tolist() == [-1] and len(tracker) == 0


def test_bad_rules():
    with pytest.raises(ValueError, match="tracking reach: found 0"):
        TrackRules2D(reach=0)
    with pytest.raises(ValueError, match="settle"):
        TrackRules2D(settle=0)


def test_without_the_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "filterpy.kalman", None)
    with pytest.raises(ImportError, match=r"orplugins\[live\]"):
        PeopleTracker2D()
