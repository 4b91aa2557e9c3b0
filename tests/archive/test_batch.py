"""Recordings through a model file: equal however they are cut and whoever does it, nothing lost, nothing doubled."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from tiny_model import write_red_video, write_tiny_detector

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("cv2")
pytest.importorskip("PIL")
pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install 'orplugins[archives]'")

from orplugins.archive import engines, read_frames, run_batch  # noqa: E402
from orplugins.archive.pipeline import BatchSettings  # noqa: E402
from orplugins.archive.spans import plan_spans  # noqa: E402
from orplugins.cli.batch import main  # noqa: E402
from orplugins.deploy import load  # noqa: E402
from orplugins.io.images import write_image  # noqa: E402
from orplugins.io.video import read_timed_video  # noqa: E402


@pytest.fixture
def room(tmp_path):
    """A model file and recordings: two videos and a folder of pictures, one of them without anybody."""
    write_tiny_detector(tmp_path / "model.onnx")
    recordings = tmp_path / "recordings"
    write_red_video(recordings / "day1/a.mp4", 41)
    write_red_video(recordings / "day2/a.mp4", 25, start=7)
    for k in range(5):
        write_image(recordings / f"stills/{k}.png", np.full((20, 30, 3), 60 * k, np.uint8))
    return tmp_path


def settings(room, **options):
    return BatchSettings([room / "model.onnx"], root=room / "recordings", **options)


def rows(out):
    """Frames by name; each once."""
    found = read_frames(out).to_pylist()
    by_name = {row["frame"]: row for row in found}
    assert len(by_name) == len(found)
    return by_name


def test_every_frame_once_however_recordings_are_cut(room):
    whole = run_batch([room / "recordings"], room / "whole", settings(room))
    cut = run_batch([room / "recordings"], room / "cut", settings(room, seconds=1.0, pictures=2, batch=3))
    assert (whole.spans, whole.frames, whole.problems) == (3, 71, ()) and cut.spans == 4 + 3 + 3
    found = rows(room / "whole")
    assert found == rows(room / "cut") and len(found) == 71
    assert {"day1/a.mp4#0", "day1/a.mp4#40", "day2/a.mp4#24", "stills/0.png"} <= set(found)
    assert found["stills/0.png"]["people"] == [] and found["day1/a.mp4#10"]["time"] == pytest.approx(1.0)
    model, images = load(room / "model.onnx"), read_timed_video(room / "recordings/day2/a.mp4")
    for number, (image, _) in enumerate(images):
        wanted, row = model(image), found[f"day2/a.mp4#{number}"]
        assert (row["source"], row["number"], row["width"], row["height"]) == ("day2/a.mp4", number, 64, 48)
        assert [person["score"] for person in row["people"]] == wanted.scores.tolist()
        np.testing.assert_allclose(row["people"][0]["box"], wanted.boxes[0], rtol=1e-6)
        assert row["people"][0]["label"] == "user" and row["people"][0]["keypoints"] is None


def test_coco_files_hold_the_same_with_ids_of_their_own(room):
    run_batch([room / "recordings"], room / "out", settings(room, seconds=2.0))
    files = [json.loads(path.read_text()) for path in sorted((room / "out/coco").glob("*.json"))]
    images = {image["id"]: image for content in files for image in content["images"]}
    people = {each["id"]: each for content in files for each in content["annotations"]}
    assert len(images) == 71 and len(people) == sum(len(row["people"]) for row in rows(room / "out").values())
    for content in files:
        assert {each["image_id"] for each in content["annotations"]} <= {image["id"] for image in content["images"]}
    found = rows(room / "out")
    for each in people.values():
        row = found[images[each["image_id"]]["file_name"]]
        assert each["score"] == pytest.approx(row["people"][0]["score"], abs=1e-6)
        assert each["bbox"][2] == pytest.approx(row["people"][0]["box"][2], abs=1e-3)


def test_a_stopped_run_goes_on_and_does_what_is_new(room, monkeypatch):
    wanted, made = settings(room, seconds=1.0), []
    run_batch([room / "recordings"], room / "straight", wanted)
    original = engines.Worker.__call__

    def stops(worker, number, span):
        if len(made) == 3:
            raise KeyboardInterrupt
        made.append(span.key)
        return original(worker, number, span)

    monkeypatch.setattr(engines.Worker, "__call__", stops)
    with pytest.raises(KeyboardInterrupt):
        run_batch([room / "recordings"], room / "out", wanted)
    # As if the run had been killed between the last files and the manifest.
    manifest = room / "out/manifest.jsonl"
    manifest.write_text("".join(manifest.read_text().splitlines(keepends=True)[:-1]) + '{"key": "day1/a')
    assert len(rows(room / "out")) == 20 and len(list((room / "out/frames").iterdir())) == 3
    monkeypatch.setattr(engines.Worker, "__call__", original)
    done = run_batch([room / "recordings"], room / "out", wanted)
    assert done.done == done.spans - 2 and rows(room / "out") == rows(room / "straight")
    assert len(list((room / "out/frames").iterdir())) == done.spans  # the file that no line spoke of is gone
    assert run_batch([room / "recordings"], room / "out", wanted).done == 0
    # A new recording, one that has changed, and another length of spans of one.
    write_red_video(room / "recordings/day3/c.mp4", 10)
    write_red_video(room / "recordings/day2/a.mp4", 12)
    done = run_batch([room / "recordings"], room / "out", wanted)
    assert done.done == 2 and done.frames == 41 + 12 + 5 + 10 and len(rows(room / "out")) == done.frames
    done = run_batch([room / "recordings/day1"], room / "out", settings(room, seconds=2.0))
    assert (done.spans, done.done) == (2, 2) and len(rows(room / "out")) == 41 + 12 + 5 + 10


def test_what_is_broken_is_said_and_the_rest_is_done(room, capsys):
    videos = room / "recordings"
    whole = (videos / "day1/a.mp4").read_bytes()
    (videos / "day4").mkdir()
    (videos / "day4/broken.mp4").write_bytes(whole[: len(whole) // 3])
    (videos / "stills/9.png").write_bytes(b"no picture")
    args = [str(videos), "--model", str(room / "model.onnx"), "--out", str(room / "out"), "--root", str(videos)]
    assert main(args) == 1
    printed = capsys.readouterr()
    assert "broken.mp4" in printed.err and "9.png" in printed.err and "71 frames" in printed.out
    assert len(rows(room / "out")) == 71
    # They are said again, and done again where that is asked for.
    assert main(args) == 1 and "9.png" in capsys.readouterr().err
    write_image(videos / "stills/9.png", np.full((20, 30, 3), 200, np.uint8))
    shutil.rmtree(videos / "day4")
    assert main(args) == 0 and len(rows(room / "out")) == 72


def test_errors_come_before_the_work(room, capsys):
    out = ["--out", str(room / "out")]
    model = ["--model", str(room / "model.onnx"), *out]
    for args, said in (
        ([str(room / "recordings"), "--model", "none.onnx", *out], "none.onnx: no such file"),
        ([str(room / "nowhere"), *model], "nowhere"),
        ([str(room / "recordings"), *model, "--seconds", "0"], "span: found 0.0 seconds"),
        ([str(room / "recordings"), *model, "--root", str(room / "recordings/day1")], "does not lie below the root"),
        ([str(room / "recordings"), *model, "--workers", "0"], "workers: found 0"),
    ):
        assert main(args) == 1
        printed = capsys.readouterr().err
        assert said in printed and printed.count("\n") == 1
    assert not (room / "out").exists()
    assert main([str(room / "recordings"), *model]) == 0
    write_tiny_detector(room / "model.onnx", least_score=0.5)
    assert main([str(room / "recordings"), *model]) == 1
    assert "results with other settings" in capsys.readouterr().err


def test_spans_cover_a_video_and_its_last_one_has_no_end(room):
    spans, problems = plan_spans([room / "recordings/day1/a.mp4"], seconds=1.0)
    assert [(span.first, span.stop) for span in spans] == [(0, 10), (10, 20), (20, 30), (30, None)] and not problems
    assert spans[0].names == ((room / "recordings/day1/a.mp4").as_posix(),)
