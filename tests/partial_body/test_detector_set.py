"""Sets of patients and users for the detector."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from orplugins.io.video import write_image
from orplugins.partial_body.detector_set import write_detector_set


def source(folder: Path, **changes) -> Path:
    write_image(folder / "day1/a.png", np.zeros((24, 32, 3), np.uint8))
    person = {
        "id": 9,
        "image_id": 7,
        "category_id": 1,
        "bbox": [1, 2, 10, 12],
        "area": 100.0,
        "iscrowd": 0,
        "person_role": "patient",
    }
    truth = {
        "images": [{"id": 7, "file_name": "day1/a.png", "width": 32, "height": 24}],
        "annotations": [person, {**person, "id": 4, "person_role": "clinician", **changes}],
        "categories": [{"id": 1, "name": "person"}],
    }
    (folder / "coco.json").write_text(json.dumps(truth))
    return folder / "coco.json"


def test_roles_become_classes_and_pictures_stay(tmp_path):
    ann = source(tmp_path / "room")
    out = tmp_path / "sets/partial_body"
    assert write_detector_set(ann, tmp_path / "room", out, "val") == {"patient": 1, "user": 1}
    written = json.loads((out / "annotations/val.json").read_text())
    assert [(a["id"], a["image_id"], a["category_id"], a["bbox"]) for a in written["annotations"]] == [
        (1, 7, 1, [1, 2, 10, 12]),
        (2, 7, 2, [1, 2, 10, 12]),
    ]
    assert (out / "images" / written["images"][0]["file_name"]).resolve() == tmp_path / "room/day1/a.png"


def test_a_patient_s_box_holds_what_is_under_the_drape(tmp_path):
    ann = source(tmp_path / "room")
    truth = json.loads(ann.read_text())
    for person in truth["annotations"]:
        person["bbox_full"] = [-2.0, 1.0, 20.0, 30.0]
    ann.write_text(json.dumps(truth))
    write_detector_set(ann, tmp_path / "room", tmp_path / "sets", "more_1")
    patient, user = json.loads((tmp_path / "sets/annotations/more_1.json").read_text())["annotations"]
    assert (patient["bbox"], patient["area"]) == ([0, 1, 18, 23], 18 * 23)
    assert (user["bbox"], user["area"]) == ([1, 2, 10, 12], 100.0)
    with pytest.raises(ValueError, match="split: found '../x', expected a name"):
        write_detector_set(ann, tmp_path / "room", tmp_path / "sets", "../x")


def test_a_fault_names_the_field_and_writes_nothing(tmp_path):
    for changes, message in (
        ({"person_role": "visitor"}, r"annotations\[1\]: 'person_role' is 'visitor', expected one of patient, "),
        ({"bbox": [1, 2, 3]}, r"annotations\[1\]: 'bbox' has 3 numbers, expected 4"),
    ):
        with pytest.raises(ValueError, match=message):
            write_detector_set(source(tmp_path / "room", **changes), tmp_path / "room", tmp_path / "out")
    ann = source(tmp_path / "room")
    with pytest.raises(FileNotFoundError, match=r"a.png: no such file, expected the picture of .*images\[0\]"):
        write_detector_set(ann, tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
