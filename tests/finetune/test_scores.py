"""The figures of a fine-tuning: perfect people, nobody, half of the joints."""

import numpy as np
import pytest

from orplugins.finetune.scores import keypoint_scores
from orplugins.skeletons import COCO_17

pytest.importorskip("pycocotools")


ALL = tuple(range(17))


def truth(labelled=ALL) -> dict:
    rng = np.random.default_rng(0)
    people = []
    for k in range(3):
        joints = np.zeros((17, 3))
        joints[list(labelled)] = np.column_stack([rng.uniform(10, 90, (17, 2)), np.full(17, 2)])[list(labelled)]
        people.append(
            dict(id=k + 1, image_id=k + 1, category_id=1, iscrowd=0, bbox=[10.0, 10.0, 80.0, 80.0], area=3400.0)
            | dict(keypoints=joints.ravel().tolist(), num_keypoints=len(list(labelled)))
        )
    images = [dict(id=k + 1, width=100, height=100) for k in range(3)]
    return dict(images=images, annotations=people, categories=[dict(id=1, name="person")])


def found(data: dict, moved=0.0) -> list[dict]:
    records = []
    for person in data["annotations"]:
        pose = np.reshape(person["keypoints"], (17, 3)).copy()
        pose[:, 0] += moved
        records.append(dict(image_id=person["image_id"], keypoints=pose.ravel().tolist(), score=0.9))
    return records


def test_perfect_and_nobody():
    data = truth()
    assert keypoint_scores(data, found(data), COCO_17.sigmas) == pytest.approx(
        {"AP": 100, "AP50": 100, "recall": 100, "PCK@0.1": 100}
    )
    assert set(keypoint_scores(data, [], COCO_17.sigmas).values()) == {0.0}


def test_joints_without_a_label_do_not_count():
    data = truth(range(5, 11))
    records = found(truth())
    for record in records:  # the others are anywhere
        pose = np.reshape(record["keypoints"], (17, 3))
        pose[11:, :2] += 50
        record["keypoints"] = pose.ravel().tolist()
    assert keypoint_scores(data, records, COCO_17.sigmas)["PCK@0.1"] == pytest.approx(100)
    assert keypoint_scores(truth([]), records, COCO_17.sigmas) == {}


def test_a_tenth_of_the_box_is_the_limit():
    data = truth()
    assert keypoint_scores(data, found(data, 7.9), COCO_17.sigmas)["PCK@0.1"] == 100
    assert keypoint_scores(data, found(data, 8.1), COCO_17.sigmas)["PCK@0.1"] == 0
