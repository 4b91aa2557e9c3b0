"""The published VideoPose3D checkpoints (``pretrained_h36m_*.bin``) as weights of mmpose's ``PoseLifter``.

Their files hold, beside the weights, an optimiser and a NumPy random generator. Reading those the usual way would call
whatever the pickle names; here everything that is not a tensor, a number or a container is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orplugins.io.weights import read_weights, tensors_of

_BLOCK = re.compile(r"layers_(conv|bn)\.(\d+)\.(\w+)$")
_BLOCK_BACK = re.compile(r"tcn_blocks\.(\d+)\.conv([12])\.0\.(conv|bn)\.(\w+)$")
_PREFIXES = {"model_pos": ("backbone.", "head."), "model_traj": ("traj_backbone.", "traj_head.")}
SCHEME = "videopose3d://"


@dataclass(frozen=True)
class TCNOptions:
    """What the shapes of a checkpoint tell. Causality is not among it and must be known.

    Attributes:
        channels: Width C.
        joints_in, joints_out: K and J.
        filter_widths: w0, w1, ...
    """

    channels: int
    joints_in: int
    joints_out: int
    filter_widths: tuple[int, ...]


def is_published(state: Mapping) -> bool:
    """Whether this is a whole published checkpoint or one network's published state dict.

    Args:
        state: Content of a file.

    Returns:
        True if the names are published ones.
    """
    return "model_pos" in state or any(str(key).removeprefix("module.") == "expand_conv.weight" for key in state)


def to_mmpose_name(name: str, backbone: str = "backbone.", head: str = "head.") -> str | None:
    """Give a published tensor its name in mmpose.

    Args:
        name: Published name, also behind ``module.``.
        backbone: Prefix of the backbone.
        head: Prefix of the head.

    Returns:
        The name in mmpose, None if there is none.
    """
    name = name.removeprefix("module.")
    module, _, leaf = name.rpartition(".")
    if module == "shrink":
        return f"{head}conv.{leaf}"
    if module in ("expand_conv", "expand_bn"):
        return f"{backbone}expand_conv.{module.removeprefix('expand_')}.{leaf}"
    if match := _BLOCK.match(name):
        number = int(match[2])
        return f"{backbone}tcn_blocks.{number // 2}.conv{number % 2 + 1}.0.{match[1]}.{match[3]}"
    return None


def to_published_name(name: str, backbone: str = "backbone.", head: str = "head.") -> str | None:
    """Inverse of `to_mmpose_name`.

    Args:
        name: Name in mmpose.
        backbone: Prefix of the backbone.
        head: Prefix of the head.

    Returns:
        The published name; None for a name of another part of the model.
    """
    if name.startswith(f"{head}conv."):
        return f"shrink.{name.removeprefix(f'{head}conv.')}"
    if not name.startswith(backbone):
        return None
    inner = name.removeprefix(backbone)
    if inner.startswith("expand_conv."):
        part, leaf = inner.removeprefix("expand_conv.").split(".")
        return f"expand_{part}.{leaf}"
    if match := _BLOCK_BACK.match(inner):
        return f"layers_{match[3]}.{2 * int(match[1]) + int(match[2]) - 1}.{match[4]}"
    return None


def convert_published(checkpoint: Mapping) -> dict[str, Any]:
    """State dict in mmpose's names.

    Args:
        checkpoint: A whole checkpoint (``model_pos``, ``model_traj``) or the state dict of a pose network.

    Returns:
        Names in mmpose to the same tensors.

    Raises:
        ValueError: Names that are not of this network, all listed; or a dense-filter network.
    """
    parts = checkpoint if "model_pos" in checkpoint else {"model_pos": checkpoint}
    out: dict[str, Any] = {}
    for part, prefixes in _PREFIXES.items():
        weights = parts.get(part)
        if not weights:
            continue
        recover_options(weights)
        renamed = {name: to_mmpose_name(name, *prefixes) for name in weights}
        unknown = sorted(name for name, new in renamed.items() if new is None)
        if unknown:
            raise ValueError(f"not a VideoPose3D checkpoint: {part} has unknown names {', '.join(unknown)}")
        out |= {new: weights[name] for name, new in renamed.items() if new is not None}
    return out


def to_published(state_dict: Mapping) -> dict[str, dict[str, Any]]:
    """Published form of a PoseLifter's state dict.

    Args:
        state_dict: Names in mmpose to tensors.

    Returns:
        ``model_pos`` and, if there is one, ``model_traj``.
    """
    out: dict[str, dict[str, Any]] = {}
    for part, prefixes in _PREFIXES.items():
        renamed = {name: to_published_name(name, *prefixes) for name in state_dict}
        weights = {new: state_dict[name] for name, new in renamed.items() if new is not None}
        if weights:
            out[part] = weights
    return out


def recover_options(weights: Mapping) -> TCNOptions:
    """Width, joints and filter widths from the shapes of a published state dict.

    Args:
        weights: Published names to tensors.

    Returns:
        The network's options.

    Raises:
        ValueError: A tensor is missing, the input has not two numbers per joint, or the filters are not small and odd
            (a network with dense filters instead of dilated ones).
    """
    shapes = {str(name).removeprefix("module."): tuple(value.shape) for name, value in weights.items()}
    try:
        channels, inputs, first = _three(shapes, "expand_conv.weight")
        outputs = _three(shapes, "shrink.weight")[0]
    except KeyError as error:
        raise ValueError(f"not a VideoPose3D checkpoint: no tensor {error.args[0]}") from None
    numbers = sorted(
        int(m[2]) for name in shapes if (m := _BLOCK.match(name)) and name.endswith("weight") and m[1] == "conv"
    )
    layers = [_three(shapes, f"layers_conv.{n}.weight") for n in numbers]
    if not all(layer[:2] == (channels, channels) for layer in layers):
        raise ValueError(f"VideoPose3D checkpoint: layers_conv of {layers}, expected {channels} channels in and out")
    widths = (first, *(layer[2] for n, layer in zip(numbers, layers, strict=True) if n % 2 == 0))
    if inputs % 2 or outputs % 3:
        raise ValueError(
            f"VideoPose3D checkpoint: {inputs} inputs and {outputs} outputs, expected 2 a joint and 3 a joint"
        )
    if any(width % 2 == 0 or width > 9 for width in widths):
        raise ValueError(f"VideoPose3D checkpoint: filter widths {widths}, expected small odd numbers (dense filters?)")
    return TCNOptions(channels, inputs // 2, outputs // 3, widths)


def _three(shapes: Mapping[str, tuple[int, ...]], name: str) -> tuple[int, ...]:
    if len(shapes[name]) != 3:
        raise ValueError(f"VideoPose3D checkpoint: {name} has shape {shapes[name]}, expected 3 sizes")
    return shapes[name]


def read_checkpoint(path: str) -> dict:
    """Read a lifter's checkpoint; what a published one holds beside numbers (its random generator) is left out.

    Args:
        path: A published checkpoint (either of torch's formats), or a lifter's own (those, and safetensors), also
            behind ``videopose3d://``.

    Returns:
        The file's content, or the state dict in it.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Not a torch file, or without ``model_pos``.
    """
    file = str(path).removeprefix(SCHEME)
    data = read_weights(file, ignore_unknown=True)
    if "state_dict" in data:
        return tensors_of(data, file)  # one of mmpose's own
    if not is_published(data):
        found = ", ".join(map(str, data))[:200]
        raise ValueError(f"checkpoint {file}: found {found}, expected 'model_pos' or a state dict of the network")
    if "model_pos" not in data:
        return tensors_of(data, file)
    return data | {part: tensors_of(data, file, (part,)) for part in _PREFIXES if data.get(part)}
