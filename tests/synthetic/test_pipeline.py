"""The generator's jobs as functions."""

import json

import numpy as np
import pytest
from PIL import Image

from orplugins.synthetic import pipeline


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    out = tmp_path_factory.mktemp("set") / "clip"
    counts = pipeline.make_dataset(out, 2, seed=1, size=(64, 48), views=2, motion=2, color=True)
    assert counts["images"] == 4
    return out


def test_detections_are_drawn_on_a_clip(clip, tmp_path):
    people = json.loads((clip / "annotations/coco17.json").read_text())["annotations"]
    found = [{"image_id": p["image_id"], "keypoints": p["keypoints"], "score": 1.0} for p in people]
    (tmp_path / "found.json").write_text(json.dumps(found))
    drawn = pipeline.draw_clip(clip, tmp_path / "found.json", tmp_path / "out", every=1)
    with Image.open(drawn.clip) as animation:
        assert animation.size == (640, 480) and animation.n_frames == 2
    with Image.open(drawn.sheet) as sheet:
        assert sheet.size == (640, 480) and np.asarray(sheet).std() > 10
    (tmp_path / "found.json").write_text(json.dumps([{"image_id": 1, "keypoints": [0] * 30, "score": 1.0}]))
    with pytest.raises(ValueError, match="30 numbers, expected 51"):
        pipeline.draw_clip(clip, tmp_path / "found.json", tmp_path / "out")


def test_a_set_with_motion_has_figures_but_no_scenes(clip):
    rows = pipeline.describe_dataset(clip)
    assert set(pipeline.MVOR) <= set(rows) and "pictures with median depth below 1 m (%)" in rows
    assert not any("table top" in name for name in rows)


def test_scenes_are_put_together_again(tmp_path):
    pipeline.make_dataset(tmp_path, 1, seed=2, size=(64, 48))
    assert any("table top" in name for name in pipeline.describe_dataset(tmp_path, scenes=1))


def test_a_montage_of_two_rows_of_moments(tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline, "MONTAGE_SIZE", (32, 24))
    assert pipeline.draw_montage(tmp_path / "m.png", motion=True) == (160, 48)
    with Image.open(tmp_path / "m.png") as image:
        assert image.size == (160, 48)


def test_a_sheet_of_what_varies(tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline, "MONTAGE_SIZE", (64, 48))
    assert pipeline.draw_montage(tmp_path / "v.png", numbers=tuple(range(7)), variety=("all",)) == (192, 48)
    with pytest.raises(ValueError, match="variety: found all with motion"):
        pipeline.draw_montage(tmp_path / "v.png", motion=True, variety=("all",))


def test_lifting_data_has_a_subject_for_validation(tmp_path):
    pipeline.make_lifting_data(tmp_path, subjects=2, frames=4)
    assert {"data_3d_motion.npz", "cameras.json"} <= {path.name for path in tmp_path.iterdir()}


def test_a_take_has_every_system(tmp_path):
    pipeline.make_take(pipeline.TakeSettings(tmp_path, "reach", frames=3))
    names = {path.name for path in tmp_path.iterdir()}
    files = {"rig.json", "pair.json", "kinect.txt", "truth.txt", "openpose_left", "openpose_right"}
    assert names == files | {f"camera{k}.json" for k in (1, 2, 3)}
