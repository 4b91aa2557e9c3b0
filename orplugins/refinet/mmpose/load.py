"""A chain of RefiNet's modules from a config and a checkpoint, outside mmpose's runner."""

from __future__ import annotations

import os

from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

import orplugins  # noqa: F401 - registers
from orplugins.io.weights import read_weights, tensors_of
from orplugins.refinet.chain import RefineChain


def load_refine_chain(config: str | os.PathLike, weights: str | os.PathLike, device: str = "cpu") -> RefineChain:
    """Build a chain from a config and load its weights; a checkpoint that would run code is refused.

    Args:
        config: A config of ``orplugins.DepthPoseRefiner``.
        weights: Its checkpoint.
        device: Such as "cpu" or "cuda:0".

    Returns:
        The chain in evaluation mode.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Truncated, code in it, or not what the config describes.
    """
    state = tensors_of(read_weights(weights), weights)
    init_default_scope("mmpose")
    model = MODELS.build(Config.fromfile(config).model)
    model.load_state_dict(state)
    return model.chain.to(device).eval()
