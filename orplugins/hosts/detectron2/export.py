"""An R-CNN of detectron2 as one module without branches and loops over people, to be traced into a graph.

Layers, pooling and the coding of boxes are the host's own; choosing proposals and detections is written anew with
operations that ONNX has, for one picture of any size. Nothing is found where nobody is: the layers that follow see one
region then, and its results are cut off, because runtimes disagree about convolutions of nothing.
"""

from __future__ import annotations

import torch
from detectron2.modeling.anchor_generator import DefaultAnchorGenerator
from detectron2.modeling.meta_arch import GeneralizedRCNN
from detectron2.modeling.proposal_generator import RPN
from detectron2.modeling.roi_heads import CascadeROIHeads, StandardROIHeads
from detectron2.structures import Boxes
from torch import Tensor, nn
from torch.nn import functional
from torchvision.ops import nms

from orplugins.backbones.timm_features import with_fixed_padding

Features = dict[str, Tensor]


def check_exportable(model: nn.Module) -> None:
    """Refuse a network that `TracedRCNN` would not compute.

    Args:
        model: Of detectron2.

    Raises:
        ValueError: Another architecture.
    """
    rcnn = isinstance(model, GeneralizedRCNN)
    heads = model.roi_heads if rcnn else None
    for part, wanted in (
        (model, rcnn),
        (heads, isinstance(heads, StandardROIHeads) and not isinstance(heads, CascadeROIHeads)),
        (rcnn and model.proposal_generator, rcnn and type(model.proposal_generator) is RPN),
        (
            rcnn and model.proposal_generator,
            rcnn and isinstance(getattr(model.proposal_generator, "anchor_generator", None), DefaultAnchorGenerator),
        ),
    ):
        if not wanted:
            raise ValueError(
                f"found {type(part).__name__}, expected GeneralizedRCNN with RPN and StandardROIHeads: "
                "no other network of detectron2 is exported"
            )
    if heads.box_predictor.use_sigmoid_ce:
        raise ValueError("MODEL.ROI_BOX_HEAD.USE_SIGMOID_CE: found True, expected False: such scores are not exported")


class TracedRCNN(nn.Module):
    """One picture to boxes, scores and classes of what is in it, as `GeneralizedRCNN` finds them.

    Args:
        model: The network, see `check_exportable`; changed in place where its backbone is TensorFlow's.
        least_score: Of a box; None: the config's ``MODEL.ROI_HEADS.SCORE_THRESH_TEST``.

    Raises:
        ValueError: Another architecture.
    """

    def __init__(self, model: GeneralizedRCNN, least_score: float | None = None):
        super().__init__()
        check_exportable(model)
        if model.backbone.size_divisibility % 32 == 0:
            with_fixed_padding(model.backbone)
        self.model = model
        self.eval()  # the exporter gives a module back in the mode in which it found it
        own = model.roi_heads.box_predictor.test_score_thresh
        self.least_score = own if least_score is None else max(own, least_score)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Detections, best first.

        Args:
            image: (1, 3, H, W) values from 0 to 255, channels in the order of the config's ``INPUT.FORMAT``.

        Returns:
            Boxes (N, 4) x1, y1, x2, y2 in pixels, scores (N,) and classes (N,) int64.
        """
        features, size = self.features(image)
        return self.detections(features, self.proposals(features, size), size)

    def features(self, image: Tensor) -> tuple[Features, Tensor]:
        """The pyramid's maps of a picture, and its (width, height) as a tensor."""
        model = self.model
        values = (image - model.pixel_mean) / model.pixel_std
        size = torch.stack([torch.as_tensor(image.shape[3]), torch.as_tensor(image.shape[2])])
        divisor = model.backbone.size_divisibility
        if divisor > 1:
            right, below = (-size) % divisor
            values = functional.pad(values, (0, right, 0, below))
        return model.backbone(values), size.to(image.dtype)

    def proposals(self, features: Features, size: Tensor) -> Tensor:
        """Regions (P, 4) worth a look, best first."""
        rpn = self.model.proposal_generator
        maps = [features[name] for name in rpn.in_features]
        found = [self._best_of_level(*level) for level in zip(range(len(maps)), *rpn.rpn_head(maps), strict=True)]
        boxes, scores, levels = (torch.cat(each) for each in zip(*found, strict=True))
        boxes, kept = _within(boxes, size, rpn.min_box_size)
        boxes, scores, levels = boxes[kept], scores[kept], levels[kept]
        return boxes[_apart(boxes, scores, levels, size, rpn.nms_thresh)[: rpn.post_nms_topk[False]]]

    def _best_of_level(self, level: int, logits: Tensor, deltas: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Boxes, scores and level of the anchors with the highest scores; only those are decoded."""
        rpn = self.model.proposal_generator
        generator = rpn.anchor_generator
        anchors, width = list(generator.cell_anchors)[level], logits.shape[3]
        kinds = len(anchors)
        scores = logits[0].permute(1, 2, 0).flatten()  # (H * W * A,)
        best, index = scores.topk(_at_most(scores.shape[0], rpn.pre_nms_topk[False]))
        cell = torch.div(index, kinds, rounding_mode="floor")
        place = torch.stack([cell % width, torch.div(cell, width, rounding_mode="floor")], dim=1)
        centre = (place + generator.offset) * generator.strides[level]
        wanted = deltas[0].unflatten(0, (kinds, 4)).permute(2, 3, 0, 1).flatten(0, 2)[index]
        boxes = rpn.box2box_transform.apply_deltas(wanted, anchors[index % kinds] + centre.repeat(1, 2))
        return boxes, best, torch.full_like(index, level)

    def detections(self, features: Features, proposals: Tensor, size: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Boxes (N, 4), scores (N,) and classes (N,) of the proposals (P, 4) that are something, best first."""
        heads, count = self.model.roi_heads, proposals.shape[0]
        regions = at_least_one(proposals, size)
        pooled = heads.box_pooler([features[name] for name in heads.box_in_features], [Boxes(regions)])
        logits, deltas = heads.box_predictor(heads.box_head(pooled))
        boxes = heads.box_predictor.box2box_transform.apply_deltas(deltas, regions)
        scores = logits.softmax(dim=1)[:count, :-1]
        region, classes = (scores > self.least_score).nonzero().unbind(1)
        scores = scores[region, classes]
        own = torch.zeros_like(classes) if boxes.shape[1] == 4 else classes  # one box a region, or one a class
        boxes, _ = _within(boxes.unflatten(1, (-1, 4))[region, own], size, 0)
        kept = _apart(boxes, scores, classes, size, heads.box_predictor.test_nms_thresh)
        kept = kept[: heads.box_predictor.test_topk_per_image]
        boxes, scores, classes = boxes[kept], scores[kept], classes[kept]
        _, real = _within(boxes, size, 0)  # as detectron2's post-processing has it
        return boxes[real], scores[real], classes[real]

    def pooled(self, features: Features, boxes: Tensor) -> Tensor:
        """Pooled maps (R, C, S, S) of the keypoint head in boxes (R, 4)."""
        heads = self.model.roi_heads
        return heads.keypoint_pooler([features[name] for name in heads.keypoint_in_features], [Boxes(boxes)])


def at_least_one(boxes: Tensor, size: Tensor) -> Tensor:
    """Boxes (N, 4), or where there is none a picture of (width, height) as a box (1, 4)."""
    whole = torch.cat([torch.zeros_like(size), size])[None].to(boxes.dtype)
    some = torch.cat([boxes, whole])
    return some[: torch.as_tensor(boxes.shape[0]).clamp(min=1)]


def _at_most(count: int | Tensor, limit: int) -> int | Tensor:
    """The smaller number; a size is a tensor while a graph is traced."""
    return count.clamp(max=limit) if isinstance(count, Tensor) else min(count, limit)


def _within(boxes: Tensor, size: Tensor, least_side: float) -> tuple[Tensor, Tensor]:
    """Boxes (N, 4) clipped to a picture of (width, height), and the indices of those whose sides are longer."""
    clipped = torch.minimum(boxes.clamp(min=0), size.repeat(2).to(boxes.dtype))
    sides = clipped[:, 2:] - clipped[:, :2]
    return clipped, (sides > least_side).all(dim=1).nonzero()[:, 0]


def _apart(boxes: Tensor, scores: Tensor, groups: Tensor, size: Tensor, overlap: float) -> Tensor:
    """Indices of the boxes (N, 4) that no better one of their group covers, best first.

    Boxes of different groups are moved so far apart that they do not overlap.
    """
    apart = groups.to(boxes.dtype) * (size.max() + 1)
    return nms(boxes + apart[:, None], scores, overlap)
