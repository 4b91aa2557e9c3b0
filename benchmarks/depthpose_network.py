"""The DepthPose network: one frame with flip test, and the small network's frames a second."""

from __future__ import annotations

from pathlib import Path

from benchmarks.harness import Comparison, compare

NAME = "depthpose_network"
CONFIGS = Path(__file__).parents[1] / "configs/mmpose/depthpose"
# The big network takes seconds a frame.
MOST_REPEATS = 5


def run(repeats: int) -> list[Comparison]:
    import numpy as np
    import torch
    from mmengine.config import Config
    from mmengine.logging import MMLogger
    from mmpose.registry import MODELS
    from mmpose.utils import register_all_modules

    import orplugins  # noqa: F401 - registers
    from orplugins.depth.image import sensor_view

    register_all_modules()
    # init_weights logs each of some hundred parameters.
    MMLogger.get_instance("mmengine").setLevel("WARNING")

    def build(name: str, **options):
        torch.manual_seed(0)
        model = MODELS.build({**Config.fromfile(CONFIGS / f"{name}.py").model, **options})
        model.init_weights()
        return model.eval()

    image = torch.rand(1, 1, 48, 64)
    plain = build("depthpose_mvor-64x48", fast_convolutions=False)
    big, small = build("depthpose_mvor-64x48"), build("depthpose_small-64x48")

    @torch.no_grad()
    def one_by_one():
        trunk, stages = plain.backbone.trunk, plain.head.stages
        for picture in (image, image.flip(-1)):
            out = trunk(picture)
            stages(out.context, out.num_features)

    @torch.no_grad()
    def batched():
        big.head(big.extract_feat(torch.cat([image, image.flip(-1)])))

    depth = np.random.default_rng(0).integers(500, 5000, (480, 640)).astype(np.uint16)

    @torch.no_grad()
    def frame():
        low = torch.from_numpy(sensor_view(depth).astype(np.float32) / 255)[None, None]
        feats = small.extract_feat(low)
        return small.head.predict(feats, [None])

    shapes = {"input": "1x1x48x64"}
    camera = {"camera": "640x480, 16 bits", "network": "1x1x48x64"}
    return [
        compare(
            "network with flip",
            ("two passes", one_by_one),
            ("one batch, channels last, tiled", batched),
            min(repeats, MOST_REPEATS),
            shapes=shapes,
        ),
        compare(
            "40 ms (25 frames a second) against a frame of the small network, from depth image to people",
            ("40 ms", _forty_milliseconds),
            ("small", frame),
            repeats,
            shapes=camera,
        ),
    ]


def _forty_milliseconds() -> None:
    import time

    time.sleep(0.04)
