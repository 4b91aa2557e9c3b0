"""The teacher's weights: a moving average of the student's."""

from __future__ import annotations

import torch
from torch import nn


@torch.no_grad()
def average_into(teacher: nn.Module, student: nn.Module, decay: float) -> None:
    """Move a teacher towards its student: e := decay e + (1 - decay) m, for every tensor of the state dict.

    Buffers are averaged too; those of integers are cut off. A decay of 0 copies.

    Args:
        teacher: Changed in place.
        student: Of the same tensors.
        decay: How much of the teacher stays, 0 to 1.

    Raises:
        ValueError: The networks differ in their tensors.
    """
    averages, values = teacher.state_dict(), student.state_dict()
    if averages.keys() != values.keys():
        stray = sorted(averages.keys() ^ values.keys())
        raise ValueError(f"teacher and student: found {stray[:3]} in one of them only, expected the same tensors")
    for name, average in averages.items():
        if average.is_floating_point():
            average.mul_(decay).add_(values[name].to(average), alpha=1 - decay)
        else:
            average.copy_(decay * average + (1 - decay) * values[name])


class TeacherSchedule:
    """When the teacher moves, and how far.

    Args:
        burn_in: Steps that learn from labels alone.
        steps: All steps.
        decay_in_burn_in: Of every step of the burn-in; 0 makes the teacher a copy.
        decay: Afterwards.
        period: Afterwards the teacher moves in every `period`-th step, and in the last one.
    """

    def __init__(self, burn_in: int, steps: int, decay_in_burn_in: float, decay: float, period: int):
        self.burn_in, self.steps, self.period = burn_in, steps, period
        self.decay_in_burn_in, self.decay = decay_in_burn_in, decay

    def of(self, step: int) -> float | None:
        """The decay of a step; None where the teacher stands still.

        Args:
            step: From 0.
        """
        if step < self.burn_in:
            return self.decay_in_burn_in
        due = (step - self.burn_in) % self.period == 0 or step == self.steps - 1
        return self.decay if due else None
