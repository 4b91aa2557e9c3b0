"""Names of published files: old buffers, whole networks, other norms."""

import pytest

from orplugins.adaptor.checkpoint import check_norms, is_whole, without_buffers

NETWORK = ["backbone.bottom_up.stem.conv1.weight", "backbone.bottom_up.stem.conv1.norm.weight",
           "backbone.bottom_up.stem.conv1.norm.bias", "roi_heads.box_predictor.cls_score.weight"]  # fmt: skip
PAIR = "backbone.bottom_up.stem.conv1.norm.aux_bn.0.weight"


def test_buffers_of_old_files_are_left_out():
    buffers = ["pixel_mean", "pixel_std", *(f"proposal_generator.anchor_generator.cell_anchors.{n}" for n in range(5))]
    assert list(without_buffers(dict.fromkeys([*buffers, "module.pixel_mean", *NETWORK]))) == NETWORK


def test_whole_networks_and_backbones():
    assert is_whole(NETWORK) and is_whole([f"module.{name}" for name in NETWORK])
    assert not is_whole(["stem.conv1.weight", "res2.0.conv1.weight"])


def test_what_fits():
    check_norms(NETWORK, NETWORK, "a.pth")
    check_norms(NETWORK, [*NETWORK, PAIR], "a.pth")  # every branch begins with the one pair
    check_norms([*NETWORK, PAIR], [*NETWORK, PAIR], "a.pth")
    check_norms(["stem.conv1.norm.weight", "stem.conv1.norm.running_mean"], NETWORK, "moco.pkl")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([*NETWORK, "backbone.bottom_up.stem.conv1.norm.running_mean"], "was trained with batch norms"),
        ([*NETWORK, PAIR], "pair of normalisation for each of two domains"),
        ([name for name in NETWORK if ".norm." not in name], "was trained without 2 of the network's norms"),
    ],
)
def test_other_norms(names, message):
    with pytest.raises(ValueError, match=message):
        check_norms(names, NETWORK, "a.pth")
