"""Box, mask and keypoint AP of people in pictures that are reduced several times."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from detectron2.config import CfgNode
from detectron2.data import DatasetCatalog, DatasetMapper, build_detection_test_loader
from detectron2.data import transforms as T
from detectron2.evaluation import COCOEvaluator

from orplugins.adaptor.detectron2.trainer import read_config
from orplugins.device import choose_device
from orplugins.hosts.detectron2.ladder import BOX, FACTORS, KEYPOINT, MASK, SweepResult, evaluate_factors, sweep
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


def _evaluations(dataset: str) -> tuple[str, ...]:
    people = [person for record in DatasetCatalog.get(dataset) for person in record.get("annotations", ())]
    return ("coco",) if people else ()


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
        options: Keys and values of the config; they name the set (``ORPLUGINS.ADAPTOR.SETS``, ``DATASETS.TEST``).
        device: See `orplugins.device.choose_device`.

    Raises:
        FileNotFoundError: The config, weights or annotations are missing.
        ValueError: A factor below 1, no set, or weights that do not fit.
    """
    cfg = read_config(config, ["MODEL.DEVICE", choose_device(device), *options])
    if not cfg.DATASETS.TEST:
        raise ValueError("DATASETS.TEST: is empty, expected a set to evaluate on (ORPLUGINS.ADAPTOR.SETS ...)")
    return sweep(cfg, weights, out, factors, evaluate_ladder, _evaluations)
