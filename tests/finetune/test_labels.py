"""A user's file in the network's joints, checked and split."""

import json

import numpy as np
import pytest

from orplugins.finetune.labels import read_boxes, read_poses, split
from orplugins.io.images import write_image
from orplugins.skeletons import COCO_17

THREE = ["right_wrist", "nose", "neck"]


def write(folder, pictures=4, keypoints=(10, 20, 2, 30, 40, 1, 5, 6, 2), category=None, change=lambda data: None):
    """A file with a person of 40x50 pixels in each picture of 64x48."""
    for k in range(pictures):
        write_image(folder / f"{k}.png", np.zeros((48, 64, 3), np.uint8))
    data = {
        "images": [{"id": k + 1, "file_name": f"{k}.png", "width": 64, "height": 48} for k in range(pictures)],
        "annotations": [
            {"id": k + 1, "image_id": k + 1, "category_id": 1, "bbox": [4, 4, 40, 40], "keypoints": list(keypoints)}
            for k in range(pictures)
        ],
        "categories": [category or {"id": 1, "name": "person", "keypoints": [*THREE]}],
    }
    change(data)
    (folder / "labels.json").write_text(json.dumps(data))
    return folder / "labels.json"


def test_joints_go_to_their_places(tmp_path):
    labels = read_poses(write(tmp_path), tmp_path, COCO_17.joints)
    assert labels.known == ("nose", "right_wrist") and (labels.pictures, labels.people, labels.posed) == (4, 4, 4)
    pose = np.reshape(labels.data["annotations"][0]["keypoints"], (17, 3))
    assert pose[COCO_17.index("right_wrist")].tolist() == [10, 20, 2] and pose[0].tolist() == [30, 40, 1]
    assert (pose[1:10] == 0).all() and labels.data["annotations"][0]["num_keypoints"] == 2
    assert labels.data["categories"][0]["keypoints"] == list(COCO_17.joints)
    notes = "\n".join(labels.notes)
    assert "left out: neck" in notes and "without a label, which are left as they are: left_eye" in notes


def test_without_names_the_number_decides(tmp_path):
    plain = {"id": 1, "name": "person"}
    labels = read_poses(write(tmp_path, keypoints=[1, 2, 2] * 17, category=plain), tmp_path, COCO_17.joints)
    assert labels.known == COCO_17.joints and "names no joints; the 17 are taken" in "\n".join(labels.notes)
    with pytest.raises(ValueError, match="'keypoints' are missing, expected the names of the 3 joints"):
        read_poses(write(tmp_path, category=plain), tmp_path, COCO_17.joints)


def test_people_with_boxes_only(tmp_path):
    def boxes(data):
        for person in data["annotations"][1:]:
            del person["keypoints"]

    labels = read_poses(write(tmp_path, change=boxes), tmp_path, COCO_17.joints)
    assert (labels.people, labels.posed) == (4, 1)
    labels = read_poses(write(tmp_path, keypoints=()), tmp_path, COCO_17.joints)
    assert (labels.people, labels.posed) == (4, 0)


def test_pictures_nobody_looked_at_are_left_out(tmp_path):
    labels = read_poses(write(tmp_path, change=lambda data: data["annotations"].pop()), tmp_path, COCO_17.joints)
    assert labels.pictures == 3 and any("without an annotation were left out (1)" in note for note in labels.notes)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda d: d["annotations"].clear(), ValueError, "labels.json: nobody is annotated"),
        (lambda d: d["images"][0].update(width=65), ValueError, r"images\[0\]: 'width' and 'height' are 65x48"),
        (lambda d: d["images"][0].update(file_name="9.png"), FileNotFoundError, "1 of 4 images are missing"),
        (lambda d: d["categories"][0].update(keypoints=["nose"]), ValueError, r"annotations\[0\]: 'keypoints' has 9"),
        (lambda d: d["categories"][0]["keypoints"].__setitem__(0, "wrist"), ValueError, "'wrist' is no known joint"),
        (lambda d: d["annotations"][2]["keypoints"].pop(), ValueError, r"annotations\[2\]: 'keypoints' has 8 numbers"),
    ],
)
def test_faults_are_named(tmp_path, change, error, message):
    with pytest.raises(error, match=message):
        read_poses(write(tmp_path, change=change), tmp_path, COCO_17.joints)


def test_all_pictures_missing(tmp_path):
    path = write(tmp_path)
    with pytest.raises(FileNotFoundError, match="4 of 4 images are missing below .*elsewhere, the first: 0.png"):
        read_poses(path, tmp_path / "elsewhere", COCO_17.joints)


def test_classes_go_by_name(tmp_path):
    classes = [{"id": 7, "name": "User"}, {"id": 9, "name": "patient"}]

    def change(data):
        data["categories"] = classes
        for k, person in enumerate(data["annotations"]):
            person["category_id"] = classes[k % 2]["id"]

    labels = read_boxes(write(tmp_path, change=change), tmp_path, ("patient", "user"))
    assert [person["category_id"] for person in labels.data["annotations"]] == [2, 1, 2, 1]
    with pytest.raises(ValueError, match="'categories' are person, expected the detector's classes: patient, user"):
        read_boxes(write(tmp_path), tmp_path, ("patient", "user"))


def test_split_is_one_of_pictures_and_the_seed_s(tmp_path):
    labels = read_poses(write(tmp_path, pictures=10), tmp_path, COCO_17.joints)
    train, held_out = split(labels, 0.2, seed=0)
    names = [[image["file_name"] for image in part.data["images"]] for part in (train, held_out)]
    assert len(names[1]) == 2 and not set(names[0]) & set(names[1]) and len({*names[0], *names[1]}) == 10
    assert {p["image_id"] for p in held_out.data["annotations"]} == {i["id"] for i in held_out.data["images"]}
    assert split(labels, 0.2, 0)[1].data == held_out.data
    assert any(split(labels, 0.2, seed)[1].data != held_out.data for seed in (1, 2, 3))


def test_both_parts_have_joints(tmp_path):
    def boxes(data):
        for person in data["annotations"][2:]:
            del person["keypoints"]

    labels = read_poses(write(tmp_path, pictures=8, change=boxes), tmp_path, COCO_17.joints)
    for seed in range(5):
        train, held_out = split(labels, 0.5, seed)
        assert train.posed == held_out.posed == 1
    with pytest.raises(ValueError, match="found 1 labelled picture"):
        split(labels.only(labels.data["images"][:1]), 0.5, 0)
