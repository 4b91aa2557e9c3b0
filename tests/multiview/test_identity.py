"""Identity metrics of 3D tracks, on examples that can be counted by hand."""

import numpy as np
import pytest

from orplugins.multiview.identity import Moment, distances, identity_metrics, without_ignored

pytest.importorskip("scipy")
NOBODY = np.zeros((0, 17, 3))


def pose(x, joints=17):
    out = np.full((17, 3), np.nan)
    out[:joints] = (x, 0, 1)
    return out


def test_distances():
    table = distances([pose(0), pose(2)], [pose(0.3), pose(1.8), pose(0, joints=2)])
    assert table[0, 0] == pytest.approx(0.3) and table[1, 1] == pytest.approx(0.2)
    assert np.isnan(table[[0, 1], [1, 0]]).all() and np.isnan(table[:, 2]).all()  # too far; too few joints


def test_who_follows_the_patient_is_not_counted():
    moment = Moment({"a": pose(0)}, {0: pose(0.1), 1: pose(3.1), 2: pose(6)}, pose(3)[None])
    assert set(without_ignored(moment)) == {0, 2}
    assert set(without_ignored(Moment({}, {1: pose(0)}, NOBODY))) == {1}


def test_a_switch_counted_by_hand():
    pytest.importorskip("motmetrics", reason="pip install orplugins[tracks]")
    # Ten frames of two people. Track 0 follows a, then b; track 1 b, then nobody; a is lost for the last four frames.
    clip = []
    for t in range(10):
        found = {0: pose(0.1), 1: pose(2.1)} if t < 6 else {0: pose(2.1)}
        clip.append(Moment({"a": pose(0), "b": pose(2)}, found, NOBODY))
    found = identity_metrics([clip], fps=10)
    # Matched: 12 + 4 of 20. Best identities: a-0 and b-1 for six frames each: 12 of 20 and of 16.
    assert found["switches"] == 1 and found["switches a minute"] == pytest.approx(60)
    assert found["IDR"] == pytest.approx(12 / 20) and found["IDP"] == pytest.approx(12 / 16)
    assert found["IDF1"] == pytest.approx(2 * 12 / (20 + 16)) and found["recall"] == pytest.approx(16 / 20)
    assert found["distance_cm"] == pytest.approx(10) and found["frames"] == 10


def test_identities_of_clips_are_apart():
    pytest.importorskip("motmetrics", reason="pip install orplugins[tracks]")
    one = [Moment({"a": pose(0)}, {0: pose(0)}, NOBODY)] * 3
    two = [Moment({"a": pose(0)}, {5: pose(0)}, NOBODY)] * 3
    found = identity_metrics([one, two], fps=1)
    assert found["IDF1"] == 1 and found["switches"] == 0


def test_without_the_library(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "motmetrics", None)
    with pytest.raises(ImportError, match=r"orplugins\[tracks\]"):
        identity_metrics([], fps=1)
