"""MVOR's file in COCO's form."""

import json

import numpy as np
import pytest
from mvor_files import annotations

from orplugins.io.coco_annotations import read_annotations
from orplugins.mvor.as_coco import as_coco_file, is_mvor, read_through
from orplugins.skeletons import CAMMA_10


def test_people_joints_and_folders(tmp_path):
    path = tmp_path / "camma.json"
    path.write_text(json.dumps(annotations()))
    assert is_mvor(path)
    copy = as_coco_file(path, tmp_path / "out", "depth")
    data = read_annotations(copy, CAMMA_10.joints).data
    truth = annotations()
    assert len(data["images"]) == len(truth["images"]) and len(data["annotations"]) == len(truth["annotations"])
    assert all("/depth/" in image["file_name"] for image in data["images"])
    first = np.reshape(truth["annotations"][0]["keypoints"], (10, 3))
    found = np.reshape(data["annotations"][0]["keypoints"], (10, 3))
    there = (first[:, :2] != 0).any(1)
    assert np.array_equal(found[there, :2], first[there, :2]) and (found[~there] == 0).all()
    assert sum(person["num_keypoints"] == 0 for person in data["annotations"]) == sum(
        person["only_bbox"] for person in truth["annotations"]
    )


def test_other_files_are_taken_as_they_are(tmp_path):
    path = tmp_path / "coco.json"
    path.write_text(json.dumps({"images": [], "annotations": [{"category_id": 1, "keypoints": [0] * 51}]}))
    assert as_coco_file(path, tmp_path / "out", "depth") == path


def test_errors_and_notes_name_the_file(tmp_path):
    path = tmp_path / "camma.json"
    path.write_text(json.dumps(annotations()))
    found = read_through(path, "depth", lambda file: read_annotations(file, CAMMA_10.joints))
    assert found.notes and all(note.startswith(f"{path}: ") for note in found.notes)
    with pytest.raises(ValueError, match=f"{path}: .*expected"):
        read_through(path, "depth", lambda file: read_annotations(file, ("nose", "left_eye")))
