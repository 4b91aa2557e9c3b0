"""``orplugins live`` as it is called: recordings, a model file, a calibration, and what cannot be."""

import json
import math
import socket
import subprocess
import sys

import cv2
import numpy as np
import pytest

pytest.importorskip("filterpy", reason="pip install orplugins[live]")
from fake_devices import FakeNetwork, coded, walkers

from orplugins.io.atomic import write_json
from orplugins.io.calibration import read_rig
from orplugins.live import job
from orplugins.live.k4a import KinectAzureSource
from orplugins.live.realsense import RealSenseSource
from orplugins.live.replay import Pace, ReplaySource
from orplugins.live.rosbag import RosBagSource
from orplugins.live.sources import find_live_sources
from orplugins.multiview.online import LiveRoom
from orplugins.synthetic.motion_points import rig_record

NAMES = ("cam1", "cam2", "cam3")
CAMERAS, DETECTIONS, _ = walkers(40, 3)


@pytest.fixture
def rig(tmp_path):
    """A calibration of three cameras, and a folder of coded images of each."""
    write_json(tmp_path / "rig.json", rig_record(CAMERAS))
    for k, name in enumerate(NAMES):
        (tmp_path / name).mkdir()
        for n in range(20):
            cv2.imwrite(str(tmp_path / name / f"{n:04d}.png"), coded(k, n))
    return tmp_path


@pytest.fixture
def network(monkeypatch):
    monkeypatch.setattr(job, "load_network", lambda *_: FakeNetwork(DETECTIONS))


def sources(folder):
    return [argument for name in NAMES for argument in ("--source", str(folder / name))]


def run(*argv):
    from orplugins.cli import run

    return run("live", [str(argument) for argument in argv])


def test_a_recording_of_a_room(rig, network, capsys):
    code = run(
        *sources(rig), "--rig", rig / "rig.json", "--fps", 15, "--every-frame", "--model", "m", "--out", rig / "out"
    )
    out, err = capsys.readouterr()
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 0 and [line["type"] for line in lines] == ["start", *["people"] * 20, "end"]
    assert all(len(line["people3d"]) == 3 for line in lines[1:-1])
    assert {"person0.trc", "person2.npz", "cam3.coco.json"} <= {path.name for path in (rig / "out").iterdir()}
    assert "| total |" in err and "20 moments; frames: cam1 20, cam2 20, cam3 20; dropped: none" in err


def test_at_its_rate(rig, network, capsys):
    code = run("--source", rig / "cam1", "--fps", 40, "--model", "m", "--speed", 2, "--quiet")
    out, err = capsys.readouterr()
    assert code == 0 and out == "" and "frames: cam1 20" in err


def test_a_broken_image_makes_the_run_fail_and_is_said(rig, network, capsys):
    (rig / "cam2" / "0007.png").write_bytes(b"")
    code = run(*sources(rig), "--fps", 15, "--every-frame", "--model", "m")
    out, err = capsys.readouterr()
    assert code == 1 and "cam2: broken frame: " in err and "0007.png" in err and "20 moments" in err
    assert [line["what"] for line in map(json.loads, out.splitlines()) if line["type"] == "event"] == ["broken frame"]


def refused(capsys, *argv, match):
    assert run(*argv) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("error: ") and err.count("\n") == 1 and match in err, err


def test_what_cannot_be_is_one_line(rig, network, capsys, monkeypatch):
    folder = rig / "cam1"
    common = ("--source", folder, "--fps", 15, "--model", "m")
    refused(capsys, "--source", rig / "none", "--model", "m", match="no such recording")
    refused(capsys, "--source", folder, "--model", "m", match="expected --fps")
    refused(capsys, *common, "--source", f"cam1={rig / 'cam2'}", match="two cameras are called 'cam1'")
    refused(capsys, *common, "--rig", rig / "rig.json", match="sources cam1: expected the same names, or as many")
    refused(capsys, *common, "--speed", -1, match="speed: found -1.0")
    refused(capsys, *common, "--tolerance-ms", 0, match="tolerance: found 0")
    refused(capsys, *common, "--smooth", -2, match="one-euro min_cutoff")
    refused(capsys, *common, "--udp", "there", match="--udp: found 'there', expected [HOST:]PORT")
    refused(capsys, *common, "--serve", "99999", match="found port 99999")
    refused(capsys, "--source", "realsense:", "--model", "m", "--every-frame", match="--every-frame")
    refused(capsys, "--source", "k4a:x", "--model", "m", match="expected a device's number or a .mkv file")
    monkeypatch.setitem(sys.modules, "pyrealsense2", None)
    refused(capsys, "--source", "realsense:", "--model", "m", match="pip install orplugins[realsense]")
    (rig / "records.jsonl").write_text("x")
    refused(capsys, *common, "--out", rig, match="holds an earlier run")


def test_a_port_in_use(rig, network, capsys):
    pytest.importorskip("aiohttp", reason="pip install orplugins[live]")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        common = ("--source", rig / "cam1", "--fps", 15, "--model", "m", "--serve", port)
        refused(capsys, *common, match=f"127.0.0.1:{port} cannot be listened on")


def test_a_model_that_is_not_there(rig):
    done = subprocess.run(
        [sys.executable, "tools/live.py", "--source", str(rig / "cam1"), "--fps", "15",
         "--model", str(rig / "none.onnx")],
        capture_output=True, text=True, timeout=60)  # fmt: skip
    assert done.returncode == 1 and done.stdout == "" and done.stderr.count("\n") == 1 and "none.onnx" in done.stderr


def test_sources():
    texts = ["a.mp4", "left=b", "realsense:", "r=realsense:0123", "realsense:x/y.bag", "k4a:1", "k4a:z.mkv",
             "rosbag:r.bag#/cam/color/image_raw,/cam/depth/image_raw", "c=rosbag:r.bag"]  # fmt: skip
    found = find_live_sources(texts, Pace())
    kinds = [ReplaySource, ReplaySource, *[RealSenseSource] * 3, *[KinectAzureSource] * 2, *[RosBagSource] * 2]
    assert [type(source) for source in found] == kinds
    assert [source.name for source in found] == [
        "a", "left", "realsense", "r", "realsense_y", "k4a1", "z", "cam_color_image_raw", "c"]  # fmt: skip
    assert found[3].serial == "0123" and found[4].recording == "x/y.bag" and found[5].device == 1
    assert found[7].topics == ("/cam/color/image_raw", "/cam/depth/image_raw") and found[8].topics == ()
    assert [source.live for source in found[2:7]] == [True, True, False, True, False]
    for bad in ([], ["x="], ["realsense:", "realsense:"]):
        with pytest.raises(ValueError, match="--source"):
            find_live_sources(bad, Pace())


def test_cameras_by_name_or_in_order(rig):
    calibration = read_rig(rig / "rig.json")
    renamed = [type("S", (), {"name": name}) for name in ("x", "y", "z")]
    assert job.by_name(renamed, calibration, "rig")["y"] is calibration.cameras[1]
    by_name = [type("S", (), {"name": name}) for name in calibration.names[::-1]]
    assert job.by_name(by_name, calibration, "rig")[calibration.names[0]] is calibration.cameras[0]
    assert job.by_name(by_name[:2], calibration, "rig").keys() == set(calibration.names[1:])
    assert job.by_name(renamed, None, "") == {}


def test_addresses():
    assert job.address("", "--udp", 8) == ("127.0.0.1", 8) and job.address("9", "--udp", 8) == ("127.0.0.1", 9)
    assert job.address("0.0.0.0:7", "--udp", 8) == ("0.0.0.0", 7) and job.address("[::1]:7", "--udp", 8) == ("::1", 7)


def test_settings_become_rules():
    rules = job.LiveSettings(("a",), "m", tolerance_ms=5, smooth=2.0).rules()
    assert rules.tolerance == 0.005 and rules.smooth.min_cutoff == 2 and rules.seconds == math.inf


def test_the_room_is_in_the_rigs_axes(rig, network):
    records = []
    settings = job.LiveSettings(
        tuple(str(rig / name) for name in NAMES), "m", str(rig / "rig.json"), fps=15, every_frame=True
    )
    run_ = job.live(
        settings,
        LiveRoom,
        type("Stream", (), {"write": lambda _, line: records.append(line), "flush": lambda _: None})(),
    )
    place = json.loads(records[0])["cameras"]["cam1"]["place"]
    assert run_.moments == 20 and np.allclose(place, CAMERAS[0].pose[:3, 3], atol=1e-3)


@pytest.mark.slow
def test_a_model_that_was_exported(rig):
    """The whole way: a file of `orplugins export`, depth images, people."""
    pytest.importorskip("onnxruntime", reason="pip install orplugins[deploy]")
    pytest.importorskip("torch", reason="exporting needs torch")
    pytest.importorskip("mmpose", reason="exporting needs mmpose")
    from orplugins.cli.export import main as export
    from orplugins.depth.png import save_depth
    from orplugins.resources import resource

    config, weights = "configs/mmpose/depthpose/depthpose_tiny-64x48.py", "demo/depthpose_tiny-64x48.safetensors"
    model = rig / "depth.onnx"
    assert export([str(resource(config)), str(resource(weights)), "--out", str(model), "--no-score"]) == 0
    (rig / "depth").mkdir()
    rng = np.random.default_rng(0)
    for n in range(6):
        image = (2500 + rng.normal(0, 20, (48, 64))).astype(np.uint16)
        image[10:40, 20:34] = 1800
        save_depth(rig / "depth" / f"{n:04d}.png", image)
    done = subprocess.run(
        [sys.executable, "tools/live.py", "--source", str(rig / "depth"), "--fps", "15", "--every-frame",
         "--model", str(model)],
        capture_output=True, text=True, timeout=120)  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr
    assert [line["type"] for line in lines] == ["start", *["people"] * 6, "end"] and len(lines[0]["joints"]) == 17
    # Colour has no place in a depth network.
    done = subprocess.run(
        [sys.executable, "tools/live.py", "--source", str(rig / "cam1"), "--fps", "15",
         "--model", str(model)],
        capture_output=True, text=True, timeout=120)  # fmt: skip
    assert done.returncode == 1 and done.stderr == "error: cam1: gives color images, the network takes depth\n"
