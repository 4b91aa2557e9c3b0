"""ORPose-Color's keypoint head for detectron2 (see `orplugins.orpose_color.network`)."""

from __future__ import annotations

import torch
from detectron2.config import configurable
from detectron2.layers import ShapeSpec
from detectron2.structures import Instances, heatmaps_to_keypoints
from detectron2.utils.events import get_event_storage
from detectron2.utils.registry import Registry
from torch import Tensor

from orplugins.orpose_color.decode import decode_batched
from orplugins.orpose_color.lifting import PoseStatistics
from orplugins.orpose_color.losses import KINDS, LOSSES, student_losses
from orplugins.orpose_color.network import Keypoints3DNet
from orplugins.orpose_color.statistics import load_statistics

ROI_KEYPOINTS3D_HEAD_REGISTRY = Registry("ROI_KEYPOINTS3D_HEAD")
ROI_KEYPOINTS3D_HEAD_REGISTRY.__doc__ = "Heads called with (features, instances), built from (cfg, ShapeSpec)."
WEIGHT_KEYS = ("2DKEYPOINTS", "2DKEYPOINTS_SOFT", "3D_HARD", "3D_SOFT")


@ROI_KEYPOINTS3D_HEAD_REGISTRY.register()
class StandardKeypoints3DHead(Keypoints3DNet):
    """Hard and soft heatmaps, 2D joints, lifted 3D poses; in training their four losses.

    Args:
        input_shape: Channels (and sides) of the pooled features.
        conv_dims, num_keypoints: See `orplugins.orpose_color.network.Keypoints3DNet`.
        loss_weights: Weight of each of `LOSSES`.
        loss_normalizer: "visible" divides the 2D losses by the number of joints that count; a number times the images
            of the batch is the divisor otherwise.
        decode: "batched" (`orplugins.orpose_color.decode`) or "published" (detectron2's `heatmaps_to_keypoints`).
        losses: "guarded" never divides by zero joints and takes a weight of 0 as "leave it out"; "published" does
            neither, so that a batch without soft joints makes the total NaN.
        branches: Whose joints and poses are the result: the mean of "both", as published, or "hard" or "soft" alone,
            for a head of which only one was trained.
        lifter_width, lifter_dropout: See `orplugins.orpose_color.network.LiftingNetwork`.
        statistics: What poses are normalised with, or the file's path; None takes those of the checkpoint.
        store_statistics: Put them into the state dict.

    Raises:
        ValueError: An option has another value.
    """

    @configurable
    def __init__(
        self,
        input_shape: ShapeSpec,
        *,
        conv_dims: tuple[int, ...] = (512,) * 8,
        num_keypoints: int = 17,
        loss_weights: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0),
        loss_normalizer: str | float = "visible",
        decode: str = "batched",
        losses: str = "guarded",
        branches: str = "both",
        lifter_width: int = 1024,
        lifter_dropout: float = 0.5,
        statistics: PoseStatistics | str | None = None,
        store_statistics: bool = False,
    ):
        for name, value, known in (
            ("decode", decode, ("batched", "published")),
            ("losses", losses, ("guarded", "published")),
            ("branches", branches, ("both", *KINDS)),
        ):
            if value not in known:
                raise ValueError(f"{name}: found {value!r}, expected one of {known}")
        if loss_normalizer != "visible" and not isinstance(loss_normalizer, float):
            raise ValueError(f"loss_normalizer: found {loss_normalizer!r}, expected 'visible' or a float")
        if isinstance(statistics, str):  # a LazyConfig holds plain values
            statistics = load_statistics(statistics) if statistics else None
        super().__init__(
            input_shape.channels,
            tuple(conv_dims),
            num_keypoints,
            lifter_width,
            lifter_dropout,
            statistics,
            store_statistics,
        )
        self.loss_weights = dict(zip(LOSSES, loss_weights, strict=True))
        self.loss_normalizer, self.decode, self.guarded = loss_normalizer, decode, losses == "guarded"
        self.branches, self.skipped_batches = branches, 0

    @classmethod
    def from_config(cls, cfg, input_shape: ShapeSpec) -> dict:
        """Arguments of the head that a config asks for."""
        head, ours = cfg.MODEL.ROI_KEYPOINTS3D_HEAD, cfg.ORPLUGINS.ORPOSE_COLOR
        # Whoever builds from a config loads MODEL.WEIGHTS next, and detectron2 would execute what a pickle asks for.
        from orplugins.hosts.detectron2.checkpoint import expect_weights  # not while detectron2 is half imported

        expect_weights(cfg.MODEL.WEIGHTS)
        regions = cfg.MODEL.ROI_HEADS.BATCH_SIZE_PER_IMAGE * cfg.MODEL.ROI_HEADS.POSITIVE_FRACTION
        visible = head.NORMALIZE_LOSS_BY_VISIBLE_KEYPOINTS
        return dict(
            input_shape=input_shape,
            conv_dims=head.CONV_DIMS,
            num_keypoints=head.NUM_KEYPOINTS,
            loss_weights=tuple(head[f"LOSS_WEIGHT_{key}"] for key in WEIGHT_KEYS),
            loss_normalizer="visible" if visible else float(head.NUM_KEYPOINTS * regions),
            decode=ours.DECODE,
            losses=ours.LOSSES,
            branches=ours.BRANCHES,
            lifter_width=ours.LIFTER_WIDTH,
            lifter_dropout=ours.LIFTER_DROPOUT,
            statistics=cfg.DATASETS.H36_STATS_PATH,
            store_statistics=ours.STORE_STATISTICS,
        )

    def forward(self, features: Tensor, instances: list[Instances]):
        """Losses in training, results otherwise.

        The results' fields: `pred_keypoints_h36_2d` (n, 17, 3) stays in pixels of the network's input, whose
        (height, width) is in `pred_input_size` (n, 2); `pred_keypoints_h36_3d` (n, 48) is normalised, as published, and
        `pred_keypoints_3d` (n, 17, 3) is in metres from the pelvis. All of them survive detectron2's post-processing.

        Args:
            features: (R, C, S, S) pooled features of all instances.
            instances: Of each image: proposals with targets in training, otherwise detections.

        Returns:
            Losses by name in training; otherwise the instances with `pred_keypoints` (n, 17, 3) and more.
        """
        if self.training:
            return self._losses(features, instances)
        self._infer(features, instances)
        return instances

    def _infer(self, features: Tensor, instances: list[Instances]) -> None:
        boxes = torch.cat([each.pred_boxes.tensor for each in instances]).detach()
        hard, soft = self.heatmaps(features) if len(boxes) else (features.new_zeros(0, self.num_keypoints, 1, 1),) * 2
        maps = {"both": (hard + soft) / 2, "hard": hard, "soft": soft}[self.branches]
        fused, hard, soft = self._keypoints(maps, hard, soft, boxes)
        h36, lifted = self.lift(hard, soft, self.branches)
        metres = self.statistics.metres(lifted)
        start = 0
        for each in instances:
            part = slice(start, start + len(each))
            each.pred_keypoints, each.pred_keypoints_h36_2d = fused[part], h36[part]
            each.pred_keypoints_h36_3d, each.pred_keypoints_3d = lifted[part], metres[part]
            each.pred_input_size = torch.tensor([each.image_size], device=boxes.device).expand(len(each), 2)
            start += len(each)

    def _keypoints(self, fused: Tensor, hard: Tensor, soft: Tensor, boxes: Tensor) -> tuple[Tensor, ...]:
        if not len(boxes):
            return (fused.new_zeros(0, self.num_keypoints, 3),) * 3
        if self.decode == "batched":
            return decode_batched(torch.cat([fused, hard, soft]), boxes.repeat(3, 1)).chunk(3)
        return tuple(heatmaps_to_keypoints(maps.detach(), boxes)[:, :, [0, 1, 3]] for maps in (fused, hard, soft))

    def _losses(self, features: Tensor, instances: list[Instances]) -> dict[str, Tensor]:
        found = [each for each in instances if len(each)]
        boxes = torch.cat([each.proposal_boxes.tensor for each in found]) if found else features.new_zeros(0, 4)

        def labels(name: str) -> Tensor:
            if not found[0].has(name):
                raise ValueError(f"targets have no {name}, expected a teacher's labels (or a LOSS_WEIGHT of 0)")
            values = [getattr(each, name) for each in found]
            return torch.cat([value.tensor if hasattr(value, "tensor") else value for value in values])

        divisor = None if self.loss_normalizer == "visible" else len(instances) * self.loss_normalizer
        losses, skipped = student_losses(self, features, boxes, labels, self.loss_weights, divisor, self.guarded)
        if skipped:
            self.skipped_batches += 1
            get_event_storage().put_scalar("kpts_num_skipped_batches", self.skipped_batches, smoothing_hint=False)
        return {f"loss_keypoints_{name}": value for name, value in losses.items()}
