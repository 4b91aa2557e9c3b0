"""The one-euro filter: calm where nothing moves, not late where something does."""

import numpy as np
import pytest

from orplugins.tracking.one_euro import OneEuro, OneEuroRules, OneEuroTracks

FPS = 30


def run(points, rules=None, times=None):
    one = OneEuro(rules)
    times = np.arange(len(points)) / FPS if times is None else times
    return np.array([one.step(t, p) for t, p in zip(times, points, strict=True)])


def test_what_stands_still_becomes_calm():
    rng = np.random.default_rng(0)
    noisy = rng.normal(0, 0.01, (300, 2, 3))
    smooth = run(noisy)
    assert smooth[100:].std() < 0.4 * noisy[100:].std()


def test_what_moves_is_not_late():
    x = np.arange(90)[:, None, None] / FPS * 2.0 * np.ones((1, 1, 3))  # 2 m/s on every axis
    fast, slow = (run(x, OneEuroRules(beta=beta)) for beta in (3.0, 0.0))
    late, later = ((x - each)[60:].max() for each in (fast, slow))
    assert late < 0.06 and later > 0.25


def test_a_constant_stays():
    x = np.tile(np.array([[1.0, 2.0, 3.0]]), (10, 1, 1))
    assert np.allclose(run(x), x)


def test_the_same_in_turned_axes():
    rng = np.random.default_rng(1)
    x, turn = np.cumsum(rng.normal(0, 0.02, (60, 4, 3)), 0), np.linalg.qr(rng.normal(size=(3, 3)))[0]
    assert np.allclose(run(x) @ turn, run(x @ turn), atol=1e-9)


def test_gaps_begin_anew():
    x = np.zeros((6, 2, 3))
    x[2, 0] = np.nan
    x[3:, 0] = 5.0
    out = run(x)
    assert np.isnan(out[2, 0]).all() and (out[3, 0] == 5).all() and (out[:, 1] == 0).all()


def test_time_that_goes_back_begins_anew():
    out = run(np.array([0.0, 1.0, 7.0])[:, None, None] * np.ones((3, 1, 3)), times=[5.0, 5.1, 1.0])
    assert (out[2] == 7).all()


def test_tracks_that_went_are_forgotten():
    tracks = OneEuroTracks(patience=1.0)
    for t in range(100):
        out = tracks.step(float(t), np.array([t, -1]), np.full((2, 3, 2), float(t)))
        assert (out == t).all() and len(tracks) <= 2  # who has no identity is left as it is, and not remembered


@pytest.mark.parametrize("bad", [{"min_cutoff": 0}, {"beta": -1}, {"speed_cutoff": float("nan")}])
def test_rules(bad):
    with pytest.raises(ValueError, match=f"one-euro {next(iter(bad))}"):
        OneEuroRules(**bad)
