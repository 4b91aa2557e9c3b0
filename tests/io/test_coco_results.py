import json

import numpy as np
import pytest
from mvor_files import keypoint_results, write

from orplugins.io.coco_results import (
    box_records,
    has_boxes,
    keypoint_records,
    load_box_results,
    load_keypoint_results,
    load_mv3dreg,
)


@pytest.mark.parametrize("other", [None, [], [0.0] * 30])
def test_coco_keypoints_come_first_then_keypoints(tmp_path, other):
    results = keypoint_results("coco_keypoints")
    for entry in results:
        if other is not None:
            entry["keypoints"] = other
    loaded = load_keypoint_results(write(tmp_path / "a.json", results))
    assert loaded.field == "coco_keypoints" and loaded.keypoints.shape == (3, 17, 3)
    assert loaded.image_ids.dtype == np.int64 and loaded.scores.tolist() == [0.9, 0.8, 0.7]
    only = load_keypoint_results(write(tmp_path / "b.json", keypoint_results("keypoints")))
    assert only.field == "keypoints"
    np.testing.assert_array_equal(only.keypoints, loaded.keypoints)


def test_camma_length_is_taken_only_when_allowed(tmp_path):
    entry = {"image_id": 1, "score": 0.5, "keypoints": [1.0] * 30}
    path = write(tmp_path / "a.json", [entry])
    assert load_keypoint_results(path, sizes=(51, 30)).keypoints.shape == (1, 10, 3)
    with pytest.raises(ValueError, match="'keypoints' has 30 numbers, expected 51 numbers"):
        load_keypoint_results(path)
    path = write(tmp_path / "b.json", [entry, {**entry, "keypoints": [1.0] * 51}])
    with pytest.raises(ValueError, match=r"detections\[1\]: 'keypoints' has 51 numbers, expected 30 as in entry 0"):
        load_keypoint_results(path, sizes=(51, 30))


def test_no_detections(tmp_path):
    path = write(tmp_path / "a.json", [])
    assert load_keypoint_results(path).keypoints.shape == (0, 17, 3)
    assert load_box_results(path) == [] and has_boxes(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_id": None}, r"detections\[0\]: 'image_id' is None"),
        ({"score": float("nan")}, "'score' holds nan"),
        ({"score": "high"}, "'score' holds 'high'"),
        ({"coco_keypoints": [float("inf")] + [0.0] * 50}, "'coco_keypoints' holds inf at position 0"),
        ({"coco_keypoints": [1.0] * 54}, "'coco_keypoints' has 54 numbers, expected 51"),
        ({"coco_keypoints": None}, "missing key 'keypoints', found category_id, coco_keypoints, image_id, score"),
    ],
)
def test_bad_keypoints(tmp_path, change, message):
    results = keypoint_results()
    results[0].update(change)
    with pytest.raises(ValueError, match=message):
        load_keypoint_results(write(tmp_path / "a.json", results))


@pytest.mark.parametrize("key", ["image_id", "score", "coco_keypoints"])
def test_missing_keypoint_fields(tmp_path, key):
    results = keypoint_results()
    del results[2][key]
    with pytest.raises(ValueError, match=rf"detections\[2\]: missing key '{key}'"):
        load_keypoint_results(write(tmp_path / "a.json", results))


def test_boxes(tmp_path):
    records = box_records(np.array([10**10]), np.array([[1, 2, 3, 4]]), np.array([0.5]))
    assert records == [{"image_id": 10**10, "category_id": "1", "bbox": [1, 2, 3, 4], "score": 0.5}]
    path = write(tmp_path / "a.json", records)
    assert load_box_results(path) == records and has_boxes(path)
    for change, message in (
        ({"bbox": [1, 2, 3]}, "'bbox' has 3 numbers, expected 4"),
        ({"bbox": [1, 2, 3, -4]}, "expected x, y, width >= 0"),
        ({"bbox": [1, 2, 3, float("nan")]}, "'bbox' holds nan"),
        ({"category_id": [1]}, "'category_id' is"),
    ):
        with pytest.raises(ValueError, match=message):
            load_box_results(write(tmp_path / "b.json", [{**records[0], **change}]))
    with pytest.raises(ValueError, match="found an object, expected a list"):
        load_box_results(write(tmp_path / "b.json", {}))


def test_keypoint_records_read_back(tmp_path):
    poses = np.random.default_rng(0).uniform(1, 99, (2, 17, 3))
    records = keypoint_records(np.array([10**10, 7]), poses, np.array([0.5, 2]))
    assert records[0]["category_id"] == 1
    path = write(tmp_path / "a.json", records)
    loaded = load_keypoint_results(path)
    assert not has_boxes(path)
    np.testing.assert_array_equal(loaded.keypoints, poses)


def test_mv3dreg_files(tmp_path):
    io = pytest.importorskip("scipy.io")
    good = {"det3dPoses": np.ones((2, 30)), "GT3dPoses": np.ones((2, 30)), "enc_in": np.ones((2, 288))}
    io.savemat(tmp_path / "a.mat", good)
    assert [array.shape for array in load_mv3dreg(tmp_path / "a.mat")] == [(2, 30), (2, 30), (2, 288)]
    (tmp_path / "cut.mat").write_bytes((tmp_path / "a.mat").read_bytes()[:300])
    (tmp_path / "text.mat").write_text("no")
    io.savemat(tmp_path / "nan.mat", {**good, "enc_in": np.full((2, 288), np.nan)})
    io.savemat(tmp_path / "shape.mat", {**good, "enc_in": np.ones((2, 96))})
    io.savemat(tmp_path / "rows.mat", {**good, "enc_in": np.ones((3, 288))})
    io.savemat(tmp_path / "less.mat", {"enc_in": np.ones((3, 288))})
    for name, message in (
        ("cut", "cut off"),
        ("text", "not a MATLAB"),
        ("nan", "'enc_in' holds NaN"),
        ("shape", "'enc_in' is .*288"),
        ("rows", "rows"),
        ("less", "missing variable 'det3dPoses'"),
    ):
        with pytest.raises(ValueError, match=message):
            load_mv3dreg(tmp_path / f"{name}.mat")
    with pytest.raises(FileNotFoundError, match="none.mat"):
        load_mv3dreg(tmp_path / "none.mat")


def test_flags_are_no_scores_and_fields_are_not_mixed(tmp_path):
    entry = {"image_id": 1, "category_id": 1, "score": 0.9, "keypoints": [5, 6, 2, 7, 8, 1, 0, 0, 0] + [1, 1, 2] * 14}
    path = tmp_path / "a.json"
    path.write_text(json.dumps([entry]))
    assert load_keypoint_results(path).keypoints[0, :3, 2].tolist() == [1, 1, 0]
    path.write_text(json.dumps([entry, {**entry, "coco_keypoints": [1, 1, 1] * 17}]))
    with pytest.raises(ValueError, match="expected the same in all"):
        load_keypoint_results(path)
