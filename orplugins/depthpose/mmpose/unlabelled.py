"""Targets of pictures in which not every joint is labelled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mmcv.transforms import BaseTransform

from orplugins.depthpose.paf.unlabelled import labelled_masks
from orplugins.registry import TRANSFORMS


@TRANSFORMS.register_module()
class MaskUnlabelled(BaseTransform):
    """Leave cells out of the loss of which the labels say nothing. Comes after `GenerateTarget`, before the packing.

    Args:
        known: Places of the joints that the file labels; all by default.
    """

    def __init__(self, known: Sequence[int] | None = None):
        self.known = None if known is None else list(known)

    def transform(self, results: dict) -> dict:
        """Add ``heatmap_mask`` and ``paf_mask`` to a record."""
        known = np.ones(results["keypoints"].shape[1], dtype=bool)
        if self.known is not None:
            known[:] = False
            known[self.known] = True
        if results.get("flip"):
            known = known[list(results["flip_indices"])]
        height, width = results["heatmaps"].shape[1:]
        cells = np.tile(np.array([width, height]) / results["input_scale"], 2)
        results["heatmap_mask"], results["paf_mask"] = labelled_masks(
            results["bbox"] * cells, results["keypoints_visible"], known, (width, height), results["heatmaps"]
        )
        names = ("heatmap_mask", "paf_mask")
        results["field_mapping_table"] = {**results["field_mapping_table"], **dict(zip(names, names, strict=True))}
        return results
