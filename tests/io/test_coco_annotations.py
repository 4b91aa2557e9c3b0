"""COCO annotations as exporters write them: completed where that changes no number, refused by name where it would."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
from PIL import Image

from orplugins.io.coco_annotations import AREA_OF_BOX, read_annotations, usable_copy
from orplugins.io.images import image_path
from orplugins.skeletons import COCO_17

POSE = [v for k in range(17) for v in (10 + k, 12 + k, 2)]
PERSON = {"id": 5, "image_id": 7, "category_id": 1, "iscrowd": 0, "bbox": [8, 9, 20, 30], "area": 123.0,
          "num_keypoints": 17, "keypoints": POSE}  # fmt: skip
DATA = {
    "images": [{"id": 7, "file_name": "cam1/a.png", "width": 64, "height": 48}],
    "categories": [{"id": 1, "name": "person", "keypoints": list(COCO_17.joints), "skeleton": []}],
    "annotations": [PERSON, {**PERSON, "id": 6}],
}


def each(**changes):
    def change(data):
        for person in data["annotations"]:
            for key, value in changes.items():
                person.pop(key) if value is ... else person.__setitem__(key, value)

    return change


def write(folder, change=lambda data: None, size=(64, 48), exif=None):
    data = copy.deepcopy(DATA)
    change(data)
    (folder / "cam1").mkdir(exist_ok=True)
    image = Image.fromarray(np.zeros((size[1], size[0], 3), np.uint8))
    image.save(folder / "cam1/a.png", **({"exif": exif} if exif else {}))
    path = folder / "people.json"
    path.write_text(json.dumps(data))
    return path


def read(folder, change=lambda data: None, **options):
    return read_annotations(write(folder, change), COCO_17.joints, folder, one_category=True, **options)


def roboflow(data):
    data["categories"].insert(0, {"id": 0, "name": "theatre", "supercategory": "none"})


def renamed(data):
    data["images"][0]["file_name"] = "cam1\\a.png"


def from_zero(data):
    for k, person in enumerate(data["annotations"]):
        person["id"] = k


def in_categories(number):
    def change(data):
        data["categories"][0]["id"] = number
        each(category_id=number)(data)

    return change


@pytest.mark.parametrize(
    ("change", "noted"),
    [
        (lambda d: None, False),
        (each(iscrowd=...), True),
        (each(iscrowd=None), True),
        (each(num_keypoints=...), True),
        (each(num_keypoints=None), True),
        (each(attributes={"occluded": False}, segmentation=[]), True),
        (each(segmentation={"counts": [0, 3072], "size": [48, 64]}), True),
        (roboflow, True),
        (renamed, True),
        (from_zero, True),
        (in_categories(0), False),
        (in_categories(7), False),
        (lambda d: d["images"][0].update(width=64.0, height=48.0), True),
        (lambda d: [d["images"][0].pop(side) for side in ("width", "height")], True),
        (each(ignore=0), True),
    ],
)
def test_what_is_missing_is_filled_in(tmp_path, change, noted):
    found = read(tmp_path, change)
    assert bool(found.notes) == noted
    assert found.data["images"] == DATA["images"] and len(found.data["categories"]) == 1
    for person, expected in zip(found.data["annotations"], DATA["annotations"], strict=True):
        kept = {key: person[key] for key in expected if key not in ("id", "category_id")}
        assert kept == {key: value for key, value in expected.items() if key not in ("id", "category_id")}
        assert person["id"] > 0 and "segmentation" not in person


def test_an_area_is_that_of_most_of_the_box(tmp_path):
    found = read(tmp_path, each(area=None))
    assert found.data["annotations"][0]["area"] == AREA_OF_BOX * 600 and "'area' was filled in" in found.notes[0]


def test_people_with_boxes_only_among_others_get_no_joint(tmp_path):
    box = {key: value for key, value in PERSON.items() if key not in ("keypoints", "num_keypoints")}
    found = read(tmp_path, lambda d: d["annotations"].append({**box, "id": 9}))
    assert found.data["annotations"][2]["keypoints"] == [0] * 51 and found.data["annotations"][2]["num_keypoints"] == 0
    boxes = read(tmp_path, lambda d: d.update(annotations=[box]))
    assert "keypoints" not in boxes.data["annotations"][0]


def test_chairs_are_left_out_and_counted(tmp_path):
    def furnish(data):
        data["categories"].append({"id": 62, "name": "chair"})
        data["annotations"].append({"id": 9, "image_id": 7, "category_id": 62, "bbox": [1, 2, 3, 4]})

    found = read(tmp_path, furnish)
    assert len(found.data["annotations"]) == 2 and any("other categories" in note for note in found.notes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (each(id="5"), "'id' is '5', expected a whole number"),
        (each(id=5), "'id' 5 occurs twice"),
        (each(image_id=7.0), "'image_id' is 7.0, expected a whole number"),
        (each(image_id="7"), "'image_id' is '7'"),
        (each(category_id="1"), "'category_id' is '1', expected 1"),
        (each(category_id=3), "'category_id' is 3, expected 1"),
        (each(iscrowd=2), "'iscrowd' is 2, expected 0 or 1"),
        (each(bbox=[100.0, 100.0, 0.0, 0.0]), "expected x, y, width > 0"),
        (each(num_keypoints=0), "'num_keypoints' is 0, but 17 flags"),
        (each(keypoints=[1, 2, 0.7] * 17), "has the flags"),
        (lambda d: d["images"][0].update(width=640), "640x48, but .*a.png has 64x48 pixels"),
        (lambda d: d["images"][0].update(file_name="../../etc/a.png"), "leads out of"),
        (lambda d: d["images"][0].update(file_name="/etc/a.png"), "leads out of"),
        (lambda d: d["images"][0].update(file_name="C:\\a.png"), "leads out of"),
        (
            lambda d: d["categories"][0].update(keypoints=[*COCO_17.joints[1:], COCO_17.joints[0]]),
            "expected the order nose",
        ),
    ],
)
def test_what_would_change_a_number_is_refused(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, change)


def test_a_rotation_is_named_as_the_cause(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    with pytest.raises(ValueError, match="64x48, the size before the EXIF rotation .* expected 48x64"):
        read_annotations(write(tmp_path, exif=exif), COCO_17.joints, tmp_path)
    turned = write(tmp_path, lambda d: d["images"][0].update(width=48, height=64), exif=exif)
    assert read_annotations(turned, COCO_17.joints, tmp_path).data["images"][0]["width"] == 48


def test_a_copy_is_made_only_where_needed(tmp_path):
    path = write(tmp_path)
    assert usable_copy(path, COCO_17.joints)[0] == str(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b", ", b",\r\n"))
    copied, found = usable_copy(path, COCO_17.joints)
    assert copied != str(path) and json.loads(open(copied).read()) == found.data == DATA


def test_names_stay_below_their_folder(tmp_path):
    assert image_path(tmp_path, "a/../b.png", "f") == tmp_path / "b.png"
    assert image_path(tmp_path, f"{tmp_path}/b.png", "f") == tmp_path / "b.png"
    assert str(image_path("", "/x/b.png", "f")) == "/x/b.png"
    with pytest.raises(
        ValueError,
        match=r"f: 'file_name' is '\.\.",
    ):
        image_path(tmp_path / "x", "../b.png", "f")


def small_set(tmp_path, **person):
    keypoints = [[20 + k, 30 + 2 * k, 2] for k in range(17)]
    record = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 20, 40, 60], "area": 900, "iscrowd": 0,
              "keypoints": [v for joint in keypoints for v in joint], "num_keypoints": 17, **person}  # fmt: skip
    images = [{"id": 1, "file_name": "a.png", "width": 100, "height": 90}]
    content = {"images": images, "annotations": [record], "categories": [{"id": 1, "name": "Person"}]}
    (tmp_path / "a.json").write_text(json.dumps(content))
    return tmp_path / "a.json"


def test_a_person_of_any_name_and_an_area_of_nothing(tmp_path):
    found = read_annotations(small_set(tmp_path, area=0), COCO_17.joints, one_category=True)
    assert found.data["categories"][0]["name"] == "person" and found.data["annotations"][0]["area"] == 0.53 * 2400
    assert any("'Person' counts as 'person'" in note for note in found.notes)


def test_boxes_of_corners_and_keypoints_of_parts_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"1 of 1 boxes reach out of their images: 'bbox' looks like x1, y1, x2, y2"):
        read_annotations(small_set(tmp_path, bbox=[40, 50, 90, 80]), COCO_17.joints)
    parts = [value for _ in range(17) for value in (0.2, 0.7, 2)]
    with pytest.raises(ValueError, match="all 'keypoints' are parts of the image from 0 to 1, expected pixels"):
        read_annotations(small_set(tmp_path, keypoints=parts), COCO_17.joints)
