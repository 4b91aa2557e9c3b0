"""The resolution ladder: a model on one set at several resolutions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from people_files import NARROW, toy
from tests_tools import run_tool

torch = pytest.importorskip("torch")
pytest.importorskip("detectron2")
cv2 = pytest.importorskip("cv2")
pytest.importorskip("matplotlib")

from detectron2.modeling import build_model  # noqa: E402
from detectron2.structures import Boxes, Instances  # noqa: E402

from orplugins.orpose_color.detectron2.resolution_sweep import evaluate_ladder  # noqa: E402
from orplugins.orpose_color.detectron2.trainer import read_config  # noqa: E402

CONFIG = str(Path(__file__).resolve().parents[2] / "configs/detectron2/orpose_color/orpose_tiny.yaml")
COLUMNS = ["box AP", "keypoint AP", "keypoint AP50", "PCK", "MPJPE mm", "MPJPE all mm"]


@pytest.fixture(scope="module")
def options(tmp_path_factory) -> list[str]:
    """A narrow network and a set of three pictures."""
    folder = tmp_path_factory.mktemp("ladder")
    truth = toy(folder, 3)
    return [
        *NARROW,
        "DATASETS.H36_STATS_PATH",
        str(folder / "statistics.json"),
        "DATASETS.TEST_SET_NAME",
        "ladder_toy",
        "DATASETS.TEST_SET_JSON",
        str(truth),
        "DATASETS.TEST_SET_IMGDIR",
        str(folder / "images"),
    ]


class KnowsTheTruth:
    """In the place of a model: answers with the truth, and notes how much neighbouring pixels differ."""

    def __init__(self):
        self.contrast: list[float] = []

    def __call__(self, inputs: list[dict]) -> list[dict]:
        outputs = []
        for record in inputs:
            self.contrast.append(record["image"].diff(dim=2).abs().mean().item())
            truth = record["instances"]
            found = Instances(
                truth.image_size,
                pred_boxes=Boxes(truth.gt_boxes.tensor),
                scores=torch.linspace(1, 0.9, len(truth)),
                pred_classes=truth.gt_classes,
                pred_keypoints=truth.gt_keypoints.tensor.clone(),
            )
            found.pred_keypoints[found.pred_keypoints[..., 2] == 0] = 0.5  # pixel (0, 0): PCK takes it as missing
            found.pred_keypoints[..., 2] = 1
            found.pred_keypoints_3d = torch.zeros(len(truth), 17, 3)
            outputs.append({"instances": found})
        return outputs


def test_every_factor_reaches_the_pictures_and_the_truth_scores_full(options):
    cfg = read_config(CONFIG, ["MODEL.DEVICE", "cpu", *options], train=False)
    model = KnowsTheTruth()
    table = evaluate_ladder(cfg, model, "ladder_toy", [1, 12])
    assert list(table) == [1, 12] and table[1] == table[12]
    for row in table.values():
        assert list(row) == COLUMNS
        assert row["keypoint AP"] > 99 and row["box AP"] > 99 and row["PCK"] > 50  # its denominator never shrinks
        assert 50 < row["MPJPE mm"] < 2000  # every joint at the pelvis
    full, reduced = np.reshape(model.contrast, (2, 3))
    assert (reduced < 0.5 * full).all()


def test_table_plot_and_numbers_of_two_files(options, tmp_path, capsys):
    torch.manual_seed(0)
    model = build_model(read_config(CONFIG, ["MODEL.DEVICE", "cpu", *options], train=False))
    torch.save({"model": model.state_dict()}, tmp_path / "a.pth")
    weights = ["--weights", f"one={tmp_path / 'a.pth'}", "--weights", f"two={tmp_path / 'a.pth'}"]
    run_tool(
        "resolution_ladder",
        "--config-file",
        CONFIG,
        *weights,
        "--factors",
        "1",
        "4",
        "--out",
        str(tmp_path / "out"),
        "--device",
        "cpu",
        *options,
    )
    tables = json.loads((tmp_path / "out/ladder.json").read_text())
    assert list(tables) == ["one", "two"] and list(tables["one"]) == ["1", "4"]
    assert repr(tables["one"]) == repr(tables["two"])  # also where a value is NaN
    text = (tmp_path / "out/ladder.md").read_text()
    assert text.count("| 1x |") == text.count("| 4x |") == 2 and text in capsys.readouterr().out
    assert cv2.imread(str(tmp_path / "out/ladder.png")).shape[1] > 1500


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["--factors", "1", "0.5"], "down-sampling factor: found 0.5, expected 1 or more"),
        (["--weights", "y=none.pth"], "none.pth: no such file"),
        (["--weights", "x="], "are both named x, expected NAME=FILE"),
        (["DATASETS.TEST_SET_JSON", ""], "DATASETS.TEST: is empty"),
        (["DATASETS.TEST_SET_JSON", "none.json", "DATASETS.TEST_SET_NAME", "ladder_none"], "none.json"),
    ],
)
def test_bad_input_is_one_line_before_anything_is_written(options, tmp_path, capsys, changes, message):
    ours, theirs = (changes, []) if changes[0].startswith("--") else ([], changes)
    factors = [] if "--factors" in ours else ["--factors", "1"]
    run_tool(
        "resolution_ladder",
        "--config-file",
        CONFIG,
        "--weights",
        "x=",
        *factors,
        *ours,
        "--out",
        str(tmp_path / "out"),
        "--device",
        "cpu",
        *options,
        *theirs,
        code=1,
    )
    error = capsys.readouterr().err
    assert message in error and error.startswith("error: ") and error.count("\n") == 1
    assert not (tmp_path / "out/ladder.json").exists()
