"""Who is who across MVOR's cameras: the figures of docs/multiview/measurements.md."""

import json
import os
from pathlib import Path

import pytest
from tests_tools import run_tool

DATA = Path(os.environ.get("ORPLUGINS_MVOR") or Path(__file__).resolve().parents[2].parent / "shared" / "data" / "mvor")
TRUTH = DATA / "camma_mvor_2018_v2.json"


@pytest.fixture(scope="module")
def truth():
    if not TRUTH.is_file():
        pytest.skip(f"no file {TRUTH} (set ORPLUGINS_MVOR)")
    return str(TRUTH)


def evaluate(truth, path, out):
    run_tool("evaluate", "mvor-association", "--gt", truth, "--dt", str(path), "--out", str(out))
    return json.loads(out.read_text())[str(path)]


def test_counts_of_the_protocol(truth, tmp_path):
    found = evaluate(truth, truth, tmp_path / "self.json")
    counts = {name: (row["frames"], row["camera pairs"], row["people in both"]) for name, row in found.items()}
    assert counts["poses, all frames"] == (712, 1477, 2070) and counts["all boxes, all frames"] == (712, 1976, 3697)
    assert counts["all boxes, test"][0] == 142 and all(row["accuracy"] == row["AP"] == 1 for row in found.values())


def test_the_first_version_of_the_identities(truth, tmp_path):
    first = DATA / "camma_mvor_2018.json"
    if not first.is_file():
        pytest.skip(f"no file {first}")
    found = evaluate(truth, first, tmp_path / "first.json")
    assert found["poses, all frames"]["accuracy"] == pytest.approx(0.9974, abs=0.0005)
    assert found["all boxes, all frames"]["accuracy"] < 0.7  # it links people with poses only


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--without-calibration",)], ids=["calibrated", "without calibration"])
def test_association(truth, tmp_path, options):
    run_tool("associate", "--mvor", truth, *options, "--out", str(tmp_path / "people.json"))
    found = evaluate(truth, tmp_path / "people.json", tmp_path / "scores.json")
    poses, boxes = found["poses, all frames"], found["all boxes, all frames"]
    assert poses["accuracy"] > 0.99 and poses["precision"] > 0.998 and poses["AP"] > 0.995
    assert boxes["accuracy"] > 0.965 and boxes["IPAA-100"] > 0.93 and boxes["AP"] > 0.98
