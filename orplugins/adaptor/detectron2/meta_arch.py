"""A detectron2 R-CNN whose backbone has a pair of normalisation a domain."""

from __future__ import annotations

from collections.abc import Sequence

from detectron2.config import CfgNode, configurable
from detectron2.modeling.meta_arch.build import META_ARCH_REGISTRY
from detectron2.modeling.meta_arch.rcnn import GeneralizedRCNN
from detectron2.structures import ImageList, Instances
from detectron2.utils.events import get_event_storage
from torch import Tensor

from orplugins.adaptor.split_norm import batch_of, convert_split_norm, split_norms

TARGET = "target"  # key of a record: the picture is of the target domain

Losses = dict[str, Tensor]


@META_ARCH_REGISTRY.register()
class GeneralizedRCNNSplitGN(GeneralizedRCNN):
    """`GeneralizedRCNN` whose training batch is source first, target second, with losses of each.

    The backbone sees the whole batch at once, the heads see the halves one after the other. Records that say
    ``target: True`` are the target's; where none does, the second half is.

    Args:
        split: Convert the norms and cut the batch; otherwise this is the stock model.
        infer_branch: The pair at inference: "aux" (the target's), "main" (the source's), or "published", which is main.
        **parts: `GeneralizedRCNN`'s.
    """

    @configurable
    def __init__(self, *, split: bool = True, infer_branch: str = "aux", **parts):
        super().__init__(**parts)
        self.split = split
        if split:
            convert_split_norm(self, 2, "main" if infer_branch == "published" else infer_branch)

    @classmethod
    def from_config(cls, cfg: CfgNode) -> dict:
        """Arguments of the model that a config asks for."""
        found = super().from_config(cfg)
        return {**found, "split": cfg.MODEL.USE_SPLIT_GROUP_NORM, "infer_branch": cfg.ORPLUGINS.ADAPTOR.INFER_BRANCH}

    def forward(self, batched_inputs: list[dict]) -> list[dict] | Losses | tuple[Losses, Losses]:
        """Results at inference; in training the losses of source and target.

        While the whole batch takes one branch (`orplugins.adaptor.split_norm.batch_of`), losses are the stock model's.

        Args:
            batched_inputs: Records of the pictures.

        Raises:
            ValueError: No record says which domain it is of, and their number is odd.
        """
        if not self.training or not self.split:
            return super().forward(batched_inputs)
        if split_norms(self)[0].domains.branch is not None:
            return self._reaching_every_pair(super().forward(batched_inputs))
        first = _source_pictures(batched_inputs)
        images = self.preprocess_image(batched_inputs)
        truth = [each["instances"].to(self.device) for each in batched_inputs]
        with batch_of(self, sizes=(first, len(truth) - first)):
            features = self.backbone(images.tensor)
        halves = [
            (
                ImageList(images.tensor[part], images.image_sizes[part]),
                {name: level[part] for name, level in features.items()},
                truth[part],
            )
            for part in (slice(first), slice(first, None))
        ]
        return self._losses(halves, batched_inputs)

    def _losses(self, halves: Sequence[tuple], batched_inputs: list[dict]) -> tuple[Losses, Losses]:
        # Both halves' regions first, then both halves' heads: the order in which the release draws its samples.
        proposed: list[tuple[list[Instances], Losses]] = [self.proposal_generator(*half) for half in halves]
        found = []
        for (images, features, truth), (proposals, losses) in zip(halves, proposed, strict=True):
            _, more = self.roi_heads(images, features, proposals, truth)
            found.append({**more, **losses})
        if self.vis_period > 0 and get_event_storage().iter % self.vis_period == 0:
            self.visualize_training(batched_inputs, proposed[0][0])
        return found[0], found[1]

    def _reaching_every_pair(self, losses: Losses) -> Losses:
        # Processes exchange the gradients of all parameters, and wait for those of a pair that took no part.
        nothing = sum(parameter.sum() for norm in split_norms(self) for parameter in norm.aux_bn.parameters())
        name = next(iter(losses))
        return {**losses, name: losses[name] + 0 * nothing}


def _source_pictures(records: list[dict]) -> int:
    marks = [bool(each.get(TARGET)) for each in records]
    first = len(marks) - sum(marks) if any(marks) else len(marks) // 2
    if any(marks[:first]) or (not any(marks) and len(marks) % 2):
        raise ValueError(f"split norm: found {len(marks)} pictures in the order {marks} (target?), expected the "
                         "source's and then the target's, or as many of each")  # fmt: skip
    return first
