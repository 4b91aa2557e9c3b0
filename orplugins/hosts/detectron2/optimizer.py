"""The optimizers that a config can name."""

from __future__ import annotations

from collections.abc import Callable

import torch
from detectron2.config import CfgNode
from detectron2.solver.build import build_optimizer, get_default_optimizer_params, maybe_add_gradient_clipping


def build_named_optimizer(
    cfg: CfgNode, model: torch.nn.Module, name: str, key: str, rate: Callable[[str], float] = lambda parameter: 1.0
) -> torch.optim.Optimizer:
    """detectron2's SGD, or AdamW with the same groups of parameters: a small network learns faster with it.

    Args:
        cfg: Its ``SOLVER`` says rates and weight decay.
        model: The model.
        name: "sgd" or "adamw".
        key: That says so, for the error.
        rate: Of a parameter by its name, times the rate of all; with "adamw" only.

    Returns:
        The optimizer.

    Raises:
        ValueError: Another optimizer.
    """
    if name == "sgd":
        return build_optimizer(cfg, model)
    if name != "adamw":
        raise ValueError(f"{key}: found {name!r}, expected 'sgd' or 'adamw'")
    solver = cfg.SOLVER
    groups = get_default_optimizer_params(
        model,
        base_lr=solver.BASE_LR,
        weight_decay=solver.WEIGHT_DECAY,
        weight_decay_norm=solver.WEIGHT_DECAY_NORM,
        lr_factor_func=rate,
    )
    return maybe_add_gradient_clipping(cfg, torch.optim.AdamW(groups, lr=solver.BASE_LR))
