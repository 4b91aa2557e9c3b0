"""Batch norm that keeps its statistics: those of a few pictures would be worse than those that it has."""

from __future__ import annotations

import torch
from torch import nn


def keep_statistics(model: nn.Module) -> None:
    """Have the batch norms of a model in training use, and keep, the statistics that they have; weights still train.

    Args:
        model: The model; ``model.train()`` undoes it.
    """
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()


def cpu_state(model: nn.Module) -> dict[str, torch.Tensor]:
    """The tensors of a model by name, on the CPU.

    Args:
        model: The model.
    """
    return {name: value.detach().cpu() for name, value in model.state_dict().items()}
