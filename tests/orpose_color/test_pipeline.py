"""ORPose-Color's jobs without a command line: what they write, in which order, and what they say of what fails."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from people_files import toy, truth_teacher

torch = pytest.importorskip("torch")
pytest.importorskip("cv2")

from orplugins.cli.infer_color import main as infer_color_command  # noqa: E402
from orplugins.io.images import write_image  # noqa: E402
from orplugins.io.video import probe_video  # noqa: E402
from orplugins.orpose_color import pipeline  # noqa: E402
from orplugins.orpose_color.pipeline import (  # noqa: E402
    ColorSettings,
    TeacherSettings,
    infer_color,
    label_pictures,
    train_lifting_network,
)
from orplugins.orpose_color.statistics import load_statistics  # noqa: E402
from orplugins.orpose_color.train_lifter import load_lifter  # noqa: E402

SETTINGS = ColorSettings("student.yaml", "student.pth", size=(32, 24), threshold=0.5, fps=5)


def two_people(images: list[np.ndarray]) -> list[SimpleNamespace]:
    """In the place of a network: a sure and an unsure person in each picture."""
    joints = torch.arange(34.0).reshape(1, 17, 2).repeat(2, 1, 1) / 2 + 2
    people = SimpleNamespace(
        scores=torch.tensor([0.9, 0.2]),
        pred_boxes=SimpleNamespace(tensor=torch.tensor([[2.0, 2, 20, 22], [0, 0, 8, 8]])),
        pred_keypoints=torch.cat([joints, torch.ones(2, 17, 1)], dim=2),
        pred_keypoints_3d=torch.zeros(2, 17, 3),
    )
    return [people] * len(images)


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline, "load_predictor", lambda settings: two_people)
    folder = tmp_path / "in"
    write_image(folder / "a.png", np.full((24, 32, 3), 90, np.uint8))
    write_image(folder / "b.png", np.full((12, 16, 3), 90, np.uint8))
    (folder / "c.png").write_bytes(b"no picture")
    return folder


def test_poses_in_the_pixels_of_each_picture(pictures, tmp_path):
    result = infer_color([pictures], tmp_path / "out", SETTINGS)
    assert (result.pictures, result.people) == (2, 2)
    assert (
        list(result.failed) == [str(pictures / "c.png")] and "not a picture" in result.failed[str(pictures / "c.png")]
    )
    content = json.loads(result.poses.read_text())
    assert content["failed"] == result.failed
    assert [image["width"] for image in content["images"]] == [32, 16]
    first, second = content["annotations"]
    assert first["bbox"] == [2, 2, 18, 20] and second["bbox"] == [1, 1, 9, 10] and first["score"] == 0.9
    assert first["keypoints"][:3] == [1.5, 2.0, 1.0] and second["keypoints"][:3] == [0.5, 0.75, 1.0]
    assert sorted(path.name for path in result.overlays.iterdir()) == ["000001.png", "000002.png"]
    info = probe_video(result.video)
    assert (info.frames, info.size, info.fps) == (2, (32, 24), 5)


def test_a_video_writer_that_fails_costs_no_pose(pictures, tmp_path, monkeypatch, capsys):
    def fails(*args):
        raise ValueError("poses.mp4: OpenCV cannot write mp4v")

    monkeypatch.setattr(pipeline, "write_video", fails)
    out = tmp_path / "out"
    options = ["--config", "student.yaml", "--weights", "student.pth", "--size", "32x24", "--device", "cpu"]
    assert infer_color_command([str(pictures), "--out", str(out), *options]) == 1
    assert "error: poses.mp4: OpenCV cannot write mp4v" in capsys.readouterr().err
    assert len(json.loads((out / "poses.json").read_text())["annotations"]) == 2


def test_no_readable_picture_is_an_empty_result_without_a_video(pictures, tmp_path):
    result = infer_color([pictures / "c.png"], tmp_path / "out", SETTINGS)
    assert (result.pictures, result.people, result.video) == (0, 0, None) and result.failed
    assert json.loads(result.poses.read_text())["annotations"] == [] and not result.overlays.exists()


def test_a_picture_that_changes_meanwhile_is_named(pictures, tmp_path, monkeypatch):
    real = pipeline.write_color_poses

    def then_removed(*args):
        real(*args)
        (pictures / "a.png").unlink()

    monkeypatch.setattr(pipeline, "write_color_poses", then_removed)
    with pytest.raises(ValueError, match="b.png: has changed since"):
        infer_color([pictures], tmp_path / "out", SETTINGS)
    assert (tmp_path / "out/poses.json").exists()


def test_labels_of_what_can_be_read_are_counted(tmp_path, monkeypatch):
    truth = toy(tmp_path / "toy", 3)
    teacher, data = truth_teacher(truth, load_statistics(tmp_path / "toy/statistics.json"))
    monkeypatch.setattr(pipeline, "build_teacher", lambda settings: teacher)
    (tmp_path / "toy/images/broken.png").write_bytes(b"no picture")
    settings = TeacherSettings("pose.yaml", "lifter.pth", "statistics.json", batch=2)
    done = label_pictures([tmp_path / "toy/images"], tmp_path / "labels.json", settings)
    assert (done.given, done.pictures, done.people) == (4, 3, len(data["annotations"]))
    content = json.loads(done.labels.read_text())
    assert done.hard_joints == sum(person["num_keypoints"] for person in content["annotations"]) > 0
    assert content["info"]["teacher"]["pose"] == ["pose.yaml", None]
    assert list(done.failed) == ["broken.png"] and "not a picture" in done.failed["broken.png"]
    with pytest.raises(ValueError, match="given twice"):
        label_pictures([truth.parent / "images"] * 2, tmp_path / "labels.json", settings)


def test_a_lifting_network_and_what_it_is_normalised_with(tmp_path):
    train, held_out = toy(tmp_path / "a", 6), toy(tmp_path / "b", 4, seed=1)
    done = train_lifting_network([train], tmp_path / "out", validation=held_out, width=16, epochs=1, device="cpu")
    assert done.report["pairs"] > 1 and done.report["val_mpjpe_mm"] > 0
    assert json.loads((tmp_path / "out/report.json").read_text()) == done.report
    assert load_lifter(done.weights).w1.out_features == 16 and load_statistics(done.statistics)
    with pytest.raises(ValueError, match="have the widths"):
        wide = toy(tmp_path / "c", 4, size=(128, 96))
        train_lifting_network([train, wide], tmp_path / "out", width=16, epochs=1, device="cpu")
