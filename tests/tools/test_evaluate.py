import json
import subprocess
import sys
from pathlib import Path

import pytest
from mvor_files import annotations, keypoint_results, write

SCRIPT = Path(__file__).parents[2] / "tools" / "evaluate.py"


def run(*args):
    return subprocess.run([sys.executable, str(SCRIPT), *map(str, args)], capture_output=True, text=True)


@pytest.fixture
def files(tmp_path):
    results = keypoint_results()
    results.append({**results[0], "image_id": 5})
    return write(tmp_path / "gt.json", annotations()), write(tmp_path / "dt.json", results)


def test_pck_row_file_and_warning(files, tmp_path):
    gt, dt = files
    done = run("mvor-pck", "--gt", gt, "--dt", dt, "--dt", dt, "--out", tmp_path / "out.json", "--verbose")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1].split() == ["dt", "100.0", "100.0", "50.0", "100.0", "50.0", "80.0"]
    assert "1 detections are in images that" in done.stderr
    table = json.loads((tmp_path / "out.json").read_text())[dt]
    assert table["PCK@0.2"]["Average"] == 80 and table["persons"] == 3 and table["ignored_detections"] == 1


def test_ap_of_a_keypoint_file(tmp_path):
    pytest.importorskip("pycocotools")
    gt, dt = write(tmp_path / "gt.json", annotations()), write(tmp_path / "dt.json", keypoint_results("keypoints"))
    done = run("mvor-ap", "--gt", gt, "--dt", dt)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[:3] == ["AP50", "recall50@1", "recall50@10"]


def test_errors_are_one_line_and_exit_code_1(files, tmp_path):
    gt, dt = files
    boxes = write(tmp_path / "b.json", [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 1}])
    (tmp_path / "cut.json").write_text('[{"image_id"')
    for args, message in (
        (("mvor-pck", "--gt", gt, "--dt", tmp_path / "none.json"), "none.json: no such file"),
        (("mvor-pck", "--gt", tmp_path / "cut.json", "--dt", dt), "cut.json: not JSON or cut off"),
        (("mvor-pck", "--gt", dt, "--dt", dt), "missing key 'images'|found a list"),
        (("mvor-pck", "--gt", gt, "--dt", dt, "--out", tmp_path), "is a folder"),
        (("mvor-ap", "--gt", gt, "--dt", boxes), "'category_id' is 1, expected '1'"),
        (("mvor-3d", "--dt", dt), "not a MATLAB 5 file"),
    ):
        done = run(*args)
        lines = done.stderr.strip().splitlines()
        assert done.returncode == 1 and lines[-1].startswith("error: "), done.stderr
        assert any(part in lines[-1] for part in message.split("|")) and "Traceback" not in done.stderr


def test_help_shows_an_example():
    for args in (["--help"], ["mvor-pck", "--help"], ["mvor-ap", "--help"], ["mvor-3d", "--help"]):
        assert "python tools/evaluate.py" in run(*args).stdout
