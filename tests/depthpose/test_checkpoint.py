"""Names of the published DepthPose checkpoints."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from orplugins.depthpose.checkpoint import convert_published, is_published  # noqa: E402
from orplugins.depthpose.network import DepthPose  # noqa: E402

MODEL0 = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25)


def published_modules() -> list[str]:
    """The release's convolutions: 10 of super-resolution, 3 skip, 12 of the extractor, 52 of the stages."""
    names = [f"stage{step}_conv{k}" for step, last in ((1, 3), (2, 3), (3, 4)) for k in range(1, last + 1)]
    names += ["conv_x2_1", "conv_x4_1", "conv_x4_2", *(f"model0.{k}" for k in MODEL0)]
    for branch in (1, 2):
        names += [f"model1_{branch}.{k}" for k in range(0, 10, 2)]
        names += [f"model{stage}_{branch}.{k}" for stage in (2, 3, 4) for k in range(0, 14, 2)]
    return names


def published(prefix: str = "") -> dict:
    return {f"{prefix}{name}.{leaf}": torch.empty(0) for name in published_modules() for leaf in ("weight", "bias")}


@pytest.fixture(scope="module")
def expected():
    with torch.device("meta"):
        return DepthPose().state_dict()


@pytest.mark.parametrize("prefix", ["", "module."])
def test_published_names_are_all_of_ours(prefix, expected):
    names = published(prefix)
    assert len(names) == 154 and is_published(names)
    assert convert_published(names).keys() == expected.keys()


def test_prefixes(expected):
    renamed = convert_published(published(), trunk="backbone.trunk.", stages="head.stages.")
    assert {name.split(".")[0] for name in renamed} == {"backbone", "head"}
    assert len(renamed) == len(expected)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("stage1_conv1.weight", "trunk.sr.0.0.weight"),
        ("stage3_conv4.bias", "trunk.sr.2.6.bias"),
        ("conv_x2_1.weight", "trunk.skips.0.1.weight"),
        ("conv_x4_2.weight", "trunk.skips.1.4.weight"),
        ("model0.25.bias", "trunk.extractor.25.bias"),
        ("model1_1.8.weight", "stages.paf_stages.0.8.weight"),
        ("model4_2.12.bias", "stages.heatmap_stages.3.12.bias"),
    ],
)
def test_single_names(old, new):
    assert list(convert_published({old: 0})) == [new]


def test_our_own_names_are_not_taken_for_published_ones(expected):
    assert not is_published(expected) and not is_published({})
    assert not is_published({f"backbone.{name}": 0 for name in expected})


def test_unknown_names_are_listed():
    with pytest.raises(ValueError, match="unknown names model5_1.0.weight, stage4_conv1.weight"):
        convert_published({**published(), "stage4_conv1.weight": 0, "model5_1.0.weight": 0})
