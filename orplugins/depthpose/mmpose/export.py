"""Depth networks for `orplugins.export`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from orplugins.deploy.metadata import InputSpec, Metadata, Source
from orplugins.depth.image import sensor_view, unit_image
from orplugins.export.plan import Plan
from orplugins.export.scores import people_scores
from orplugins.hosts.mmpose.export import load_model, step_of
from orplugins.skeletons import COCO_17
from orplugins.synthetic.export.in_memory import generate

_SMALL = (160, 120)  # of generated frames, where the network does not ask for more
CALIBRATION_SEED, TEST_SEED, TEST_FRAMES = 71, 72, 40


class LastMaps(nn.Module):
    """A depth network's last stage: depth (B, 1, H, W) in [0, 1] to heatmaps (B, 19, h, w) and fields (B, 38, h, w)."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.backbone, self.stages = model.backbone, model.head.stages

    def forward(self, depth: Tensor) -> tuple[Tensor, Tensor]:
        """Maps of depth images."""
        features = self.backbone(depth)
        last = self.stages(features.context, features.num_features)[-1]
        return last.heatmaps, last.pafs


class DepthPlan(Plan):
    """DepthPose and RTPose, see `orplugins.export.plan.Plan`."""

    outputs = ("heatmaps", "pafs")
    dynamic = {"depth": {0: "batch"}}

    def __init__(self, config: str, weights: str):
        # Tiled convolutions are torch's business: an engine has its own.
        self.model = load_model(config, weights, {"model.fast_convolutions": False})
        self.module = LastMaps(self.model).eval()
        self.load, self.input = (step_of(self.model.cfg, name) for name in ("LoadDepth", "DepthToInput"))
        width, height = self.input.size
        self.examples = {"depth": torch.rand(2, 1, height, width, generator=torch.Generator().manual_seed(0))}

    def metadata(self, source: Source, opset: int, precision: str) -> Metadata:
        """What the file says of itself."""
        codec, step = self.model.head.decoder, self.input
        options = {"z_max_mm": step.z_max_mm, "filter": step.filter, "holes": step.holes}
        options["flip_test"] = bool(self.model.test_cfg.get("flip_test", False))
        if step.frame_size:
            options["results"] = list(step.frame_size)
        settings = {name: getattr(codec.settings, name) for name in type(codec.settings).__dataclass_fields__}
        return Metadata(
            "depthpose",
            InputSpec("depth", "mm" if self.load.bits == 16 else "8-bit", step.size, self.load.size, options=options),
            {"type": "paf", "scale": codec.decode_scale, "decode": codec.decode_how, "settings": settings},
            source,
            opset,
            precision,
            COCO_17,
        )

    def feeds(self, count: int) -> Iterator[dict[str, np.ndarray]]:
        """Inputs of generated depth images."""
        step = self.input
        for image in _frames(count, CALIBRATION_SEED, self._generated)[1].values():
            image = unit_image(image, step.size, step.z_max_mm, step.filter, step.holes)
            yield {"depth": image[None, None]}

    @property
    def _generated(self) -> tuple[int, int]:
        """(width, height) of generated images: what the metadata asks for, else small ones."""
        size = self.input.size if self.load.bits == 8 else self.load.size or self.input.size
        return max(_SMALL, tuple(size))

    def score(self, model) -> dict[str, float]:
        """Figures of `orplugins.finetune.scores.keypoint_scores` on generated frames."""
        coco, images = _frames(TEST_FRAMES, TEST_SEED, self._generated)
        spec = model.metadata.input
        if spec.unit == "8-bit":
            images = {key: sensor_view(image, spec.size, self.input.z_max_mm) for key, image in images.items()}
        found = {key: model(image) for key, image in images.items()}
        return people_scores(coco, found, COCO_17)


def _frames(count: int, seed: int, size: tuple[int, int]):
    """Three views of every moment: rendering takes most of the time that a moment does."""
    coco, images = generate(-(-count // 3), seed, size=size, views=3, people=(1, 5))
    kept = dict(list(images.items())[:count])
    for key in ("images", "annotations"):
        name = "id" if key == "images" else "image_id"
        coco[key] = [record for record in coco[key] if record[name] in kept]
    return coco, kept
