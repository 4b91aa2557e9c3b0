"""Files of weights, read into memory without running anything: torch's own form and safetensors.

`read_weights` is the one place where weights are read, for both hosts and for every tool. A safetensors file holds
tensors and text only; what torch's form keeps in `meta` stands in its header, one JSON text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from orplugins.io.atomic import atomic_write
from orplugins.io.checkpoint_safety import (
    Source,
    kind_of,
    named_errors,
    opened,
    read_bare_pickle,
    safetensors_header,
)
from orplugins.io.torch_files import TorchFile

META = "orplugins"


def read_weights(
    source: Source,
    map_location: Any = "cpu",
    *,
    model_zoo: bool = False,
    records: Mapping[tuple[str, str], Callable[[dict], Any]] | None = None,
    ignore_unknown: bool = False,
) -> dict:
    """Read the content of a file of weights; which form it has is told by its content, not its name.

    Args:
        source: A file that torch.save wrote, also before torch 1.6, or a safetensors file; or one open in binary mode.
        map_location: A device or its name; whatever else `torch.load` takes means the CPU.
        model_zoo: Take a bare pickle of arrays too, as detectron2's model zoo has them.
        records: Make objects of the host's own, by (module, name), from their attributes.
        ignore_unknown: Read a file that names other things than weights and plain values, without those.

    Returns:
        What torch.save was given; of a safetensors file ``{"state_dict": tensors by name, "meta": dict}``.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Truncated, damaged, or none of the forms.
        UnsafeCheckpointError: It names something that another reader would execute.
    """
    with opened(source) as (file, name), named_errors(name):
        kind = kind_of(file)
        if kind == "safetensors":
            return _read_safetensors(file, map_location)
        if kind == "pickle":
            return read_bare_pickle(file, model_zoo)
        content = TorchFile(file, ignore_unknown).read(map_location, records)
        if not isinstance(content, dict):
            raise ValueError(f"holds a {type(content).__name__}, expected a dict of weights")
        return content


def tensors_of(content: Mapping, source: Any, fields: tuple[str, ...] = ("state_dict", "model")) -> dict[str, Any]:
    """The tensors in what `read_weights` gave.

    Args:
        content: What it gave.
        source: The file, for errors.
        fields: Where they may be; the first that is there counts, without one the content itself.

    Returns:
        Tensors by name; what else stands between them is left out.

    Raises:
        ValueError: There are none.
    """
    import torch

    found = next((content[field] for field in fields if field in content), content)
    if not isinstance(found, Mapping):
        raise ValueError(f"checkpoint {source}: found a {type(found).__name__}, expected tensors by name")
    state = {name: value for name, value in found.items() if isinstance(name, str) and torch.is_tensor(value)}
    if not state:
        names = ", ".join(map(str, found))[:200] or "nothing"
        raise ValueError(f"checkpoint {source}: found {names}, expected tensors by name")
    return state


def is_safetensors(content: Mapping) -> bool:
    """Whether what `read_weights` gave is a safetensors file's: tensors and the header's notes, nothing else.

    Args:
        content: What it gave.

    Returns:
        True for such a file, and for one of torch's that holds the same two.
    """
    return content.keys() == {"state_dict", "meta"}


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


def _read_safetensors(file: IO[bytes], map_location: Any) -> dict:
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load

    header = safetensors_header(file)
    device = torch.device(map_location if isinstance(map_location, (str, torch.device)) else "cpu")
    file.seek(0)
    try:
        state = {name: tensor.to(device) for name, tensor in load(file.read()).items()}
    except (SafetensorError, RuntimeError, KeyError) as error:
        raise ValueError(f"truncated or not a safetensors file ({str(error).partition(chr(10))[0]})") from None
    metadata = header.get("__metadata__")
    try:
        meta = json.loads(metadata.get(META, "{}") if metadata else "{}")
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the header's {META!r} is not JSON ({error})") from None
    if not isinstance(meta, dict):
        raise ValueError(f"the header's {META!r} is a {type(meta).__name__}, expected an object")
    return {"state_dict": state, "meta": meta}


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
