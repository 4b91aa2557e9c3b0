"""The command for parts of people, as a user runs it, with a tiny untrained network."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmpose")

from mmengine.config import Config  # noqa: E402
from mmengine.registry import init_default_scope  # noqa: E402
from mmpose.registry import MODELS  # noqa: E402

from orplugins.io.video import probe_video, read_image, write_image, write_video  # noqa: E402
from orplugins.partial_body import pipeline  # noqa: E402
from orplugins.partial_body.box_files import frame_boxes, write_boxes, write_published_boxes  # noqa: E402
from orplugins.resources import SHIPPED  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "configs/mmpose/partial_body/vitpose-t_people-states_128x96.py"


def load_tool(name: str):
    spec = importlib.util.spec_from_file_location(name, ROOT / f"tools/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def tool():
    return load_tool("infer_partial")


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    init_default_scope("mmpose")
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(CONFIG).model)
    model.init_weights()
    path = tmp_path_factory.mktemp("weights") / "tiny.pth"
    torch.save({"state_dict": model.state_dict()}, path)
    return path


def pictures(folder: Path, count: int = 3, size: tuple[int, int] = (160, 120)) -> Path:
    rng = np.random.default_rng(0)
    for k in range(count):
        write_image(folder / f"p{k + 1}.png", rng.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8))
    return folder


def common(out: Path, weights: Path) -> list[str]:
    return ["--out", str(out), "--config", str(CONFIG), "--checkpoint", str(weights)]


def test_detector_weights_to_poses(tool, weights, tmp_path, capsys):
    """The whole way, boxes of a detector of seeded random weights: as many poses as boxes of patients."""
    pytest.importorskip("detectron2")
    from detectron2.modeling import build_model

    from orplugins.partial_body.detectron2.detector import detector_config

    config = ROOT / "configs/detectron2/partial_body/faster_rcnn_tiny.yaml"
    options = ["INPUT.MIN_SIZE_TEST", "64", "TEST.DETECTIONS_PER_IMAGE", "4"]
    torch.manual_seed(0)
    detector = tmp_path / "detector.pth"
    torch.save({"model": build_model(detector_config(config, options)).state_dict()}, detector)
    images, out = pictures(tmp_path / "in", 2), tmp_path / "out"
    command = [
        str(images),
        "--detector-weights",
        str(detector),
        "--detector-config",
        str(config),
        "--detector-opts",
        *options,
        "--labels",
        "patient",
        "user",
        "--box-score",
        "0.01",
        *common(out, weights),
    ]
    assert tool.main(command) == 0
    boxes = json.loads((out / "boxes.json").read_text())
    found = json.loads((out / "poses.json").read_text())
    names = {c["id"]: c["name"] for c in found["categories"]}
    assert set(names.values()) <= {"patient", "user"}
    people = [(a["image_id"], names[a["category_id"]], *np.round(a["bbox"], 1)) for a in found["annotations"]]
    assert len(people) > 2 and all(len(a["keypoints"]) == 51 for a in found["annotations"])
    assert f"2 frames, {len(people)} people" in capsys.readouterr().out
    assert len(boxes["annotations"]) == len(people)
    assert sorted(path.name for path in (out / "overlays").iterdir()) == ["p1.png", "p2.png"]


def test_nothing_named_is_what_ships(tool, tmp_path):
    images = pictures(tmp_path / "in", 1)
    assert tool.main([str(images), "--out", str(tmp_path / "whole"), "--whole-image"]) == 0
    found = json.loads((tmp_path / "whole/poses.json").read_text())
    (person,) = found["annotations"]
    assert len(person["keypoints"]) == 51 and np.shape(person["state_probabilities"]) == (17, 3)
    assert found["info"]["checkpoint"] == Path(SHIPPED["partial-body"][1]).name
    pytest.importorskip("detectron2")
    assert tool.main([str(images), "--out", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out/boxes.json").is_file() and (tmp_path / "out/poses.json").is_file()


def test_boxes_of_a_file(tool, weights, tmp_path, capsys):
    images = pictures(tmp_path / "in")
    boxes = tmp_path / "boxes.json"
    write_boxes(
        boxes,
        [
            frame_boxes(
                "p1.png",
                (160, 120),
                [
                    ([10, 10, 60, 119], 0.9, "patient"),
                    ([80, 5, 150, 100], 0.95, "user"),
                    ([20, 20, 50, 60], 0.4, "patient"),
                ],
            ),
            frame_boxes("p2.png", (160, 120), []),
            frame_boxes("p3.png", (160, 120), [([0, 0, 80, 60], 1.0, "patient"), ([5, 5, 50, 90], 0.9, "patient")]),
        ],
    )
    out = tmp_path / "out"
    assert tool.main([str(images), "--boxes", str(boxes), "--published-boxes", *common(out, weights)]) == 0
    assert "3 frames, 3 people" in capsys.readouterr().out
    poses = json.loads((out / "poses.json").read_text())
    assert [image["file_name"] for image in poses["images"]] == ["p1.png", "p2.png", "p3.png"]
    assert [a["image_id"] for a in poses["annotations"]] == [1, 3, 3]
    first = poses["annotations"][0]
    assert first["truncated"] == ["bottom"] and first["bbox"] == [10, 10, 50, 109]
    assert len(first["keypoints"]) == 51 and len(first["keypoint_scores"]) == 17
    names = {0: "out of view", 1: "occluded", 2: "visible"}
    assert [names[v] for v in first["keypoints"][2::3]] == first["keypoint_states"]
    np.testing.assert_allclose(np.sum(first["state_probabilities"], 1), 1, atol=1e-3)
    assert poses["categories"][0]["keypoints"][0] == "nose" and len(poses["categories"][0]["skeleton"]) == 19
    # What is not posed (users, unsure boxes) is in the boxes file all the same.
    assert len(json.loads((out / "boxes.json").read_text())["annotations"]) == 5
    published = json.loads((out / "bbox_detections.json").read_text())
    assert [a["bbox_score"] for a in published["annotations"]] == ["90.0%", "40.0%", "100.0%", "90.0%"]
    drawn = read_image(out / "overlays/p1.png")
    assert (drawn != read_image(images / "p1.png")).any()


def test_people_together_or_one_by_one_are_the_same(tool, weights, tmp_path):
    images = pictures(tmp_path / "in", 2)
    boxes = tmp_path / "bbox_detections.json"
    write_published_boxes(
        boxes, [frame_boxes(f"p{k}.png", None, [([10, 5, 60 + k, 110], 0.9, "patient")]) for k in (1, 2)]
    )
    found = []
    for batch in ("1", "8"):
        out = tmp_path / batch
        assert tool.main([str(images), "--boxes", str(boxes), "--batch", batch, *common(out, weights)]) == 0
        found.append(json.loads((out / "poses.json").read_text())["annotations"])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a["keypoints"], b["keypoints"], atol=0.05)
        np.testing.assert_allclose(a["keypoint_scores"], b["keypoint_scores"], atol=1e-3)


def test_a_video_keeps_its_rate_and_goes_on(tool, weights, tmp_path, monkeypatch):
    frames = np.random.default_rng(1).integers(0, 255, (6, 64, 96, 3), dtype=np.uint8)
    write_video(tmp_path / "clip.mp4", list(frames), 12.5)
    out = tmp_path / "out"
    command = [str(tmp_path / "clip.mp4"), "--whole-image", "--batch", "2", *common(out, weights)]

    real, count = pipeline.person_records, iter(range(100))

    def dies(*args, **kwargs):
        if next(count) == 3:
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    monkeypatch.setattr(pipeline, "person_records", dies)
    with pytest.raises(KeyboardInterrupt):
        tool.main(command)
    journal = out / "progress.jsonl"
    assert len(journal.read_text().splitlines()) == 1 + 3 and not (out / "poses.json").exists()
    journal.write_text(journal.read_text() + '{"key": "clip_00000')  # killed while writing
    done = []
    monkeypatch.setattr(pipeline, "person_records", lambda *args, **kwargs: done.append(1) or real(*args, **kwargs))
    assert tool.main(command) == 0
    assert len(done) == 3
    info = probe_video(out / "clip.mp4")
    assert info.fps == pytest.approx(12.5, rel=1e-3) and info.size == (96, 64) and info.frames == 6
    poses = json.loads((out / "poses.json").read_text())
    assert [image["file_name"] for image in poses["images"]] == [f"clip_{k:06d}.jpg" for k in range(6)]
    assert tool.main([*command, "--threshold", "0.7"]) == 1  # other settings need another folder


def test_bad_input_is_reported_and_the_rest_is_done(tool, weights, tmp_path, capsys):
    images = pictures(tmp_path / "in")
    (images / "p2.png").write_bytes(b"no picture")
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    boxes = tmp_path / "boxes.json"
    write_boxes(
        boxes,
        [
            frame_boxes(
                "p1.png", (160, 120), [([500, 10, 600, 50], 0.9, "patient"), ([10, 10, 60, 100], 0.9, "patient")]
            ),
            frame_boxes("p3.png", (99, 120), [([10, 10, 60, 100], 0.9, "patient")]),
        ],
    )
    content = json.loads(boxes.read_text())
    content["annotations"].append({**content["annotations"][0], "score": float("nan")})
    boxes.write_text(json.dumps(content))
    out = tmp_path / "out"
    inputs = [str(images), str(tmp_path / "bad.mp4"), str(tmp_path / "absent.jpg")]
    assert tool.main([*inputs, "--boxes", str(boxes), *common(out, weights)]) == 1
    errors = capsys.readouterr().err
    for text in (
        "p2.png: not a picture",
        "bad.mp4: not a video",
        "absent.jpg: no such file",
        "p1.png: the box [500.0, 10.0, 600.0, 50.0] lies outside",
        "'score' holds nan",
        "p3.png is 99x120 there, the picture is 160x120",
    ):
        assert text in errors
    poses = json.loads((out / "poses.json").read_text())
    assert [image["file_name"] for image in poses["images"]] == ["p1.png"] and len(poses["annotations"]) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [('{"people": []}', "missing key 'images'"), ("[1]", "found a number, expected an object"), ("", "not JSON")],
)
def test_another_schema_stops_before_anything_is_written(tool, weights, tmp_path, capsys, content, message):
    images = pictures(tmp_path / "in", 1)
    (tmp_path / "boxes.json").write_text(content)
    assert tool.main([str(images), "--boxes", str(tmp_path / "boxes.json"), *common(tmp_path / "out", weights)]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_detector_without_weights_is_refused(tool, weights, tmp_path, capsys):
    pytest.importorskip("detectron2")
    images = pictures(tmp_path / "in", 1)
    missing = tmp_path / "absent.pth"
    assert tool.main([str(images), "--detector-weights", str(missing), *common(tmp_path / "out", weights)]) == 1
    assert "absent.pth: no such file" in capsys.readouterr().err


def test_video_tool(tmp_path, capsys):
    tool = load_tool("video_frames")
    frames = np.random.default_rng(1).integers(0, 255, (4, 64, 96, 3), dtype=np.uint8)
    write_video(tmp_path / "clip.avi", list(frames), 20)
    (tmp_path / "empty.mp4").write_bytes(b"")
    code = tool.main(["split", str(tmp_path / "empty.mp4"), str(tmp_path / "clip.avi"), "--out", str(tmp_path / "f")])
    printed = capsys.readouterr()
    assert code == 1 and "empty.mp4" in printed.err and "4 frames of 96x64, 20 a second" in printed.out
    assert tool.main(["join", str(tmp_path / "f/clip"), "--out", str(tmp_path / "again.mp4")]) == 0
    assert probe_video(tmp_path / "again.mp4").fps == pytest.approx(20, rel=1e-3)
