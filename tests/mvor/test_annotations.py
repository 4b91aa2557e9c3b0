import numpy as np
import pytest
from mvor_files import annotations, image_id, write

from orplugins.mvor.annotations import load_mvor


@pytest.fixture
def content():
    return annotations()


def test_reads_every_part(tmp_path, content):
    truth = load_mvor(write(tmp_path / "a.json", content))
    assert len(truth.images) == 6 and len(truth.annotations) == 4 and truth.annotations[0]["id"] == 0
    ids, keypoints = truth.keypoint_persons()
    assert ids.dtype == np.int64 and ids.tolist() == [image_id(1, 2, 17), image_id(1, 1, 17), image_id(1, 3, 3)]
    assert keypoints.shape == (3, 10, 3) and keypoints[0, 0].tolist() == [100, 50, 2]
    assert truth.frames[1].image_ids == tuple(image_id(1, camera, 3) for camera in (1, 2, 3))
    assert truth.poses3d[0].keypoints.shape == (12, 4)
    assert truth.poses3d[0].present.tolist() == [False] + [True] * 11
    assert [camera.pose[0, 3] for camera in truth.cameras] == [0, 1, 2]  # metres
    assert truth.cameras[0].size == (640, 480)


def test_parts_for_several_views_are_optional_until_asked_for(tmp_path, content):
    for key in ("annotations3D", "multiview_images", "cameras_info", "categories"):
        del content[key]
    for person in content["annotations"]:
        del person["person_id"], person["person_role"], person["bbox"]
    truth = load_mvor(write(tmp_path / "a.json", content))
    assert len(truth.keypoint_persons()[0]) == 3
    for part, key in (("frames", "multiview_images"), ("poses3d", "annotations3D"), ("cameras", "cameras_info")):
        with pytest.raises(ValueError, match=f"a.json: missing key '{key}'"):
            truth.need(part)
    with pytest.raises(ValueError, match=r"annotations\[0\]: missing key 'bbox'"):
        truth.box_persons()


def test_a_file_without_people_is_fine(tmp_path, content):
    truth = load_mvor(write(tmp_path / "a.json", {"images": content["images"], "annotations": []}))
    ids, keypoints = truth.keypoint_persons()
    assert ids.shape == (0,) and keypoints.shape == (0, 10, 3)


def _set(*path_and_value):
    *path, last, value = path_and_value

    def change(content):
        for key in path:
            content = content[key]
        content[last] = value

    return change


def _drop(*path):
    def change(content):
        for key in path[:-1]:
            content = content[key]
        del content[path[-1]]

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_drop("images"), "missing key 'images'"),
        (_drop("annotations"), "missing key 'annotations'"),
        (_drop("images", 2, "file_name"), r"images\[2\]: missing key 'file_name'"),
        (_drop("annotations", 1, "keypoints"), r"annotations\[1\]: missing key 'keypoints'"),
        (_drop("multiview_images"), "'annotations3D' but not 'multiview_images'"),
        (_drop("annotations3D", 0, "person_id"), r"annotations3D\[0\]: missing key 'person_id'"),
        (_drop("cameras_info", "camParams"), "cameras_info: missing key 'camParams'"),
        (_drop("cameras_info", "camParams", "extrinsics"), "camParams: missing key 'extrinsics'"),
        (_set("images", 3), "images: found a number, expected a list"),
        (_set("images", 0, None), r"images\[0\]: found null, expected an object"),
        (_set("images", 0, "width", 0), r"images\[0\]: 'width' is 0, expected a positive"),
        (_set("images", 0, "id", "17"), r"images\[0\]: 'id' is '17', expected a whole number"),
        (_set("images", 0, "id", 2**70), "expected a whole number of 64 bits"),
        (_set("images", 1, "id", image_id(1, 2, 17)), r"images\[1\]: 'id' \d+ occurs twice"),
        (_set("annotations", 2, "id", 0), r"annotations\[2\]: 'id' 0 occurs twice"),
        (_set("annotations", 0, "image_id", 5), r"annotations\[0\]: 'image_id' is 5, expected one of 6"),
        (_set("annotations", 0, "category_id", "2"), "'category_id' is '2'"),
        (_set("annotations", 0, "keypoints", [0.0] * 51), "'keypoints' has 51 numbers, expected 30"),
        (_set("annotations", 0, "keypoints", None), "'keypoints' has null, expected 30"),
        (_set("annotations", 0, "keypoints", 4, float("nan")), "'keypoints' holds nan at position 4"),
        (_set("annotations", 0, "keypoints", 4, "7"), "'keypoints' holds '7' at position 4"),
        (_set("annotations", 0, "bbox", 0, float("inf")), "'bbox' holds inf at position 0"),
        (_set("annotations", 0, "bbox", [1, 2, -3, 4]), "'bbox' is .* expected x, y, width >= 0"),
        (_set("annotations", 0, "only_bbox", 2), "'only_bbox' is 2, expected 0 or 1"),
        (_set("annotations3D", 0, "keypoints3D", [0.0] * 40), "'keypoints3D' has 40 numbers, expected 48"),
        (_set("annotations3D", 0, "image_ids", "1_2_3"), "'image_ids' is '1_2_3', expected the id of a multi-view"),
        (_set("annotations3D", 1, "id", "0"), r"annotations3D\[1\]: 'id' '0' occurs twice"),
        (_set("multiview_images", 0, "id", "1_2_3"), r"multiview_images\[0\]: 'id' is '1_2_3'"),
        (_set("multiview_images", 0, "images", []), r"'images' has 0 entries, expected 3"),
        (_set("multiview_images", 0, "images", 0, "id", 4), "image id 4 is unknown"),
        (_set("cameras_info", []), "cameras_info: found a list, expected an object"),
        (_set("cameras_info", "camParams", "extrinsics", 1, [0.0] * 15), r"extrinsics\[1\]: .*expected 16"),
        (_set("cameras_info", "camParams", "intrinsics", {}), "'intrinsics' is not a list"),
        (_set("cameras_info", "camParams", "intrinsics", 0, "focallength", [0, 1]), "cameras_info: .*fx"),
    ],
)
def test_bad_content_is_one_clear_error(tmp_path, content, change, message):
    change(content)
    with pytest.raises(ValueError, match=message) as error:
        load_mvor(write(tmp_path / "bad.json", content))
    assert str(error.value).startswith(str(tmp_path / "bad.json"))


@pytest.mark.parametrize("text", ["", "[", '{"images": [', "\x00", "[" * 100000])
def test_truncated_or_foreign_text(tmp_path, text):
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(ValueError, match="bad.json: (not JSON|nested|has a NUL)"):
        load_mvor(tmp_path / "bad.json")


def test_no_file_a_folder_bytes_and_a_list(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing.json: no such file"):
        load_mvor(tmp_path / "nothing.json")
    with pytest.raises(ValueError, match="is a folder"):
        load_mvor(tmp_path)
    (tmp_path / "b").write_bytes(b"{\xff\xfe}")
    with pytest.raises(ValueError, match="not UTF-8"):
        load_mvor(tmp_path / "b")
    with pytest.raises(ValueError, match="found a list, expected an object with the key 'images'"):
        load_mvor(write(tmp_path / "c.json", []))
