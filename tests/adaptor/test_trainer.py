"""The trainer in this process: what goes on after a break, and an evaluation by tools/train_net.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from adaptor_network import NARROW
from adaptor_sets import labelled_set

torch = pytest.importorskip("torch")
pytest.importorskip("detectron2")

from orplugins.adaptor.detectron2.trainer import AdaptorTrainer, read_config  # noqa: E402
from orplugins.cli.train_net import main  # noqa: E402
from orplugins.hosts.detectron2.predictor import sides_of  # noqa: E402

CONFIG = str(Path(__file__).resolve().parents[2] / "configs/detectron2/adaptor/kmrcnn_R_50_FPN_3x_gn_amp_sup1.yaml")


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> tuple[list, Path]:
    """Options of a finished run of two steps, and its folder."""
    folder = tmp_path_factory.mktemp("adaptor_trainer")
    labelled_set(folder, 4)
    name = folder.name
    options = [*NARROW, "ORPLUGINS.ADAPTOR.SETS", [f"{name}={folder / 'people.json'},{folder / 'images'}"],
               "DATASETS.TRAIN", (name,), "DATASETS.TEST", (name,), "DATALOADER.SUP_PERCENT", 50.0,
               "DATALOADER.RANDOM_DATA_SEED_PATH", "", "SOLVER.IMS_PER_BATCH_LBL", 1, "SOLVER.IMS_PER_BATCH_UNLBL", 1,
               "UDA.TRAIN_SUP_ITER", 1, "UDA.BBOX_THRESHOLD", 0.2, "SOLVER.MAX_ITER", 2, "SOLVER.EMA_DECAY", 0.5,
               "OUTPUT_DIR", str(folder / "out")]  # fmt: skip
    trainer = AdaptorTrainer(read_config(CONFIG, options))
    trainer.resume_or_load(resume=False)
    trainer.train()
    return options, folder / "out"


@pytest.mark.parametrize("way", ["exact", "published"])
def test_who_goes_on(run, way):
    options, out = run
    saved = torch.load(out / "model_final.pth", weights_only=False)
    trainer = AdaptorTrainer(read_config(CONFIG, [*options, "ORPLUGINS.ADAPTOR.RESUME", way]))
    trainer.resume_or_load(resume=True)
    assert trainer.start_iter == 2 == trainer.data_loader.skip
    student = saved["student" if way == "exact" else "model"]
    for network, expected in ((trainer.teacher, saved["model"]), (trainer.model, student)):
        assert all(torch.equal(value, expected[name]) for name, value in network.state_dict().items())
    assert any(not torch.equal(value, saved["model"][name]) for name, value in saved["student"].items())


def test_the_teacher_is_evaluated(run, tmp_path):
    options, out = run
    arguments = ["--num-gpus", "0", "--config-file", CONFIG, "--eval-only", *map(str, options)]
    arguments += ["MODEL.WEIGHTS", str(out / "model_final.pth"), "OUTPUT_DIR", str(tmp_path / "out")]
    arguments[arguments.index("ORPLUGINS.ADAPTOR.SETS") + 1] = "[]"  # registered already
    assert main(arguments) == 0
    results = json.loads((tmp_path / "out/inference/coco_instances_results.json").read_text())
    assert {"bbox", "keypoints", "segmentation", "score"} <= results[0].keys()


def test_pictures_are_as_large_as_the_config_says():
    assert sides_of(CONFIG) == (800, 1333)


def test_a_broken_rule_is_one_line(run, tmp_path, capsys):
    options, _ = run
    arguments = ["--num-gpus", "0", "--config-file", CONFIG, *map(str, options), "OUTPUT_DIR", str(tmp_path / "out")]
    arguments += ["MODEL.META_ARCHITECTURE", "GeneralizedRCNNSplitGN", "MODEL.USE_SPLIT_GROUP_NORM", "True"]
    arguments[arguments.index("ORPLUGINS.ADAPTOR.SETS") + 1] = "[]"
    assert main(arguments) == 1
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: SOLVER.IMS_PER_BATCH_UNLBL: found 1 with IMS_PER_BATCH_LBL 1, expected 2")
