import numpy as np
import pytest
from mvor_files import DETECTION

from orplugins.mvor.person_ap import boxes_from_keypoints, person_ap

pytest.importorskip("pycocotools")
IMAGES = [10010000000, 10020000000]


def truth(*ids):
    return [
        {"id": i, "image_id": IMAGES[n % 2], "category_id": "1", "bbox": [10.0 + 100 * n, 10.0, 50.0, 80.0]}
        for n, i in enumerate(ids)
    ]


def detected(annotations, category="1"):
    return [{"image_id": a["image_id"], "category_id": category, "bbox": a["bbox"], "score": 0.5} for a in annotations]


def test_perfect_boxes():
    annotations = truth(1, 2, 3)
    result = person_ap(IMAGES, annotations, detected(annotations))
    assert result["AP"] == result["AP50"] == result["AR100"] == result["recall50@10"] == pytest.approx(1)
    assert result["recall50@1"] == pytest.approx(2 / 3)  # one image has two persons


def test_ids_stay_so_that_the_person_with_id_0_is_never_found():
    annotations = truth(0, 1)
    result = person_ap(IMAGES, annotations, detected(annotations))
    assert result["recall50@10"] == pytest.approx(0.5)


def test_a_numeric_category_is_an_error_and_not_an_ap_of_zero():
    annotations = truth(1, 2)
    with pytest.raises(ValueError, match=r"detections\[0\]: 'category_id' is 1, expected '1'"):
        person_ap(IMAGES, annotations, detected(annotations, category=1))


def test_bad_or_empty_input():
    annotations = truth(1, 2)
    assert set(person_ap(IMAGES, annotations, []).values()) == {0.0}
    with pytest.raises(ValueError, match="no annotated person"):
        person_ap(IMAGES, [], [])
    with pytest.raises(ValueError, match="'image_id' is 10020000000, expected one of 1"):
        person_ap(IMAGES[:1], annotations[:1], detected(annotations))
    with pytest.raises(ValueError, match="expected one category"):
        person_ap(IMAGES, [annotations[0], {**annotations[1], "category_id": 1}], [])


def test_input_is_not_changed_and_nothing_is_printed(capsys):
    annotations = truth(1, 2)
    results = detected(annotations)
    person_ap(IMAGES, annotations, results)
    assert set(results[0]) == {"image_id", "category_id", "bbox", "score"} and "area" not in annotations[0]
    assert capsys.readouterr().out == ""


def test_boxes_from_keypoints_are_truncated():
    poses = np.stack([DETECTION, DETECTION, np.zeros((17, 3))])
    poses[0, :, :2] += np.where(poses[0, :, :1] > 0, 0.75, 0)
    poses[0, 9, 0] += 0.5
    assert boxes_from_keypoints(poses).tolist() == [[65, 48, 70, 112], [65, 48, 70, 112], [0, 0, 0, 0]]
    assert boxes_from_keypoints(np.zeros((0, 17, 3))).shape == (0, 4)
    with pytest.raises(ValueError, match="shape"):
        boxes_from_keypoints(np.zeros((17, 3)))
