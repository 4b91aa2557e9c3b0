"""Every config of AdaptOR parses, builds, and trains one step and evaluates on generated data."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from adaptor_network import NARROW
from adaptor_sets import labelled_set

torch = pytest.importorskip("torch")
pytest.importorskip("detectron2")

import orplugins  # noqa: E402, F401
from orplugins.adaptor.detectron2.pipeline import is_adaptor  # noqa: E402
from orplugins.adaptor.detectron2.preflight import check_before  # noqa: E402
from orplugins.adaptor.detectron2.trainer import AdaptorTrainer, read_config  # noqa: E402

ROOT = Path(__file__).resolve().parents[2] / "configs/detectron2/adaptor"
YAML = sorted(path for path in ROOT.glob("*.yaml") if not path.name.startswith("_"))
# The published ones with labels of a share differ in the share alone.
TRAINED = [path for path in YAML if path.stem[-4:] not in ("sup2", "sup5", "up10")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("configs_adaptor")
    labelled_set(folder, 6)
    return folder


def options(folder: Path, name: str) -> list:
    source, target = f"{name}_source", f"{name}_target"
    images = folder / "images"
    sets = [f"{source}={folder / 'people.json'},{images}", f"{target}={images}"]
    return ["ORPLUGINS.ADAPTOR.SETS", sets, "DATASETS.TRAIN", (source,), "DATASETS.TRAIN_LBL", (source,),
            "DATASETS.TRAIN_UNLBL", (target,), "DATASETS.TEST", (source,), "SOLVER.MAX_ITER", 1,
            "SOLVER.IMS_PER_BATCH", 2, "SOLVER.IMS_PER_BATCH_LBL", 1, "SOLVER.IMS_PER_BATCH_UNLBL", 2,
            "DATALOADER.RANDOM_DATA_SEED_PATH", "", "UDA.BBOX_THRESHOLD", 0.2, "UDA.TRAIN_SUP_ITER", 0,
            "SOLVER.WARMUP_ITERS", 0, "DATALOADER.SUP_PERCENT", 50.0]  # fmt: skip


@pytest.mark.parametrize("path", YAML, ids=lambda path: path.stem)
def test_yaml(path):
    assert is_adaptor(read_config(str(path)))


@pytest.mark.parametrize("path", TRAINED, ids=lambda path: path.stem)
def test_a_step_and_an_evaluation(path, folder, tmp_path):
    logging.disable(logging.INFO)
    try:
        cfg = read_config(str(path), [*NARROW, *options(folder, tmp_path.name), "OUTPUT_DIR", str(tmp_path)])
        torch.manual_seed(0)
        torch.save({"model": AdaptorTrainer.build_model(cfg).state_dict()}, tmp_path / "source.pth")
        cfg.MODEL.WEIGHTS = str(tmp_path / "source.pth")
        check_before(cfg, eval_only=False)
        trainer = AdaptorTrainer(cfg)
        trainer.resume_or_load(resume=False)
        trainer.train()
    finally:
        logging.disable(logging.NOTSET)
    found: dict = {}
    for line in (tmp_path / "metrics.json").read_text().splitlines():
        found.update(json.loads(line))
    losses = {f"loss_{name}" for name in ("cls", "box_reg", "mask", "keypoint", "rpn_cls", "rpn_loc")}
    unlabelled = {f"{name}_unlabel" for name in losses} if cfg.UDA.ENABLE else set()
    assert {name for name in found if name.startswith("loss_")} == losses | unlabelled
    assert {"bbox/AP", "segm/AP", "keypoints/AP"} <= found.keys()
    if cfg.UDA.ENABLE:
        assert found["adaptor/labels_per_picture"] > 0 and found["loss_mask_unlabel"] > 0
