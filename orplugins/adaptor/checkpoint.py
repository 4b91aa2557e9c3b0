"""Names in files of AdaptOR's weights, the release's too.

The network has the release's names, so nothing is renamed. Files that the release wrote with detectron2 0.3 also hold
buffers that are part of the config today; they are left out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TypeVar

Value = TypeVar("Value")

# Buffers of detectron2 0.3: the pictures' mean and deviation, the anchors of the levels.
BUFFERS = re.compile(r"(module\.)?(pixel_mean|pixel_std|proposal_generator\.anchor_generator\.cell_anchors\.\d+)")
HEADS = "roi_heads."
TARGET_PAIR = ".aux_bn."
STATISTICS = ".running_mean"


def without_buffers(state: Mapping[str, Value]) -> dict[str, Value]:
    """Leave out what detectron2 0.3 stored and today's configs say.

    Args:
        state: Tensors by name.

    Returns:
        All others.
    """
    return {name: value for name, value in state.items() if not BUFFERS.fullmatch(name)}


def is_whole(names: Collection[str]) -> bool:
    """Whether a file holds a whole network, and not a backbone to start with.

    Args:
        names: Of its tensors.
    """
    return any(name.removeprefix("module.").startswith(HEADS) for name in names)


def check_norms(names: Collection[str], network: Collection[str], file: str) -> None:
    """Refuse a network that was trained with another normalisation: adapted, it would begin with nonsense.

    A backbone with batch norms is no such thing: the release starts with one, whose scale and shift become the group
    norms'.

    Args:
        names: Of the file's tensors.
        network: Of the network's tensors.
        file: Its name, for the error.

    Raises:
        ValueError: Batch norms, or pairs for two domains in a network that has one.
    """
    if not is_whole(names):
        return
    statistics = [name for name in names if name.endswith(STATISTICS)]
    if statistics and not any(name.endswith(STATISTICS) for name in network):
        raise ValueError(
            f"checkpoint {file}: was trained with batch norms ({statistics[0]}), expected group norms "
            "(MODEL.RESNETS.NORM GN)"
        )
    pairs = [name for name in names if TARGET_PAIR in name]
    if pairs and not any(TARGET_PAIR in name for name in network):
        raise ValueError(
            f"checkpoint {file}: has a pair of normalisation for each of two domains ({pairs[0]}), expected "
            "MODEL.USE_SPLIT_GROUP_NORM True and META_ARCHITECTURE GeneralizedRCNNSplitGN, or other weights"
        )
    norms = [name for name in network if ".norm." in name and TARGET_PAIR not in name and name not in names]
    if norms:
        raise ValueError(
            f"checkpoint {file}: was trained without {len(norms)} of the network's norms ({norms[0]} ...), expected "
            "weights of a network with the same ones"
        )
