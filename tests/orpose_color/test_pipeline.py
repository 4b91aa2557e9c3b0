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
from orplugins.io.images import read_image, write_image  # noqa: E402
from orplugins.io.run_folder import lock_file  # noqa: E402
from orplugins.io.video import probe_video, write_video  # noqa: E402
from orplugins.orpose_color import pipeline  # noqa: E402
from orplugins.orpose_color.label_store import LabelStore  # noqa: E402
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


two_people.sides, two_people.least_score = (480, 1333), 0.5


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


FREE = ColorSettings("student.yaml", "student.pth")


def test_clips_keep_their_rate_and_proportions(pictures, tmp_path):
    write_video(tmp_path / "clip.mp4", np.zeros((3, 36, 64, 3), np.uint8), 12.5)
    result = infer_color([tmp_path / "clip.mp4"], tmp_path / "out", FREE)
    info = probe_video(result.video)
    assert info.fps == pytest.approx(12.5, rel=1e-3) and info.size == (854, 480) and info.frames == 3  # 853, made even
    images = json.loads(result.poses.read_text())["images"]
    assert [image["file_name"] for image in images] == [f"clip.mp4#{k:06d}" for k in range(3)]
    assert [image["time"] for image in images] == pytest.approx([0, 0.08, 0.16], abs=1e-3)


@pytest.mark.parametrize(
    ("size", "seen"),
    [((640, 480), (640, 480)), ((80, 60), (640, 480)), ((240, 320), (480, 640)), ((2000, 100), (1333, 67))],
)
def test_size_that_a_network_sees(size, seen):
    assert pipeline.network_size(size, None) == seen and pipeline.network_size(size, (32, 24)) == (32, 24)


def test_size_that_the_config_says():
    assert pipeline.network_size((53, 40), None, (240, 480)) == (318, 240)


def test_clips_of_one_name_and_pictures_have_a_video_each(pictures, tmp_path):
    for cam, count in (("cam1", 2), ("cam2", 3)):
        write_video(tmp_path / cam / "rec.mp4", np.zeros((count, 24, 32, 3), np.uint8), 5)
    given = [tmp_path / "cam1/rec.mp4", pictures, tmp_path / "cam2/rec.mp4"]
    result = infer_color(given, tmp_path / "out", SETTINGS)
    videos = {video.relative_to(tmp_path / "out").as_posix(): probe_video(video).frames for video in result.videos}
    assert videos == {"poses.mp4": 2, "cam1/rec.mp4": 2, "cam2/rec.mp4": 3}
    names = [image["file_name"] for image in json.loads(result.poses.read_text())["images"]]
    assert names[0] == "cam1/rec.mp4#000000" and names[-1] == "cam2/rec.mp4#000002" and len(set(names)) == 7


def test_pictures_of_several_proportions_fit_into_one_video(pictures, tmp_path):
    write_image(pictures / "b.png", np.full((32, 24, 3), 90, np.uint8))
    result = infer_color([pictures], tmp_path / "out", FREE)
    assert probe_video(result.video).size == (640, 480) and result.pictures == 2
    assert read_image(result.overlays / "000002.png").shape == (640, 480, 3)


def test_inputs_are_looked_at_before_a_network_is_loaded(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="none.png: no such file"):
        infer_color([tmp_path / "none.png"], tmp_path / "out", SETTINGS)
    assert not (tmp_path / "out").exists()


def _labelled(folder, out, teacher, monkeypatch, batch=2):
    monkeypatch.setattr(pipeline, "build_teacher", lambda settings: teacher)
    settings = TeacherSettings("pose.yaml", "lifter.pth", "statistics.json", batch=batch)
    return label_pictures([folder], out, settings).labels.read_text()


def test_labels_of_a_resumed_run_come_from_the_same_groups(tmp_path, monkeypatch):
    truth = toy(tmp_path / "toy", 5)
    teacher, _ = truth_teacher(truth, load_statistics(tmp_path / "toy/statistics.json"))
    whole = _labelled(tmp_path / "toy/images", tmp_path / "whole.json", teacher, monkeypatch)
    groups: list[int] = []

    class Dying:
        statistics = teacher.statistics

        def label(self, images):
            groups.append(len(images))
            if len(groups) == 2:
                raise KeyboardInterrupt
            return teacher.label(images)

    with pytest.raises(KeyboardInterrupt):
        _labelled(tmp_path / "toy/images", tmp_path / "labels.json", Dying(), monkeypatch)
    notes = tmp_path / "labels.json.parts/rank0.jsonl"
    notes.write_text("".join(notes.read_text().splitlines(keepends=True)[:2]))  # killed in the middle of a group
    assert _labelled(tmp_path / "toy/images", tmp_path / "labels.json", Dying(), monkeypatch) == whole
    assert groups == [2, 2, 2, 2, 1]


def test_labels_of_other_pictures_are_not_taken(tmp_path, monkeypatch):
    truth = toy(tmp_path / "toy", 3)
    teacher, _ = truth_teacher(truth, load_statistics(tmp_path / "toy/statistics.json"))
    out = tmp_path / "labels.json"
    store = LabelStore(out, {}, inputs="of another day")
    store.add("000000.png", 4, 5, [])
    (store.folder / "settings.json").unlink()
    content = json.loads(_labelled(tmp_path / "toy/images", out, teacher, monkeypatch))
    assert [image["width"] for image in content["images"]] == [96] * 3


def test_two_labelling_runs_do_not_mix(tmp_path, monkeypatch):
    truth = toy(tmp_path / "toy", 3)
    teacher, _ = truth_teacher(truth, load_statistics(tmp_path / "toy/statistics.json"))
    (tmp_path / "l.json.parts").mkdir()
    lock = lock_file(tmp_path / "l.json.parts/rank0.lock", "")
    with pytest.raises(ValueError, match="another run is writing it"):
        _labelled(tmp_path / "toy/images", tmp_path / "l.json", teacher, monkeypatch)
    lock.close()


def test_bad_pictures_are_reported_and_the_others_labelled(tmp_path, monkeypatch):
    truth = toy(tmp_path / "toy", 3)
    teacher, _ = truth_teacher(truth, load_statistics(tmp_path / "toy/statistics.json"))
    folder = tmp_path / "toy/images"
    (folder / "x.png").mkdir()
    (folder / "y.png").symlink_to("y.png")
    (folder / "z.png").write_bytes(b"DDS " + bytes(124))
    monkeypatch.setattr(pipeline, "build_teacher", lambda settings: teacher)
    settings = TeacherSettings("pose.yaml", "lifter.pth", "statistics.json", batch=2)
    done = label_pictures([folder], tmp_path / "labels.json", settings)
    assert (done.given, done.pictures) == (6, 3) and sorted(done.failed) == ["x.png", "y.png", "z.png"]


def test_a_network_with_masks_and_without_3d_gives_what_it_has(pictures, tmp_path, monkeypatch):
    from orplugins.io.coco_masks import mask_of

    def with_masks(images: list[np.ndarray]) -> list[SimpleNamespace]:
        found = vars(two_people(images)[0]) | {"pred_masks": torch.zeros(2, *images[0].shape[:2], dtype=torch.bool)}
        found.pop("pred_keypoints_3d")
        found["pred_masks"][0, :12, :16] = True
        return [SimpleNamespace(**found)] * len(images)

    with_masks.sides, with_masks.least_score = (480, 1333), 0.5
    monkeypatch.setattr(pipeline, "load_predictor", lambda settings: with_masks)
    infer_color([pictures], tmp_path / "out", SETTINGS)
    people = json.loads((tmp_path / "out/poses.json").read_text())["annotations"]
    assert len(people) == 2 and not any("h36m_3d" in person for person in people)
    for person, shape in zip(people, [(24, 32), (12, 16)], strict=True):  # in the pixels of the files
        mask = mask_of(person["segmentation"])
        assert mask.shape == shape and mask[: shape[0] // 2, : shape[1] // 2].all() and mask.mean() == 0.25
    drawn = read_image(tmp_path / "out/overlays/000001.png")
    assert (drawn[10, 14] != 90).any() and (drawn[22, 30] == 90).all()
