"""AdaptOR: a training step of student and teacher against detectron2's stock models doing the same work apart.

The stock side is a Keypoint + Mask R-CNN with group norm that learns from the labelled and from the pseudo-labelled
pictures in two passes, and a second one of the same kind that labels the unlabelled ones at its usual threshold. Both
sides begin with the same weights and see the same pictures. ORPLUGINS_BENCH_ADAPTOR=full is the published network at
640x480; otherwise it is a small one.
"""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.harness import Comparison, compare

NAME = "adaptor"
CONFIG = Path(__file__).parents[1] / "configs/detectron2/adaptor/kmrcnn_R_50_FPN_3x_gn_amp_sup1.yaml"
SMALL = ["MODEL.RESNETS.STEM_OUT_CHANNELS", 32, "MODEL.RESNETS.RES2_OUT_CHANNELS", 64, "MODEL.RESNETS.WIDTH_PER_GROUP",
         32, "MODEL.FPN.OUT_CHANNELS", 64, "MODEL.ROI_BOX_HEAD.CONV_DIM", 64, "MODEL.ROI_BOX_HEAD.FC_DIM", 128,
         "MODEL.ROI_MASK_HEAD.CONV_DIM", 64, "MODEL.ROI_KEYPOINT_HEAD.CONV_DIMS", (64,) * 4,
         "MODEL.ROI_HEADS.BATCH_SIZE_PER_IMAGE", 48, "MODEL.RPN.POST_NMS_TOPK_TRAIN", 200,
         "MODEL.RPN.POST_NMS_TOPK_TEST", 100]  # fmt: skip
SPLIT = ["MODEL.META_ARCHITECTURE", "GeneralizedRCNNSplitGN", "MODEL.USE_SPLIT_GROUP_NORM", True]
MOST_REPEATS = 5
PEOPLE = 3


def run(repeats: int) -> list[Comparison]:
    import torch
    from detectron2.config import get_cfg
    from detectron2.modeling import build_model
    from detectron2.structures import BitMasks, Boxes, Instances, Keypoints
    from detectron2.utils.events import EventStorage

    import orplugins  # noqa: F401 - registers
    from orplugins.adaptor.detectron2.mutual import MutualSettings, MutualTrainer
    from orplugins.adaptor.detectron2.teacher import Labelling, build_teacher, label_pictures
    from orplugins.adaptor.ema import TeacherSchedule
    from orplugins.adaptor.pseudo_labels import Thresholds
    from orplugins.hosts.detectron2.config import add_orplugins_config

    full = os.environ.get("ORPLUGINS_BENCH_ADAPTOR") == "full"
    height, width = (480, 640) if full else (120, 160)

    def network(*options):
        cfg = get_cfg()
        add_orplugins_config(cfg)
        cfg.merge_from_file(str(CONFIG))
        cfg.merge_from_list(["MODEL.DEVICE", "cpu", "MODEL.WEIGHTS", "", *([] if full else SMALL), *options])
        torch.manual_seed(0)
        return build_model(cfg)

    stock_parts = ["MODEL.ROI_HEADS.NAME", "StandardROIHeads", "MODEL.ROI_MASK_HEAD.NAME", "MaskRCNNConvUpsampleHead"]
    start = network()

    def records(count: int, seed: int) -> list[dict]:
        generator = torch.Generator().manual_seed(seed)
        found = []
        for _ in range(count):
            corners = torch.rand(PEOPLE, 2, generator=generator) * torch.tensor([0.6, 0.3])
            boxes = torch.cat([corners, corners + torch.tensor([0.25, 0.6])], 1) * torch.tensor([width, height] * 2)
            truth = Instances((height, width), gt_boxes=Boxes(boxes), gt_classes=torch.zeros(PEOPLE).long())
            truth.gt_masks = BitMasks(torch.ones(PEOPLE, height, width, dtype=torch.bool))
            middle = torch.cat([(boxes[:, :2] + boxes[:, 2:]) / 2, 2 * torch.ones(PEOPLE, 1)], 1)
            truth.gt_keypoints = Keypoints(middle[:, None].repeat(1, 17, 1))
            picture = (255 * torch.rand(3, height, width, generator=generator)).to(torch.uint8)
            found.append({"image": picture, "instances": truth, "flip_enable": False})
        return found

    labelled, weak = records(2, 1), records(2, 2)
    with torch.no_grad():
        scores = [float(found.scores[2]) for found in start.eval().inference(weak, do_postprocess=False)]
    labelling = Labelling(Thresholds(box=min(scores), keypoint=0.0))  # two or three people a picture
    pseudo, _ = label_pictures(start, weak, weak, labelling)
    shapes = {"pictures": f"2 labelled, 2 unlabelled of {width}x{height}", "network": "published" if full else "small"}
    few = min(repeats, MOST_REPEATS)
    found = []
    for name, options, split in (("one norm", [], False), ("a pair a domain", SPLIT, True)):
        student = network(*options)
        student.load_state_dict(start.state_dict())
        settings = MutualSettings(TeacherSchedule(0, 10**6, 0.0, 0.9996, 1), labelling, split=split)
        optimizer = torch.optim.SGD(student.parameters(), lr=0.0)
        step = (labelled[:1], labelled[1:], weak, weak)
        ours = MutualTrainer(student, build_teacher(student), _Endless(step), optimizer, settings)

        stock, labeller = network(*stock_parts), network(*stock_parts).eval()
        for model in (stock, labeller):
            model.load_state_dict(start.state_dict())
        stock.train()
        other = torch.optim.SGD(stock.parameters(), lr=0.0)

        def apart(stock=stock, labeller=labeller, other=other):
            with EventStorage(), torch.no_grad():
                labeller.inference(weak, do_postprocess=False)
            with EventStorage():
                losses = [*stock(labelled).values(), *stock(pseudo).values()]
            other.zero_grad()
            sum(losses).backward()
            other.step()

        def together(ours=ours):
            ours.iter = 0
            with EventStorage():
                ours.run_step()

        found.append(
            compare(
                f"AdaptOR, training step, {name}",
                ("two stock models", apart),
                ("student and teacher", together),
                few,
                shapes=shapes,
            )
        )
    return found


class _Endless:
    """The same step again and again."""

    skip, unlabelled = 0, 10**9

    def __init__(self, step: tuple):
        self.step = step

    def __iter__(self):
        while True:
            yield self.step
