"""The box loss, and how the losses of a step are weighed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

GAMMA = 1.5
SUFFIX = "_unlabel"


def focal_loss(logits: Tensor, classes: Tensor, gamma: float = GAMMA) -> Tensor:
    """Focal loss over softmax probabilities, (1 - p)^gamma CE with p = exp(-CE), without a weight a class.

    Source: Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, for several classes and background.

    Args:
        logits: (N, classes + 1), background last.
        classes: (N,) int64.
        gamma: Its exponent.

    Returns:
        The sum over rows, divided by N; 0 without rows.
    """
    if not len(logits):
        return 0 * logits.sum()
    entropy = F.cross_entropy(logits, classes, reduction="none")
    return ((1 - torch.exp(-entropy)) ** gamma * entropy).sum() / len(logits)


@dataclass(frozen=True)
class UnlabelledWeights:
    """Weights of the losses on unlabelled pictures.

    Attributes:
        keypoint: Of losses with "keypoint" in their name.
        mask: Of those with "mask".
        other: Of all others, box and RPN regression included.
    """

    keypoint: float = 1.0
    mask: float = 1.0
    other: float = 1.0

    def of(self, name: str) -> float:
        """The weight of a loss.

        Args:
            name: Its name.
        """
        if "keypoint" in name:
            return self.keypoint
        return self.mask if "mask" in name else self.other

    def weigh(self, losses: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Losses on unlabelled pictures, weighed and named as such.

        Args:
            losses: By name.
        """
        return {name + SUFFIX: self.of(name) * value for name, value in losses.items()}


def as_unlabelled(losses: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Losses under the names of those on unlabelled pictures, with weight 1.

    Args:
        losses: By name.
    """
    return UnlabelledWeights().weigh(losses)


def no_unlabelled(losses: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Zeros in the place of the losses on unlabelled pictures, where there are none: every step logs the same names.

    Args:
        losses: On labelled pictures, by name.
    """
    return {name + SUFFIX: torch.zeros_like(value) for name, value in losses.items()}
