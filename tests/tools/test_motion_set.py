"""A small rendered motion set through the comparison of systems, through --depth, and as frames of a 2D model."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("mmpose")
from PIL import Image  # noqa: E402
from tests_tools import run_tool, save_published_lifter  # noqa: E402

from orplugins.io.json_fields import load_json  # noqa: E402
from orplugins.io.video import write_video  # noqa: E402
from orplugins.multiview.clip_set import noisy_labels, read_motion_set  # noqa: E402
from orplugins.synthetic.export.mvor_layout import write_dataset  # noqa: E402

FRAMES = 6
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def motion_set(tmp_path_factory):
    out = tmp_path_factory.mktemp("motion")
    write_dataset(out / "set", FRAMES, seed=34, size=(160, 120), views=3, people=(4, 4), motion=FRAMES)
    (clip,) = read_motion_set(out / "set")
    records = []
    for frame, ids in zip(noisy_labels(clip, 1.0, np.random.default_rng(0)), clip.image_ids.T, strict=True):
        for people, image_id in zip(frame, ids, strict=True):
            records += [
                {"image_id": int(image_id), "category_id": 1, "score": 1.0, "keypoints": k.ravel().tolist()}
                for k in people
            ]
    (out / "dt.json").write_text(json.dumps(records))
    return out, clip


def rows(path):
    return {row["system"]: row for row in load_json(path / "summary.json")["rows"]}


def test_the_clip(motion_set):
    _, clip = motion_set
    assert clip.frames == FRAMES and len(clip.cameras) == 3 and clip.people
    for person in clip.people:
        seen = clip.pixels[person][0, 0]
        pixels, _ = clip.cameras[0].project(clip.truth[person][0])
        np.testing.assert_allclose(seen[seen[:, 2] > 0, :2], pixels[seen[:, 2] > 0], atol=0.01)


def test_systems_on_one_clock(motion_set, tmp_path):
    out, _ = motion_set
    run_tool("compare_on_set", str(out / "set"), "--out", str(tmp_path / "a"))
    table = rows(tmp_path / "a")
    assert table["3 cameras"]["in the room mm"] < 20 < table["parallel pair"]["in the room mm"]
    seen = table["1 camera, depth, seen joints"]
    assert seen["in the room mm"] < 60 and seen["joints found %"] > 10
    with Image.open(tmp_path / "a/clock.png") as picture:
        assert np.asarray(picture).std() > 10
    detections = ("--dt", str(out / "dt.json"), "--no-depth")
    run_tool("compare_on_set", str(out / "set"), *detections, "--out", str(tmp_path / "b"))
    assert set(rows(tmp_path / "b")) == {"2 cameras", "3 cameras"}
    again = rows(tmp_path / "b")["3 cameras"]["in the room mm"]
    assert again == pytest.approx(table["3 cameras"]["in the room mm"], rel=0.5)


def test_one_camera_by_depth(motion_set, tmp_path, capsys):
    """People of camera 1 alone: without depth they have no place, with it they are found."""
    out, clip = motion_set
    first = [r for r in load_json(out / "dt.json") if r["image_id"] in clip.image_ids[0]]
    (tmp_path / "dt.json").write_text(json.dumps(first))
    files = ("--mvor", str(out / "set/annotations/mvor.json"), "--dt", str(tmp_path / "dt.json"))
    run_tool(
        "triangulate",
        *files,
        "--out",
        str(tmp_path / "o"),
        "--one-view",
        "--depth",
        str(out / "set"),
        "--pictures",
        "0",
    )
    report = load_json(tmp_path / "o/scores.json")["results"]["dt"]
    assert report["recall_percent"] > 30 and set(report["by_views"]) == {"1"}
    assert report["by_views"]["1"]["abs_f2_cm"]["mean"] < 20
    capsys.readouterr()
    with pytest.raises(SystemExit):
        run_tool("triangulate", "--mvor", "x", "--dt", "y", "--out", str(tmp_path / "p"), "--one-view")
    assert "one camera gives no depth" in capsys.readouterr().err


CONFIG = """
_base_ = ['mmpose::_base_/default_runtime.py']
data_mode = 'topdown'
dataset_type = 'CocoDataset'
data_root = ''
codec = dict(type='MSRAHeatmap', input_size=(64, 64), heatmap_size=(16, 16), sigma=2)
model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(type='PoseDataPreprocessor', mean=[123.] * 3, std=[58.] * 3, bgr_to_rgb=True),
    backbone=dict(type='ResNet', depth=18),
    head=dict(type='HeatmapHead', in_channels=512, out_channels=17, deconv_out_channels=(8, 8, 8),
              deconv_kernel_sizes=(4, 4, 4), decoder=codec, loss=dict(type='KeypointMSELoss')),
    test_cfg=dict(flip_test=False))
test_dataloader = dict(dataset=dict(type='CocoDataset', data_mode='topdown', pipeline=[
    dict(type='LoadImage'), dict(type='GetBBoxCenterScale'), dict(type='TopdownAffine', input_size=(64, 64)),
    dict(type='PackPoseInputs')]))
train_dataloader = test_dataloader
"""


@pytest.fixture(scope="module")
def lifter(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "published.bin"
    save_published_lifter(path)
    return path


def lift(lifter, source, out, *extra, code=0):
    run_tool("lift_video", str(source), "--weights", str(lifter), "--out", str(out), *extra, code=code)


def test_a_video_through_a_colour_model(lifter, tmp_path):
    import torch
    from mmengine.config import Config
    from mmengine.registry import init_default_scope
    from mmpose.registry import MODELS

    rng = np.random.default_rng(0)
    write_video(tmp_path / "v.mp4", [rng.integers(0, 255, (48, 64, 3), dtype=np.uint8) for _ in range(5)], 25)
    (tmp_path / "tiny.py").write_text(CONFIG)
    init_default_scope("mmpose")
    model = MODELS.build(Config.fromfile(tmp_path / "tiny.py").model)
    torch.nn.init.constant_(model.head.final_layer.bias, 1.0)  # every joint is found, somewhere
    torch.save({"state_dict": model.state_dict()}, tmp_path / "tiny.pth")
    options = (
        "--pose2d",
        str(tmp_path / "tiny.py"),
        "--pose2d-weights",
        str(tmp_path / "tiny.pth"),
        "--det-model",
        "whole_image",
    )
    lift(lifter, tmp_path / "v.mp4", tmp_path / "o", *options, "--render", "v.gif")
    assert np.load(tmp_path / "o/pose.npy").shape == (5, 17, 3)
    report = load_json(tmp_path / "o/motion.json")
    assert report["fps"] == 25 and len(report["frames"]) == 5
    with Image.open(tmp_path / "o/v.gif") as animation:
        assert animation.n_frames == 5


def test_depth_pictures_through_a_depth_model(motion_set, lifter, tmp_path, capsys):
    """The shipped detector on 16-bit pictures; a picture that is broken is reported, the others are lifted."""
    out, _ = motion_set
    folder = tmp_path / "depth"
    shutil.copytree(out / "set/day1/cam1/depth", folder)
    (folder / "000003.png").write_bytes(b"broken")
    detector = (
        "--pose2d",
        str(ROOT / "configs/mmpose/depthpose/depthpose_tiny-64x48.py"),
        "--pose2d-weights",
        str(ROOT / "demo/depthpose_tiny-64x48.safetensors"),
    )
    lift(lifter, folder, tmp_path / "o", *detector, "--fps", "25", "--min-score", "0.02", "--render", "d.gif", code=1)
    assert "000003.png" in capsys.readouterr().err
    assert np.load(tmp_path / "o/pose.npy").shape == (FRAMES, 17, 3)
    detected = np.load(tmp_path / "o/motion.npz")["detected"]
    assert not detected[3] and detected.sum() >= 3
    with Image.open(tmp_path / "o/d.gif") as animation:
        assert animation.n_frames == FRAMES and np.asarray(animation.convert("RGB")).std() > 20


def test_identities_on_the_set(motion_set, capsys):
    pytest.importorskip("motmetrics", reason="pip install orplugins[tracks]")
    out, clip = motion_set
    run_tool("evaluate_tracks", str(out / "set"), "--dt", str(out / "dt.json"), "--out", str(out / "tracks.json"))
    found = load_json(out / "tracks.json")
    assert found["switches"] == 0 and found["IDF1"] > 0.8 and found["frames"] == FRAMES
    assert found["people"] == sum(int(np.isfinite(joints).any((1, 2)).sum()) for joints in clip.truth.values())
    run_tool("evaluate_tracks", str(out / "set"), "--every", "3", "--noise", "0.5")
    assert "IDF1" in capsys.readouterr().out
    run_tool("evaluate_tracks", str(out / "set"), "--every", "0", code=1)
    assert "every is 0" in capsys.readouterr().err


def test_depth_in_the_triangulation(motion_set):
    out, _ = motion_set
    truth = ["--mvor", str(out / "set/annotations/mvor.json"), "--dt", str(out / "dt.json"), "--pictures", "0"]
    tables = []
    for name, options in (("plain", []), ("depth", ["--depth", str(out / "set")])):
        run_tool("triangulate", *truth, *options, "--out", str(out / name))
        tables.append(load_json(out / name / "scores.json")["results"]["dt"])
    plain, depth = (table["by_views"]["2+3"] for table in tables)
    assert depth["people"] == plain["people"] and depth["joints_found"] >= plain["joints_found"]
    assert depth["abs_cm"]["mean"] < plain["abs_cm"]["mean"] + 2
