"""Recordings that cannot be compared are named with the cause."""

import csv

import numpy as np
import pytest

from orplugins.io.clip_files import write_motion_npz
from orplugins.motion import pipeline
from orplugins.motion.pipeline import CompareSettings, compare_recordings
from orplugins.skeletons import KINECT_20
from orplugins.synthetic.motion_points import body_motion, in_skeleton

FRAMES = 150


def motion(action="arms", fps=30.0, seed=0):
    frames = int(FRAMES * fps / 30)
    return in_skeleton(body_motion(np.random.default_rng(seed), frames, fps, action), KINECT_20)


@pytest.fixture
def compare(tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline, "draw_report", lambda *_: None)

    def run(b, a=None, fps=30.0, **options):
        paths = []
        for name, xyz, rate in (("a", motion() if a is None else a, 30.0), ("b", b, fps)):
            paths.append(str(tmp_path / f"{name}.npz"))
            state = np.where(np.isfinite(xyz).all(-1), 2, 0)
            write_motion_npz(paths[-1], xyz, state, np.zeros_like(state), rate, {}, KINECT_20.name)
        return compare_recordings(CompareSettings((("x", tuple(paths)),), tmp_path / "out", **options))

    return run


@pytest.mark.parametrize("action", ["walk", "arms", "legs", "reach"])
def test_recordings_that_agree(compare, action):
    clip = motion(action)
    done = compare(clip + np.random.default_rng(1).normal(0, 0.01, clip.shape), clip)
    assert not done.failed and done.rows[0]["MPJPE mm"] < 25


SIDES = list(KINECT_20.flip_indices)
CASES = {
    "mm": (lambda x: 1000 * x, {}, "b: people are .* times as large as usual, .* millimetres"),
    "cm": (lambda x: 100 * x, {}, "centimetres"),
    "nothing": (lambda x: x * np.nan, {}, "b.npz: no joint is present in any of its 150 frames"),
    "late": (lambda x: x[50:], {}, r"frame t of the first is frame t -50 of the second \(-1.67 s\).*--max-lag"),
    "rate": (lambda x: motion(fps=25.0), {}, "other frame rates than they say: .* 25 a second, not 30"),
    "sides": (lambda x: x[:, SIDES], {}, "left and right are exchanged in one"),
    "mirror": (lambda x: x * (-1, 1, 1), {}, "one is a mirror image"),
    "other": (lambda x: motion("walk", seed=5), {}, "the motions are not alike at any time offset"),
    "ms": (lambda x: x, {"fps": 0.03}, "0.03 frames a second, expected 1 to 1000; its time stamps look like millise"),
    "no rate": (lambda x: x, {"fps": np.nan}, "b.npz: 'fps' is nan, expected a number above 0"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_cannot_be_compared(compare, name, tmp_path):
    change, options, message = CASES[name]
    done = compare(change(motion()), **options)
    assert not done.results and not (tmp_path / "out").exists()
    ((_, why),) = done.failed
    with pytest.raises(ValueError, match=message):
        raise ValueError(why)


def test_a_large_offset_is_found_where_it_is_looked_for(compare):
    done = compare(motion()[50:], max_lag=60)
    assert not done.failed and done.rows[0]["lag"] == -50


def test_names_are_text_in_the_reports(compare, tmp_path):
    done = compare(motion(), names=("=cmd()", "<script>alert(1)</script>"))
    assert "<script>" not in done.report.read_text() and "&lt;script&gt;" in done.report.read_text()
    with open(tmp_path / "out/report.csv") as file:
        (row,) = csv.DictReader(file)
    assert row["A"] == "'=cmd()"
