"""One model on one set at several resolutions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from detectron2.evaluation import DatasetEvaluator, inference_on_dataset

from orplugins.io.tables import markdown_table

FACTORS = (1, 2, 4, 8, 10, 12)
Column = tuple[str, str, str]  # title, evaluator, entry
BOX, MASK = ("box AP", "bbox", "AP"), ("mask AP", "segm", "AP")
KEYPOINT, KEYPOINT_50 = ("keypoint AP", "keypoints", "AP"), ("keypoint AP50", "keypoints", "AP50")


def evaluate_factors(
    model: torch.nn.Module,
    factors: Sequence[float],
    loader: Callable[[float], Iterable[list[dict[str, Any]]]],
    evaluator: Callable[[float], DatasetEvaluator],
    columns: Sequence[Column],
) -> dict[float, dict[str, float]]:
    """Metrics of a model at several resolutions.

    Args:
        model: The built model with weights.
        factors: How many times images are reduced.
        loader: Makes the test loader of a factor.
        evaluator: Makes the evaluator of a factor.
        columns: What is wanted, where the set has it.

    Returns:
        Metrics by title, by factor.
    """
    table = {}
    for factor in factors:
        found = inference_on_dataset(model, loader(factor), evaluator(factor))
        wanted = [column for column in columns if column[2] in found.get(column[1], {})]
        table[factor] = {title: float(found[kind][entry]) for title, kind, entry in wanted}
    return table


def format_ladder(table: dict[float, dict[str, float]]) -> str:
    """The table of `evaluate_factors` in Markdown.

    Args:
        table: Metrics by name, by factor.

    Returns:
        One row per factor.
    """
    titles = list(next(iter(table.values())))
    rows = [[f"{factor:g}x", *(f"{row[t]:.1f}" for t in titles)] for factor, row in table.items()]
    return markdown_table(["scale", *titles], rows)
