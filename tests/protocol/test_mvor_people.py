"""Multi-view people on MVOR's annotations and published detections: the figures of docs/multiview/measurements.md."""

import json
import os
from pathlib import Path

import pytest
from tests_tools import run_tool

DATA = Path(os.environ.get("ORPLUGINS_MVOR") or Path(__file__).resolve().parents[2].parent / "shared" / "data" / "mvor")
FILES = {name: DATA / name for name in ("camma_mvor_2018.json", "openpose_kps.json", "mv3dreg.mat")}


@pytest.fixture(scope="module")
def scores(tmp_path_factory):
    missing = [str(path) for path in FILES.values() if not path.is_file()]
    if missing:
        pytest.skip(f"no file {', '.join(missing)} (set ORPLUGINS_MVOR)")
    out = tmp_path_factory.mktemp("mvor")
    annotations, detections, published = (str(path) for path in FILES.values())
    for method in ("geometry", "map"):
        run_tool(
            "triangulate",
            "--mvor",
            annotations,
            "--dt",
            detections,
            "--mv3dreg",
            published,
            "--method",
            method,
            "--out",
            str(out / method),
            "--pictures",
            "0",
        )
    return {method: json.loads((out / method / "scores.json").read_text()) for method in ("geometry", "map")}


def test_geometry_alone(scores):
    found = scores["geometry"]["results"]["openpose_kps"]
    assert (
        found["annotated_people"] == 1061
        and found["recall_percent"] > 67
        and found["unexplained_false_per_frame"] < 0.13
    )
    assert found["by_views"]["2"]["pub_cm"]["mean"] < 10.5 and found["by_views"]["3+"]["pub_cm"]["mean"] < 9.0
    assert found["by_views"]["2+3"]["abs_cm"]["mean"] < 11.0


def test_with_the_other_days_annotations(scores):
    found = scores["map"]["results"]["openpose_kps"]
    assert found["recall_percent"] > 67 and found["pck3d_15cm_f2_percent"] > 59
    rows = found["by_views"]
    assert rows["2"]["pub_cm"]["mean"] < 8.6 and rows["3+"]["pub_cm"]["mean"] < 6.4
    assert rows["2+3"]["abs_cm"]["mean"] < 9.4 and rows["2+3"]["abs_f2_cm"]["mean"] < 8.4
    assert all(row["joints_found"] == 1 for row in rows.values())


def test_the_published_methods_own_samples(scores):
    found = scores["map"]["mv3dreg"]
    assert {views: row["people"] for views, row in found["map"].items()} == {"1": 88, "2": 315, "3": 591}
    for views, (limit, published) in {"1": (15, 26.94), "2": (9, 18.34), "3": (6.8, 9.91)}.items():
        row = found["map"][views]
        assert row["cm"]["mean"] < limit and row["published_cm"]["mean"] == pytest.approx(published, abs=0.01)
    assert found["geometry"]["3"]["cm"]["mean"] < 9.0
