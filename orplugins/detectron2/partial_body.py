"""Run the partial-body detector on pictures."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from detectron2.checkpoint import DetectionCheckpointer
from detectron2.config import CfgNode, get_cfg
from detectron2.data.transforms import ResizeShortestEdge
from detectron2.modeling import build_model

from orplugins.checkpoints.safety import check_checkpoint
from orplugins.core.detections import PARTIAL_BODY_CLASSES
from orplugins.detectron2.config import add_orplugins_config


def detector_config(config: str | os.PathLike, opts: Sequence[str] = ()) -> CfgNode:
    """detectron2's configuration with a file and options merged into it."""
    cfg = get_cfg()
    add_orplugins_config(cfg)
    cfg.merge_from_file(str(config))
    cfg.merge_from_list(list(opts))
    return cfg


class PartialBodyDetector:
    """Boxes of patients and users.

    Parameters
    ----------
    config : YAML file.
    weights : checkpoint; the configuration's ``MODEL.WEIGHTS`` if None.
    threshold : least score of a box; the published demo's is 0.8.
    device : such as "cpu" or "cuda:0".
    opts : further keys and values.

    Raises
    ------
    ValueError
        No weights, or weights that would execute code.
    FileNotFoundError
        No such file.
    """

    def __init__(self, config, weights=None, threshold: float = 0.8, device: str = "cpu", opts: Sequence[str] = ()):
        cfg = detector_config(config, opts)
        cfg.MODEL.DEVICE = device
        cfg.MODEL.ROI_HEADS.SCORE_THRESH_TEST = threshold
        cfg.MODEL.WEIGHTS = str(weights or cfg.MODEL.WEIGHTS)
        if not cfg.MODEL.WEIGHTS:
            raise ValueError(f"{Path(config)}: MODEL.WEIGHTS is empty, expected the path of the detector's checkpoint")
        check_checkpoint(cfg.MODEL.WEIGHTS)
        self.model = build_model(cfg).eval()
        DetectionCheckpointer(self.model).load(cfg.MODEL.WEIGHTS)
        self.resize = ResizeShortestEdge([cfg.INPUT.MIN_SIZE_TEST] * 2, cfg.INPUT.MAX_SIZE_TEST)

    @torch.no_grad()
    def __call__(self, images: Sequence[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray, list[str]]]:
        """Boxes (N, 4) x1, y1, x2, y2 in pixels, scores (N,) and class names of pictures (H, W, 3) uint8 BGR."""
        inputs = []
        for image in images:
            resized = self.resize.get_transform(image).apply_image(image)
            tensor = torch.as_tensor(np.ascontiguousarray(resized.astype("float32").transpose(2, 0, 1)))
            inputs.append({"image": tensor, "height": image.shape[0], "width": image.shape[1]})
        found = [output["instances"].to("cpu") for output in self.model(inputs)]
        return [(f.pred_boxes.tensor.numpy(), f.scores.numpy(), [PARTIAL_BODY_CLASSES[c] for c in f.pred_classes])
                for f in found]
