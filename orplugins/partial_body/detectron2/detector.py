"""Run the partial-body detector on images."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from detectron2.config import CfgNode, get_cfg
from detectron2.data import MetadataCatalog

from orplugins.hosts.detectron2.config import add_orplugins_config
from orplugins.hosts.detectron2.predictor import Predictor, merge_config, merge_options
from orplugins.partial_body.box_ap import PARTIAL_BODY_CLASSES
from orplugins.partial_body.box_forms import EVERYONE, Choice, Wanted


def detector_config(config: str | os.PathLike, opts: Sequence[str] = ()) -> CfgNode:
    """detectron2's configuration with a file and options merged into it.

    Args:
        config: YAML file, or a name in detectron2's model zoo.
        opts: Further keys and values.

    Returns:
        The configuration.

    Raises:
        FileNotFoundError: Neither a file nor a name in the zoo.
    """
    cfg = get_cfg()
    add_orplugins_config(cfg)
    merge_config(cfg, str(config))
    merge_options(cfg, opts)
    return cfg


def class_names(cfg: CfgNode) -> tuple[str, ...]:
    """Names of a detector's classes: patients and users for two, else those of the sets that the config names.

    Args:
        cfg: The configuration.

    Raises:
        ValueError: No such set of as many classes is known.
    """
    heads = cfg.MODEL.RETINANET if cfg.MODEL.META_ARCHITECTURE == "RetinaNet" else cfg.MODEL.ROI_HEADS
    count = heads.NUM_CLASSES
    if count == len(PARTIAL_BODY_CLASSES):
        return PARTIAL_BODY_CLASSES
    sets = [*cfg.DATASETS.TRAIN, *cfg.DATASETS.TEST, "coco_2017_val"]
    known = [MetadataCatalog.get(name).get("thing_classes") for name in sets if name in MetadataCatalog.list()]
    found = next((names for names in known if names and len(names) == count), ["person"] if count == 1 else None)
    if found is None:
        raise ValueError(
            f"the detector has {count} classes (MODEL.ROI_HEADS.NUM_CLASSES), expected 2 (patient, user), 80 (COCO) or "
            "those of a registered set that DATASETS.TRAIN names"
        )
    return tuple(found)


class PartialBodyDetector:
    """Boxes of patients and users, or of the people among the classes of another detector.

    Args:
        config: YAML file, or a name in detectron2's model zoo.
        weights: Checkpoint; the configuration's ``MODEL.WEIGHTS`` if None.
        threshold: Minimum score of a box; the published demo's is 0.8.
        device: Such as "cpu" or "cuda:0".
        opts: Further keys and values.
        choice: Which classes are people.

    Raises:
        ValueError: No weights, weights that would execute code, or those of another network.
        FileNotFoundError: There is no such file.
    """

    def __init__(
        self,
        config,
        weights=None,
        threshold: float = 0.8,
        device: str = "cpu",
        opts: Sequence[str] = (),
        choice: Choice = EVERYONE,
    ):
        cfg = detector_config(config, opts)
        cfg.MODEL.DEVICE = device
        cfg.MODEL.ROI_HEADS.SCORE_THRESH_TEST = threshold
        cfg.MODEL.WEIGHTS = str(weights or cfg.MODEL.WEIGHTS)
        if not cfg.MODEL.WEIGHTS:
            raise ValueError(f"{Path(config)}: MODEL.WEIGHTS is empty, expected the path of the detector's checkpoint")
        names = dict(enumerate(class_names(cfg)))
        wanted = Wanted(choice, names, 0, str(config))
        self.labels = [wanted.label(k) for k in names]
        self.predictor = Predictor(cfg)

    def __call__(self, images: Sequence[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray, list[str]]]:
        """Boxes (N, 4) x1, y1, x2, y2 in pixels, scores (N,) and class names of images (H, W, 3) uint8 BGR."""
        out = []
        for found in self.predictor(list(images)):
            found = found[torch.tensor([self.labels[c] is not None for c in found.pred_classes], dtype=torch.bool)]
            labels = [self.labels[c] for c in found.pred_classes]
            out.append((found.pred_boxes.tensor.numpy(), found.scores.numpy(), labels))
        return out
