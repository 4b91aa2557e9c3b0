"""Files of weights, read into memory without running anything: torch's own form and safetensors.

`read_weights` is the one place that knows both forms and refuses what is not safe. VideoPose3D's published files, whose
pickles need a reader of their own, are read by `orplugins.videopose3d.checkpoint`. A safetensors file holds tensors and
text only; what torch's form keeps in `meta` stands in its header, one JSON text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orplugins.io.atomic import atomic_write
from orplugins.io.checkpoint_safety import check_checkpoint

META = "orplugins"


def read_weights(path: str | Path, map_location: Any = "cpu") -> dict:
    """Read the content of a checkpoint file.

    Args:
        path: A ``.safetensors`` file, or one that torch.save wrote.
        map_location: As for `torch.load`.

    Returns:
        What torch.save was given; of a safetensors file ``{"state_dict": tensors by name, "meta": dict}``.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Truncated, or neither form.
        UnsafeCheckpointError: Loading it would execute code.
    """
    import torch

    path = Path(path).expanduser()
    if path.suffix == ".safetensors":
        return _read_safetensors(path, map_location)
    check_checkpoint(path)
    return torch.load(path, map_location=map_location, weights_only=False)  # looked into in the line before


def write_weights(path: str | Path, state: dict, meta: dict) -> None:
    """Write weights as safetensors, whole or not at all.

    Args:
        path: The file.
        state: Tensors by name.
        meta: Plain values, stored as JSON in the header.
    """
    from safetensors.torch import save

    # A view of a larger tensor, or one that shares memory, cannot be stored as it is.
    tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in state.items()}
    with atomic_write(path, mode="wb") as file:
        file.write(save(tensors, metadata={META: json.dumps(meta)}))


def _read_safetensors(path: Path, map_location: Any) -> dict:
    import torch
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise FileNotFoundError(f"checkpoint {path}: no such file")
    device = str(torch.device(map_location)) if isinstance(map_location, (str, torch.device)) else "cpu"
    try:
        with safe_open(path, framework="pt", device=device) as file:
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is not a dict
            text = (file.metadata() or {}).get(META, "{}")
    except SafetensorError as error:
        raise ValueError(f"checkpoint {path}: truncated or not a safetensors file ({error})") from error
    try:
        return {"state_dict": state, "meta": json.loads(text)}
    except json.JSONDecodeError as error:
        raise ValueError(f"checkpoint {path}: the header's {META!r} is not JSON ({error})") from error


def misfits(state_dict: Mapping, expected: Mapping, may_lack: tuple[str, ...] = ()) -> list[str]:
    """How a checkpoint's tensors differ from a model's.

    Args:
        state_dict: Tensors by the model's names.
        expected: The model's ``state_dict()``.
        may_lack: Prefixes of tensors that may be missing; batch counters always may.

    Returns:
        One line, ``NAME: DIFFERENCE``, for every tensor that is missing, left over or of another shape.
    """
    counters = "num_batches_tracked"
    missing = [key for key in expected if key not in state_dict and not key.endswith(counters)]
    lines = [f"{key}: missing" for key in missing if not any(key.startswith(prefix) for prefix in may_lack)]
    shapes = [
        f"{key}: {tuple(value.shape)} in the file, {tuple(expected[key].shape)} in the model"
        for key, value in state_dict.items()
        if key in expected and tuple(value.shape) != tuple(expected[key].shape)
    ]
    return [*shapes, *lines, *(f"{key}: the model has no such tensor" for key in state_dict if key not in expected)]


def listed(lines: list[str], most: int = 12) -> str:
    """The first lines of a list, indented, and how many more there are.

    Args:
        lines: The list.
        most: Maximum number of lines.

    Returns:
        Text that begins with a newline, "" for an empty list.
    """
    more = [f"... and {len(lines) - most} more"] if len(lines) > most else []
    return "".join(f"\n  {line}" for line in [*lines[:most], *more])
