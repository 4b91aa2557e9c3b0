"""mmengine's reading of checkpoints, by a reader that runs nothing; it learns safetensors, too."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlparse

import torch
from mmengine.logging.history_buffer import HistoryBuffer

from orplugins.hosts.guards import Instead
from orplugins.io.weights import read_weights


def load_from_checked_local(filename: Any, map_location: Any = None, **_: Any) -> dict:
    """Read a checkpoint that holds nothing but tensors and plain values.

    Args:
        filename: A local file, or one that is open in binary mode.
        map_location: As for `torch.load`.
        **_: Further options of `torch.load`, which say nothing here.

    Returns:
        The checkpoint, see `orplugins.io.weights.read_weights`, which also says what is raised.
    """
    return read_weights(filename, map_location, records=_RECORDS)


def load_from_checked_url(
    url: str,
    model_dir: str | None = None,
    map_location: Any = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
) -> dict:
    """Download a checkpoint into torch's cache, unless it is there, and read it; arguments as of torch's `load_url`."""
    folder = Path(model_dir or Path(torch.hub.get_dir()) / "checkpoints")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (file_name or Path(urlparse(url).path).name)
    if not path.exists():
        digest = torch.hub.HASH_REGEX.search(path.name) if check_hash else None
        torch.hub.download_url_to_file(url, str(path), digest[1] if digest else None, progress=progress)
    return load_from_checked_local(path, map_location)


def guard(module: ModuleType) -> None:
    """Have `mmengine.runner.checkpoint` read every checkpoint of this process by our reader.

    Runner, `init_model`, inferencers, `resume` and the backbones' `init_cfg` all load through that module: local files,
    downloads and storage servers.

    Args:
        module: That module.
    """
    module.CheckpointLoader.register_scheme("", load_from_checked_local, force=True)
    module.torch = Instead(torch, load_from_checked_local)  # type: ignore[attr-defined]
    module.load_url = load_from_checked_url  # type: ignore[attr-defined]


def guard_checkpoints() -> None:
    """Do it now; `import orplugins` does it as soon as mmengine's module is imported."""
    from mmengine.runner import checkpoint  # whose import, where it is the first, calls `guard` itself

    guard(checkpoint)


def _history(state: dict) -> HistoryBuffer:
    """The record of one logged value."""
    values, counts, most = state["_log_history"], state["_count_history"], state["max_length"]
    if type(most) is not int or most < 1 or not values.shape == counts.shape == (values.size,):
        raise ValueError("a history whose values and counts do not fit")
    return HistoryBuffer(values, counts, most)


_RECORDS = {("mmengine.logging.history_buffer", "HistoryBuffer"): _history}
