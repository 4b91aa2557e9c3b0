"""The maintainers' table: pictures are counted, and what a user would have is in the row."""

import json

import pytest

pytest.importorskip("cv2")

from dev import learning_curves as curves


def test_table(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(curves, "DEPTH", (64, 48))
    monkeypatch.setattr(curves, "TEST_FROM", 3)
    given = {}

    def run(method, folder, file, test, out, options):
        count = len(json.loads(file.read_text())["images"])
        given[count] = len(json.loads(test.read_text())["images"]), options
        return {"test_before": {"AP": 10.0}, "test_after": {"AP": 10.0 + count}, "better": count > 1}

    monkeypatch.setattr(curves, "run", run)
    arguments = ["depthpose", "--out", str(tmp_path), "--pictures", "3", "1", "--test", "2", "--iterations", "7"]
    assert curves.main(arguments) == 0
    assert given == {1: (2, ["--iterations", "7"]), 3: (2, ["--iterations", "7"])}
    table = (tmp_path / "depthpose.md").read_text()
    assert table in capsys.readouterr().out + "\n"
    assert table.splitlines()[2:] == ["| 0 |  | 10.0 |", "| 1 | no better | 10.0 |", "| 3 |  | 13.0 |"]


def test_boxes_have_the_detector_s_classes(tmp_path):
    folder = curves.room(tmp_path, False, 2, 1)
    data = curves.labels(folder, False, boxes=True)
    assert {person["category_id"] for person in data["annotations"]} <= {1, 2} and data["images"]
    assert "keypoints" not in data["annotations"][0]
