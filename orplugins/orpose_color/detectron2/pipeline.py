"""ORPose-Color's jobs that detectron2 runs: training, evaluation, and evaluation at several resolutions."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from detectron2.config import CfgNode
from detectron2.modeling import build_model
from detectron2.utils.logger import setup_logger

from orplugins.device import choose_device
from orplugins.hosts.detectron2.checkpoint import CarefulCheckpointer, load_weights
from orplugins.hosts.detectron2.ladder import FACTORS, format_ladder
from orplugins.hosts.detectron2.training import Method
from orplugins.io.atomic import atomic_write, write_json
from orplugins.io.check_weights import check_weights
from orplugins.io.run_folder import require_writable
from orplugins.orpose_color.detectron2.datasets import evaluators_of
from orplugins.orpose_color.detectron2.mapper import LowResolution
from orplugins.orpose_color.detectron2.preflight import check_before
from orplugins.orpose_color.detectron2.resolution_sweep import evaluate_ladder
from orplugins.orpose_color.detectron2.trainer import ORPoseTrainer, read_config
from orplugins.viz.figures import plot_ladder


def _any(cfg: CfgNode) -> bool:
    return True


# Any config of detectron2 can be trained by its trainer.
ORPOSE_COLOR = Method(_any, read_config, check_before, ORPoseTrainer, partial(CarefulCheckpointer, exact=True))


@dataclass(frozen=True)
class SweepResult:
    """What :func:`sweep_resolutions` wrote.

    Attributes:
        tables: Metrics by name of the weights, factor and title; also ``ladder.json``.
        text: The tables in Markdown; also ``ladder.md``.
        figure: The plot.
    """

    tables: dict[str, dict[float, dict[str, float]]]
    text: str
    figure: Path


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
        out: Folder for ``ladder.json``, ``ladder.md``, ``ladder.png``, ``log.txt`` and the evaluators' files.
        factors: How many times smaller each side is, 1 or more.
        options: Keys and values of the config; they name the set (``DATASETS.TEST_SET_JSON`` ...).
        device: See `orplugins.device.choose_device`.

    Raises:
        FileNotFoundError: The config, weights or annotations are missing.
        ValueError: A factor below 1, no set, or weights that do not fit.
    """
    out = Path(out)
    cfg = read_config(config, ["MODEL.DEVICE", choose_device(device), *options], train=False)
    if not cfg.DATASETS.TEST:
        raise ValueError("DATASETS.TEST: is empty, expected a set to evaluate on (DATASETS.TEST_SET_JSON ...)")
    for factor in factors:
        LowResolution(factor)  # refuses a factor below 1 before anything is computed
    for file in filter(None, weights.values()):
        check_weights(file)
    require_writable(out)
    if not evaluators_of(cfg.DATASETS.TEST[0]):
        raise ValueError(f"data set {cfg.DATASETS.TEST[0]!r}: nobody is annotated, expected people to evaluate on")
    for name in ("detectron2", "orplugins"):
        setup_logger(str(out / "log.txt"), name=name)
    tables = {}
    for name, file in weights.items():
        model = build_model(cfg).eval()
        if file:
            load_weights(model, file)
        tables[name] = evaluate_ladder(cfg, model, cfg.DATASETS.TEST[0], factors, str(out / name))
    write_json(out / "ladder.json", {n: {f"{k:g}": v for k, v in t.items()} for n, t in tables.items()}, indent=1)
    text = "\n\n".join(f"{name}\n\n{format_ladder(table)}" for name, table in tables.items())
    with atomic_write(out / "ladder.md") as file:
        file.write(text + "\n")
    plot_ladder(tables, out / "ladder.png")
    return SweepResult(tables, text, out / "ladder.png")
