"""Top-down networks for `orplugins.export`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from orplugins.deploy.metadata import InputSpec, Metadata, Source
from orplugins.export.plan import Plan
from orplugins.export.scores import people_scores
from orplugins.hosts.mmpose.export import load_model, step_of
from orplugins.partial_body.box_crops import box_extents, cut_box
from orplugins.partial_body.maps import BATCHED
from orplugins.partial_body.mmpose.codec import BatchedHeatmap, PublishedHeatmap
from orplugins.partial_body.mmpose.head import JointStateHead
from orplugins.partial_body.results import known_skeleton
from orplugins.skeletons import COCO_17, Skeleton
from orplugins.synthetic.export.in_memory import generate

CALIBRATION_SEED, TEST_SEED, TEST_FRAMES = 73, 74, 16
_SIZE = (320, 240)


class CropMaps(nn.Module):
    """Crops (B, 3, h, w) to heatmaps (B, K, h', w') and, with a `JointStateHead`, states (B, K, 3)."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.backbone, self.neck, self.head = model.backbone, model.neck if model.with_neck else None, model.head
        self.states = isinstance(model.head, JointStateHead)

    def forward(self, crops: Tensor):
        """Maps of crops."""
        features = self.backbone(crops)
        features = features if self.neck is None else self.neck(features)
        heatmaps = super(JointStateHead, self.head).forward(features) if self.states else self.head(features)
        if not self.states:
            return heatmaps
        return heatmaps, self.head.states(features[-1], heatmaps).softmax(-1)


class BoxPlan(Plan):
    """ViTPose and the like, see `orplugins.export.plan.Plan`."""

    dynamic = {"crops": {0: "people"}}

    def __init__(self, config: str, weights: str):
        self.model = load_model(config, weights)
        self.module = CropMaps(self.model).eval()
        self.outputs = ("heatmaps", "states") if self.module.states else ("heatmaps",)
        self.decoder, cfg = self.model.head.decoder, self.model.cfg
        if not isinstance(self.decoder, (BatchedHeatmap, PublishedHeatmap)) or self.model.test_cfg.get("shift_heatmap"):
            raise ValueError(f"{config}: decoder {type(self.decoder).__name__}, expected BatchedHeatmap or "
                             "PublishedHeatmap, and no shift_heatmap")  # fmt: skip
        if not step_of(cfg, "TopdownAffine").use_udp:
            raise ValueError(f"{config}: test pipeline: TopdownAffine has no use_udp=True, expected it")
        self.padding = step_of(cfg, "GetBBoxCenterScale").padding
        self.inclusive = any(step["type"].endswith("InclusiveBox") for step in cfg.test_dataloader.dataset.pipeline)
        names = self.model.dataset_meta["keypoint_id2name"]
        joints = tuple(names[k] for k in range(len(names)))
        limbs = tuple((int(a), int(b)) for a, b in self.model.dataset_meta["skeleton_links"])
        self.skeleton = known_skeleton(joints) or Skeleton(self.model.dataset_meta["dataset_name"], joints, limbs)
        width, height = self.decoder.input_size
        self.examples = {"crops": torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(0))}

    def metadata(self, source: Source, opset: int, precision: str) -> Metadata:
        """What the file says of itself."""
        prepare = self.model.data_preprocessor
        mean, std = (tuple(values.flatten().tolist()) for values in (prepare.mean, prepare.std))
        options = {"padding": self.padding, "inclusive": self.inclusive}
        options["flip_test"] = bool(self.model.test_cfg.get("flip_test", False))
        options["flip_indices"] = [int(k) for k in self.model.dataset_meta["flip_indices"]]
        how = self.decoder.decoding if isinstance(self.decoder, PublishedHeatmap) else BATCHED
        channels = "rgb" if prepare._channel_conversion else "bgr"
        return Metadata(
            "partial-body",
            InputSpec("color", "uint8", self.decoder.input_size, None, channels, mean, std, options),
            {"type": "heatmap", "how": how, "blur": self.decoder.blur_kernel_size},
            source,
            opset,
            precision,
            self.skeleton,
        )

    def feeds(self, count: int) -> Iterator[dict[str, np.ndarray]]:
        """Crops of generated people."""
        coco, images = _people(-(-count // 3), CALIBRATION_SEED)
        prepare, size = self.model.data_preprocessor, self.decoder.input_size
        for image_id, boxes in _boxes(coco).items():
            for extent in zip(*box_extents(boxes, size, self.padding), strict=True):
                crop = torch.from_numpy(cut_box(images[image_id], *extent, size)).permute(2, 0, 1)
                yield {"crops": prepare({"inputs": [crop], "data_samples": []})["inputs"].numpy()}

    def score(self, model) -> dict[str, float]:
        """Figures of `orplugins.finetune.scores.keypoint_scores` on generated people in their true boxes."""
        if self.skeleton != COCO_17:
            return {}
        coco, images = _people(TEST_FRAMES, TEST_SEED)
        found = {key: model(images[key], boxes=boxes) for key, boxes in _boxes(coco).items()}
        return people_scores(coco, found, COCO_17)


def _people(frames: int, seed: int) -> tuple[dict, dict[int, np.ndarray]]:
    coco, images = generate(frames, seed, size=_SIZE, views=2, people=(1, 4), color=True)
    return coco, {key: np.ascontiguousarray(image[..., ::-1]) for key, image in images.items()}


def _boxes(coco: dict) -> dict[int, np.ndarray]:
    boxes: dict[int, list] = {}
    for person in coco["annotations"]:
        x, y, width, height = person["bbox"]
        if person["num_keypoints"] and min(width, height) > 1:
            boxes.setdefault(person["image_id"], []).append([x, y, x + width, y + height])
    return {key: np.array(values) for key, values in boxes.items()}
