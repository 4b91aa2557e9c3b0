"""Views of parts of people, frames of mixed sources, and the journal of a batch job."""

from __future__ import annotations

import json

import numpy as np
import pytest

cv2 = pytest.importorskip("cv2")

from orplugins.io.frames import find_sources, read_frames  # noqa: E402
from orplugins.io.resume_log import Journal  # noqa: E402
from orplugins.io.video import read_image, write_image, write_video  # noqa: E402
from orplugins.partial_body.view_sets import VIEWS, read_picture, write_views  # noqa: E402
from orplugins.skeletons import COCO_17  # noqa: E402


def person() -> list[float]:
    """Upright and facing the camera, from (100, 20) down to (100, 120)."""
    heights = {"shoulder": 40, "elbow": 55, "wrist": 70, "hip": 75, "knee": 100, "ankle": 120}
    points = []
    for name in COCO_17.joints:
        side = {"left": 12, "right": -12}.get(name.partition("_")[0], 0)
        points += [100 + side, next((y for part, y in heights.items() if part in name), 20), 2]
    return points


@pytest.fixture
def source(tmp_path):
    depth = np.full((140, 200), 2000, np.uint16)
    depth[:10] = 0
    cv2.imwrite(str(tmp_path / "a.png"), depth)
    ann = {"id": 7, "image_id": 3, "category_id": 1, "bbox": [80, 10, 40, 115], "keypoints": person()}
    content = {
        "images": [
            {"id": 3, "file_name": "a.png", "width": 200, "height": 140},
            {"id": 4, "file_name": "gone.png", "width": 200, "height": 140},
        ],
        "annotations": [ann],
        "categories": [{"id": 1, "name": "person"}],
    }
    (tmp_path / "ann.json").write_text(json.dumps(content))
    return tmp_path


def test_views(source):
    counts, problems = write_views(source / "ann.json", source, source / "out")
    assert counts == dict.fromkeys(VIEWS, 1) and len(problems) == 1 and "gone.png: no such file" in problems[0]
    sizes = {"whole": (200, 140), "waist": (200, 75), "chest": (200, 56), "side": (100, 140)}
    for view, (width, height) in sizes.items():
        content = json.loads((source / f"out/annotations/{view}.json").read_text())
        (image,), (ann,) = content["images"], content["annotations"]
        assert (image["width"], image["height"]) == (width, height)
        assert read_image(source / "out/images" / image["file_name"]).shape == (height, width, 3)
        joints = np.array(ann["keypoints"]).reshape(-1, 3)
        assert ann["num_keypoints"] == (joints[:, 2] > 0).sum() and ann["image_id"] == image["id"]
        seen = joints[joints[:, 2] > 0]
        assert (seen[:, 0] < width).all() and (seen[:, 1] < height).all()
        assert (joints[joints[:, 2] == 0] == 0).all()
        x, y, w, h = ann["bbox"]
        assert x >= 0 and y >= 0 and x + w <= width and y + h <= height
    waist = np.array(json.loads((source / "out/annotations/waist.json").read_text())["annotations"][0]["keypoints"])
    assert {name for name, v in zip(COCO_17.joints, waist[2::3], strict=True) if v == 0} == {
        "left_knee",
        "right_knee",
        "left_ankle",
        "right_ankle",
        "left_hip",
        "right_hip",
    }


def test_several_sets_become_one(source, tmp_path):
    other = tmp_path / "other"
    write_image(other / "a.png", np.full((140, 200, 3), 90, np.uint8))
    (other / "ann.json").write_text((source / "ann.json").read_text())
    both = [source / "ann.json", other / "ann.json"]
    counts, problems = write_views(both, [source, other], source / "out", ("whole",))
    assert counts == {"whole": 2} and len(problems) == 2
    content = json.loads((source / "out/annotations/whole.json").read_text())
    first, second = (read_image(source / "out/images" / image["file_name"]) for image in content["images"])
    assert first[50, 50, 0] > 100 and second[50, 50, 0] == 90
    assert [a["image_id"] for a in content["annotations"]] == [image["id"] for image in content["images"]]
    with pytest.raises(ValueError, match="found 2 annotation files and 1 folders"):
        write_views(both, source, source / "none")


def test_depth_becomes_grey(source):
    grey = read_picture(source / "a.png")
    assert grey.shape == (140, 200, 3) and (grey[:10] == 0).all() and 100 < grey[20, 20, 0] < 250


def test_bad_annotations_name_file_and_field(source):
    content = json.loads((source / "ann.json").read_text())
    content["annotations"][0]["keypoints"] = [1, 2, 3]
    (source / "bad.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"bad.json: annotations\[0\]: 'keypoints' has 3 numbers, expected 51"):
        write_views(source / "bad.json", source, source / "none")
    assert not (source / "none").exists()
    with pytest.raises(ValueError, match="views: found leg"):
        write_views(source / "ann.json", source, source / "none", ["leg"])


# frames


def test_sources_of_every_kind_in_natural_order(tmp_path):
    for name in ("p10.png", "p9.png"):
        write_image(tmp_path / "in" / name, np.zeros((16, 16, 3), np.uint8))
    write_video(tmp_path / "v.mp4", [np.zeros((16, 16, 3), np.uint8)] * 3, 10)
    inputs = ["in", "v.mp4", "absent.png", "x*"]
    sources, problems = find_sources([str(tmp_path / name) for name in inputs])
    assert len(problems) == 2 and "absent.png" in problems[0] and "no file matches" in problems[1]
    names = [frame.name for source in sources for frame in read_frames(source)]
    assert names == ["p9.png", "p10.png", "v_000000.jpg", "v_000001.jpg", "v_000002.jpg"]
    frames = [f for source in sources for f in read_frames(source, {"p9.png", "v_000001.jpg"})]
    assert [f.image is None for f in frames] == [True, False, False, True, False]
    write_image(tmp_path / "other/p9.png", np.zeros((16, 16, 3), np.uint8))
    sources, problems = find_sources([tmp_path / "in", tmp_path / "other"])
    assert not problems and [source.name for source in sources] == ["in/p9.png", "p10.png", "other/p9.png"]
    with pytest.raises(ValueError, match="given twice"):
        find_sources([tmp_path / "in", tmp_path / "in/p9.png"])
    write_image(tmp_path / "other/v_000001.jpg", np.zeros((16, 16, 3), np.uint8))
    with pytest.raises(ValueError, match="same name"):
        find_sources([tmp_path / "v.mp4", tmp_path / "other"])


def test_two_cameras_videos_of_one_name_stay_apart(tmp_path):
    for cam, count in (("cam1", 2), ("cam2", 3)):
        write_video(tmp_path / cam / "rec.mp4", [np.zeros((16, 16, 3), np.uint8)] * count, 10)
    sources, _ = find_sources([tmp_path / "cam1/rec.mp4", tmp_path / "cam2/rec.mp4"])
    assert [source.frame_name(1) for source in sources] == ["cam1/rec_000001.jpg", "cam2/rec_000001.jpg"]


# journal


def test_journal_goes_on_after_a_cut_off_line(tmp_path):
    path = tmp_path / "progress.jsonl"
    journal = Journal(path, {"threshold": 0.5, "size": (1, 2)})
    journal.add("a", {"x": 1})
    journal.close()
    path.write_bytes(path.read_bytes() + b'{"key": "b", "val')
    journal = Journal(path, {"threshold": 0.5, "size": (1, 2)})
    assert journal.items == {"a": {"x": 1}}
    journal.add("b", 2)
    journal.close()
    assert Journal(path, {"threshold": 0.5, "size": (1, 2)}).items == {"a": {"x": 1}, "b": 2}
    with pytest.raises(ValueError, match=r"other settings: threshold 0.5 \(now 0.7\)"):
        Journal(path, {"threshold": 0.7, "size": (1, 2)})
    path.write_text("nothing\n")
    with pytest.raises(ValueError, match="not a record of finished frames"):
        Journal(path, {})
