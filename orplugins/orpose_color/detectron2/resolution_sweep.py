"""One model on one set at several resolutions."""

from __future__ import annotations

from pathlib import Path

import torch
from detectron2.config import CfgNode
from detectron2.data import build_detection_test_loader
from detectron2.evaluation import inference_on_dataset

from orplugins.io.tables import markdown_table
from orplugins.orpose_color.detectron2.evaluators import build_people_evaluator
from orplugins.orpose_color.detectron2.mapper import MVORDatasetMapper

# What a line of the table shows, where the set has it: (title, evaluator, entry).
COLUMNS = (("box AP", "bbox", "AP"), ("keypoint AP", "keypoints", "AP"), ("keypoint AP50", "keypoints", "AP50"),
           ("PCK", "PCK", "Average"), ("MPJPE mm", "MPJPE", "Selected"), ("MPJPE all mm", "MPJPE", "All"),
           ("person AP", "person_AP", "AP"))  # fmt: skip


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
    table = {}
    for factor in factors:
        way = dict(method=cfg.DATASETS.DOWN_SAMPLING_METHOD, image_format=cfg.INPUT.FORMAT)
        mapper = MVORDatasetMapper(False, factor=factor, **way)
        loader = build_detection_test_loader(cfg, dataset, mapper=mapper)
        folder = str(Path(out) / f"{factor:g}x") if out else None
        evaluator = build_people_evaluator(dataset, folder, cfg.ORPLUGINS.ORPOSE_COLOR.MPJPE)
        found = inference_on_dataset(model, loader, evaluator)
        wanted = [column for column in COLUMNS if column[2] in found.get(column[1], {})]
        table[factor] = {title: float(found[kind][entry]) for title, kind, entry in wanted}
    return table


def format_ladder(table: dict[float, dict[str, float]]) -> str:
    """The table of `evaluate_ladder` in Markdown.

    Args:
        table: Metrics by name, by factor.

    Returns:
        One row per factor.
    """
    titles = list(next(iter(table.values())))
    rows = [[f"{factor:g}x", *(f"{row[t]:.1f}" for t in titles)] for factor, row in table.items()]
    return markdown_table(["scale", *titles], rows)
