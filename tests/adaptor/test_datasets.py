"""Sets by path: people with masks, pictures without labels, videos."""

from __future__ import annotations

import json

import numpy as np
import pytest
from adaptor_sets import labelled_set, pictures

pytest.importorskip("detectron2")
cv2 = pytest.importorskip("cv2")

from detectron2.config import get_cfg  # noqa: E402
from detectron2.data import DatasetCatalog, MetadataCatalog  # noqa: E402

from orplugins.adaptor.detectron2 import datasets  # noqa: E402
from orplugins.adaptor.detectron2.config import add_adaptor_config  # noqa: E402
from orplugins.io.video import write_video  # noqa: E402


def test_people_come_with_boxes_joints_and_masks(tmp_path):
    file = labelled_set(tmp_path, 3)
    datasets.register_labelled("adaptor_people", file, tmp_path / "images")
    datasets.register_labelled("adaptor_people", file, tmp_path / "images")  # the same again is nothing new
    records = DatasetCatalog.get("adaptor_people")
    assert len(records) == 3 and all(len(record["annotations"]) == 2 for record in records)
    first = records[0]["annotations"][0]
    assert isinstance(first["segmentation"]["counts"], bytes) and len(first["keypoints"]) == 51
    meta = MetadataCatalog.get("adaptor_people")
    assert meta.low_resolution == (1.0, 4.0) and dict(meta.keypoint_flip_map)["left_eye"] == "right_eye"
    with pytest.raises(ValueError, match="'adaptor_people': is registered with"):
        datasets.register_labelled("adaptor_people", file, tmp_path)


def test_pictures_are_found_below_folders_and_by_patterns(tmp_path):
    pictures(tmp_path / "day/cam1", 2)
    pictures(tmp_path / "day/cam2", 3)
    datasets.register_pictures("adaptor_folder", tmp_path / "day")
    datasets.register_pictures("adaptor_pattern", str(tmp_path / "day/cam*"), (1.0, 8.0))
    for name in ("adaptor_folder", "adaptor_pattern"):
        records = DatasetCatalog.get(name)
        assert len(records) == 5 and all("annotations" not in record for record in records)
        assert {(record["width"], record["height"]) for record in records} == {(96, 64)}
        assert len({record["image_id"] for record in records}) == 5
    assert MetadataCatalog.get("adaptor_folder").low_resolution == (1.0, 12.0)
    assert MetadataCatalog.get("adaptor_pattern").low_resolution == (1.0, 8.0)


def test_a_video_becomes_pictures_where_a_folder_for_them_is_given(tmp_path):
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 255, (48, 64, 3), dtype=np.uint8) for _ in range(4)]
    write_video(tmp_path / "clip.mp4", iter(frames), 10.0)
    datasets.register_pictures("adaptor_video", tmp_path / "clip.mp4", frames=tmp_path / "frames")
    for _ in range(2):  # read a second time, the frames are there
        records = DatasetCatalog.get("adaptor_video")
        assert [record["file_name"][-10:] for record in records] == [f"{k:06d}.jpg" for k in range(4)]
    datasets.register_pictures("adaptor_no_place", tmp_path / "clip.mp4")
    with pytest.raises(ValueError, match=r"clip.mp4: is a video, expected pictures \(tools/video_frames.py"):
        DatasetCatalog.get("adaptor_no_place")


def test_folders_without_pictures_and_broken_pictures_are_named(tmp_path):
    (tmp_path / "empty").mkdir()
    datasets.register_pictures("adaptor_empty", tmp_path / "empty")
    with pytest.raises(ValueError, match=r"'adaptor_empty': .*empty: no picture"):
        DatasetCatalog.get("adaptor_empty")
    datasets.register_pictures("adaptor_missing", tmp_path / "none")
    with pytest.raises(ValueError, match="none: no such file"):
        DatasetCatalog.get("adaptor_missing")
    folder = pictures(tmp_path / "some", 2)
    (folder / "broken.png").write_bytes(b"no picture")
    (folder / "worse.png").write_bytes(b"")
    datasets.register_pictures("adaptor_broken", folder)
    with pytest.raises(ValueError, match=r"broken.png.*\(and 1 more\)"):
        DatasetCatalog.get("adaptor_broken")


def test_several_categories_are_refused(tmp_path):
    file = labelled_set(tmp_path, 1)
    content = json.loads(file.read_text())
    content["categories"].append({"id": 2, "name": "cat"})
    file.write_text(json.dumps(content))
    datasets.register_labelled("adaptor_two", file, tmp_path / "images")
    with pytest.raises(ValueError, match="has the categories person, cat, expected one"):
        DatasetCatalog.get("adaptor_two")


@pytest.mark.parametrize("entry", ["name", "=folder", "name=", "name=a.json,", "name=,images"])
def test_entries_of_another_form_are_refused(entry):
    with pytest.raises(ValueError, match="expected NAME=ANNOTATIONS.json,IMAGE_FOLDER"):
        datasets.register_entry(entry)


def test_sets_of_a_config_and_of_the_environment(tmp_path, monkeypatch):
    file, folder = labelled_set(tmp_path, 1), pictures(tmp_path / "target", 1)
    cfg = get_cfg()
    add_adaptor_config(cfg)
    cfg.ORPLUGINS.ADAPTOR.SETS = [f"adaptor_a={file},{tmp_path / 'images'}", f"adaptor_b={folder}"]
    assert datasets.register_from_config(cfg) == ["adaptor_a", "adaptor_b"]
    monkeypatch.setenv(datasets.VARIABLE, f"adaptor_c={folder};adaptor_d={file},{tmp_path / 'images'}")
    datasets.register_from_environment()
    assert {f"adaptor_{key}" for key in "abcd"} <= set(DatasetCatalog.list())


def test_impossible_factors_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"low_resolution is \(0.5, 4\), expected 1 or more"):
        datasets.register_pictures("adaptor_factors", tmp_path, (0.5, 4))
