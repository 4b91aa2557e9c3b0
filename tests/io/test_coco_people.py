"""Files of people: what is wrong with one is said in one line, before anything is made of it."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest

from orplugins.io.coco_people import load_people
from orplugins.orpose_color.annotations import camma_fields, intrinsics, lifting_pairs
from orplugins.skeletons import COCO_17

PERSON = {
    "id": 1, "image_id": 7, "category_id": 1, "iscrowd": 0, "bbox": [1, 2, 3, 4], "area": 12.0, "score": 0.9,
    "num_keypoints": 17, "keypoints": [5, 6, 2] * 17, "keypoints_soft": [5.5, 6.5, 0.9] * 17,
    "keypoints2d_hard": [0.1] * 32, "keypoints3d_hard": [0.2] * 48, "keypoints2d_soft": [0.1] * 32,
    "keypoints3d_soft": [0.2] * 48,
}  # fmt: skip
DATA = {
    "images": [{"id": 7, "file_name": "a.png", "height": 10, "width": 20}],
    "categories": [{"id": 1, "name": "person"}],
    "annotations": [PERSON, {**PERSON, "id": 2}],
}


def write(tmp_path, change=lambda data: None):
    data = copy.deepcopy(DATA)
    change(data)
    path = tmp_path / "people.json"
    path.write_text(json.dumps(data))
    return path


def test_a_good_file_passes(tmp_path):
    assert load_people(write(tmp_path)) == DATA


def setter(key, value):
    return lambda data: data["annotations"][1].__setitem__(key, value)


@pytest.mark.parametrize(
    "change,message",
    [
        (setter("keypoints", [1, 2, 2] * 16), r"annotations\[1\]: 'keypoints' has 48 numbers, expected 51"),
        (setter("keypoints_soft", [1, 2, 0.5] * 18), "'keypoints_soft' has 54 numbers, expected 51"),
        (setter("keypoints_soft", [1, 2, 1.5] * 17), "'keypoints_soft' has the confidence 1.5 to 1.5, expected 0 to 1"),
        (setter("keypoints", [1, 2, 0.5] * 17), r"'keypoints' has the flags \[0.5\]"),
        (setter("keypoints2d_hard", [float("nan")] * 32), "'keypoints2d_hard' holds nan at position 0"),
        (setter("keypoints3d_soft", [1.0] * 47), "'keypoints3d_soft' has 47 numbers, expected 48"),
        (lambda d: d["annotations"][1].pop("keypoints3d_hard"), "missing key 'keypoints3d_hard'"),
        (setter("image_id", 8), "'image_id' is 8, expected one of 1 ids"),
        (setter("id", 1), "'id' 1 occurs twice"),
        (setter("category_id", 2), "'category_id' is 2, expected 1"),
        (setter("bbox", [1, 2, 0, 4]), "width > 0"),
        (lambda d: d["images"][0].__setitem__("width", 0), "'width' is 0, expected a positive number"),
        (lambda d: d["images"].append(d["images"][0]), r"images\[1\]: 'id' 7 occurs twice"),
        (lambda d: d.pop("categories"), "missing key 'categories'"),
        (lambda d: d["categories"].append({"id": 2}), "'categories' has 2 entries, expected one"),
    ],
)
def test_faults(tmp_path, change, message):
    with pytest.raises(ValueError, match=f"people.json.*{message}"):
        load_people(write(tmp_path, change))


def test_a_file_without_people_passes(tmp_path):
    assert not load_people(write(tmp_path, lambda d: d.__setitem__("annotations", [])))["annotations"]


def test_camma_of_a_generated_person():
    joints = np.random.default_rng(0).normal(0, 1, (17, 3))
    flat = np.column_stack([np.arange(17) * 3.0, np.arange(17) * 2.0, np.full(17, 2)])
    flat[9] = 0  # the left wrist is outside the picture
    shifted = flat + (flat[:, 2:] > 0) * (0.5, 0.5, 0)
    found = camma_fields({"keypoints": shifted.ravel().tolist(), "keypoints_3d": joints.ravel().tolist()})
    pose = np.reshape(found["keypoints3D_camma_projected_allkps"], (10, 4))
    image = np.reshape(found["keypoints2D_camma"], (10, 3))
    left, right = COCO_17.index("left_eye"), COCO_17.index("right_eye")
    np.testing.assert_allclose(pose[0, :3], (joints[left] + joints[right]) / 2)
    np.testing.assert_allclose(pose[9, :3], joints[COCO_17.index("right_wrist")])
    assert pose[:, 3].tolist() == [1] * 8 + [0, 1]
    np.testing.assert_allclose(image[3, :2], flat[COCO_17.index("right_shoulder"), :2])
    assert not image[8].any()


def test_lifting_pairs_need_all_joints(tmp_path):
    def pose(data):
        for k, person in enumerate(data["annotations"]):
            person["h36m_3d"] = [0.001 * k] * 51
            person["keypoints_3d"] = [0.0] * 51

    keypoints, poses = lifting_pairs(write(tmp_path, pose))
    assert keypoints.shape == poses.shape == (2, 17, 3)
    assert keypoints[0, 0].tolist() == [5.5, 6.5, 2] and poses[1, 0, 0] == 1
    with pytest.raises(ValueError, match="0 annotations have 'h36m_3d'"):
        lifting_pairs(write(tmp_path))


def test_intrinsics_belong_to_the_camera_in_the_image_id():
    cameras = [{"focallength": [float(k), 2.0], "principalpoint": [3.0, 4.0]} for k in (1, 2, 3)]
    data = {"cameras_info": {"camParams": {"intrinsics": cameras}}}
    assert intrinsics(data, 10020000013, "f") == ([2.0, 2.0], [3.0, 4.0])
    assert intrinsics({}, 5, "f") is None
    with pytest.raises(ValueError, match="names camera 0, expected 1 to 3"):
        intrinsics(data, 5, "f")
