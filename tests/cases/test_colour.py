"""Files as users have them, reduced from public reports: results lists, cameras of equal names, exporters' annotations.

The inputs lie outside the repository; ORPLUGINS_CASES names their folder.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orplugins.cli.video_frames import main as video_frames
from orplugins.io.coco_annotations import read_annotations
from orplugins.io.frames import find_sources
from orplugins.partial_body.given_boxes import GivenBoxes
from orplugins.skeletons import COCO_17

CASES = Path(os.environ.get("ORPLUGINS_CASES", Path(__file__).resolve().parents[3] / "shared/cases")) / "colour"
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason=f"{CASES} is not there")
SIZE = (320, 240)


@pytest.mark.parametrize("name", ["case_01/dets.bbox.json", "case_01/dets_mvor_ids.json", "case_02/dets_mvor_ids.json"])
def test_ids_without_annotations_are_an_error(name):
    sources, _ = find_sources([CASES / "case_01/pics"])
    with pytest.raises(ValueError, match="but there are 2 frames to number; say with --annotations"):
        GivenBoxes(CASES / name, sources)


def test_chairs_get_no_pose():
    sources, _ = find_sources([CASES / "case_01/pics"])
    given = GivenBoxes(CASES / "case_01/dets_numbered.json", sources)
    assert [len(given(source.name, SIZE).boxes) for source in sources] == [2, 2]
    assert "2 boxes are of no person and were left out: category 62 2" in given.notes[0]


@pytest.mark.parametrize("name", ["boxes.json", "boxes_windows.json"])
def test_boxes_of_the_other_camera_are_not_taken(name):
    wanted = {"cam1": [[129, 71, 170, 96], [87, 68, 139, 219]], "cam2": [[114, 114, 215, 163], [194, 48, 237, 179]]}
    for camera, boxes in wanted.items():
        sources, _ = find_sources([CASES / "case_03/rec" / camera])
        found = GivenBoxes(CASES / "case_03" / name, sources)("000001.png", SIZE)
        assert sorted(found.boxes.tolist()) == sorted(boxes)


def test_two_videos_of_one_name(tmp_path):
    videos = [str(CASES / f"case_04/cam{k}/rec.mp4") for k in (1, 2)]
    assert video_frames(["split", *videos, "--out", str(tmp_path)]) == 0
    assert [len(list((tmp_path / f"cam{k}/rec").glob("*.jpg"))) for k in (1, 2)] == [20, 30]


def test_rotation_of_photos():
    images = CASES / "case_06/images"
    upright = read_annotations(CASES / "case_06/upright.json", COCO_17.joints, images)
    assert {(image["width"], image["height"]) for image in upright.data["images"]} == {(240, 320)}
    with pytest.raises(ValueError, match="EXIF rotation"):
        read_annotations(CASES / "case_06/stored_size.json", COCO_17.joints, images)


REFUSED = {"string_ids": "'id' is '", "point_box": "width > 0", "no_size": "missing key 'width'"}
CHANGED = {"empty_picture", "nobody", "box_only_too", "v0_with_place"}


@pytest.mark.parametrize("name", sorted(path.stem for path in (CASES / "case_08").glob("*.json")))
def test_annotations_of_exporters(name):
    def read(stem: str):
        return read_annotations(CASES / f"case_08/{stem}.json", COCO_17.joints, one_category=True).data

    if name in REFUSED:
        with pytest.raises(ValueError, match=REFUSED[name]):
            read(name)
        return
    plain, found = read("plain"), read(name)
    assert found["images"] == plain["images"]
    if name not in CHANGED:
        fields = ["image_id", "bbox", "iscrowd", "keypoints", "num_keypoints"]
        fields += [] if name in ("no_area", "no_extras") else ["area"]
        for a, b in zip(found["annotations"], plain["annotations"], strict=True):
            assert [a[key] for key in fields] == [b[key] for key in fields]


def test_days_of_equal_names_differ():
    monday, tuesday = (find_sources([CASES / "case_16" / day])[0] for day in ("monday", "tuesday"))
    assert [s.name for s in monday] == [s.name for s in tuesday]
    assert [s.signature() for s in monday] != [s.signature() for s in tuesday]
