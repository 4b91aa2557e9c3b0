"""The detector: resolved configuration, tensors, and every map for filled weights."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from cases import case_arrays, fill_state_dict, index_of, params, parity_cases

torch = pytest.importorskip("torch")
pytest.importorskip("detectron2")

from detectron2.config import get_cfg  # noqa: E402
from detectron2.modeling import build_model  # noqa: E402
from detectron2.structures import Boxes, ImageList  # noqa: E402

import orplugins  # noqa: E402
from orplugins.hosts.detectron2.config import add_orplugins_config  # noqa: E402
from orplugins.partial_body.detectron2.detector import detector_config  # noqa: E402

SYSTEM = "partial_body"
CONFIG = Path(__file__).resolve().parents[2] / "configs/detectron2/partial_body/faster_rcnn_R_101_FPN_partial_body.yaml"
ALL = parity_cases(SYSTEM)
CONFIGS = [(n, d) for n, _, d in ALL if "thing_classes" in d and "resolved" in d]
MODELS = [(n, d) for n, _, d in ALL if any(k.startswith("backbone.fpn_") for k in d.get("state_dict", {}))]
FORWARD = [(n, (p, d)) for n, p, d in ALL if "rpn_logits_p4" in d.get("shapes", {})]
# Ours: a model that refuses random weights, data sets of their own names, a folder of its own.
DIFFERENT = {"MODEL.META_ARCHITECTURE", "DATASETS.TRAIN", "DATASETS.TEST", "OUTPUT_DIR"}
# Keys that other components or this machine decide.
ELSEWHERE = {"MODEL.DEVICE"}

orplugins.register()


def flat(node: dict, prefix: str = "") -> dict:
    out = {}
    for key, value in node.items():
        if isinstance(value, dict):
            out |= flat(value, f"{prefix}{key}.")
        else:
            out[prefix + key] = listed(value)
    return out


def listed(value):
    """JSON has no tuples."""
    return [listed(item) for item in value] if isinstance(value, (list, tuple)) else value


@pytest.mark.parametrize("data", params(CONFIGS, SYSTEM))
def test_resolved_configuration(data):
    found, expected = flat(detector_config(CONFIG)), flat(data["resolved"])
    assert set(expected) <= set(found)
    differences = {key for key in expected if found[key] != expected[key]} - ELSEWHERE
    assert differences <= DIFFERENT
    new = {key.replace("_", ".", 1): value for key, value in data["keys_only_in_detectron2_0_7_2"].items()}
    assert all(found[key] == value for key, value in new.items())
    # What our other methods add for themselves is not the detector's.
    stock, extended = get_cfg(), get_cfg()
    add_orplugins_config(extended)
    ours = set(flat(extended)) - set(flat(stock))
    assert set(found) - set(expected) - ours == set(new)


def build():
    cfg = detector_config(CONFIG, ["MODEL.DEVICE", "cpu"])
    return build_model(cfg).eval()


@pytest.fixture(scope="module")
def model():
    """Built once: 60 million parameters."""
    return build()


@pytest.mark.parametrize("data", params(MODELS, SYSTEM))
def test_tensors(model, data):
    state = {name: list(value.shape) for name, value in model.state_dict().items()}
    assert state == data["state_dict"]
    assert sum(parameter.numel() for parameter in model.parameters()) == data["parameters"]


@pytest.fixture(scope="module", params=params(FORWARD, SYSTEM))
def outputs(model, request):
    """(case, arrays, found) with the published slices."""
    path, data = request.param
    shapes = {name: list(value.shape) for name, value in model.state_dict().items()}  # as test_tensors compares
    weights = {n: torch.as_tensor(np.asarray(v)) for n, v in fill_state_dict(shapes).items()}
    model.load_state_dict(weights)
    arrays = case_arrays(path, data)
    shape = [int(n) for n in re.search(r"randint\(0, ?256, ?\(([\d, ]+)\)", data["input"]["formula"])[1].split(",")]
    image = np.random.RandomState(data["seed"]).randint(0, 256, shape).astype(np.float32)
    with torch.no_grad():
        batch = model.preprocess_image([{"image": torch.from_numpy(image)}])
        assert isinstance(batch, ImageList)
        maps = model.backbone(batch.tensor)
        levels = model.proposal_generator.in_features
        logits, deltas = model.proposal_generator.rpn_head([maps[name] for name in levels])
        heads = model.roi_heads
        pooled = heads.box_pooler(
            [maps[name] for name in heads.box_in_features], [Boxes(torch.from_numpy(arrays["proposals"]))]
        )
        features = heads.box_head(pooled)
        classes, boxes = heads.box_predictor(features)
    found = {
        **maps,
        **{f"rpn_logits_{level}": value for level, value in zip(levels, logits, strict=True)},
        **{f"rpn_deltas_{level}": value for level, value in zip(levels, deltas, strict=True)},
        "box_features": features,
        "class_logits": classes,
        "box_deltas": boxes,
    }
    sliced = {name: index_of(text) if text.startswith("[") else ... for name, text in data["slices"].items()}
    return data, arrays, {name: found[name].numpy()[index] for name, index in sliced.items()}


def test_maps_and_heads(outputs):
    _, arrays, found = outputs
    for name, value in found.items():
        assert value.shape == arrays[name].shape, name
        assert np.abs(value - arrays[name]).max() / np.abs(arrays[name]).max() < 1e-4, name
