"""Boxes and poses of pictures and videos without a command line and without a network."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("cv2")

from orplugins.io.images import write_image  # noqa: E402
from orplugins.io.video import probe_video, write_video  # noqa: E402
from orplugins.partial_body import pipeline  # noqa: E402
from orplugins.partial_body.pipeline import PartialSettings, infer_partial  # noqa: E402
from orplugins.skeletons import COCO_17  # noqa: E402


class Poses:
    """In the place of a network's answer: every joint in the middle of its box."""

    def __init__(self, boxes: np.ndarray):
        boxes = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
        self.keypoints = np.repeat(((boxes[:, :2] + boxes[:, 2:]) / 2)[:, None], 17, axis=1)
        self.scores, self.crops, self.states = np.full((len(boxes), 17), 0.9), boxes, None


class Runner:
    """In the place of a pose network; notes how many frames it saw."""

    joints, links, seen = list(COCO_17.joints), list(COCO_17.limbs), 0

    def __call__(self, images, boxes):
        self.seen += len(images)
        return [Poses(each) for each in boxes]


@pytest.fixture
def runner(monkeypatch) -> Runner:
    made = Runner()
    monkeypatch.setattr(pipeline, "load_runner", lambda settings: made)
    return made


@pytest.fixture
def settings(tmp_path) -> PartialSettings:
    for name in ("config.py", "weights.pth"):
        (tmp_path / name).write_text("")
    return PartialSettings(tmp_path / "config.py", tmp_path / "weights.pth", whole_image=True, batch=2)


@pytest.fixture
def inputs(tmp_path) -> list[Path]:
    write_image(tmp_path / "in/a.png", np.zeros((24, 32, 3), np.uint8))
    (tmp_path / "in/b.png").write_bytes(b"no picture")
    write_video(tmp_path / "clip.mp4", np.zeros((3, 24, 32, 3), np.uint8), 5)
    return [tmp_path / "in", tmp_path / "clip.mp4"]


def test_numbers_and_drawings_of_pictures_and_a_video(runner, settings, inputs, tmp_path, capsys):
    problems = []
    done = infer_partial(inputs, tmp_path / "out", settings, problems.append)
    assert (done.frames, done.people, runner.seen) == (4, 4, 4)
    assert len(problems) == 1 and "b.png: not a picture" in problems[0] and not capsys.readouterr().out
    poses = json.loads(done.poses.read_text())
    names = ["a.png", *(f"clip_{k:06d}.jpg" for k in range(3))]
    assert [image["file_name"] for image in poses["images"]] == names
    assert poses["annotations"][0]["keypoints"][:2] == [15.5, 11.5]
    assert len(json.loads(done.boxes.read_text())["annotations"]) == 4
    assert sorted(path.name for path in done.overlays.iterdir()) == names
    assert done.videos == (tmp_path / "out/clip.mp4",) and probe_video(done.videos[0]).frames == 3


def test_a_video_writer_that_fails_costs_no_pose_and_can_be_made_up_for(
    runner, settings, inputs, tmp_path, monkeypatch
):
    real = pipeline.write_video

    def fails(*args):
        raise ValueError("clip.mp4: OpenCV cannot write mp4v")

    monkeypatch.setattr(pipeline, "write_video", fails)
    with pytest.raises(ValueError, match="cannot write mp4v"):
        infer_partial(inputs, tmp_path / "out", settings, lambda line: None)
    assert len(json.loads((tmp_path / "out/poses.json").read_text())["annotations"]) == 4
    monkeypatch.setattr(pipeline, "write_video", real)
    (tmp_path / "out/overlays/a.png").unlink()
    done = infer_partial(inputs, tmp_path / "out", settings, lambda line: None)
    assert runner.seen == 4 and (done.overlays / "a.png").exists() and done.videos[0].exists()


def test_without_overlays_nothing_is_drawn(runner, settings, inputs, tmp_path):
    bare = PartialSettings(settings.config, settings.checkpoint, whole_image=True, no_overlays=True)
    done = infer_partial(inputs[:1], tmp_path / "out", bare, lambda line: None)
    assert done.overlays is None and done.videos == () and not (tmp_path / "out/overlays").exists()


def test_settings_that_cannot_be(tmp_path):
    with pytest.raises(ValueError, match="expected one of detector_weights, boxes and whole_image"):
        PartialSettings(Path("c.py"), Path("w.pth"))
    with pytest.raises(ValueError, match="batch must be at least 1"):
        PartialSettings(Path("c.py"), Path("w.pth"), whole_image=True, batch=0)


def test_no_input_is_an_error_after_what_is_unusable(runner, settings, tmp_path):
    problems = []
    with pytest.raises(ValueError, match="no picture and no video"):
        infer_partial([tmp_path / "none.png"], tmp_path / "out", settings, problems.append)
    assert len(problems) == 1 and "none.png: no such file" in problems[0] and not (tmp_path / "out").exists()


def test_views_of_a_set_and_the_picture_that_is_missing(tmp_path):
    write_image(tmp_path / "a.png", np.zeros((96, 64, 3), np.uint8))
    joints = np.stack([np.linspace(10, 50, 17), np.linspace(5, 90, 17), np.full(17, 2)], axis=1)
    person = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [8, 4, 44, 88], "keypoints": joints.ravel().tolist()}
    images = [{"id": k, "file_name": name, "width": 64, "height": 96} for k, name in ((1, "a.png"), (2, "none.png"))]
    truth = {"images": images, "annotations": [person], "categories": [{"id": 1, "name": "person"}]}
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    counts, problems = pipeline.make_views(tmp_path / "truth.json", tmp_path, tmp_path / "out", ("whole", "waist"))
    assert counts == {"whole": 1, "waist": 1} and (tmp_path / "out/annotations/waist.json").is_file()
    assert len(problems) == 1 and "none.png: no such file" in problems[0]


def test_evaluation_names_the_view_that_is_missing(tmp_path):
    pytest.importorskip("mmpose")
    from orplugins.partial_body.mmpose.pipeline import evaluate_views

    with pytest.raises(FileNotFoundError, match="annotations of the view 'waist'"):
        evaluate_views("config.py", "weights.pth", tmp_path, ["waist"])


def test_other_pictures_of_the_same_names_are_looked_at_anew(runner, settings, tmp_path):
    for day, tone in (("monday", 20), ("tuesday", 200)):
        write_image(tmp_path / day / "a.png", np.full((24, 32 + tone // 100, 3), tone, np.uint8))
    found = []
    for day in ("monday", "tuesday"):
        done = infer_partial([tmp_path / day], tmp_path / "out", settings, lambda line: None)
        found.append((done.poses.read_text(), (done.overlays / "a.png").read_bytes()))
    assert runner.seen == 2 and found[0][0] != found[1][0] and found[0][1] != found[1][1]


def test_a_resumed_run_sees_the_groups_of_an_unbroken_one(runner, settings, tmp_path, monkeypatch):
    write_video(tmp_path / "clip.mp4", np.zeros((5, 24, 32, 3), np.uint8), 5)
    groups: list[int] = []

    def estimate(group, *args):
        groups.append(len(group))
        yield from real(group, *args)

    real = pipeline._estimate
    monkeypatch.setattr(pipeline, "_estimate", estimate)
    infer_partial([tmp_path / "clip.mp4"], tmp_path / "out", settings, lambda line: None)
    assert groups == [2, 2, 1]
    journal = tmp_path / "out/progress.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    whole = (tmp_path / "out/poses.json").read_text()
    journal.write_text("".join(lines[:4]))  # killed after the third frame, in the middle of the second group
    infer_partial([tmp_path / "clip.mp4"], tmp_path / "out", settings, lambda line: None)
    assert groups == [2, 2, 1, 2, 1] and (tmp_path / "out/poses.json").read_text() == whole
    assert len(journal.read_text().splitlines()) == 6


def test_a_run_that_was_killed_in_its_first_group_goes_on(runner, settings, inputs, tmp_path, monkeypatch):
    def killed(*args):
        raise KeyboardInterrupt
        yield

    real = pipeline._estimate
    monkeypatch.setattr(pipeline, "_estimate", killed)
    with pytest.raises(KeyboardInterrupt):
        infer_partial(inputs, tmp_path / "out", settings, lambda line: None)
    assert (tmp_path / "out/progress.jsonl").read_text().startswith('{"settings"')
    monkeypatch.setattr(pipeline, "_estimate", real)
    assert infer_partial(inputs, tmp_path / "out", settings, lambda line: None).frames == 4


def test_cameras_of_equal_names_stay_apart(runner, settings, tmp_path):
    for cam, count in (("cam1", 2), ("cam2", 3)):
        write_video(tmp_path / cam / "rec.mp4", np.zeros((count, 24, 32, 3), np.uint8), 5)
        write_image(tmp_path / cam / "a.png", np.zeros((24, 32, 3), np.uint8))
    given = [tmp_path / cam / name for cam in ("cam1", "cam2") for name in ("rec.mp4", "a.png")]
    done = infer_partial(given, tmp_path / "out", settings, lambda line: None)
    names = [image["file_name"] for image in json.loads(done.poses.read_text())["images"]]
    assert len(set(names)) == 7 and "cam2/rec_000002.jpg" in names and "cam1/a.png" in names
    assert done.videos == (tmp_path / "out/cam1/rec.mp4", tmp_path / "out/cam2/rec.mp4")
    assert [probe_video(video).frames for video in done.videos] == [2, 3]
    assert (done.overlays / "cam2/a.png").is_file()


def test_a_bad_picture_stops_nothing(runner, settings, tmp_path):
    folder = tmp_path / "in"
    write_image(folder / "a.png", np.zeros((24, 32, 3), np.uint8))
    (folder / "b.png").mkdir()
    (folder / "c.png").symlink_to("c.png")
    (folder / "d.png").write_bytes(b"DDS " + bytes(124))
    problems: list[str] = []
    assert infer_partial([folder], tmp_path / "out", settings, problems.append).frames == 1
    assert len(problems) == 3 and all(f"{name}.png" in line for name, line in zip("bcd", problems, strict=True))


def test_a_network_is_not_loaded_for_a_folder_that_cannot_be_written_to(settings, inputs, tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OSError, match="is a file, expected a folder to write to"):
        infer_partial(inputs, tmp_path / "out", settings, lambda line: None)


def test_upright_pictures_in_views(tmp_path):
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.zeros((64, 96, 3), np.uint8)).save(tmp_path / "a.jpg", exif=exif)
    joints = np.stack([np.linspace(10, 50, 17), np.linspace(5, 90, 17), np.full(17, 2)], axis=1)
    person = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [8, 4, 44, 88], "keypoints": joints.ravel().tolist()}
    truth = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 64, "height": 96}],
        "annotations": [person],
        "categories": [{"id": 1, "name": "person"}],
    }
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    pipeline.make_views(tmp_path / "truth.json", tmp_path, tmp_path / "out", ("whole",))
    content = json.loads((tmp_path / "out/annotations/whole.json").read_text())
    assert (content["images"][0]["width"], content["images"][0]["height"]) == (64, 96)
    truth["images"][0].update(width=96, height=64)
    (tmp_path / "stored.json").write_text(json.dumps(truth))
    with pytest.raises(ValueError, match="EXIF rotation"):
        pipeline.make_views(tmp_path / "stored.json", tmp_path, tmp_path / "out", ("whole",))
