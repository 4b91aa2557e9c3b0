"""Masks in boxes, heads, the two-domain network, its training step, and reading of weights in detectron2."""

from __future__ import annotations

import logging

import pytest
from adaptor_network import NARROW

torch = pytest.importorskip("torch")
pytest.importorskip("detectron2")

from detectron2.config import get_cfg  # noqa: E402
from detectron2.layers import ShapeSpec  # noqa: E402
from detectron2.modeling import build_model  # noqa: E402
from detectron2.modeling.roi_heads.keypoint_head import KRCNNConvDeconvUpsampleHead  # noqa: E402
from detectron2.structures import BitMasks, Boxes, Instances, Keypoints  # noqa: E402
from detectron2.utils.events import EventStorage  # noqa: E402

from orplugins.adaptor.detectron2.checkpoint import AdaptorCheckpointer  # noqa: E402
from orplugins.adaptor.detectron2.heads import FocalOutputLayers, KRCNNConvDeconvUpsampleHeadGN  # noqa: E402
from orplugins.adaptor.detectron2.mutual import MutualSettings, MutualTrainer  # noqa: E402
from orplugins.adaptor.detectron2.roi_masks import FramedMasks  # noqa: E402
from orplugins.adaptor.detectron2.teacher import Labelling, build_teacher, label_pictures  # noqa: E402
from orplugins.adaptor.ema import TeacherSchedule  # noqa: E402
from orplugins.adaptor.pseudo_labels import Thresholds  # noqa: E402
from orplugins.adaptor.split_norm import batch_of, split_norms  # noqa: E402
from orplugins.hosts.detectron2.config import add_orplugins_config  # noqa: E402

SPLIT = ("MODEL.META_ARCHITECTURE", "GeneralizedRCNNSplitGN", "MODEL.USE_SPLIT_GROUP_NORM", True)
CONFIG = "configs/detectron2/adaptor/kmrcnn_R_50_FPN_3x_gn_amp_sup1.yaml"


def network(*options):
    from pathlib import Path

    cfg = get_cfg()
    add_orplugins_config(cfg)
    cfg.merge_from_file(str(Path(__file__).resolve().parents[2] / CONFIG))
    cfg.merge_from_list([*NARROW, *options])
    torch.manual_seed(0)
    return build_model(cfg)


@pytest.fixture(scope="module")
def split_network():
    """Its target pair differs from its source pair."""
    model = network(*SPLIT, "ORPLUGINS.ADAPTOR.INFER_BRANCH", "aux")
    for norm in split_norms(model):
        norm.aux_bn[0].weight.data *= 1.5
    return model


def records(count: int, seed: int = 0, **extra) -> list[dict]:
    generator = torch.Generator().manual_seed(seed)
    found = []
    for _ in range(count):
        truth = Instances((64, 96), gt_boxes=Boxes(torch.tensor([[10.0, 8, 40, 56], [50, 10, 80, 60]])))
        truth.gt_classes = torch.zeros(2, dtype=torch.int64)
        truth.gt_masks = BitMasks(torch.zeros(2, 64, 96, dtype=torch.bool))
        truth.gt_masks.tensor[0, 8:56, 10:40] = truth.gt_masks.tensor[1, 10:60, 50:80] = True
        truth.gt_keypoints = Keypoints(torch.tensor([[[25.0, 30, 2]] * 17, [[65.0, 30, 2]] * 17]))
        picture = (255 * torch.rand(3, 64, 96, generator=generator)).to(torch.uint8)
        found.append({"image": picture, "instances": truth, "flip_enable": False, **extra})
    return found


# Masks in boxes


def test_masks_in_their_own_boxes_are_as_they_are():
    torch.manual_seed(0)
    masks, boxes = torch.rand(3, 28, 28) > 0.5, torch.tensor([[3.0, 4, 31, 32], [0, 0, 50, 20], [5.5, 7.25, 60, 70]])
    assert torch.equal(FramedMasks(masks, boxes).crop_and_resize(boxes, 28), masks)


def test_masks_move_as_bit_masks_do():
    """A mask in a box of its own size is a bit mask of the picture."""
    torch.manual_seed(0)
    smooth = torch.nn.functional.interpolate(torch.rand(4, 1, 5, 5), (28, 28), mode="bilinear")[:, 0] > 0.5
    frames = torch.tensor([[20.0, 30, 48, 58]]).repeat(4, 1)
    pictures = torch.zeros(4, 100, 100, dtype=torch.bool)
    pictures[:, 30:58, 20:48] = smooth
    proposals = torch.tensor([[15.0, 20, 50, 60], [22, 33, 44, 50], [0, 0, 90, 90], [60, 60, 90, 90]])
    expected = BitMasks(pictures).crop_and_resize(proposals, 28)
    assert torch.equal(FramedMasks(smooth, frames).crop_and_resize(proposals, 28), expected)
    assert not expected[3].any()


def test_masks_scale_with_the_picture():
    torch.manual_seed(0)
    masks = torch.nn.functional.interpolate(torch.rand(2, 1, 4, 4), (28, 28), mode="bilinear")[:, 0] > 0.5
    frames, proposals = torch.tensor([[10.0, 10, 50, 80]] * 2), torch.tensor([[5.0, 15, 45, 90], [20, 20, 40, 60]])
    one = FramedMasks(masks, frames).crop_and_resize(proposals, 28)
    two = FramedMasks(masks, 3 * frames).crop_and_resize(3 * proposals, 28)
    assert (one != two).float().mean() < 0.01


def test_masks_without_frames_fit_one_head_only():
    masks = FramedMasks(torch.ones(2, 28, 28))
    assert masks.crop_and_resize(torch.zeros(2, 4), 28).all()
    with pytest.raises(ValueError, match="found a mask head of 14, expected 28"):
        masks.crop_and_resize(torch.zeros(2, 4), 14)


def test_masks_as_a_field_of_instances():
    truth = Instances((50, 50), gt_masks=FramedMasks(torch.rand(3, 28, 28) > 0.5, torch.rand(3, 4)))
    some = truth[torch.tensor([2, 0])]
    assert len(some.gt_masks) == 2 and torch.equal(some.gt_masks.masks[0], truth.gt_masks.masks[2])
    assert len(truth[1].gt_masks) == 1 and len(truth[torch.zeros(3, dtype=torch.bool)].gt_masks) == 0
    both = Instances.cat([truth.to("cpu"), some])
    assert len(both.gt_masks) == 5 and torch.equal(both.gt_masks.boxes[3], truth.gt_masks.boxes[2])
    assert "2 of 28x28 in boxes" in repr(some.gt_masks) and both.gt_masks.device == torch.device("cpu")
    empty = FramedMasks(torch.zeros(0, 28, 28), torch.zeros(0, 4))
    assert empty.crop_and_resize(torch.zeros(0, 4), 28).shape == (0, 28, 28)
    with pytest.raises(ValueError, match="3 masks in 2 frames"):
        FramedMasks(torch.ones(3, 28, 28), torch.zeros(2, 4))


# Heads


def test_keypoint_head_without_a_norm_is_the_stock_one():
    options = dict(num_keypoints=17, conv_dims=(32, 32), loss_normalizer="visible")
    stock, ours = (
        kind(ShapeSpec(channels=16), **options) for kind in (KRCNNConvDeconvUpsampleHead, KRCNNConvDeconvUpsampleHeadGN)
    )
    ours.load_state_dict(stock.state_dict())
    given = torch.rand(2, 16, 14, 14)
    assert torch.equal(ours.layers(given), stock.layers(given))


def test_initial_keypoint_head():
    head = KRCNNConvDeconvUpsampleHeadGN(ShapeSpec(channels=16), num_keypoints=17, conv_dims=(64, 32), norm="GN")
    for name, value in head.named_parameters():
        if name.endswith("bias"):
            assert not value.any()
        elif ".norm." in name:
            assert (value == 1).all()
        else:  # fan out, gain of ReLU
            spread = (2 / (value.shape[0] * value[0, 0].numel())) ** 0.5
            assert float(value.std()) == pytest.approx(spread, rel=0.2) or name.startswith("score")
    assert "conv_fcn1.bias" not in head.state_dict()


def test_box_losses_that_a_config_can_name():
    assert isinstance(network().roi_heads.box_predictor, FocalOutputLayers)
    stock = network("MODEL.ROI_BOX_HEAD.LOSS", "CE").roi_heads.box_predictor
    assert not isinstance(stock, FocalOutputLayers)
    with pytest.raises(ValueError, match="MODEL.ROI_BOX_HEAD.LOSS: found 'Focal', expected one of CE, FocalLoss"):
        network("MODEL.ROI_BOX_HEAD.LOSS", "Focal")


# The network of two domains


def test_losses_of_source_and_target(split_network):
    model = split_network.train()
    batch = records(3)
    for each in batch[2:]:
        each["target"] = True
    with EventStorage():
        source, target = model(batch)
        with batch_of(model, branch=0):
            alone = model(batch[:2])
    assert source.keys() == target.keys() == alone.keys()
    (sum(source.values()) + sum(target.values())).backward()
    norm = split_norms(model)[0]
    assert norm.weight.grad.any() and norm.aux_bn[0].weight.grad.any()
    model.zero_grad()
    sum(alone.values()).backward()
    assert norm.weight.grad.any() and not norm.aux_bn[0].weight.grad.any()  # reached, and left as it is
    model.zero_grad()


def test_the_order_of_domains_is_checked(split_network):
    model = split_network.train()
    first, second = records(2)
    with pytest.raises(ValueError, match="expected the source's and then the target's"):
        model([{**first, "target": True}, second])
    with pytest.raises(ValueError, match="found 3 pictures"):
        model(records(3))


def test_pictures_of_the_training_are_drawn(split_network):
    model = split_network.train()
    model.vis_period = 1
    try:
        with EventStorage() as storage:
            model(records(2))
            assert storage._vis_data
    finally:
        model.vis_period = 0


def test_the_pair_at_inference(split_network):
    given = records(1)
    kinds = {}
    for kind in ("published", "main", "aux"):
        model = network(*SPLIT, "ORPLUGINS.ADAPTOR.INFER_BRANCH", kind).eval()
        model.load_state_dict(split_network.state_dict())
        with torch.no_grad():
            kinds[kind] = model.backbone(model.preprocess_image(given).tensor)["p3"]
    assert torch.equal(kinds["published"], kinds["main"]) and not torch.allclose(kinds["main"], kinds["aux"])


# A step


def settings(**options) -> MutualSettings:
    labelling = Labelling(Thresholds(box=options.pop("box", 0.0), keypoint=0.0))
    return MutualSettings(TeacherSchedule(options.pop("burn_in", 0), 10, 0.0, 0.9, 1), labelling, **options)


class Streams(list):
    """Steps that are given."""

    skip, unlabelled = 0, 2


def trainer_of(model, steps: int, **options) -> MutualTrainer:
    given = [(records(1, 1), records(1, 2), records(2, 3), records(2, 3)) for _ in range(steps)]
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
    return MutualTrainer(model.train(), build_teacher(model), Streams(given), optimizer, settings(**options))


def run(trainer: MutualTrainer, step: int) -> dict:
    trainer.iter = step
    with EventStorage(step) as storage:
        trainer.run_step()
        return {name: value for name, (value, _) in storage.latest().items()}


def test_only_confident_people_are_looked_at(split_network):
    """A higher threshold gives those of the lower one that are above it: nothing else changes."""
    teacher = split_network.eval()
    given = records(2, 3)
    limits = [Labelling(Thresholds(box=box, keypoint=0.0)) for box in (0.0, 0.5)]
    with torch.no_grad():
        everybody = teacher.inference(given, do_postprocess=False)
    high = sorted(float(score) for found in everybody for score in found.scores)[-4]
    limits[1] = Labelling(Thresholds(box=high, keypoint=0.0))
    _, low_found = label_pictures(teacher, given, given, limits[0])
    some, high_found = label_pictures(teacher, given, given, limits[1])
    assert low_found.people == sum(map(len, everybody)) and high_found.people == 3
    expected = torch.cat([found.pred_boxes.tensor[found.scores > high] for found in everybody])
    torch.testing.assert_close(torch.cat([each["instances"].gt_boxes.tensor for each in some]), expected)
    assert teacher.roi_heads.box_predictor.test_score_thresh == 0.05


def test_one_picture_without_people(split_network, monkeypatch):
    """`corrected` keeps the other picture's labels, `published` drops them."""
    from orplugins.adaptor.detectron2 import mutual

    def one_of_two(teacher, weak, strong, labelling):
        found, counted = label_pictures(teacher, weak, strong, labelling)
        counted.labelled -= 1
        return found[:1], counted

    monkeypatch.setattr(mutual, "label_pictures", one_of_two)
    for published in (False, True):
        trainer = trainer_of(network(*SPLIT), 1, split=True, published_fallback=published)
        sizes = []
        trainer.student.backbone.register_forward_hook(lambda _, given, found, sizes=sizes: sizes.append(len(given[0])))
        logged = run(trainer, 0)
        assert sizes == ([4] if published else [3])
        assert logged["adaptor/fallback_steps"] == 1 and logged["adaptor/pictures_without_label"] == 0.5
        assert logged["loss_cls_unlabel"] > 0


@pytest.mark.parametrize("split", [False, True])
def test_nobody_confident_is_said_once_a_pass(split, caplog):
    trainer = trainer_of(network(*(SPLIT if split else ())), 3, box=0.999, split=split)
    with caplog.at_level(logging.WARNING, "orplugins"):
        logged = [run(trainer, step) for step in range(3)]
    said = [each.getMessage() for each in caplog.records if "no confident person" in each.getMessage()]
    assert len(said) == 3 and "in 2 unlabelled pictures" in said[0] and "UDA.BBOX_THRESHOLD 0.999" in said[0]
    assert all(each["loss_cls_unlabel"] == 0 and each["adaptor/pictures_without_label"] == 1 for each in logged)


def test_burn_in_of_split_norms():
    """The source learns in its own pair; at the end the target's pair begins with it."""
    trainer = trainer_of(network(*SPLIT), 3, split=True, burn_in=2)
    norm = split_norms(trainer.student)[0]
    before = norm.aux_bn[0].weight.clone()
    logged = run(trainer, 0)
    run(trainer, 1)
    assert torch.equal(norm.aux_bn[0].weight, before) and not torch.equal(norm.weight, before)
    assert not any("unlabel" in name for name in logged)
    at_the_end = norm.weight.clone()
    seen = []
    trainer.student.backbone.register_forward_pre_hook(lambda *_: seen.append(norm.aux_bn[0].weight.clone()))
    run(trainer, 2)
    assert torch.equal(seen[0], at_the_end)


def test_what_is_counted_is_kept():
    trainer = trainer_of(network(), 1)
    trainer.fallback_steps, trainer.silent_pictures = 3, 1
    other = trainer_of(network(), 1)
    other.load_state_dict(trainer.state_dict())
    assert (other.fallback_steps, other.silent_pictures) == (3, 1)


# Weights


def test_published_files_and_starts(tmp_path):
    model = network()
    state = {**model.state_dict(), "pixel_mean": torch.zeros(3, 1, 1)}
    state.update({f"proposal_generator.anchor_generator.cell_anchors.{n}": torch.zeros(3, 4) for n in range(5)})
    torch.save({"model": state, "optimizer": {}, "scheduler": {}, "iteration": 5}, tmp_path / "published.pth")
    other = network("SEED", 2)
    other.backbone.bottom_up.stem.conv1.weight.data.zero_()
    AdaptorCheckpointer(other).load(str(tmp_path / "published.pth"))
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in model.state_dict().items())
    # A backbone whose batch norms become group norms, in the names that the release's start weights have.
    start = {name.removeprefix("backbone.bottom_up."): value for name, value in model.state_dict().items()
             if name.startswith("backbone.bottom_up.")}  # fmt: skip
    start["stem.conv1.norm.running_mean"] = torch.ones(32)
    start["stem.conv1.norm.weight"] = torch.full((32,), 3.0)
    torch.save({"model": start, "matching_heuristics": True}, tmp_path / "start.pth")
    split = network(*SPLIT)
    AdaptorCheckpointer(split).load(str(tmp_path / "start.pth"))
    norm = split.backbone.bottom_up.stem.conv1.norm
    assert (norm.weight == 3).all() and (norm.aux_bn[0].weight == 3).all()
    with pytest.raises(ValueError, match="is for another model"):
        AdaptorCheckpointer(split, exact=True).load(str(tmp_path / "start.pth"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.update({"backbone.fpn_output2.norm.running_mean": torch.zeros(32)}), "with batch norms"),
        (lambda state: state.pop("backbone.fpn_output2.norm.weight"), "without 1 of the network's norms"),
        (lambda state: state.pop("roi_heads.mask_head.deconv.weight"), "is for another model"),
        (lambda state: state.update({"backbone.fpn_output2.norm.aux_bn.0.weight": torch.zeros(32)}), "of two domains"),
    ],
)
def test_other_networks_are_refused(tmp_path, change, message):
    model = network()
    state = dict(model.state_dict())
    change(state)
    torch.save({"model": state}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match=message) as error:
        AdaptorCheckpointer(model).load(str(tmp_path / "other.pth"))
    assert "other.pth" in str(error.value)
