"""MVOR's evaluation as functions: rows, all numbers, notes."""

import pytest
from mvor_files import annotations, keypoint_results, write

from orplugins.mvor.annotations import load_mvor
from orplugins.mvor.pipeline import evaluate_3d, evaluate_ap, evaluate_pck


@pytest.fixture
def truth(tmp_path):
    return load_mvor(write(tmp_path / "gt.json", annotations()))


def test_pck_of_the_worked_case(truth, tmp_path, capsys):
    results = keypoint_results()
    found = evaluate_pck(truth, write(tmp_path / "dt.json", [*results, {**results[0], "image_id": 5}]))
    (row,) = found.rows
    assert row.name == "dt" and row.columns["Average"] == 80 == found.numbers["PCK@0.2"]["Average"]
    assert row.details[0].startswith("persons 3, ") and found.numbers["ignored_detections"] == 1
    assert found.notes[0].startswith("warning: ") and "1 detections are in images that" in found.notes[0]
    assert evaluate_pck(truth, write(tmp_path / "dt.json", results)).notes == ()
    assert capsys.readouterr() == ("", "")


def test_columns_of_boxes_say_where_they_come_from(truth, tmp_path):
    pytest.importorskip("pycocotools")
    keypoints = write(tmp_path / "keypoints.json", keypoint_results("keypoints"))
    box = {"image_id": truth.image_ids[0], "category_id": "1", "bbox": [1, 2, 30, 40], "score": 1}
    boxes = write(tmp_path / "boxes.json", [{**box, "image_id": int(box["image_id"])}])
    assert list(evaluate_ap(truth, keypoints).rows[0].columns) == ["AP50", "recall50@1", "recall50@10"]
    assert list(evaluate_ap(truth, boxes, from_keypoints=True).rows[0].columns)[1] == "recall50@1"
    assert evaluate_ap(truth, boxes).numbers["columns"] != evaluate_ap(truth, keypoints).numbers["columns"]


def test_errors_name_the_file(truth, tmp_path):
    with pytest.raises(FileNotFoundError, match="none.json: no such file"):
        evaluate_pck(truth, tmp_path / "none.json")
    with pytest.raises(ValueError, match="not a MATLAB 5 file"):
        evaluate_3d(None, write(tmp_path / "dt.json", keypoint_results()))
