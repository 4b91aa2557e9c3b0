"""Published RefiNet checkpoints in our models.

A published file is a dict with ``state_dict``, whose names are the network's own behind ``module.``; in our models the
network is ``backbone.net`` (one module) or ``patch_net.net``, ``skeleton_net.net``, ``point_net.net`` (the chain).
"""

from __future__ import annotations

from collections.abc import Mapping

# A name that each network alone has.
_MARKS = {"patch_net": "layer1.0.conv1.weight", "skeleton_net": "inputBlock.0.features.0.weight",
          "point_net": "feat.stn.conv1.weight"}  # fmt: skip
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


def convert_published(state_dict: Mapping, expected: Mapping, prefix: str = "backbone.net.") -> dict:
    """Rename a published state dict and compare it with a model's.

    Args:
        state_dict: Published names (also behind ``module.``) to tensors.
        expected: The model's ``state_dict()``.
        prefix: Of the network in the model.

    Returns:
        The model's names to the same tensors.

    Raises:
        ValueError: Lists what is missing, left over or of another shape, and says which option that points to.
    """
    renamed = {prefix + _bare(name): value for name, value in state_dict.items()}
    check_fits(renamed, {name: value for name, value in expected.items() if name.startswith(prefix)})
    return renamed


_OPTIONS = {"attentionBlock": "attention", "skipBlock": "bigskip", "fstn": "feature_transform"}


def check_fits(state_dict: Mapping, expected: Mapping) -> None:
    """Compare names and shapes of a checkpoint with a model's.

    Args:
        state_dict: The checkpoint's names to tensors.
        expected: The model's names to tensors.

    Raises:
        ValueError: Lists the differences.
    """
    missing = [name for name in expected if name not in state_dict]
    unknown = [name for name in state_dict if name not in expected]
    problems = [f"{name}: missing" for name in missing]
    problems += [f"{name}: the model has no such parameter" for name in unknown]
    problems += [
        f"{name}: shape {tuple(value.shape)}, the model has {tuple(expected[name].shape)}"
        for name, value in state_dict.items()
        if name in expected and tuple(value.shape) != tuple(expected[name].shape)
    ]
    if problems:
        hints = sorted({option for part, option in _OPTIONS.items() for name in (*missing, *unknown) if part in name})
        advice = f" (look at the option {', '.join(hints)})" if hints else ""
        raise ValueError(f"the checkpoint is for another RefiNet network{advice}:\n  " + "\n  ".join(problems))
