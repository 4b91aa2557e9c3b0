"""One generated take through every tool: stereo, three cameras, lifting, comparison; and what they say to bad input."""

import csv
import json

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("mmpose")
from PIL import Image  # noqa: E402
from tests_tools import run_tool, save_published_lifter  # noqa: E402

from orplugins.io.kinect_files import read_kinect_record  # noqa: E402
from orplugins.io.video import write_image, write_video  # noqa: E402

FRAMES = 60


@pytest.fixture(scope="module")
def take(tmp_path_factory):
    out = tmp_path_factory.mktemp("take")
    run_tool("make_motion", "take", "--out", str(out), "--frames", str(FRAMES), "--action", "reach")
    save_published_lifter(out / "published.bin")
    return out


def test_stereo_multi_view_and_agreement(take, capsys):
    run_tool(
        "triangulate",
        "--rig",
        str(take / "pair.json"),
        "--view",
        str(take / "openpose_left"),
        "--view",
        str(take / "openpose_right"),
        "--out",
        str(take / "stereo"),
        "--pictures",
        "1",
    )
    cameras = [word for k in (1, 2, 3) for word in ("--view", str(take / f"camera{k}.json"))]
    run_tool("triangulate", "--rig", str(take / "rig.json"), *cameras, "--out", str(take / "multi"), "--pictures", "1")
    people = json.loads((take / "multi/people.json").read_text())
    assert len(people["people"]) == FRAMES and {p["track"] for p in people["people"]} == {0}
    missing = [joint for p in people["people"] for joint, code in zip(p["keypoints3d"], p["code"], strict=True) if code]
    assert all(joint is None for joint in missing)
    run_tool(
        "compare_motion",
        str(take / "truth.txt"),
        str(take / "stereo/record.txt"),
        str(take / "multi/motion.npz"),
        "--align",
        "rigid",
        "--out",
        str(take / "report"),
    )
    assert "agreement, not accuracy" in capsys.readouterr().out
    with open(take / "report/report.csv") as file:
        rows = {(r["A"], r["B"]): r for r in csv.DictReader(file)}
    assert len(rows) == 3
    # Another camera is the rig's first: a rigid move apart.
    assert float(rows["truth", "multi"]["MPJPE mm"]) < 20
    # A pixel of disparity is 7 cm of depth at 3.2 m.
    assert float(rows["truth", "stereo"]["MPJPE mm"]) < 110 and int(rows["truth", "stereo"]["lag"]) == -4
    report = (take / "report/report.md").read_text()
    assert "not the truth" in report
    for name in {word.split("(")[1].rstrip(")") for word in report.split() if word.startswith("![")}:
        with Image.open(take / "report" / name) as picture:
            assert np.asarray(picture).std() > 5


def lift(take, source, name, *extra, code=0):
    run_tool(
        "lift_video",
        str(source),
        "--weights",
        str(take / "published.bin"),
        "--out",
        str(take / name),
        *extra,
        code=code,
    )


def test_lifting_of_every_kind_of_joints(take):
    lift(take, take / "openpose_left", "a", "--size", "640", "480", "--fps", "30", "--render", "a.gif", "--every", "3")
    with Image.open(take / "a/a.gif") as animation:
        assert animation.n_frames == FRAMES // 3
    pose = np.load(take / "a/pose.npy")
    assert pose.shape == (FRAMES, 17, 3) and np.isfinite(pose).all()
    record = read_kinect_record(take / "a/record.txt")
    assert record.root == "hip_center" and record.source == "videopose3d"
    lift(take, take / "camera1.json", "b", "--size", "640", "480", "--zero-root", "--resample", "--no-flip")
    assert not np.load(take / "b/pose.npy")[:, 0].any()
    lift(take, take / "b/keypoints2d.npz", "c")
    lift(take, take / "b/keypoints2d.npz", "c2")
    np.testing.assert_array_equal(np.load(take / "c/pose.npy"), np.load(take / "c2/pose.npy"))


def test_animation_on_a_video(take):
    frames = [np.full((480, 640, 3), 40 + k, np.uint8) for k in range(FRAMES)]
    write_video(take / "v.mp4", frames, 30)
    lift(
        take,
        take / "camera1.json",
        "d",
        "--size",
        "640",
        "480",
        "--render",
        "d.mp4",
        "--background",
        str(take / "v.mp4"),
        "--limit",
        "4",
    )
    assert (take / "d/d.mp4").stat().st_size > 1000


def test_bad_input_is_one_clear_line(take, tmp_path, capsys):
    (tmp_path / "frames").mkdir()
    write_image(tmp_path / "frames/000000.png", np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "empty").mkdir()
    cases = [
        (take / "camera1.json", "give --size"),
        (tmp_path / "none.mp4", "no such file"),
        (tmp_path / "empty", "--pose2d"),
        (tmp_path / "frames", "--pose2d"),
        (take / "rig.json", "missing key 'images'"),
    ]
    for source, message in cases:
        lift(take, source, "bad", code=1)
        error = capsys.readouterr().err
        assert message in error and error.startswith("error:") and "Traceback" not in error
    run_tool("compare_motion", str(take / "truth.txt"), str(take / "none.txt"), "--out", str(tmp_path / "r"), code=1)
    assert "no such file" in capsys.readouterr().err and not (tmp_path / "r").exists()
    run_tool(
        "triangulate",
        "--rig",
        str(take / "rig.json"),
        "--view",
        str(take / "camera1.json"),
        "--out",
        str(tmp_path),
        code=1,
    )
    assert "3 cameras, but 1 --view" in capsys.readouterr().err


def test_a_broken_frame_does_not_stop_the_rest(take, tmp_path, capsys):
    import shutil

    shutil.copytree(take / "openpose_left", tmp_path / "op")
    (tmp_path / "op/left_000000000007_keypoints.json").write_text("{")
    lift(take, tmp_path / "op", "e", "--size", "640", "480", code=1)
    assert "left_000000000007" in capsys.readouterr().err
    assert len(np.load(take / "e/pose.npy")) == FRAMES
    state = np.load(take / "e/motion.npz")["state"]
    assert (state[7] == 1).all()
