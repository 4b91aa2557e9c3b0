"""A network of mmpose as `orplugins.export` needs it: config and weights loaded, and the steps of its test pipeline."""

from __future__ import annotations

from typing import Any

from mmengine.registry import init_default_scope
from mmpose.apis import init_model
from mmpose.registry import TRANSFORMS

from orplugins.hosts.mmpose.topdown import read_test_config
from orplugins.io.checkpoint_safety import check_checkpoint


def load_model(config: str, weights: str, changes: dict[str, Any] | None = None):
    """Build a model on the CPU and load its weights.

    Args:
        config: Of mmpose.
        weights: Of the model.
        changes: Keys of the config, dotted, and values.

    Returns:
        The model in evaluation mode, with its config as ``cfg``.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The config has no model or no test pipeline; the weights are damaged, hold code or do not fit.
    """
    check_checkpoint(weights)
    cfg = read_test_config(config)
    cfg.merge_from_dict(changes or {})
    return init_model(cfg, str(weights), device="cpu")


def step_of(cfg, name: str):
    """A transform of a config's test pipeline.

    Args:
        cfg: Of a model.
        name: Its class, without scope.

    Returns:
        The transform, built.

    Raises:
        ValueError: The pipeline has none of that name.
    """
    init_default_scope(cfg.get("default_scope", "mmpose"))
    steps = cfg.test_dataloader.dataset.pipeline
    for step in steps:
        if step["type"].rpartition(".")[2] == name:
            return TRANSFORMS.build(step)
    found = ", ".join(step["type"] for step in steps)
    raise ValueError(f"{cfg.filename}: test pipeline: found {found}, expected {name} among them")
