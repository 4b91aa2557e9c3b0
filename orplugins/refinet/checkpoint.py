"""Published RefiNet checkpoints in our models.

A published file is a dict with ``state_dict``, whose names are the network's own behind ``module.``; in our models the
network is ``backbone.net`` (one module) or ``patch_net.net``, ``skeleton_net.net``, ``point_net.net`` (the chain).
"""

from __future__ import annotations

from collections.abc import Mapping

# A name that each network alone has.
_MARKS = {"patch_net": "layer1.0.conv1.weight", "skeleton_net": "inputBlock.0.features.0.weight",
          "point_net": "feat.stn.conv1.weight"}  # fmt: skip
_OPTIONS = {"attentionBlock": "attention", "skipBlock": "bigskip", "fstn": "feature_transform"}
_PREFIXES = ("module.", "backbone.net.")


def which_network(state_dict: Mapping) -> str | None:
    """Which module a checkpoint is of.

    Args:
        state_dict: Bare or published names to tensors.

    Returns:
        ``patch_net``, ``skeleton_net`` or ``point_net``; None for other names.
    """
    names = {_bare(name) for name in state_dict}
    return next((network for network, mark in _MARKS.items() if mark in names), None)


def _bare(name: str) -> str:
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return name


def bare_state_dict(state_dict: Mapping) -> dict:
    """The network's own names, without ``module.`` and ``backbone.net.``.

    Args:
        state_dict: Names to tensors.

    Returns:
        Bare names to the same tensors.
    """
    return {_bare(name): value for name, value in state_dict.items()}


def part_of_chain(state_dict: Mapping, network: str | None) -> dict:
    """A module's tensors in a checkpoint of the whole chain, to train the module further.

    Args:
        state_dict: Names to tensors.
        network: One of `which_network`'s.

    Returns:
        Bare names to tensors; nothing for other checkpoints.
    """
    prefix = f"chain.{network}.net."
    return {name.removeprefix(prefix): value for name, value in state_dict.items() if name.startswith(prefix)}


def options_of(lines: list[str]) -> list[str]:
    """The options of the networks that differences with a checkpoint (lines of `misfits`) point to, sorted."""
    return sorted({option for part, option in _OPTIONS.items() for line in lines if part in line.partition(":")[0]})
