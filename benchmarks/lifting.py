"""Temporal lifting of a clip: mmpose's way, one window a frame, against one dense pass."""

from __future__ import annotations

from benchmarks.harness import Comparison, compare

NAME = "lifting"
FRAMES, CHANNELS, WIDTHS = 3000, 1024, (3, 3, 3, 3, 3)
# Stock mmpose takes minutes for a clip of this length: that many windows are run, and their time is scaled up.
WINDOWS = 30


def run(repeats: int) -> list[Comparison]:
    from dataclasses import replace

    import numpy as np
    import torch
    from mmengine.registry import init_default_scope
    from mmpose.models.backbones import TCN
    from mmpose.registry import MODELS

    from orplugins.skeletons import COCO_17, H36M_17
    from orplugins.videopose3d.sequence import lift_normalised, window

    init_default_scope("mmpose")
    torch.manual_seed(0)
    tcn = dict(in_channels=34, stem_channels=CHANNELS, num_blocks=len(WIDTHS) - 1, kernel_sizes=WIDTHS)
    head = dict(type="orplugins.DenseTemporalHead", in_channels=CHANNELS, num_joints=17, loss=dict(type="MPJPELoss"))
    model = MODELS.build(
        dict(type="orplugins.VideoPoseLifter", backbone=dict(type="orplugins.VideoPoseTCN", **tcn), head=head)
    )
    model.eval()
    stock = TCN(use_stride_conv=True, **tcn)
    stock.load_state_dict(model.backbone.state_dict())
    stock.eval()
    clip = np.random.default_rng(0).uniform(-0.5, 0.5, (FRAMES, 17, 2)).astype(np.float32)
    field, pad = model.backbone.receptive_field, (model.backbone.receptive_field - 1) // 2

    @torch.no_grad()
    def windows() -> None:
        # As mmpose's inference_pose_lifter_model is called by its inferencer and demo: one frame at a time.
        for t in range(0, FRAMES, FRAMES // WINDOWS):
            taken = torch.from_numpy(window(clip, t - pad, t + pad + 1)).permute(1, 2, 0).flatten(0, 1)[None]
            model.head(stock(taken))

    def dense() -> None:
        lift_normalised(model._network(False), clip, field)

    def flipped() -> None:
        lift_normalised(model._network(False), clip, field, flip=(COCO_17, H36M_17))

    shapes = {"frames": str(FRAMES), "field": str(field), "channels": str(CHANNELS)}
    out = []
    for name, contender in (("dense", dense), ("dense_flip", flipped)):
        found = compare(
            f"lifting/{name}", ("window by window", windows), (name, contender), min(repeats, 3), shapes=shapes
        )
        factor = FRAMES / WINDOWS
        note = {**shapes, "baseline": f"{WINDOWS} strided windows, scaled to {FRAMES}"}
        out.append(
            replace(
                found,
                baseline_ms=found.baseline_ms * factor,
                ratio=found.ratio * factor,
                low=found.low * factor,
                high=found.high * factor,
                shapes=note,
            )
        )
    return out
