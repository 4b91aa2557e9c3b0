"""Box, mask and keypoint AP of people in pictures that are reduced several times."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from detectron2.config import CfgNode
from detectron2.data import DatasetMapper, build_detection_test_loader
from detectron2.data import transforms as T
from detectron2.evaluation import COCOEvaluator

from orplugins.hosts.detectron2.ladder import BOX, FACTORS, KEYPOINT, MASK, evaluate_factors
from orplugins.hosts.detectron2.low_resolution import LowResolution

COLUMNS = BOX, KEYPOINT, MASK


def reduced_mapper(cfg: CfgNode, factor: float) -> DatasetMapper:
    """detectron2's test mapper for pictures that are reduced first, then resized as the config says.

    Args:
        cfg: The config.
        factor: How many times each side is reduced.
    """
    resize = T.ResizeShortestEdge(cfg.INPUT.MIN_SIZE_TEST, cfg.INPUT.MAX_SIZE_TEST)
    return DatasetMapper(False, augmentations=[LowResolution(factor), resize], image_format=cfg.INPUT.FORMAT)


def evaluate_ladder(
    cfg: CfgNode,
    model: torch.nn.Module,
    dataset: str,
    factors: Sequence[float] = FACTORS,
    out: str | None = None,
) -> dict[float, dict[str, float]]:
    """AP of a model at several resolutions.

    Args:
        cfg: Its config.
        model: The built model with weights.
        dataset: A registered set with boxes, joints and masks.
        factors: How many times pictures are reduced.
        out: Folder for the evaluators' files; None writes none.

    Returns:
        AP in percent by title, by factor.
    """

    def loader(factor: float):
        return build_detection_test_loader(cfg, dataset, mapper=reduced_mapper(cfg, factor))

    def evaluator(factor: float):
        return COCOEvaluator(dataset, output_dir=str(Path(out) / f"{factor:g}x") if out else None)

    return evaluate_factors(model, factors, loader, evaluator, COLUMNS)
