"""One model on one set at several resolutions."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from detectron2.config import CfgNode
from detectron2.evaluation import DatasetEvaluator, inference_on_dataset
from detectron2.modeling import build_model
from detectron2.utils.logger import setup_logger

from orplugins.hosts.detectron2.checkpoint import load_weights
from orplugins.hosts.detectron2.low_resolution import LowResolution
from orplugins.io.atomic import atomic_write, write_json
from orplugins.io.check_weights import check_weights
from orplugins.io.run_folder import require_writable
from orplugins.io.tables import markdown_table
from orplugins.viz.figures import plot_ladder

FACTORS = (1, 2, 4, 8, 10, 12)
Column = tuple[str, str, str]  # title, evaluator, entry
Ladder = dict[float, dict[str, float]]  # metrics by title, by factor
BOX, MASK = ("box AP", "bbox", "AP"), ("mask AP", "segm", "AP")
KEYPOINT, KEYPOINT_50 = ("keypoint AP", "keypoints", "AP"), ("keypoint AP50", "keypoints", "AP50")


def evaluate_factors(
    model: torch.nn.Module,
    factors: Sequence[float],
    loader: Callable[[float], Iterable[list[dict[str, Any]]]],
    evaluator: Callable[[float], DatasetEvaluator],
    columns: Sequence[Column],
) -> Ladder:
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


def format_ladder(table: Ladder) -> str:
    """The table of `evaluate_factors` in Markdown.

    Args:
        table: Metrics by name, by factor.

    Returns:
        One row per factor.
    """
    titles = list(next(iter(table.values())))
    rows = [[f"{factor:g}x", *(f"{row[t]:.1f}" for t in titles)] for factor, row in table.items()]
    return markdown_table(["scale", *titles], rows)


@dataclass(frozen=True)
class SweepResult:
    """What :func:`sweep` wrote.

    Attributes:
        tables: Metrics by name of the weights, factor and title; also ``ladder.json``.
        text: The tables in Markdown; also ``ladder.md``.
        figure: The plot.
    """

    tables: dict[str, Ladder]
    text: str
    figure: Path


def sweep(
    cfg: CfgNode,
    weights: Mapping[str, str],
    out: str | os.PathLike,
    factors: Sequence[float],
    evaluate: Callable[[CfgNode, torch.nn.Module, str, Sequence[float], str], Ladder],
    evaluators_of: Callable[[str], Sequence[str]],
) -> SweepResult:
    """Evaluate weights on a config's first test set at several resolutions; write tables and a plot.

    Args:
        cfg: The config.
        weights: File by name; an empty file name is a model without weights.
        out: Folder for ``ladder.json``, ``ladder.md``, ``ladder.png``, ``log.txt`` and the evaluators' files.
        factors: How many times smaller each side is, 1 or more.
        evaluate: A method's ladder of config, model, set, factors and folder.
        evaluators_of: Evaluations that a set allows.

    Raises:
        FileNotFoundError: Weights are missing.
        ValueError: A factor below 1, nobody annotated, or weights that do not fit.
    """
    out, dataset = Path(out), cfg.DATASETS.TEST[0]
    for factor in factors:
        LowResolution(factor)  # refuses a factor below 1 before anything is computed
    for file in filter(None, weights.values()):
        check_weights(file)
    require_writable(out)
    if not evaluators_of(dataset):
        raise ValueError(f"data set {dataset!r}: nobody is annotated, expected people to evaluate on")
    for name in ("detectron2", "orplugins"):
        setup_logger(str(out / "log.txt"), name=name)
    tables = {}
    for name, file in weights.items():
        model = build_model(cfg).eval()
        if file:
            load_weights(model, file)
        tables[name] = evaluate(cfg, model, dataset, factors, str(out / name))
    write_json(out / "ladder.json", {n: {f"{k:g}": v for k, v in t.items()} for n, t in tables.items()}, indent=1)
    text = "\n\n".join(f"{name}\n\n{format_ladder(table)}" for name, table in tables.items())
    with atomic_write(out / "ladder.md") as file:
        file.write(text + "\n")
    plot_ladder(tables, out / "ladder.png")
    return SweepResult(tables, text, out / "ladder.png")
