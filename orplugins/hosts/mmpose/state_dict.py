"""How an estimator of the project reads a checkpoint: published names are renamed, what does not fit is refused."""

from __future__ import annotations

from mmengine.logging import print_log

from orplugins.hosts.mmpose.checkpoints import guard_checkpoints
from orplugins.io.weights import listed, misfits


class CheckpointMixin:
    """Goes before mmpose's estimator in a class's bases; mmengine alone would log what does not fit and go on.

    Attributes:
        strict_checkpoint: Whether a checkpoint whose tensors do not all fit is refused with a list.
        may_lack: Prefixes of parameters that a checkpoint need not have.
    """

    strict_checkpoint = True
    may_lack: tuple[str, ...] = ()

    def __init__(self, *args, **kwargs):
        guard_checkpoints()
        super().__init__(*args, **kwargs)

    def renamed(self, state: dict) -> dict:
        """The tensors of a checkpoint under the model's names; overridden where published names differ."""
        return state

    def compared(self, state: dict) -> dict:
        """What of the renamed tensors is compared with the model's; overridden where something may be left over."""
        return state

    def excused(self, line: str) -> bool:
        """Whether a difference is allowed: its parameter keeps its initialisation. See `misfits` for the line."""
        return False

    def advice(self, lines: list[str], state: dict, expected: dict) -> str:
        """What the differences point to, appended to the error."""
        return ""

    def _load_state_dict_pre_hook(self, state_dict, prefix, local_meta, *args, **kwargs):
        if prefix:
            return super()._load_state_dict_pre_hook(state_dict, prefix, local_meta, *args, **kwargs)
        renamed = self.renamed(dict(state_dict))
        state_dict.clear()
        state_dict.update(renamed)
        super()._load_state_dict_pre_hook(state_dict, prefix, local_meta, *args, **kwargs)
        if not self.strict_checkpoint:
            return
        expected, found = self.state_dict(), self.compared(dict(state_dict))
        lines = misfits(found, expected, self.may_lack)
        fresh = [line for line in lines if self.excused(line)]
        if len(lines) > len(fresh):
            refused = [line for line in lines if line not in fresh]
            advice = self.advice(refused, found, expected)
            raise ValueError(f"the checkpoint does not fit the {type(self).__name__}:{listed(refused)}{advice}")
        if fresh:
            print_log("kept at their initialisation:" + listed(fresh), "current")
            for line in fresh:
                state_dict.pop(line.partition(":")[0], None)
