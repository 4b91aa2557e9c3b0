"""A look into checkpoints before the host loads them."""

from __future__ import annotations

from mmengine.hooks import Hook

from orplugins.checkpoints.safety import check_checkpoint
from orplugins.registry import HOOKS


@HOOKS.register_module()
class CheckCheckpointHook(Hook):
    """Refuses a checkpoint file that is truncated or would execute code, before mmengine opens it.

    It runs in every process, before ``load_from`` is read. Files that mmengine finds by itself (``resume`` without a
    name) were written into the work directory by this run's own trainer and are not looked at; addresses are left to
    mmengine.
    """

    priority = "VERY_HIGH"

    def before_run(self, runner) -> None:
        path = runner._load_from
        if path and "://" not in str(path):
            check_checkpoint(path)
