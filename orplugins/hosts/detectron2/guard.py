"""detectron2's and fvcore's reading of weights, by a reader that runs nothing; it learns safetensors, too.

It may be called while detectron2 is half imported, so it imports nothing of it.
"""

from __future__ import annotations

import pickle
from types import ModuleType
from typing import Any

import torch

from orplugins.hosts.guards import Instead
from orplugins.io.weights import is_safetensors, read_weights


def load_checked(file: Any, map_location: Any = "cpu", **_: Any) -> dict:
    """Read weights where the host calls `torch.load`.

    Args:
        file: A local file, or one that is open in binary mode.
        map_location: As for `torch.load`.
        **_: Further options of `torch.load`, which say nothing here.

    Returns:
        The content; of a safetensors file ``{"model": tensors by name}``. See `read_weights` for what is raised.
    """
    content = read_weights(file, map_location, model_zoo=True)
    return {"model": content["state_dict"]} if is_safetensors(content) else content


def load_checked_pickle(file: Any, **_: Any) -> dict:
    """Read weights where the host calls `pickle.load`: the model zoo's arrays, or another form under their suffix.

    Args:
        file: A file that is open in binary mode.
        **_: Further options of `pickle.load`, which say nothing here.

    Returns:
        The content, by which the host tells detectron2's own from Caffe2's.
    """
    content = load_checked(file)
    if any(isinstance(value, torch.Tensor) for value in content.values()):
        content = {"model": content}
    if isinstance(content.get("model"), dict):
        content.setdefault("__author__", "the file's")
    return content


def guard(module: ModuleType) -> None:
    """Have a module of detectron2 or fvcore read every file of weights, and of pickled boxes, by our reader.

    `DetectionCheckpointer`, `DefaultPredictor`, the trainers, LazyConfig's scripts and ``--resume`` all load through
    these modules.

    Args:
        module: One of `orplugins.hosts.guards.GUARDED`.
    """
    if hasattr(module, "torch"):
        module.torch = Instead(torch, load_checked)  # type: ignore[attr-defined]
    if hasattr(module, "pickle"):
        module.pickle = Instead(pickle, load_checked_pickle)  # type: ignore[attr-defined]
