"""Batch-norm momentum that falls during training."""

from __future__ import annotations

import math

from mmengine.hooks import Hook
from torch.nn.modules.batchnorm import _BatchNorm

from orplugins.registry import HOOKS


@HOOKS.register_module()
class BatchNormMomentumHook(Hook):
    """Momentum of all batch norms after epoch e of E: start * (end / start) ** (e / E), PyTorch's definition.

    Source: Pavllo et al. 2019, section 5.

    Args:
        start, end: Momentum in the first epoch and after the last one.
    """

    def __init__(self, start: float = 0.1, end: float = 0.001):
        if not 0 < end <= start <= 1:
            raise ValueError(f"BatchNormMomentumHook: start {start}, end {end}, expected 0 < end <= start <= 1")
        self.start, self.end = start, end

    def before_train_epoch(self, runner) -> None:
        """Set the momentum of the epoch."""
        share = runner.epoch / max(runner.max_epochs, 1)
        momentum = self.start * math.exp(share * math.log(self.end / self.start))
        for module in runner.model.modules():
            if isinstance(module, _BatchNorm):
                module.momentum = momentum
