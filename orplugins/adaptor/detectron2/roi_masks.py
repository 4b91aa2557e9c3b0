"""Masks in the frames of boxes as targets of detectron2's own mask head and loss."""

from __future__ import annotations

import torch
from detectron2.layers import ROIAlign
from torch import Tensor
from torch.nn import functional as F


class FramedMasks:
    """Masks of people, each in the frame of a box: `Instances.gt_masks` where detectron2 has bit masks or polygons.

    Args:
        masks: (n, S, S) bool.
        boxes: (n, 4) their frames in pixels; None: each is taken to be in the frame of whatever proposal it is compared
            with, as the release does.
    """

    def __init__(self, masks: Tensor, boxes: Tensor | None = None):
        if boxes is not None and len(boxes) != len(masks):
            raise ValueError(f"masks: found {len(masks)} masks in {len(boxes)} frames, expected as many")
        self.masks, self.boxes = masks.bool(), boxes

    def __len__(self) -> int:
        return len(self.masks)

    def __getitem__(self, item: int | slice | Tensor) -> FramedMasks:
        """Some of them, always as masks of people."""
        item = slice(item, item + 1 or None) if isinstance(item, int) else item
        return FramedMasks(self.masks[item], None if self.boxes is None else self.boxes[item])

    def __repr__(self) -> str:
        kind = "in boxes" if self.boxes is not None else "without frames"
        return f"FramedMasks({len(self)} of {self.masks.shape[-1]}x{self.masks.shape[-1]} {kind})"

    @property
    def device(self) -> torch.device:
        """Where the masks are."""
        return self.masks.device

    def to(self, *args, **kwargs) -> FramedMasks:
        """The same on another device."""
        device = torch.empty(0).to(*args, **kwargs).device
        return FramedMasks(self.masks.to(device), None if self.boxes is None else self.boxes.to(device))

    @staticmethod
    def cat(parts: list[FramedMasks]) -> FramedMasks:
        """The masks of several pictures in one.

        Args:
            parts: All with frames, or all without.
        """
        boxes = [part.boxes for part in parts if part.boxes is not None]
        return FramedMasks(torch.cat([part.masks for part in parts]), torch.cat(boxes) if boxes else None)

    def crop_and_resize(self, boxes: Tensor, side: int) -> Tensor:
        """The masks in the frames of other boxes, as `detectron2.structures.BitMasks.crop_and_resize` does it.

        What lies outside a mask's own frame is not of the person.

        Args:
            boxes: (n, 4) in the pixels of this object's frames.
            side: Of the results.

        Returns:
            (n, side, side) bool.

        Raises:
            ValueError: Without frames, another side than the masks'.
        """
        size = self.masks.shape[-1]
        if self.boxes is None:
            if side != size and len(self):
                raise ValueError(f"masks of {size}x{size} without frames: found a mask head of {side}, expected {size}")
            return self.masks
        if not len(self):
            return self.masks.new_zeros(0, side, side)
        frames = self.boxes.to(boxes)
        scale = size / (frames[:, 2:] - frames[:, :2]).clamp(min=1e-6)
        rows = torch.arange(len(boxes), device=boxes.device, dtype=boxes.dtype)[:, None]
        # A border of empty cells: ROIAlign continues what lies at the edge.
        within = (boxes - frames[:, :2].repeat(1, 2)) * scale.repeat(1, 2) + 1
        align = ROIAlign((side, side), 1.0, 0, aligned=True)
        masks = F.pad(self.masks[:, None].to(boxes), (1, 1, 1, 1))
        return align(masks, torch.cat([rows, within], 1))[:, 0] >= 0.5
