"""The refiner's command on generated frames, and what it says about bad ones."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from orplugins.depth.png import save_depth
from orplugins.refinet.or_frames import load_depth_people
from orplugins.skeletons import COCO_17
from orplugins.synthetic.export.mvor_layout import write_dataset
from orplugins.synthetic.render.frames import render_frames

pytest.importorskip("torch")
pytest.importorskip("matplotlib")
TOOLS = Path(__file__).parents[2] / "tools"


def run(tool: str, *arguments) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, str(TOOLS / tool), *map(str, arguments)], capture_output=True, text=True)


@pytest.fixture
def recording(tmp_path) -> Path:
    """Three frames, of which the third has no depth image."""
    records = []
    for index in range(3):
        frame = render_frames(8, index, (320, 240), views=1, people=(2, 3))[1][0]
        if index < 2:
            save_depth(tmp_path / f"depth/{index:06d}.png", frame.depth_mm)
        for pose in frame.view.keypoints[COCO_17.name]:
            records.append({"image_id": index, "keypoints": pose.ravel().tolist(), "score": 1.0, "category_id": 1})
    camera = frame.camera
    lens = {"fx": camera.fx, "fy": camera.fy, "cx": camera.cx, "cy": camera.cy, "size": camera.size}
    (tmp_path / "camera.json").write_text(json.dumps(lens))
    (tmp_path / "poses.json").write_text(json.dumps(records))
    return tmp_path


def test_a_folder_with_a_broken_frame(recording):
    inputs = [
        f"--{key}={recording / name}"
        for key, name in (("poses", "poses.json"), ("depth", "depth"), ("camera", "camera.json"))
    ]
    out = recording / "out"
    done = run("refine3d.py", *inputs, "--out", out, "--plain", "--pictures", 1, "--animate")
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert "error: frame 2: " in done.stderr and "no such file" in done.stderr and "1 frames failed" in done.stdout
    content = json.loads((out / "poses3d.json").read_text())
    assert [frame["frame"] for frame in content["frames"]] == ["0", "1"] and content["unit"] == "metres"
    arrays = np.load(out / "poses3d.npz")
    people = sum(len(frame["people"]) for frame in content["frames"])
    assert arrays["points"].shape == (people, 15, 3) and people >= 2
    z = arrays["points"][arrays["valid"]][:, 2]
    assert (z > 0.4).all() and (z < 8).all()
    for name in ("0.png", "poses3d.gif"):
        assert (out / name).stat().st_size > 2000
    done = run("refine3d.py", *inputs[:2], f"--camera={recording / 'poses.json'}", "--out", recording / "no", "--plain")
    assert done.returncode == 1 and done.stderr.startswith("error: ") and not (recording / "no").exists()


def test_conversion_of_a_published_pickle(tmp_path):
    poses = {4: np.ones((15, 2)), 7: np.full((15, 2), 3)}
    (tmp_path / "p.pkl").write_bytes(pickle.dumps(poses))
    done = run("refinet_files.py", "poses-to-npz", tmp_path / "p.pkl", "--out", tmp_path / "p.npz", "--format", "px")
    assert done.returncode == 0 and "2 poses of 2 columns, rows 4 to 7" in done.stdout
    with np.load(tmp_path / "p.npz") as arrays:
        np.testing.assert_array_equal(arrays["rows"], [4, 7])
    (tmp_path / "e.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    done = run("refinet_files.py", "poses-to-npz", tmp_path / "e.pkl", "--out", tmp_path / "e.npz")
    assert done.returncode == 1 and "names os.system" in done.stderr and not (tmp_path / "e.npz").exists()


@pytest.fixture(scope="module")
def room(tmp_path_factory) -> Path:
    """Two frames of two cameras with 3D truth."""
    out = tmp_path_factory.mktemp("room")
    write_dataset(out, frames=2, seed=3, size=(160, 120), views=2, people=(2, 4), color=False)
    return out


def test_refined_poses_against_plain_lifting(room, tmp_path):
    pytest.importorskip("mmpose")
    done = run("evaluate_refine3d.py", room, "--noise", 2, "--out", tmp_path / "n", "--pictures", 1)
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "n/report.json").read_text())
    rows = {(row["people"], row["joints"]): row for row in report["rows"]}
    whole = rows["all", "all"]
    assert whole["count"] == rows["all", "visible"]["count"] + rows["all", "occluded"]["count"] > 30
    assert rows["all", "occluded"]["refined"] < rows["all", "occluded"]["plain"]
    assert f"| {whole['count']} | {1000 * whole['plain']:.0f} |" in done.stdout
    assert len(list((tmp_path / "n").glob("*.png"))) == 1

    # The labels as detections in another order, one person left out: the others have the numbers of noise 0.
    frames = load_depth_people(room)
    people = [(frame, pose) for frame in frames for pose in frame.keypoints][::-1]
    records = [
        {"image_id": frame.image_id, "category_id": 1, "score": 1.0, "keypoints": pose.ravel().tolist()}
        for frame, pose in people[1:]
    ]
    (tmp_path / "d.json").write_text(json.dumps(records))
    done = run("evaluate_refine3d.py", room, "--poses", tmp_path / "d.json", "--out", tmp_path / "d", "--pictures", 0)
    assert done.returncode == 0 and "1 people without a detection" in done.stdout, done.stderr
    run("evaluate_refine3d.py", room, "--noise", 0, "--out", tmp_path / "z", "--pictures", 0)
    exact, found = (json.loads((tmp_path / name / "report.json").read_text())["rows"][0] for name in "zd")
    lost = (people[0][1][:, 2] > 0).sum()
    assert exact["count"] - lost <= found["count"] < exact["count"]
    assert found["plain"] == pytest.approx(exact["plain"], rel=0.3)


def test_bad_data_sets(room, tmp_path):
    done = run("evaluate_refine3d.py", tmp_path, "--out", tmp_path / "no")
    assert done.returncode == 1 and done.stderr.startswith("error: ") and not (tmp_path / "no").exists()
    content = json.loads((room / "annotations/coco17.json").read_text())
    del content["images"][0]["camera"]
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations/coco17.json").write_text(json.dumps(content))
    done = run("evaluate_refine3d.py", tmp_path, "--out", tmp_path / "no")
    assert "images[0]" in done.stderr and "'camera'" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "no").exists()
