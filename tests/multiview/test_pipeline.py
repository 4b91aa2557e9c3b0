"""Reconstruction as functions: a rig, a parallel pair and MVOR's evaluation on generated people."""

import json

import numpy as np
import pytest

from orplugins.geometry.triangulation import Code
from orplugins.io.json_fields import load_json
from orplugins.io.openpose import write_openpose_frame
from orplugins.multiview import pipeline
from orplugins.multiview.pipeline import MvorSettings, RigSettings, evaluate_mvor, reconstruct_views
from orplugins.multiview.report import scores_text
from orplugins.skeletons import BODY_25, COCO_17
from orplugins.synthetic.export.mvor_layout import write_dataset
from orplugins.synthetic.motion_points import body_motion, in_skeleton, observe, parallel_cameras, rig_record, room_rig

pytest.importorskip("scipy")
FRAMES = 8


@pytest.fixture
def points():
    return body_motion(np.random.default_rng(0), FRAMES, 30.0, "reach")


@pytest.fixture
def rig(tmp_path, points):
    cameras, rng = room_rig(), np.random.default_rng(1)
    (tmp_path / "rig.json").write_text(json.dumps(rig_record(cameras)))
    paths = []
    for k, camera in enumerate(cameras):
        seen = observe(camera, in_skeleton(points, COCO_17), rng, 0.5, missing=0.0)
        records = [
            {"image_id": f, "category_id": 1, "keypoints": pose.ravel().tolist(), "score": 1.0}
            for f, pose in enumerate(seen)
        ]
        paths.append(str(tmp_path / f"{k}.json"))
        (tmp_path / f"{k}.json").write_text(json.dumps(records))
    return RigSettings(tmp_path / "rig.json", tuple(paths), tmp_path / "out", pictures=0)


def test_a_rig_finds_one_person(rig):
    found = reconstruct_views(rig)
    assert (found.frames, found.people, found.tracks, found.failed) == (FRAMES, FRAMES, 1, 0)
    assert found.found > 0.9 and found.error_px < 2 and f"frames {FRAMES}, people {FRAMES} in 1 tracks" in str(found)
    assert {path.name for path in rig.out.iterdir()} == {"people.json", "motion.npz", "record.txt", "person0.trc"}


def test_files_are_written_before_a_picture_fails(rig, monkeypatch):
    def fails(*_):
        raise OSError("no space")

    monkeypatch.setattr(pipeline, "draw_people", fails)
    with pytest.raises(OSError, match="no space"):
        reconstruct_views(RigSettings(rig.rig, rig.views, rig.out, pictures=1))
    assert {path.name for path in rig.out.iterdir()} == {"people.json", "motion.npz", "record.txt", "person0.trc"}


def test_a_pair_names_what_it_could_not_read(tmp_path, points):
    pair, rng = parallel_cameras(), np.random.default_rng(2)
    for camera, name in zip(pair, ("left", "right"), strict=True):
        for frame, pose in enumerate(observe(camera, in_skeleton(points, BODY_25), rng, 0.3, missing=0.0)):
            write_openpose_frame(tmp_path / name, name, frame, pose[None])
    (tmp_path / "left/left_000000000003_keypoints.json").write_text("{")
    lens = {"baseline_m": 0.28, "focal_px": pair[0].fx, "cx": pair[0].cx, "cy": pair[0].cy, "image_size": [640, 480]}
    (tmp_path / "pair.json").write_text(json.dumps({"parallel": lens}))
    views = (str(tmp_path / "left"), str(tmp_path / "right"))
    found = reconstruct_views(RigSettings(tmp_path / "pair.json", views, tmp_path / "out", pictures=0))
    assert found.frames == FRAMES and found.failed == 1 and "left_000000000003" in found.warnings[0]
    assert sum(found.cleaned.values()) == pytest.approx(1) and str(found).startswith(f"{FRAMES} frames; joint samples")


def test_scores_on_generated_frames(tmp_path):
    write_dataset(tmp_path / "set", frames=2, seed=5, size=(160, 120), views=3, people=(2, 2), color=False)
    people = load_json(tmp_path / "set/annotations/coco17.json")["annotations"]
    records = [{"image_id": p["image_id"], "category_id": 1, "score": 1.0, "keypoints": p["keypoints"]} for p in people]
    records.append({**records[0], "image_id": 77})
    (tmp_path / "labels.json").write_text(json.dumps(records))
    truth = str(tmp_path / "set/annotations/mvor.json")
    scores = evaluate_mvor(MvorSettings(truth, (str(tmp_path / "labels.json"),), tmp_path / "out", pictures=0))
    table = scores.results["labels"]
    assert table["recall_percent"] > 50 and "1 detections are in images that" in scores.warnings[0]
    assert load_json(tmp_path / "out/scores.json")["results"]["labels"] == table
    assert (tmp_path / "out/labels_geometry.json").is_file()
    assert "published*" in str(scores) and "published" not in scores_text("labels", "geometry", table, published=False)


@pytest.mark.parametrize(
    "options", [dict(one_view=True), dict(one_view=True, method="map", depth="x"), dict(method="other")]
)
def test_settings_that_contradict_each_other(options, tmp_path):
    with pytest.raises(ValueError, match=r"needs method 'map'|expected one of"):
        MvorSettings("a.json", ("b.json",), tmp_path, **options)


@pytest.fixture
def two_people(tmp_path, points):
    """Two people for two seconds; the second one is hidden from all cameras for a fifth of a second."""
    cameras, rng, fps = room_rig(), np.random.default_rng(3), 30
    (tmp_path / "rig.json").write_text(json.dumps(rig_record(cameras)))
    paths, poses = [], in_skeleton(points, COCO_17)[0]
    for k, camera in enumerate(cameras):
        records = []
        for frame in range(2 * fps):
            for person, place in ((0, -0.6), (1, 0.6)):
                if person == 1 and 30 <= frame < 36:
                    continue
                seen = observe(camera, poses + (place, 0.005 * frame, 0), rng, 0.5)
                records.append({"image_id": frame, "category_id": 1, "keypoints": seen.ravel().tolist(), "score": 1.0})
        paths.append(str(tmp_path / f"two{k}.json"))
        (tmp_path / f"two{k}.json").write_text(json.dumps(records))
    return tmp_path / "rig.json", tuple(paths), tmp_path / "two"


def test_two_people_are_followed_through_a_gap(two_people):
    rig, views, out = two_people
    found = reconstruct_views(RigSettings(rig, views, out, pictures=0))
    assert (found.people, found.tracks) == (60 + 54, 2)
    assert {path.name for path in out.glob("*.trc")} == {"person0.trc", "person1.trc"}
    found = reconstruct_views(RigSettings(rig, views, out, pictures=0, track=0.5, smooth=6.0))
    assert (found.people, found.tracks) == (120, 2)
    people = load_json(out / "people.json")["people"]
    filled = [p for p in people if p["detections"] == [-1] * len(views)]
    assert [p["frame"] for p in filled] == list(range(30, 36)) and len({p["track"] for p in filled}) == 1
    assert all(code in (Code.FILLED, Code.MISSING) for p in filled for code in p["code"])
    with pytest.raises(ValueError, match="track is -1"):
        RigSettings(rig, views, out, track=-1)
    with pytest.raises(ValueError, match="fps is 0"):
        RigSettings(rig, views, out, fps=0)
