"""One model on one set at several resolutions."""

from __future__ import annotations

from pathlib import Path

import torch
from detectron2.config import CfgNode
from detectron2.data import build_detection_test_loader

from orplugins.hosts.detectron2.ladder import BOX, KEYPOINT, KEYPOINT_50, evaluate_factors
from orplugins.orpose_color.detectron2.evaluators import build_people_evaluator
from orplugins.orpose_color.detectron2.mapper import MVORDatasetMapper

COLUMNS = (BOX, KEYPOINT, KEYPOINT_50, ("PCK", "PCK", "Average"), ("MPJPE mm", "MPJPE", "Selected"),
           ("MPJPE all mm", "MPJPE", "All"), ("person AP", "person_AP", "AP"))  # fmt: skip


def evaluate_ladder(
    cfg: CfgNode, model: torch.nn.Module, dataset: str, factors: list[float], out: str | None = None
) -> dict[float, dict[str, float]]:
    """Metrics of a model at several resolutions.

    Args:
        cfg: Its config.
        model: The built model with weights.
        dataset: A registered set.
        factors: How many times images are reduced.
        out: Folder for the evaluators' files; None writes none.

    Returns:
        Metrics by name, by factor.
    """
    way = dict(method=cfg.DATASETS.DOWN_SAMPLING_METHOD, image_format=cfg.INPUT.FORMAT)

    def loader(factor: float):
        return build_detection_test_loader(cfg, dataset, mapper=MVORDatasetMapper(False, factor=factor, **way))

    def evaluator(factor: float):
        folder = str(Path(out) / f"{factor:g}x") if out else None
        return build_people_evaluator(dataset, folder, cfg.ORPLUGINS.ORPOSE_COLOR.MPJPE)

    return evaluate_factors(model, factors, loader, evaluator, COLUMNS)
