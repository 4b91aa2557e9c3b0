"""Every option that takes weights, given files that would run code: refused in one line, and nothing runs."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from crafted import Canary, maker
from people_files import toy
from tests_tools import run_tool

torch = pytest.importorskip("torch")
pytest.importorskip("mmpose")
pytest.importorskip("detectron2")
pytest.importorskip("cv2")

from orplugins.orpose_color.annotations import lifting_pairs  # noqa: E402
from orplugins.orpose_color.statistics import load_statistics  # noqa: E402
from orplugins.orpose_color.train_lifter import fit_lifter  # noqa: E402
from orplugins.partial_body.view_sets import VIEWS  # noqa: E402

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
MMPOSE, DETECTRON2 = ROOT / "configs/mmpose", ROOT / "configs/detectron2"
PARTIAL = MMPOSE / "partial_body/vitpose-t_people-states_128x96.py"
KINDS = ("archive_getattr_left_below.pth", "zip_evil_in_comment.pth", "torchscript.pth", "pickle_named.safetensors",
         "stream_evil_in_3.pkl", "stream_evil_in_4.pkl", "archive_named", "pickle_new.pkl")  # fmt: skip
STUDENT = ["--config-file", str(DETECTRON2 / "orpose_color/orpose_tiny.yaml")]
# By option: the tool and its arguments; @EVIL is the file, @DATA the folder of `inputs`, @OUT a folder.
COMMANDS = {
    "evaluate_views --checkpoint": ["evaluate_views", "--config", PARTIAL, "--checkpoint", "@EVIL", "--data", "@DATA"],
    "infer_partial --checkpoint": ["infer_partial", "@DATA/images", "--out", "@OUT", "--whole-image", "--config",
                                   PARTIAL, "--checkpoint", "@EVIL"],
    "infer_partial --detector-weights": ["infer_partial", "@DATA/images", "--out", "@OUT", "--config", PARTIAL,
                                         "--checkpoint", ROOT / "demo/vitpose-t_people-states.safetensors",
                                         "--detector-config", DETECTRON2 / "partial_body/faster_rcnn_tiny.yaml",
                                         "--detector-weights", "@EVIL"],
    "infer_color --weights": ["infer_color", "@DATA/images", "--out", "@OUT", "--config", STUDENT[1], "--weights",
                              "@EVIL", "--statistics", "@DATA/statistics.json"],
    "pseudo_label --lifter": ["pseudo_label", "@DATA/images", "--out", "@OUT/l.json", "--statistics",
                              "@DATA/statistics.json", "--pose", PARTIAL, "--lifter", "@EVIL"],
    "pseudo_label --detector-weights": ["pseudo_label", "@DATA/images", "--out", "@OUT/l.json", "--statistics",
                                        "@DATA/statistics.json", "--lifter", "@DATA/lifter.pth", "--detector",
                                        STUDENT[1], "--pose", PARTIAL, "--detector-weights", "@EVIL"],
    "pseudo_label --pose-weights": ["pseudo_label", "@DATA/images", "--out", "@OUT/l.json", "--statistics",
                                    "@DATA/statistics.json", "--lifter", "@DATA/lifter.pth", "--detector",
                                    DETECTRON2 / "partial_body/faster_rcnn_tiny.yaml", "--detector-weights",
                                    ROOT / "demo/faster_rcnn_tiny.safetensors", "--pose", PARTIAL,
                                    "--pose-weights", "@EVIL"],
    "depth_ladder": ["depth_ladder", MMPOSE / "depthpose/depthpose_tiny-64x48.py", "@EVIL", "@DATA", "--out", "@OUT"],
    "resolution_ladder --weights": ["resolution_ladder", *STUDENT, "--weights", "@EVIL", "--out", "@OUT",
                                    "DATASETS.TEST_SET_NAME", "crafted_ladder", "DATASETS.TEST_SET_JSON",
                                    "@DATA/annotations.json", "DATASETS.TEST_SET_IMGDIR", "@DATA/images"],
    "refinet_files --a": ["refinet_files", "merge-weights", "--a", "@EVIL", "--out", "@OUT/m.pth"],
    "refinet_files --c": ["refinet_files", "merge-weights", "--c", "@EVIL", "--out", "@OUT/m.pth"],
    "export_weights": ["export_weights", "@EVIL", "--config", "c.py", "--out", "@OUT/w.safetensors"],
    "lift_video --pose2d-weights": ["lift_video", "@DATA/images", "--weights", ROOT / "demo/videopose3d_27.safetensors",
                                    "--pose2d", MMPOSE / "depthpose/depthpose_tiny-64x48.py", "--pose2d-weights",
                                    "@EVIL", "--det-model", "whole_image", "--out", "@OUT"],
    "train_net MODEL.WEIGHTS": ["train_net", *STUDENT, "--num-gpus", "0", "MODEL.DEVICE", "cpu", "OUTPUT_DIR", "@OUT",
                                "DATASETS.H36_STATS_PATH", "@DATA/statistics.json", "MODEL.WEIGHTS", "@EVIL"],
    "train_net MODEL.WEIGHTS?": ["train_net", *STUDENT, "--num-gpus", "0", "MODEL.DEVICE", "cpu", "OUTPUT_DIR", "@OUT",
                                 "DATASETS.H36_STATS_PATH", "@DATA/statistics.json", "MODEL.WEIGHTS",
                                 "@EVIL?matching_heuristics=True"],
}  # fmt: skip


@pytest.fixture(scope="module")
def canary(tmp_path_factory) -> Canary:
    return Canary(tmp_path_factory.mktemp("canary"))


@pytest.fixture(scope="module")
def inputs(canary, tmp_path_factory) -> Path:
    """images/, annotations.json, statistics.json, lifter.pth, and the crafted files in crafted/."""
    folder = tmp_path_factory.mktemp("inputs")
    truth = toy(folder, 3)
    statistics = load_statistics(folder / "statistics.json")
    network = fit_lifter(*lifting_pairs(truth), statistics, image_width=96, width=16, epochs=1)
    torch.save(network.state_dict(), folder / "lifter.pth")
    (folder / "annotations").mkdir()
    for view in VIEWS:
        (folder / f"annotations/{view}.json").write_text(truth.read_text())
    maker().write_crafted(folder / "crafted")
    canary.sang()
    return folder


@pytest.mark.parametrize("option", COMMANDS)
def test_no_option_runs_a_file(option, inputs, canary, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")  # torch.load as it was up to 2.5
    for kind in KINDS:
        evil = inputs / "crafted" / kind
        if not evil.exists():
            continue
        arguments = "\0".join(map(str, COMMANDS[option]))
        for key, value in {"@EVIL": evil, "@DATA": inputs, "@OUT": tmp_path}.items():
            arguments = arguments.replace(key, str(value))
        run_tool(*arguments.split("\0"), code=1)
        lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1 and kind in lines[0], lines
        assert "Traceback" not in lines[0]
        assert not canary.sang(), kind


def test_the_chain_and_the_lifter_run_no_file(inputs, canary):
    from orplugins.refinet.mmpose.load import load_refine_chain
    from orplugins.videopose3d.mmpose.build import build_lifter
    from orplugins.videopose3d.pipeline import room_lifter

    config = str(MMPOSE / "refinet/refinet_or.py")
    for kind in KINDS:
        evil = inputs / "crafted" / kind
        if not evil.exists():
            continue
        for load in (partial(load_refine_chain, config), build_lifter, room_lifter):
            with pytest.raises(ValueError, match=kind):
                load(evil)
    assert not canary.sang()


def test_resuming_runs_no_file(inputs, canary, tmp_path, capsys):
    evil = inputs / "crafted/archive_reduce.pth"
    (tmp_path / "last_checkpoint").write_text(str(evil))
    sets = ["DATASETS.TRAIN_SET_NAME", "crafted_train", "DATASETS.TRAIN_SET_JSON", str(inputs / "annotations.json"),
            "DATASETS.TRAIN_SET_IMGDIR", str(inputs / "images")]  # fmt: skip
    tiny = ["MODEL.DEVICE", "cpu", "OUTPUT_DIR", str(tmp_path), "DATASETS.H36_STATS_PATH",
            str(inputs / "statistics.json"), "MODEL.WEIGHTS", "", "DATALOADER.NUM_WORKERS", "0"]  # fmt: skip
    run_tool("train_net", *STUDENT, "--num-gpus", "0", "--eval-only", "--resume", *tiny, *sets, code=1)
    assert "archive_reduce.pth: loading it would execute builtins.eval" in capsys.readouterr().err
    assert not canary.sang()
