"""ORPose-Color's jobs that detectron2 runs: training, evaluation, and evaluation at several resolutions."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial

from detectron2.config import CfgNode

from orplugins.device import choose_device
from orplugins.hosts.detectron2.checkpoint import CarefulCheckpointer
from orplugins.hosts.detectron2.ladder import FACTORS, SweepResult, sweep
from orplugins.hosts.detectron2.training import Method
from orplugins.orpose_color.detectron2.datasets import evaluators_of
from orplugins.orpose_color.detectron2.preflight import check_before
from orplugins.orpose_color.detectron2.resolution_sweep import evaluate_ladder
from orplugins.orpose_color.detectron2.trainer import ORPoseTrainer, read_config


def _any(cfg: CfgNode) -> bool:
    return True


# Any config of detectron2 can be trained by its trainer.
ORPOSE_COLOR = Method(_any, read_config, check_before, ORPoseTrainer, partial(CarefulCheckpointer, exact=True))


def sweep_resolutions(
    config: str,
    weights: Mapping[str, str],
    out: str | os.PathLike,
    factors: Sequence[float] = FACTORS,
    options: Sequence[str] = (),
    device: str = "auto",
) -> SweepResult:
    """Evaluate a model on a set whose pictures are reduced by several factors.

    Args:
        config: A YAML file.
        weights: File by name; an empty file name is a model without weights.
        out: Folder, see `orplugins.hosts.detectron2.ladder.sweep`.
        factors: How many times smaller each side is, 1 or more.
        options: Keys and values of the config; they name the set (``DATASETS.TEST_SET_JSON`` ...).
        device: See `orplugins.device.choose_device`.

    Raises:
        FileNotFoundError: The config, weights or annotations are missing.
        ValueError: A factor below 1, no set, or weights that do not fit.
    """
    cfg = read_config(config, ["MODEL.DEVICE", choose_device(device), *options], train=False)
    if not cfg.DATASETS.TEST:
        raise ValueError("DATASETS.TEST: is empty, expected a set to evaluate on (DATASETS.TEST_SET_JSON ...)")
    return sweep(cfg, weights, out, factors, evaluate_ladder, evaluators_of)
