"""One model on one set at several resolutions."""

from __future__ import annotations

from pathlib import Path

import torch
from detectron2.config import CfgNode
from detectron2.data import build_detection_test_loader
from detectron2.evaluation import inference_on_dataset

from orplugins.detectron2.data.mapper import MVORDatasetMapper
from orplugins.detectron2.evaluation.people import build_people_evaluator

# What a line of the table shows, where the set has it: (title, evaluator, entry).
COLUMNS = (("box AP", "bbox", "AP"), ("keypoint AP", "keypoints", "AP"), ("keypoint AP50", "keypoints", "AP50"),
           ("PCK", "PCK", "Average"), ("MPJPE mm", "MPJPE", "Selected"), ("MPJPE all mm", "MPJPE", "All"),
           ("person AP", "person_AP", "AP"))  # fmt: skip


def evaluate_ladder(
    cfg: CfgNode, model: torch.nn.Module, dataset: str, factors: list[float], out: str | None = None
) -> dict[float, dict[str, float]]:
    """Metrics of a built model with weights, by factor; `out` is a folder for the evaluators' files."""
    table = {}
    for factor in factors:
        mapper = MVORDatasetMapper(False, factor=factor, method=cfg.DATASETS.DOWN_SAMPLING_METHOD)
        loader = build_detection_test_loader(cfg, dataset, mapper=mapper)
        folder = str(Path(out) / f"{factor:g}x") if out else None
        evaluator = build_people_evaluator(dataset, folder, cfg.ORPLUGINS.ORPOSE_COLOR.MPJPE)
        found = inference_on_dataset(model, loader, evaluator)
        wanted = [column for column in COLUMNS if column[2] in found.get(column[1], {})]
        table[factor] = {title: float(found[kind][entry]) for title, kind, entry in wanted}
    return table


def format_ladder(table: dict[float, dict[str, float]]) -> str:
    """The table in Markdown."""
    titles = list(next(iter(table.values())))
    lines = ["| scale | " + " | ".join(titles) + " |", "|---" * (len(titles) + 1) + "|"]
    lines += [f"| {factor:g}x | " + " | ".join(f"{row[t]:.1f}" for t in titles) + " |" for factor, row in table.items()]
    return "\n".join(lines)


def plot_ladder(tables: dict[str, dict[float, dict[str, float]]], path: str | Path) -> None:
    """Draw metrics against scale, one panel a metric and one line a model, into a PNG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    titles = list(next(iter(next(iter(tables.values())).values())))
    figure, axes = pyplot.subplots(1, len(titles), figsize=(3.2 * len(titles), 3), squeeze=False)
    for axis, title in zip(axes[0], titles, strict=True):
        for name, table in tables.items():
            axis.plot(list(table), [row[title] for row in table.values()], marker="o", label=name)
        axis.set_title(title)
        axis.set_xlabel("times smaller")
        axis.grid(alpha=0.3)
    axes[0][0].legend(fontsize="small")
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
