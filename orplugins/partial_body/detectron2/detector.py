"""Run the partial-body detector on images."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from detectron2.config import CfgNode, get_cfg

from orplugins.hosts.detectron2.config import add_orplugins_config
from orplugins.hosts.detectron2.predictor import Predictor
from orplugins.partial_body.box_ap import PARTIAL_BODY_CLASSES


def detector_config(config: str | os.PathLike, opts: Sequence[str] = ()) -> CfgNode:
    """detectron2's configuration with a file and options merged into it.

    Args:
        config: YAML file.
        opts: Further keys and values.

    Returns:
        The configuration.
    """
    cfg = get_cfg()
    add_orplugins_config(cfg)
    cfg.merge_from_file(str(config))
    cfg.merge_from_list(list(opts))
    return cfg


class PartialBodyDetector:
    """Boxes of patients and users.

    Args:
        config: YAML file.
        weights: Checkpoint; the configuration's ``MODEL.WEIGHTS`` if None.
        threshold: Minimum score of a box; the published demo's is 0.8.
        device: Such as "cpu" or "cuda:0".
        opts: Further keys and values.

    Raises:
        ValueError: No weights, weights that would execute code, or those of another network.
        FileNotFoundError: There is no such file.
    """

    def __init__(self, config, weights=None, threshold: float = 0.8, device: str = "cpu", opts: Sequence[str] = ()):
        cfg = detector_config(config, opts)
        cfg.MODEL.DEVICE = device
        cfg.MODEL.ROI_HEADS.SCORE_THRESH_TEST = threshold
        cfg.MODEL.WEIGHTS = str(weights or cfg.MODEL.WEIGHTS)
        if not cfg.MODEL.WEIGHTS:
            raise ValueError(f"{Path(config)}: MODEL.WEIGHTS is empty, expected the path of the detector's checkpoint")
        self.predictor = Predictor(cfg)

    def __call__(self, images: Sequence[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray, list[str]]]:
        """Boxes (N, 4) x1, y1, x2, y2 in pixels, scores (N,) and class names of images (H, W, 3) uint8 BGR."""
        return [
            (f.pred_boxes.tensor.numpy(), f.scores.numpy(), [PARTIAL_BODY_CLASSES[c] for c in f.pred_classes])
            for f in self.predictor(list(images))
        ]
