"""ORPose-Color's jobs without a command line: what they write, in which order, and what they say of what fails."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("cv2")

from orplugins.cli.infer_color import main as infer_color_command  # noqa: E402
from orplugins.io.images import write_image  # noqa: E402
from orplugins.io.video import probe_video  # noqa: E402
from orplugins.orpose_color import pipeline  # noqa: E402
from orplugins.orpose_color.pipeline import ColorSettings, infer_color  # noqa: E402

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
