"""The published first stage's JSON, written from the same detections and read back."""

from __future__ import annotations

import json

import numpy as np
import pytest
from cases import params, parity_cases

from orplugins.partial_body.box_ap import PARTIAL_BODY_CLASSES
from orplugins.partial_body.box_files import FrameBoxes, read_boxes, write_published_boxes

SYSTEM = "partial_body"
CASES = [(n, d) for n, _, d in parity_cases(SYSTEM) if "annotation_key_order" in d]


@pytest.mark.parametrize("case", params(CASES, SYSTEM))
def test_document(case, tmp_path):
    frames = [
        FrameBoxes(
            entry["file"],
            (entry["width"], entry["height"]),
            np.array(entry["boxes_xyxy"], dtype=np.float64).reshape(-1, 4),
            np.array(entry["scores"]),
            tuple(PARTIAL_BODY_CLASSES[c] for c in entry["classes"]),
        )
        for entry in case["inputs"]
    ]
    path = tmp_path / "bbox_detections.json"
    write_published_boxes(path, frames)
    text = path.read_text()
    found = json.loads(text)
    assert found == case["expected"] and "\n" not in text
    assert list(found) == case["top_level_key_order"]
    assert all(list(a) == case["annotation_key_order"] for a in found["annotations"])
    assert all(list(image) == case["image_key_order"] for image in found["images"])

    again, problems = read_boxes(path)
    assert not problems and [f.file_name for f in again] == [entry["file"] for entry in case["inputs"]]
    for frame, entry in zip(again, case["inputs"], strict=True):
        patients = [k for k, c in enumerate(entry["classes"]) if c == 0]
        assert frame.size is None and len(frame.boxes) == len(patients)
        for k, box, score in zip(patients, frame.boxes, frame.scores, strict=True):
            np.testing.assert_allclose(box, entry["boxes_xyxy"][k], atol=1e-3)
            assert score == pytest.approx(entry["scores"][k], abs=5.1e-5)
