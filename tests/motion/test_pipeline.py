"""Comparison as functions: recordings with each other, and several systems with the truth."""

from dataclasses import dataclass

import numpy as np
import pytest

from orplugins.io.clip_files import write_motion_npz
from orplugins.io.json_fields import load_json
from orplugins.motion import pipeline
from orplugins.motion.pipeline import CompareSettings, SetSettings, compare_captured, compare_recordings
from orplugins.skeletons import COCO_17, Skeleton
from orplugins.synthetic.motion_points import body_motion, in_skeleton

FRAMES = 40


@pytest.fixture(scope="module")
def clip():
    return in_skeleton(body_motion(np.random.default_rng(0), FRAMES, 30.0, "walk"), COCO_17)


@pytest.fixture
def files(tmp_path, clip):
    paths = []
    for name, xyz in (("a", clip), ("b", clip + 0.01)):
        state = np.full(xyz.shape[:2], 2)
        write_motion_npz(tmp_path / f"{name}.npz", xyz, state, np.zeros_like(state), 30.0, {}, COCO_17.name)
        paths.append(str(tmp_path / f"{name}.npz"))
    return paths


def test_tables_are_written_before_a_plot_fails(files, tmp_path, monkeypatch):
    def fails(*_):
        raise OSError("no space")

    monkeypatch.setattr(pipeline, "draw_report", fails)
    with pytest.raises(OSError, match="no space"):
        compare_recordings(CompareSettings((("walk", tuple(files)),), tmp_path / "out"))
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"report.csv", "report.md", "report.json"}


def test_a_missing_recording_is_named_and_the_other_exercise_is_compared(files, tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline, "draw_report", lambda *_: None)
    exercises = (("walk", tuple(files)), ("arms", (files[0], str(tmp_path / "none.txt"))))
    done = compare_recordings(CompareSettings(exercises, tmp_path / "out", align="none"))
    assert [name for name, _ in done.failed] == ["arms"] and "no such file" in done.failed[0][1]
    assert len(done.rows) == 1 and done.rows[0]["MPJPE mm"] == pytest.approx(1000 * np.sqrt(3) * 0.01)
    assert load_json(tmp_path / "out/report.json")["rows"][0]["B"] == "b" and done.report.is_file()


def test_nothing_to_compare_writes_nothing(tmp_path):
    done = compare_recordings(CompareSettings((("x", ("a.txt", "b.txt")),), tmp_path / "out"))
    assert done.results == [] and done.report is None and not (tmp_path / "out").exists()


def test_settings_that_do_not_fit(tmp_path):
    with pytest.raises(ValueError, match="two recordings or more"):
        CompareSettings((("x", ("a",)),), tmp_path)
    with pytest.raises(ValueError, match="3 --names"):
        CompareSettings((("x", ("a", "b")),), tmp_path, names=("a", "b", "c"))


@dataclass
class Captured:
    name: str
    xyz: np.ndarray
    skeleton: Skeleton = COCO_17
    root: str = "absolute"


def test_systems_against_the_truth(clip, tmp_path):
    pytest.importorskip("matplotlib")
    nothing = np.full_like(clip, np.nan)
    people = [
        ("p1", [Captured("truth", clip), Captured("good", clip + 0.01), Captured("blind", nothing)]),
        ("p2", [Captured("truth", clip), Captured("good", clip + 0.03)]),
    ]
    done = compare_captured(people, 25.0, SetSettings(tmp_path, "Two people.", {"set": "x"}))
    assert [row["system"] for row in done.rows] == ["good"] and "p1" in done.notes[0]
    assert done.rows[0]["people"] == 2
    assert done.rows[0]["in the room mm"] == pytest.approx(1000 * np.sqrt(3) * 0.02)
    assert load_json(tmp_path / "summary.json")["rows"][0]["about the hips mm"] == pytest.approx(0, abs=1e-6)
    assert (tmp_path / "clock.png").stat().st_size > 1000
    with pytest.raises(ValueError, match="no system found anybody"):
        compare_captured([("p1", [Captured("truth", clip)])], 25.0, SetSettings(tmp_path, "Nobody.", {}))
