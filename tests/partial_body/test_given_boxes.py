"""Boxes of other tools' files for the frames of a job: whose they are, and which are of people."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orplugins.io.frames import Source
from orplugins.partial_body.box_files import frame_boxes, write_boxes, write_published_boxes
from orplugins.partial_body.box_forms import Choice
from orplugins.partial_body.given_boxes import GivenBoxes

SIZE = (320, 240)


def images(*names: str) -> list[Source]:
    return [Source(Path("/data/rec") / name, False, 1, key=name) for name in names]


def write(folder: Path, content, name: str = "boxes.json") -> Path:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(content))
    return folder / name


def result(image_id, category=1, x=10, **more) -> dict:
    return {"image_id": image_id, "category_id": category, "bbox": [x, 20, 30, 40], "score": 0.9, **more}


def annotations(folder: Path, names: dict[int, str], categories=((1, "person"), (62, "chair"))) -> Path:
    content = {
        "images": [{"id": k, "file_name": name} for k, name in names.items()],
        "categories": [{"id": k, "name": name} for k, name in categories],
    }
    return write(folder, content, "annotations.json")


PAIR = images("000000000139.png", "000000000285.png")


def test_ids_of_a_data_set_need_its_annotations(tmp_path):
    path = write(tmp_path, [result(139), result(139, 62), result(285, x=50)])
    with pytest.raises(ValueError, match=r"'image_id' goes up to 285, but there are 2 frames.* --annotations"):
        GivenBoxes(path, PAIR)
    given = GivenBoxes(path, PAIR, annotations(tmp_path, {139: "val/000000000139.png", 285: "val/000000000285.png"}))
    assert given("000000000285.png", SIZE).boxes.tolist() == [[50, 20, 80, 60]]
    assert given("000000000139.png", SIZE).labels == ("person",)
    assert not given.problems and "1 boxes are of no person and were left out: chair 1" in given.notes[0]


@pytest.mark.parametrize("last", [10010000000140, 5 * 10**8])
def test_large_ids_are_refused_at_once(tmp_path, last):
    with pytest.raises(ValueError, match=f"goes up to {last}"):
        GivenBoxes(write(tmp_path, [result(last)]), PAIR)


def test_numbers_that_fit_the_frames(tmp_path):
    given = GivenBoxes(write(tmp_path, [result(2), result(2, 62)]), PAIR)
    assert given("000000000285.png", SIZE).boxes.tolist() == [[10, 20, 40, 60]]
    assert len(given("000000000139.png", SIZE).boxes) == 0 and "category 62 1" in given.notes[0]
    chairs = GivenBoxes(write(tmp_path, [result(2), result(2, 62)]), PAIR, choice=Choice(["62"]))
    assert chairs("000000000285.png", SIZE).labels == ("62",)


def test_no_person_at_all_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="none of its 1 frames gives a person's box .*category 62 1"):
        GivenBoxes(write(tmp_path, [result(1, 62)]), PAIR)
    with pytest.raises(ValueError, match="none of its 1 frames"):
        GivenBoxes(write(tmp_path, [{**result(1), "file_name": "other.png"}]), PAIR)
    with pytest.raises(ValueError, match="none of its 0 frames"):
        GivenBoxes(write(tmp_path, []), PAIR)


@pytest.mark.parametrize("prefix", ["", "D:\\rec\\"])
def test_cameras_with_equal_names(tmp_path, prefix):
    content = {
        "images": [{"id": k, "file_name": f"{prefix}cam{k}/000001.png"} for k in (1, 2)],
        "annotations": [{"image_id": k, "category_id": 1, "bbox": [k, 2, 3, 4], "score": 0.9} for k in (1, 2)],
        "categories": [{"id": 1, "name": "patient"}],
    }
    if prefix:
        for image in content["images"]:
            image["file_name"] = image["file_name"].replace("/", "\\")
    path = write(tmp_path, content)
    both = GivenBoxes(path, images("cam1/000001.png", "cam2/000001.png"))
    assert [both(f"cam{k}/000001.png", SIZE).boxes[0, 0] for k in (1, 2)] == [1, 2]
    one = GivenBoxes(path, [Source(Path("/data/rec/cam1/000001.png"), False, 1, key="000001.png")])
    assert one("000001.png", SIZE).boxes.tolist() == [[1, 2, 4, 6]] and "1 entries belong to none" in one.notes[0]


def test_what_fits_several_images_is_not_taken(tmp_path):
    path = write(tmp_path, [{**result(1), "file_name": "000001.png"}, {**result(1), "file_name": "b.png"}])
    given = GivenBoxes(path, images("cam1/000001.png", "cam2/000001.png", "b.png"))
    assert "1 entries fit several images" in given.problems[0] and len(given("cam1/000001.png", SIZE).boxes) == 0


def test_own_files_and_poses(tmp_path):
    frames = [frame_boxes("a.png", SIZE, [([1, 2, 31, 42], 0.9, "patient"), ([5, 5, 9, 9], 0.8, "user")])]
    write_boxes(tmp_path / "boxes.json", frames)
    assert GivenBoxes(tmp_path / "boxes.json", images("a.png"))("a.png", SIZE).labels == ("patient", "user")
    write_published_boxes(tmp_path / "bbox_detections.json", frames)
    assert GivenBoxes(tmp_path / "bbox_detections.json", images("a.png"))("a.png", SIZE).labels == ("patient",)
    content = {
        "images": [{"id": 1, "file_name": "a.png", "width": 320, "height": 240}],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 30, 40], "bbox_score": 0.7, "score": 0.4}],
        "categories": [{"id": 1, "name": "person"}],
    }
    found = GivenBoxes(write(tmp_path, content, "poses.json"), images("a.png"))("a.png", SIZE)
    assert found.boxes.tolist() == [[1, 2, 31, 42]] and found.scores.tolist() == [0.7]
    with pytest.raises(ValueError, match="a.png is 320x240 there, the picture is 240x320"):
        GivenBoxes(tmp_path / "poses.json", images("a.png"))("a.png", (240, 320))


def test_categories_that_name_no_person(tmp_path):
    content = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "annotations": [{"image_id": 1, "category_id": k, "bbox": [k, 2, 3, 4], "score": 0.9} for k in (1, 2)],
        "categories": [{"id": 1, "name": "surgeon"}, {"id": 2, "name": "table"}],
    }
    path = write(tmp_path, content)
    with pytest.raises(ValueError, match="categories surgeon, table, expected a person; choose with --category"):
        GivenBoxes(path, images("a.png"))
    for choice in (Choice(["surgeon"]), Choice(["1"]), Choice(None, ["surgeon"])):
        assert GivenBoxes(path, images("a.png"), choice=choice)("a.png", SIZE).labels == ("surgeon",)
    with pytest.raises(ValueError, match="expected nurse among them"):
        GivenBoxes(path, images("a.png"), choice=Choice(["nurse"]))


DETECTED = {"bboxes": [[1, 2, 31, 42], [5, 6, 25, 26]], "labels": [0, 56], "scores": [0.9, 0.8]}
POSED = [{"keypoints": [[1, 2]] * 17, "keypoint_scores": [0.5] * 17, "bbox": [[1, 2, 31, 42]], "bbox_score": 0.6}]


@pytest.mark.parametrize(
    ("content", "score"),
    [(DETECTED, 0.9), (POSED, 0.6), ([{k: v for k, v in POSED[0].items() if k != "bbox_score"}], 1.0)],
)
def test_predictions_of_one_image_are_named_after_it(tmp_path, content, score):
    path = write(tmp_path, content, "preds/a.json")
    for given in (GivenBoxes(path, images("a.png", "b.png")), GivenBoxes(path.parent, images("a.png", "b.png"))):
        found = given("a.png", SIZE)
        assert found.boxes.tolist() == [[1, 2, 31, 42]] and found.scores.tolist() == [score]
        assert found.labels == ("person",) and len(given("b.png", SIZE).boxes) == 0


def test_predictions_in_the_order_of_the_frames(tmp_path):
    for content in ([DETECTED, DETECTED], {"predictions": [DETECTED, DETECTED]}, [POSED, POSED]):
        given = GivenBoxes(write(tmp_path, content), images("a.png", "b.png"))
        assert given("b.png", SIZE).boxes.tolist() == [[1, 2, 31, 42]]
    with pytest.raises(ValueError, match="goes up to 3, but there are 2 frames"):
        GivenBoxes(write(tmp_path, [DETECTED] * 3), images("a.png", "b.png"))


def test_predictions_of_a_video(tmp_path):
    clips = [Source(Path(f"/data/{cam}/rec.mp4"), True, 3, 25.0, f"{cam}/rec") for cam in ("cam1", "cam2")]
    content = [{"frame_id": k, "instances": POSED if k == 2 else []} for k in range(3)]
    given = GivenBoxes(write(tmp_path, content, "rec.json"), clips[:1])
    assert len(given("cam1/rec_000002.jpg", SIZE).boxes) == 1 and len(given("cam1/rec_000001.jpg", SIZE).boxes) == 0
    demo = {"meta_info": {}, "instance_info": [{"frame_id": k + 1, "instances": e["instances"]} for k, e in
                                               enumerate(content)]}  # fmt: skip
    given = GivenBoxes(write(tmp_path, demo, "results_rec.json"), clips[:1])
    assert len(given("cam1/rec_000002.jpg", SIZE).boxes) == 1
    write_boxes(tmp_path / "own.json", [frame_boxes("cam2/rec_000001.jpg", SIZE, [([1, 2, 9, 9], 0.9, "person")])])
    given = GivenBoxes(tmp_path / "own.json", clips)
    assert len(given("cam2/rec_000001.jpg", SIZE).boxes) == 1 and len(given("cam1/rec_000001.jpg", SIZE).boxes) == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({**DETECTED, "labels": [0]}, "differ in length"),
        ([{**result(1), "category_id": []}], "'category_id' is"),
        ([result(1), {**result(1), "file_name": "a.png"}], "some only 'image_id'"),
        ({"images": [], "annotations": [], "categories": 3}, "categories: found a number"),
    ],
)
def test_other_content_is_named(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        GivenBoxes(write(tmp_path, content), images("a.png"))
    with pytest.raises(ValueError):
        GivenBoxes(write(tmp_path, DETECTED), images("a.png"), annotations(tmp_path, {1: "a.png"}))
