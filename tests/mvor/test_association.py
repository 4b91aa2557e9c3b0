"""The protocol of association, on examples that can be counted by hand."""

import json

import numpy as np
import pytest
from mvor_files import annotations, image_id, write

from orplugins.io.cross_view import read_cross_view, write_cross_view
from orplugins.mvor.annotations import load_mvor
from orplugins.mvor.association import (
    CameraPair,
    association_metrics,
    average_precision,
    camera_pairs,
    counted_frames,
    false_positive_rate,
    match_boxes,
)
from orplugins.mvor.pipeline import evaluate_association

pytest.importorskip("scipy")


def pair(first, second, score):
    return CameraPair(np.array(first), np.array(second), np.array(score, dtype=float))


def test_two_pairs_of_cameras():
    pairs = [
        pair([0, 1], [0, 2], [[0.9, 0.2], [0.05, 0.4]]),  # 0 is right; 1 and 2 are taken for one person
        pair([0, 1, 2], [2, 0], [[0.0, 0.8], [0.05, 0.0], [0.7, 0.3]]),  # all right, 1 is left alone
    ]
    found = association_metrics(pairs)
    assert found["precision"] == 3 / 4 and found["recall"] == 1
    # 0 right of {0, 1, 2}; then 0 and 2 right and 1 rightly alone.
    assert found["accuracy"] == pytest.approx((1 + 3) / 6)
    assert (found["IPAA-100"], found["IPAA-90"], found["IPAA-80"]) == (0.5, 0.5, 0.5)
    # By falling score: .9 +, .8 +, .7 +, .4 -, ...: all positives come first.
    assert found["AP"] == 1 and found["FPR-95"] == 0 and found["people in both"] == 3


def test_average_precision_and_fpr():
    score, positive = np.array([0.9, 0.8, 0.7, 0.6, 0.5]), np.array([True, False, True, False, False])
    assert average_precision(score, positive) == pytest.approx((1 / 1 + 2 / 3) / 2)
    assert false_positive_rate(score, positive) == pytest.approx(1 / 3)
    assert false_positive_rate(score, positive, recall=0.5) == 0
    # Ties are one step: their order says nothing.
    tied = np.array([0.5, 0.5, 0.5, 0.1])
    for order in ([True, False, False, True], [False, True, False, True]):
        assert average_precision(tied, np.array(order)) == pytest.approx((1 / 3 + 2 / 4) / 2)
        assert false_positive_rate(tied, np.array(order)) == 1
    assert np.isnan(average_precision(score, np.zeros(5, dtype=bool)))
    assert np.isnan(false_positive_rate(score, np.ones(5, dtype=bool)))


def test_threshold_and_the_only_pair():
    both = pair([4], [4], [[0.09]])
    assert len(match_boxes(both)) == 0 and match_boxes(both, keep_only_pair=True).tolist() == [[0, 0]]
    assert match_boxes(pair([1, 2], [1], [[0.05], [0.02]]), keep_only_pair=True).tolist() == []
    assert match_boxes(pair([1], [1], [[0.1]])).tolist() == [[0, 0]]
    # The sum decides, not the best single pair.
    assert match_boxes(pair([0, 1], [0, 1], [[0.9, 0.8], [0.8, 0.1]])).tolist() == [[0, 1], [1, 0]]


def test_unknown_boxes():
    found = association_metrics([pair([-1, 0], [-1, 0], [[0.9, 0], [0, 0.8]])])
    assert found["precision"] == 0.5 and found["recall"] == 1 and found["accuracy"] == 1
    assert found["AP"] == 1  # of the one pair of known boxes
    with pytest.raises(ValueError, match="no moment"):
        association_metrics([])


@pytest.fixture
def truth(tmp_path):
    return write(tmp_path / "gt.json", annotations())


def test_moments_and_boxes(truth):
    data = load_mvor(truth)
    frames = counted_frames(data)  # of frame 3 only camera 3 sees somebody
    assert frames == [tuple(image_id(1, camera, 17) for camera in (1, 2, 3))]
    same = camera_pairs(data, read_cross_view(truth), frames)
    assert len(same) == 1 and same[0].score.tolist() == [[1.0]]


def test_identities_by_id_and_by_overlap(truth, tmp_path):
    data = load_mvor(truth)
    people = [a for a in data.annotations if a["person_id"] >= 0]
    moved = [
        {"image_id": a["image_id"], "bbox": (np.array(a["bbox"]) + (3, 0, 0, 0)).tolist(), "track_id": 7, "score": 1}
        for a in people
    ]
    path = write(tmp_path / "boxes.json", moved)
    assert camera_pairs(data, read_cross_view(path), counted_frames(data))[0].score.tolist() == [[1.0]]
    far = [{**record, "bbox": [500, 400, 10, 10]} for record in moved]
    path = write(tmp_path / "far.json", far)
    assert camera_pairs(data, read_cross_view(path), counted_frames(data))[0].score.tolist() == [[0.0]]


def test_scores_of_pairs(truth, tmp_path):
    data = load_mvor(truth)
    records = data.box_persons()
    path = tmp_path / "pairs.json"
    write_cross_view(path, records, np.array([0, 1, 0, 5]), [(2, 0, 0.625), (0, 1, 0.5)], {"by": "hand"})
    found = read_cross_view(path)
    assert camera_pairs(data, found, counted_frames(data))[0].score.tolist() == [[0.625]]
    content = json.loads(path.read_text())
    for change, message in (
        ({"pairs": [{"ids": [0, 99], "score": 0.5}]}, r"pairs\[0\]: 'ids' is \[0, 99\]"),
        ({"pairs": [{"ids": [0, 1], "score": 1.5}]}, "'score' is 1.5, expected 0 to 1"),
        ({"annotations": [{"id": 0, "image_id": 1, "bbox": [0, 0, 1, 1]}]}, "person_id"),
        ({"annotations": [dict(content["annotations"][0], bbox=[0, 0, -1, 1])]}, "'bbox' is"),
    ):
        with pytest.raises(ValueError, match=message):
            read_cross_view(write(tmp_path / "bad.json", {**content, **change}))


def test_evaluation(truth, tmp_path):
    found = evaluate_association(load_mvor(truth), truth)
    assert [row.name for row in found.rows] == ["poses, all frames", "all boxes, all frames"]
    assert found.rows[0].columns["accuracy"] == 1 and "not at hand" in found.notes[1]
    other = write(tmp_path / "other.json", [{"image_id": 5, "bbox": [0, 0, 1, 1], "person_id": 1}])
    with pytest.raises(ValueError, match="none of 1 entries"):
        evaluate_association(load_mvor(truth), other)
