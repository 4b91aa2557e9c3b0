"""RefiNet's jobs as functions."""

from __future__ import annotations

import json

import numpy as np
import pytest

from orplugins.depth.png import load_depth, save_depth
from orplugins.skeletons import COCO_17
from orplugins.synthetic.export.mvor_layout import write_dataset
from orplugins.synthetic.render.frames import render_frames

torch = pytest.importorskip("torch")

from orplugins.refinet import pipeline  # noqa: E402


@pytest.fixture
def recording(tmp_path):
    """One frame with depth, one without."""
    frame = render_frames(8, 0, (160, 120), views=1, people=(2, 2))[1][0]
    save_depth(tmp_path / "depth/000000.png", frame.depth_mm)
    records = [
        {"image_id": k, "keypoints": pose.ravel().tolist(), "score": 1.0, "category_id": 1}
        for k in range(2)
        for pose in frame.view.keypoints[COCO_17.name]
    ]
    lens = {name: getattr(frame.camera, name) for name in ("fx", "fy", "cx", "cy", "size")}
    (tmp_path / "camera.json").write_text(json.dumps(lens))
    (tmp_path / "poses.json").write_text(json.dumps(records))
    return tmp_path


def settings(recording, **options) -> pipeline.RefineSettings:
    return pipeline.RefineSettings(
        recording / "poses.json",
        recording / "depth",
        recording / "camera.json",
        recording / "out",
        plain=True,
        **options,
    )


def test_a_frame_without_depth_is_named_and_the_other_is_written(recording):
    done = pipeline.refine_recording(settings(recording, pictures=0))
    assert done.frames == ["0"] and list(done.failed) == ["1"] and "no such file" in done.failed["1"]
    assert len(json.loads(done.json.read_text())["frames"]) == 1
    assert np.load(done.npz)["points"].shape == (done.people, 15, 3)
    assert list((recording / "out").glob("*.png")) == []


def scaled_depth(recording, factor):
    path = recording / "depth/000000.png"
    save_depth(path, np.minimum(load_depth(path).astype(np.uint32) * factor, 65535).astype(np.uint16))


def test_depth_of_another_unit_is_refused_and_with_its_unit_the_same(recording):
    plain = np.load(pipeline.refine_recording(settings(recording, pictures=0)).npz)["points"]
    scaled_depth(recording, 4)
    with pytest.raises(ValueError, match=r"000000.png: the median distance .* a count is probably 0.25 mm"):
        pipeline.refine_recording(settings(recording, pictures=0))
    found = pipeline.refine_recording(settings(recording, pictures=0, depth_unit_mm=0.25))
    np.testing.assert_allclose(np.load(found.npz)["points"], plain, atol=1e-3)


def test_people_of_an_impossible_size_are_refused(recording):
    lens = json.loads((recording / "camera.json").read_text())
    (recording / "camera.json").write_text(json.dumps({**lens, "fx": lens["fx"] / 3, "fy": lens["fy"] / 3}))
    with pytest.raises(ValueError, match=r"people would be [23]\.?\d* times as large as adults"):
        pipeline.refine_recording(settings(recording, pictures=0))
    assert not (recording / "out").exists()


def test_poses_found_in_resized_images(recording):
    plain = np.load(pipeline.refine_recording(settings(recording, pictures=0)).npz)["points"]
    records = json.loads((recording / "poses.json").read_text())
    for record in records:
        pose = np.array(record["keypoints"]).reshape(17, 3)
        pose[:, :2] = np.where(pose[:, 2:] > 0, (pose[:, :2] + 0.5) * 4 - 0.5, 0)
        record["keypoints"] = pose.ravel().tolist()
    (recording / "poses.json").write_text(json.dumps(records))
    with pytest.raises(ValueError, match="lie outside an image of 160x120"):
        pipeline.refine_recording(settings(recording, pictures=0))
    with pytest.raises(ValueError, match="640x400 and 160x120 pixels differ in shape"):
        pipeline.in_camera_pixels(pose[None], (640, 400), (160, 120), "p")
    found = pipeline.refine_recording(settings(recording, pictures=0, pose_size=(640, 480)))
    np.testing.assert_allclose(np.load(found.npz)["points"], plain, atol=1e-6)


def test_a_camera_of_another_resolution(recording):
    plain = np.load(pipeline.refine_recording(settings(recording, pictures=0)).npz)["points"]
    lens = json.loads((recording / "camera.json").read_text())
    twice = {k: 2 * lens[k] for k in ("fx", "fy")} | {k: 2 * lens[k] + 0.5 for k in ("cx", "cy")}
    (recording / "camera.json").write_text(json.dumps({**twice, "size": [320, 240]}))
    with pytest.raises(ValueError, match="000000.png: 160x120 pixels, .*camera.json is of 320x240"):
        pipeline.refine_recording(settings(recording, pictures=0))
    found = pipeline.refine_recording(settings(recording, pictures=0, scale_camera=True, pose_size=(160, 120)))
    np.testing.assert_allclose(np.load(found.npz)["points"], plain, atol=1e-6)


def test_poses_are_written_before_a_picture_fails(recording, monkeypatch):
    def fails(*_):
        raise OSError("no space")

    monkeypatch.setattr(pipeline, "draw_frame", fails)
    with pytest.raises(OSError, match="no space"):
        pipeline.refine_recording(settings(recording, pictures=1))
    assert (recording / "out/poses3d.json").is_file() and (recording / "out/poses3d.npz").is_file()


def test_without_any_frame_nothing_is_written(recording):
    (recording / "depth/000000.png").write_bytes(b"no image")
    done = pipeline.refine_recording(settings(recording))
    assert done.frames == [] and set(done.failed) == {"0", "1"} and not (recording / "out").exists()
    (recording / "depth/000000.png").unlink()
    with pytest.raises(FileNotFoundError, match="depth: no PNG file"):
        pipeline.refine_recording(settings(recording))


def test_evaluation_gives_rows_and_their_table(tmp_path):
    pytest.importorskip("mmpose")
    write_dataset(tmp_path / "set", frames=1, seed=3, size=(160, 120), views=1, people=(2, 3), color=False)
    report = pipeline.evaluate_refinement(
        pipeline.EvaluateSettings(tmp_path / "set", tmp_path / "out", noise=1.0, device="cpu", pictures=0)
    )
    assert report.frames == 1 and report.failed == {} and report.problem == ""
    assert json.loads((tmp_path / "out/report.json").read_text())["rows"] == report.rows
    assert (tmp_path / "out/report.md").read_text() == report.text


def test_weights_of_another_module_are_refused(tmp_path):
    with pytest.raises(ValueError, match="at least one"):
        pipeline.merge_weights(tmp_path / "out.pth", {})
    torch.save({"state_dict": {"layer.weight": torch.zeros(1)}}, tmp_path / "a.pth")
    with pytest.raises(ValueError, match="no network of RefiNet, expected patch_net"):
        pipeline.merge_weights(tmp_path / "out.pth", {"a": tmp_path / "a.pth"})
