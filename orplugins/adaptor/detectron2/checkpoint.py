"""Reading AdaptOR's weights with detectron2's checkpointer."""

from __future__ import annotations

import torch

from orplugins.adaptor.checkpoint import check_norms, is_whole, without_buffers
from orplugins.hosts.detectron2.checkpoint import CarefulCheckpointer


class AdaptorCheckpointer(CarefulCheckpointer):
    """Takes whole networks exactly, backbones as far as they go, and refuses networks of another normalisation.

    Args:
        model: The network.
        save_dir: Where checkpoints are written.
        exact: Refuse backbones too.
        **options: `CarefulCheckpointer`'s.
    """

    def __init__(self, model: torch.nn.Module, save_dir: str = "", *, exact: bool = False, **options):
        super().__init__(model, save_dir, **options)
        self.whole = exact

    def _load_model(self, checkpoint: dict):
        state = checkpoint["model"] = without_buffers(checkpoint["model"])
        names = {name.removeprefix("module.") for name in state}
        check_norms(names, self.model.state_dict().keys(), self._file)
        self.exact = self.whole or is_whole(names)
        return super()._load_model(checkpoint)
