"""Random numbers that do not depend on where a run was interrupted."""

from __future__ import annotations

import random

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook

from orplugins.registry import HOOKS


@HOOKS.register_module()
class SeedEpochHook(Hook):
    """Seeds Python's, numpy's and torch's generators from (seed, rank, epoch) at the start of every training epoch.

    mmengine restores the order of the samples when a run goes on, but not the generators that augmentation draws from:
    with this hook, ``num_workers=0`` and ``randomness=dict(seed=..., deterministic=True)`` a resumed run makes the same
    weights as an unbroken one. Loader processes have generators of their own, which mmengine seeds when they start:
    with workers the data order is the same, the augmentation is not.
    """

    priority = "VERY_HIGH"

    def before_train_epoch(self, runner) -> None:
        """Seed the generators."""
        words = np.random.SeedSequence([runner.seed, get_rank(), runner.epoch]).generate_state(3)
        random.seed(int(words[0]))
        np.random.seed(words[1])
        torch.manual_seed(int(words[2]))
