"""ORPose-Color: decoding, the whole keypoint head, the whole student, against detectron2's own way."""

from __future__ import annotations

from pathlib import Path

from benchmarks.harness import Comparison, compare

NAME = "keypoints3d"
CONFIG = Path(__file__).parents[1] / "configs/detectron2/orpose_color/orpose_fixed_12x.yaml"
REGIONS = 10
# One batched decoding is too short to be timed alone.
RUNS = 10
# Whole networks take seconds.
MOST_REPEATS = 5


def run(repeats: int) -> list[Comparison]:
    import numpy as np
    import torch
    from detectron2 import model_zoo
    from detectron2.config import get_cfg
    from detectron2.layers import ShapeSpec
    from detectron2.modeling import build_model
    from detectron2.structures import Boxes, Instances, heatmaps_to_keypoints

    import orplugins  # noqa: F401 - registers
    from orplugins.hosts.detectron2.config import add_orplugins_config
    from orplugins.orpose_color.decode import decode_batched
    from orplugins.orpose_color.detectron2.keypoint_head import StandardKeypoints3DHead
    from orplugins.orpose_color.lifting import statistics_of

    torch.manual_seed(0)
    random = np.random.default_rng(0)
    # People in a 640x480 picture of an operating room: 60 to 180 pixels wide, 150 to 400 high.
    corner, size = random.uniform((0, 0), (460, 80), (REGIONS, 2)), random.uniform((60, 150), (180, 400), (REGIONS, 2))
    boxes = torch.tensor(np.concatenate([corner, corner + size], axis=1), dtype=torch.float32)
    maps = 3 * torch.randn(REGIONS, 17, 28, 28)
    maps = torch.nn.functional.interpolate(maps, scale_factor=2, mode="bilinear", align_corners=False)
    statistics = statistics_of(random.uniform(0, 480, (50, 17, 2)), random.normal(0, 500, (50, 17, 3)))
    heads = {
        decode: StandardKeypoints3DHead(ShapeSpec(256, 14, 14), decode=decode, statistics=statistics).eval()
        for decode in ("published", "batched")
    }
    heads["batched"].load_state_dict(heads["published"].state_dict())
    features = torch.randn(REGIONS, 256, 14, 14)

    @torch.no_grad()
    def head(decode: str):
        instances = Instances((480, 640), pred_boxes=Boxes(boxes), pred_classes=torch.zeros(REGIONS, dtype=torch.long))
        heads[decode](features, [instances])

    def model(path, options):
        cfg = get_cfg()
        add_orplugins_config(cfg)
        cfg.merge_from_file(str(path))
        cfg.merge_from_list(
            [
                "MODEL.DEVICE",
                "cpu",
                "MODEL.WEIGHTS",
                "",
                "MODEL.ROI_HEADS.SCORE_THRESH_TEST",
                0.0,
                "TEST.DETECTIONS_PER_IMAGE",
                REGIONS,
                *options,
            ]
        )
        return build_model(cfg).eval()

    stock = model(model_zoo.get_config_file("COCO-Keypoints/keypoint_rcnn_R_50_FPN_1x.yaml"), [])
    student = model(CONFIG, [])
    student.roi_heads.keypoint_head.statistics = heads["batched"].statistics
    common = {k: v for k, v in stock.state_dict().items() if k in student.state_dict()}
    student.load_state_dict(common, strict=False)
    picture = [{"image": torch.rand(3, 480, 640) * 255, "height": 480, "width": 640}]

    @torch.no_grad()
    def whole(network):
        network(picture)

    def many(decode):
        return lambda: [decode(maps, boxes) for _ in range(RUNS)]

    shapes = {"regions": str(REGIONS), "maps": "17 x 56 x 56"}
    few = min(repeats, MOST_REPEATS)
    return [
        compare(
            f"keypoint decoding, {RUNS} times",
            ("heatmaps_to_keypoints", many(heatmaps_to_keypoints)),
            ("batched", many(decode_batched)),
            repeats,
            shapes=shapes,
        ),
        compare(
            "keypoint head with lifting",
            ("published", lambda: head("published")),
            ("batched", lambda: head("batched")),
            few,
            shapes={**shapes, "features": "256 x 14 x 14"},
        ),
        compare(
            "whole model, 480x640",
            ("detectron2's keypoint R-CNN", lambda: whole(stock)),
            ("student", lambda: whole(student)),
            few,
            shapes={"detections": str(REGIONS)},
        ),
    ]
