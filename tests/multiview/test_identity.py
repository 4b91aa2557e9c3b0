"""Identity metrics of 3D tracks, on examples that can be counted by hand."""

from importlib.util import find_spec

import numpy as np
import pytest

from orplugins.multiview.identity import Moment, apart_sizes, distances, hota, identity_metrics, without_ignored

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


def test_hota_counted_by_hand():
    pytest.importorskip("trackeval", reason="pip install orplugins[tracks]")
    same = np.ones((1, 1))
    # One person, exactly found, whose track changes in the middle: detection is perfect, each half of the person knows
    # half of its frames.
    found = hota([[([0], [7], same)] * 5 + [([0], [9], same)] * 5])
    assert found["DetA"] == pytest.approx(1) and found["AssA"] == pytest.approx(0.5)
    assert found["HOTA"] == pytest.approx(np.sqrt(0.5))
    # Alike by one half: right at the thresholds up to one half, wrong above.
    assert hota([[([0], [7], 0.5 * same)] * 10])["DetA"] == pytest.approx(10 / 19)
    # Of two clips the identities are apart.
    assert hota([[([0], [7], same)] * 3, [([0], [1], same)] * 3])["HOTA"] == pytest.approx(1)


def test_hota_is_among_the_figures_where_it_can_be(monkeypatch):
    pytest.importorskip("motmetrics", reason="pip install orplugins[tracks]")
    clip = [Moment({"a": pose(0)}, {0: pose(0.25)}, NOBODY)] * 4
    if find_spec("trackeval"):
        # A quarter of a metre is three quarters alike where the gate is half a metre.
        assert identity_metrics([clip], fps=1)["DetA"] == pytest.approx(15 / 19)
    monkeypatch.setattr("orplugins.multiview.identity.find_spec", lambda name: None)
    assert "HOTA" not in identity_metrics([clip], fps=1)


def test_distances_in_sizes():
    grid = np.stack(np.meshgrid(np.arange(4.0), np.arange(4.0)), -1).reshape(-1, 2)
    person = np.concatenate([grid * 20, [[30.0, 30.0]]])  # a box of 60 by 60 pixels
    assert apart_sizes(person, person + (12, 0)) == pytest.approx(0.2)
    assert apart_sizes(4 * person, 4 * person + (48, 0)) == pytest.approx(0.2)
    assert np.isnan(apart_sizes(np.full((17, 2), np.nan), person))
    found = distances([person], [person + (12, 0), person + (60, 0)], 0.5, apart_sizes)
    assert found[0, 0] == pytest.approx(0.2) and np.isnan(found[0, 1])
