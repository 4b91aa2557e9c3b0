"""The command: files in, calibration and report out."""

import json

import numpy as np
import pytest

from orplugins.cli.rig import main
from orplugins.io.calibration import read_rig
from orplugins.synthetic.motion_points import rig_record
from tests.rig.people import bodies, errors, moved, rig, seen


def _results(view):
    """A view as a COCO result list."""
    return [
        {"image_id": t, "category_id": 1, "score": 1.0, "keypoints": person.ravel().tolist()}
        for t, people in view.items()
        for person in people
    ]


@pytest.fixture(scope="module")
def take(tmp_path_factory):
    folder = tmp_path_factory.mktemp("take")
    cameras = rig(3)
    views = seen(cameras, bodies(60, 2, 21))
    for k, view in enumerate(views):
        (folder / f"cam{k + 1}.json").write_text(json.dumps(_results(view)))
    (folder / "rig.json").write_text(json.dumps(rig_record(cameras)))
    images, annotations = [], []
    for k, view in enumerate(views):
        for t, people in view.items():
            images.append({"id": len(images), "file_name": f"day1/cam{k + 1}/{t:06d}.png", "width": 640, "height": 480})
            for person in people:
                keypoints = np.where([[True, True, True]], person, 0)
                keypoints[:, 2] = 2 * (keypoints[:, 2] > 0)
                record = {"id": len(annotations), "image_id": images[-1]["id"], "category_id": 1}
                annotations.append({**record, "keypoints": keypoints.ravel().tolist()})
    (folder / "all.json").write_text(json.dumps({"images": images, "annotations": annotations}))
    return folder, cameras


def _views(folder):
    return [part for k in (1, 2, 3) for part in ("--view", str(folder / f"cam{k}.json"))]


def test_calibration_and_report(take, tmp_path, capsys):
    folder, cameras = take
    out, report = tmp_path / "found.json", tmp_path / "report"
    intrinsics = ["--intrinsics", str(folder / "rig.json")]
    code = main(["calibrate", *_views(folder), *intrinsics, "--out", str(out), "--report", str(report)])
    said = capsys.readouterr()
    assert code == 0, said.err
    assert "verdict: trust it" in said.out and "cam3: at (" in said.out
    found = read_rig(out)
    assert found.names == ["cam1", "cam2", "cam3"]
    np.testing.assert_array_equal(found.up, [0, 0, 1])
    turns, places, _ = errors(found.cameras, cameras)
    assert turns.max() < 0.3 and places.max() < 0.02
    numbers = json.loads((report / "report.json").read_text())
    assert numbers["trusted"] and numbers["cameras"][1]["place_spread_m"] < 0.02
    names = {p.name for p in report.iterdir()}
    pictures = {"room.png", "errors.png", "epipolar_1_2.png", "epipolar_1_3.png", "epipolar_2_3.png"}
    assert names == {"report.json", "report.txt", *pictures}


def test_one_file_with_all_cameras(take, tmp_path, capsys):
    folder, cameras = take
    out = tmp_path / "found.toml"
    files = ["--view", str(folder / "all.json"), "--intrinsics", str(folder / "rig.json")]
    code = main(["calibrate", *files, "--to", "toml", "--out", str(out)])
    assert code == 0, capsys.readouterr().err
    assert errors(read_rig(out).cameras, cameras)[0].max() < 0.3


def test_a_camera_that_moved(take, tmp_path, capsys):
    folder, cameras = take
    old = [cameras[0], moved(cameras[1], 5, 0.1), cameras[2]]
    record = rig_record(old)
    for camera, name in zip(record["cameras"], ("left", "right", "across"), strict=True):
        camera["name"] = name
    (tmp_path / "old.json").write_text(json.dumps(record))
    out = tmp_path / "new.json"
    assert main(["calibrate", *_views(folder), "--update", str(tmp_path / "old.json"), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("right: moved by ")
    turns, places, _ = errors(read_rig(out).cameras, cameras)
    assert turns.max() < 0.3 and places.max() < 0.02


@pytest.mark.parametrize(
    "more, message",
    [
        (["--out", "rig.txt"], "suffix '.txt', expected .json"),
        (["--out", "rig.json", "--height", "170"], "--height: 170, expected people's mean height in metres"),
        (["--out", "rig.json", "--distance", "cam1", "cam9", "3"], "--distance: camera 'cam9', expected one of cam1"),
        (["--out", "rig.json", "--moved", "cam1"], "--moved: expected --update RIG"),
        (["--out", "rig.json", "--camera-folders", "a", "b"], "3 files and 2 camera folders"),
    ],
)
def test_what_is_refused(take, more, message, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder, _ = take
    assert main(["calibrate", *_views(folder), "--intrinsics", str(folder / "rig.json"), *more]) == 1
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ") and message in error
    assert not list(tmp_path.iterdir())


def test_a_view_given_twice_and_an_unknown_size(take, tmp_path, capsys):
    folder, _ = take
    one = str(folder / "cam1.json")
    common = ["--out", str(tmp_path / "rig.json")]
    assert main(["calibrate", "--view", one, "--view", one, "--image-size", "640", "480", *common]) == 1
    assert "view 1 and view 2 hold the same people" in capsys.readouterr().err
    assert main(["calibrate", *_views(folder), *common]) == 1
    assert (
        "cam1: neither intrinsics (--intrinsics) nor the images' size (--image-size) are known"
        in capsys.readouterr().err
    )
    assert main(["calibrate", "--view", one, "--image-size", "640", "480", *common]) == 1
    assert "expected a file a camera" in capsys.readouterr().err
