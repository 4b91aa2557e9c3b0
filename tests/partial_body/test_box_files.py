"""Box files: three forms in, two out, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from orplugins.partial_body.box_files import frame_boxes, read_boxes, write_boxes

FRAMES = [
    frame_boxes("a.jpg", (640, 480), [([10, 20, 110, 220.5], 0.75, "patient"), ([0, 0, 50, 50], 0.9, "user")]),
    frame_boxes("b.jpg", (320, 240), []),
]


def write(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_what_is_written_is_read(tmp_path):
    write_boxes(tmp_path / "boxes.json", FRAMES)
    found, problems = read_boxes(tmp_path / "boxes.json")
    assert not problems
    for a, b in zip(found, FRAMES, strict=True):
        assert (a.file_name, a.size, a.labels) == (b.file_name, b.size, b.labels)
        np.testing.assert_allclose(a.boxes, b.boxes)
        np.testing.assert_allclose(a.scores, b.scores)
    assert FRAMES[0].labels == ("user", "patient")  # best first
    record = json.loads((tmp_path / "boxes.json").read_text())["annotations"][1]
    assert record["bbox"] == [10, 20, 100, 200.5] and record["category_id"] == 1


def test_result_lists_by_name_and_by_number(tmp_path):
    record = {"category_id": 1, "bbox": [1, 2, 30, 40], "score": 0.5}
    named = write(tmp_path / "named.json", [{**record, "file_name": "dir/x.png"}, {**record, "file_name": "y.png"}])
    found, _ = read_boxes(named)
    assert [f.file_name for f in found] == ["x.png", "y.png"]
    np.testing.assert_allclose(found[0].boxes, [[1, 2, 31, 42]])
    numbered = write(tmp_path / "numbered.json", [{**record, "image_id": 3}])
    found, _ = read_boxes(numbered)
    assert [len(f.boxes) for f in found] == [0, 0, 1] and found[2].labels == ("person",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"score": float("nan")}, r"annotations\[0\]: 'score' holds nan"),
        ({"score": 1.5}, "score is 1.5, expected 0 to 1"),
        ({"bbox": [1, 2, 3]}, "'bbox' has 3 numbers, expected 4"),
        ({"bbox": [1, 2, 0, 5]}, "no area"),
        ({"image_id": 9}, "'image_id' is 9, which no image has"),
        ({"bbox_score": "0.83"}, "expected a text such as '83.3%'"),
    ],
)
def test_one_bad_record_is_named_and_left_out(tmp_path, change, message):
    write_boxes(tmp_path / "boxes.json", FRAMES)
    content = json.loads((tmp_path / "boxes.json").read_text())
    content["annotations"][0].update(change)
    found, problems = read_boxes(write(tmp_path / "bad.json", content))
    assert len(problems) == 1 and sum(len(f.boxes) for f in found) == 1
    with pytest.raises(ValueError, match=message):
        raise ValueError(problems[0])
    assert "bad.json" in problems[0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not JSON or cut off"),
        ({"people": []}, "missing key 'images', found people"),
        ({"images": [{"file_name": "a"}], "annotations": [], "categories": []}, r"images\[0\]: missing key 'id'"),
        ({"images": [], "annotations": 3, "categories": []}, "annotations: found a number, expected a list"),
        ([{"bbox": [1, 2, 3, 4], "score": 1}], "missing key 'image_id'"),
        ([{"bbox": [1, 2, 3, 4], "score": 1, "image_id": 0}], "number from 1 on"),
        ("7", "found a number"),
    ],
)
def test_another_schema_is_refused_by_name(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        read_boxes(write(tmp_path / "other.json", content))
