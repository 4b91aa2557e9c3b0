"""The job of association: from an annotation file to a file of identities, and its score."""

import json

import numpy as np
import pytest
from room_people import moments, room_cameras
from tests_tools import run_tool

from orplugins.geometry.cameras import cameras_to_mvor
from orplugins.multiview.associate import AssociateSettings, associate_views
from orplugins.mvor.annotations import load_mvor
from orplugins.mvor.pipeline import evaluate_association

pytest.importorskip("scipy")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """An annotation file of generated people, and the same poses as detections."""
    folder, cameras = tmp_path_factory.mktemp("room"), room_cameras()
    seen, names = moments(np.random.default_rng(0), cameras, 30, people=3, boxes_only=(2,))
    images, people, frames = [], [], []
    for t, (views, who) in enumerate(zip(seen, names, strict=True)):
        ids = [10**10 + (v + 1) * 10**7 + t for v in range(3)]
        records = [
            {"id": i, "file_name": f"day1/cam{v + 1}/color/{t:06d}.png", "width": 640, "height": 480, "day_id": 1,
             "cam_id": v + 1} for v, i in enumerate(ids)]  # fmt: skip
        images += records
        frames.append({"id": "_".join(map(str, ids)), "images": records})
        for image, view, own in zip(ids, views, who, strict=True):
            for box, pose, name in zip(view.boxes, view.poses, own, strict=True):
                pose = pose * (1, 1, 2)
                people.append(
                    {"id": len(people), "image_id": image, "category_id": "1", "bbox": box.tolist(),
                     "keypoints": pose.ravel().tolist(), "only_bbox": int(not pose.any()), "person_id": int(name),
                     "person_role": "clinician"})  # fmt: skip
    content = {
        "images": images,
        "annotations": people,
        "multiview_images": frames,
        "cameras_info": {"camParams": cameras_to_mvor(cameras)},
        "categories": [{"id": "1", "name": "person"}],
    }
    (folder / "truth.json").write_text(json.dumps(content))
    poses = [
        {"image_id": p["image_id"], "category_id": 1, "score": 0.9, "keypoints": p["keypoints"]}
        for p in people if not p["only_bbox"]]  # fmt: skip
    (folder / "poses.json").write_text(json.dumps(poses))
    return folder


def accuracy(folder, name, row):
    found = evaluate_association(load_mvor(folder / "truth.json"), folder / name)
    return next(r.columns["accuracy"] for r in found.rows if r.name == row)


def test_identities_are_not_looked_at(files):
    content = json.loads((files / "truth.json").read_text())
    for person in content["annotations"]:
        person["person_id"] = -1
    (files / "nameless.json").write_text(json.dumps(content))
    found = associate_views(AssociateSettings(files / "nameless.json", files / "out.json"))
    assert found.moments == 30 and set(found.people) <= {2, 3} and "30 moments" in str(found)
    assert accuracy(files, "out.json", "poses, all frames") == 1
    assert accuracy(files, "out.json", "all boxes, all frames") > 0.95


def test_without_calibration(files):
    settings = AssociateSettings(files / "truth.json", files / "own.json", poses_only=True, calibrated=False)
    found = associate_views(settings)
    assert "rig from the poses" in str(found) and len(found.cameras) == 3
    assert accuracy(files, "own.json", "poses, all frames") > 0.97


def test_detections(files):
    found = associate_views(AssociateSettings(files / "truth.json", files / "dt.json", files / "poses.json"))
    assert found.boxes == len(json.loads((files / "poses.json").read_text()))
    assert accuracy(files, "dt.json", "poses, all frames") > 0.8  # their boxes are those of joints


def test_the_command(files, capsys):
    run_tool("associate", "--mvor", str(files / "truth.json"), "--poses-only", "--out", str(files / "cli.json"))
    out = capsys.readouterr().out
    assert "people in several views" in out and f"written to {files / 'cli.json'}" in out
    run_tool("evaluate", "mvor-association", "--gt", str(files / "truth.json"), "--dt", str(files / "cli.json"))
    assert "accuracy" in capsys.readouterr().out
    run_tool("associate", "--mvor", str(files / "none.json"), "--out", str(files / "cli.json"), code=1)
    assert capsys.readouterr().err.startswith("error: ")


def test_errors(files):
    empty = files / "empty.json"
    empty.write_text("[]")
    with pytest.raises(ValueError, match="nobody to associate"):
        associate_views(AssociateSettings(files / "truth.json", files / "x.json", empty))
    (files / "other.json").write_text(json.dumps([{"image_id": 3, "category_id": 1, "score": 1, "bbox": [0, 0, 9, 9]}]))
    with pytest.raises(ValueError, match="none of 1 detections"):
        associate_views(AssociateSettings(files / "truth.json", files / "x.json", files / "other.json"))
    assert not (files / "x.json").exists()
