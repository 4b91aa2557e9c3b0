"""AdaptOR's configs, tensors, heads, whole model, and its losses in training."""

from __future__ import annotations

import adaptor as ad
import numpy as np
import pytest
from cases import case_arrays

torch = pytest.importorskip("torch")
pytest.importorskip("detectron2")

from detectron2.config import get_cfg  # noqa: E402
from detectron2.structures import BitMasks, Boxes, Instances, Keypoints  # noqa: E402
from detectron2.utils.events import EventStorage  # noqa: E402

from orplugins.adaptor.detectron2.config import add_adaptor_config  # noqa: E402
from orplugins.adaptor.detectron2.roi_masks import FramedMasks  # noqa: E402
from orplugins.adaptor.split_norm import SplitGroupNorm2d  # noqa: E402


def flat(cfg) -> dict:
    rows: dict = {}

    def walk(node, prefix=""):
        for key, value in node.items():
            if isinstance(value, dict):
                walk(value, f"{prefix}{key}.")
            elif not prefix.startswith("ORPLUGINS."):
                rows[prefix + key] = listed(value)

    walk(cfg)
    return rows


def listed(value):
    return [listed(each) for each in value] if isinstance(value, (list, tuple)) else value


@pytest.mark.parametrize("case", ad.cases("added_keys_and_defaults", "published"))
def test_configs(case):
    _, data = case
    stock, cfg = flat(get_cfg()), get_cfg()
    add_adaptor_config(cfg)
    defaults = flat(cfg)
    assert defaults == {**stock, **data["stock_defaults_changed"], **data["added_keys_and_defaults"]}
    for name, own in data["published"].items():
        cfg = get_cfg()
        add_adaptor_config(cfg)
        cfg.merge_from_file(str(ad.CONFIGS / f"{name}.yaml"))
        found, expected = flat(cfg), {**data["published_common"], **own}
        assert {key: found[key] for key in expected} == expected, name
        changed = {key for key, value in found.items() if key not in stock or stock[key] != value}
        assert changed <= expected.keys(), name
        published = cfg.ORPLUGINS.ADAPTOR
        assert {published.INFER_BRANCH, published.MASK_TARGETS, published.FALLBACK, published.BATCHES} == {"published"}


@pytest.mark.slow
@pytest.mark.parametrize("case", ad.cases("plain.state_dict", "split.added"))
def test_tensors(case):
    path, data = case
    plain, split, text = data["plain"], data["split"], data["meta"].get("config", "")
    model = ad.model(ad.config(path.parent, text), filled=False)
    found = {name: list(value.shape) for name, value in model.state_dict().items()}
    assert found == plain["state_dict"]
    assert len(found) == plain["tensors"]
    assert sum(value.numel() for value in model.state_dict().values()) == plain["elements"]
    assert sum(each.numel() for each in model.parameters() if each.requires_grad) == plain["trainable"]
    norms = {n: m for n, m in model.named_modules() if isinstance(m, torch.nn.GroupNorm)}
    columns = data["group_norms"]["columns"]
    assert {n: [getattr(m, key) for key in columns] for n, m in norms.items()} == data["group_norms"]["layers"]
    del model
    for branch, expected in (("published", split["inference_type_found"]), ("aux", ["aux"])):
        options = *ad.SPLIT, "ORPLUGINS.ADAPTOR.INFER_BRANCH", branch
        model = ad.model(ad.config(path.parent, text, *options), filled=False)
        layers = {n: m for n, m in model.named_modules() if isinstance(m, SplitGroupNorm2d)}
        assert sorted({layer.infer_branch for layer in layers.values()}) == sorted(expected)
    assert set(layers) == set(data["split_layers"])
    assert not split["removed"]
    state = {name: list(value.shape) for name, value in model.state_dict().items()}
    assert state == {**plain["state_dict"], **split["added"]}
    assert len(state) == split["tensors"]
    assert sum(value.numel() for value in model.state_dict().values()) == split["elements"]


@pytest.mark.slow
@pytest.mark.parametrize("case", ad.cases("inputs.features_7", "inputs.features_14"))
def test_heads(case):
    path, data = case
    arrays, inputs = case_arrays(path, data), data["inputs"]
    small, large = (
        torch.tensor(ad.normal(inputs[f"features_{side}"], inputs.get(f"sha256_{side}"))) for side in (7, 14)
    )
    heads = ad.model(ad.config(path.parent, data["meta"].get("config", ""))).roi_heads.eval()
    with torch.no_grad():
        box = heads.box_head(small)
        logits, deltas = heads.box_predictor(box)
        masks, joints = heads.mask_head.layers(large), heads.keypoint_head.layers(large)
    for name, found in (("box_features", box), ("cls_logits", logits), ("box_deltas", deltas), ("mask_logits", masks)):
        ad.close(found, arrays[name], 1e-4, 1e-3, name)
    maps = joints.flatten(2)
    stats = torch.stack([maps.mean(2), maps.std(2, unbiased=False), maps.max(2)[0], maps.logsumexp(2)], 2)
    ad.close(stats, arrays["keypoint_stats"], 1e-4, 1e-3)
    np.testing.assert_array_equal(maps.argmax(2), arrays["keypoint_argmax"])
    ad.close(joints[0], arrays["keypoint_logits_row0"], 1e-4, 1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("case", ad.cases("images", "arrays.proposals_i/objectness_i"))
def test_forward(case):
    path, data = case
    arrays, images = case_arrays(path, data), data["images"]
    model = ad.model(ad.config(path.parent, data["meta"]["config"])).eval()
    seen = {}
    model.backbone.register_forward_hook(lambda _, given, found: seen.update(found))
    model.proposal_generator.register_forward_hook(lambda _, given, found: seen.update(proposals=found[0]))
    pictures = [arrays[f"picture_{number}"] for number in range(len(images))]
    records = [{"image": torch.tensor(picture.transpose(2, 0, 1).copy())} for picture in pictures]
    with torch.no_grad():
        results = model.inference(records, do_postprocess=False)
    for level in ("p2", "p3", "p4", "p5", "p6"):
        maps = seen[level].flatten(1).double()
        stats = torch.stack([maps.mean(1), maps.std(1, unbiased=False), maps.abs().mean(1)], 1)
        ad.close(stats, arrays[f"feature_{level}_stats"], 1e-3, 1e-3, level)
    for number, (image, found, proposed) in enumerate(zip(images, results, seen["proposals"], strict=True)):
        assert list(pictures[number].shape[:2]) == image["size_hw"] and len(proposed) == image["proposals"]
        few = len(arrays[f"proposals_{number}"])
        ad.close(proposed.proposal_boxes.tensor[:few], arrays[f"proposals_{number}"], 0, 1e-2)
        ad.close(proposed.objectness_logits[:few], arrays[f"objectness_{number}"], 1e-3, 1e-3)
        assert len(found) == image["detections"]
        ad.close(found.scores, arrays[f"scores_{number}"], 0, 1e-4)
        ad.close(found.pred_boxes.tensor, arrays[f"boxes_{number}"], 0, 1e-2)
        ad.close(found.pred_keypoints[..., :2], arrays[f"keypoints_{number}"][..., :2], 0, 1e-2)
        ad.close(found.pred_keypoints[..., 2], arrays[f"keypoints_{number}"][..., 2], 1e-3, 1e-5)
        ad.close(found.pred_masks, arrays[f"masks_{number}"], 0, 1e-3)


def record(arrays: dict, number: int, kind: str) -> dict:
    """A record of training; `kind` is a case's name of its masks."""
    picture = arrays[f"picture_{number}"]
    truth = Instances(picture.shape[:2])
    truth.gt_boxes = Boxes(torch.tensor(arrays[f"boxes_{number}"]))
    truth.gt_classes = torch.zeros(len(truth.gt_boxes), dtype=torch.int64)
    truth.gt_keypoints = Keypoints(torch.tensor(arrays[f"keypoints_{number}"]))
    if kind.startswith("roi_masks"):
        truth.gt_masks = FramedMasks(torch.tensor(arrays[f"roi_masks_{number}"]))
    else:
        truth.gt_masks = BitMasks(torch.tensor(arrays[f"bitmasks_{number}"]))
    return {"image": torch.tensor(picture.transpose(2, 0, 1).copy()), "instances": truth}


@pytest.mark.slow
@pytest.mark.parametrize("case", ad.cases("cases.labelled.gradient_norms_of_the_sum"))
def test_training_losses(case):
    path, data = case
    for architecture in {each["meta_architecture"]: None for each in data["cases"].values()}:
        split = architecture == "GeneralizedRCNNSplitGN"
        cfg = ad.config(path.parent, data["meta"]["config"], *(ad.SPLIT if split else ()))
        assert cfg.MODEL.META_ARCHITECTURE == architecture
        model = ad.model(cfg).train()
        for name, each in data["cases"].items():
            if each["meta_architecture"] == architecture:
                compare_training(model, case_arrays(path, data), name, each)


def compare_training(model: torch.nn.Module, arrays: dict, name: str, each: dict) -> None:
    split = each["meta_architecture"] == "GeneralizedRCNNSplitGN"
    model.zero_grad()
    records = [record(arrays, *pair) for pair in zip(each["records"], each["gt_masks"], strict=True)]
    torch.manual_seed(each["seed"])
    with EventStorage() as storage:
        losses = model(records)
        scalars = {key: value for key, (value, _) in storage.latest().items()}
    halves = dict(zip(("first_half", "second_half"), losses, strict=True)) if split else {"": losses}
    for half, found in halves.items():
        expected = each["losses"][half] if half else each["losses"]
        assert found.keys() == expected.keys()
        for key, value in expected.items():
            ad.close(found[key], np.array(value), 1e-3, 1e-6, f"{name} {half} {key}")
    if not split:  # which half's numbers the release keeps is the last writer's
        for key, value in each["scalars"].items():
            assert scalars[key] == pytest.approx(value, rel=1e-3), (name, key)
    sum(value for found in halves.values() for value in found.values()).backward()
    parameters = dict(model.named_parameters())
    for key, value in each["gradient_norms_of_the_sum"].items():
        ad.close(parameters[key].grad.norm(), np.array(value), 5e-3, 1e-6, f"{name} {key}")
