"""Files of weights, read into memory without running anything: torch's own form and safetensors.

`read_weights` is the one place that knows both forms and refuses what is not safe. VideoPose3D's published files, whose
pickles need a reader of their own, are read by `orplugins.videopose3d.checkpoint`. A safetensors file holds tensors and
text only; what torch's form keeps in `meta` stands in its header, one JSON text.
"""

from __future__ import annotations

import json
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
