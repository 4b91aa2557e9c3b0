"""What a method adds to the common job of exporting."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from orplugins.deploy.metadata import Metadata, Source

if TYPE_CHECKING:
    import torch

    from orplugins.deploy.pose import Model


class Plan(ABC):
    """A network that can be exported. The common job writes it, checks it, and puts the metadata into it.

    Args:
        config: Of the host.
        weights: Of the network.

    Attributes:
        module: The network in evaluation mode; takes `examples` in their order, gives a tensor or a tuple of them.
        examples: Input name -> a tensor of the usual size and a batch of two.
        outputs: Names of what the network gives.
        dynamic: Input name -> axis -> name, of the axes that may have another length. Axes of one name are equal.
        at_least: Axis name -> its least length, where that is not 0.
        heavy: Parts of names of the nodes that `half` and `int8` are for; empty: all. The others keep float32.
        unquantised_first: So many of the first products int8 leaves: coordinates need more than 8 bits.
        traced: The graph is written by tracing, as it must be where what is in an image decides shapes; `dynamic` then
            names axes of outputs, too.

    Raises:
        FileNotFoundError, ValueError: A file is missing, damaged, or is of another network.
    """

    module: torch.nn.Module
    examples: dict[str, torch.Tensor]
    outputs: tuple[str, ...]
    dynamic: dict[str, dict[int, str]]
    at_least: Mapping[str, int] = MappingProxyType({})
    heavy: tuple[str, ...] = ()
    unquantised_first: int = 0
    traced: bool = False

    @abstractmethod
    def __init__(self, config: str, weights: str): ...

    @abstractmethod
    def metadata(self, source: Source, opset: int, precision: str) -> Metadata:
        """What the file says of itself."""

    @abstractmethod
    def feeds(self, count: int) -> Iterator[dict[str, np.ndarray]]:
        """Inputs of generated frames, such as the network meets in use: int8 is calibrated on them.

        Args:
            count: How many, each of one frame.
        """

    @abstractmethod
    def score(self, model: Model) -> dict[str, float]:
        """Figures of a model file on a generated set whose truth is known, other frames than those of `feeds`.

        Returns:
            Name with its unit -> value, the same names for every precision.
        """
