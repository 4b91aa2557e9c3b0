"""Layouts of PAF networks as data: decoding maps of any joints, limbs and channels."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from orplugins.depthpose.paf import PafLayout, decode_layout, encode_paf_targets, named_layout
from orplugins.depthpose.paf.layout import DEPTHPOSE_LAYOUT
from orplugins.geometry.assignment import match_pairs

MAPS = Path(os.environ.get("ORPLUGINS_PAF_MAPS", Path(__file__).parents[3] / "shared/data/depth_real/paf_17"))
CASES = sorted(MAPS.glob("*.json"))
STRIDE = 8


def read_case(path):
    """Maps, layout and people of a case."""
    content, arrays = json.loads(path.read_text()), np.load(path.with_suffix(".npz"))
    heat, paf = arrays["heatmaps"].astype(np.float32), arrays["pafs"].astype(np.float32)
    layout = content["layout"]
    joints = layout["joints"]
    channels = [(x - len(joints), y - len(joints)) for x, y in layout["paf_channels"]]
    background = "first" if heat[0].mean() > 0.5 else "last"
    limbs = tuple((a, b) for a, b in layout["limbs"])
    return (
        content,
        heat,
        paf,
        PafLayout(tuple(joints), limbs, tuple(channels), background),
        arrays["frame_size"],
    )  # (width, height)


@pytest.mark.skipif(not CASES, reason=f"no maps in {MAPS}; see ORPLUGINS_PAF_MAPS")
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_paf_maps(path):
    content, heat, paf, layout, size = read_case(path)
    found = decode_layout(heat, paf, size, layout)
    truth = np.full((len(content["people"]), len(layout.joints), 2), np.nan)
    for person, joints in zip(truth, content["people"], strict=True):
        for x, y, name, _ in joints:
            person[layout.joints.index(name)] = x, y
    assert len(found) == len(truth)
    seen = found.keypoint_scores > 0
    off = np.linalg.norm(truth[:, None] - found.keypoints[None], axis=-1)
    off = np.where(seen[None], off, np.nan)
    owner = match_pairs(np.nanmedian(off, axis=2), np.inf)
    assert sorted(owner.tolist()) == list(range(len(truth)))
    for person, mine in enumerate(owner):
        there = np.isfinite(truth[person, :, 0])
        both = there & seen[mine]
        assert both.sum() >= there.sum() - 1
        assert off[person, mine][both].max() <= 4


def test_the_background_may_be_first_and_channels_in_any_order():
    rng = np.random.default_rng(0)
    keypoints = np.concatenate([rng.uniform(60, 420, (1, 17, 2)), np.full((1, 17, 1), 2.0)], -1)
    heat, paf = encode_paf_targets(keypoints, (512, 512), STRIDE, combine="max")
    plain = decode_layout(heat, paf, (512, 512), DEPTHPOSE_LAYOUT)
    order = rng.permutation(len(paf))
    place = np.argsort(order)
    channels = tuple((int(place[x]), int(place[y])) for x, y in DEPTHPOSE_LAYOUT.paf_channels)
    layout = PafLayout(DEPTHPOSE_LAYOUT.joints, DEPTHPOSE_LAYOUT.limbs, channels, "first", DEPTHPOSE_LAYOUT.field_shift)
    moved = decode_layout(np.roll(heat, 1, axis=0), paf[order], (512, 512), layout)
    assert len(plain) == 1
    np.testing.assert_array_equal(moved.keypoints, plain.keypoints)
    np.testing.assert_array_equal(moved.scores, plain.scores)


def test_mirror_images_of_channels():
    heat, fields, signs = DEPTHPOSE_LAYOUT.flip
    assert heat[-1] == 18 and sorted(heat) == list(range(19)) and sorted(fields) == list(range(38))
    assert signs.tolist() == [-1, 1] * 19
    joints = ("Neck", "LeftArm", "RightArm")
    layout = named_layout(joints, (("Neck", "LeftArm"), ("Neck", "RightArm")), background="first")
    assert [part.tolist() for part in layout.flip] == [[0, 1, 3, 2], [2, 3, 0, 1], [-1, 1, -1, 1]]
    with pytest.raises(ValueError, match="the limb Neck to LeftArm has no mirror image"):
        _ = named_layout(joints, (("Neck", "LeftArm"),)).flip


@pytest.mark.parametrize(
    "options, message",
    [
        (dict(limbs=((0, 5),)), "limbs"),
        (dict(paf_channels=()), "1 limbs and 0 pairs"),
        (dict(background="middle"), "background is 'middle'"),
    ],
)
def test_layouts_that_do_not_fit(options, message):
    with pytest.raises(ValueError, match=message):
        PafLayout(**{"joints": ("a", "b"), "limbs": ((0, 1),), "paf_channels": ((0, 1),), **options})


def test_maps_of_another_layout_are_refused():
    layout = named_layout(("a", "b"), (("a", "b"),))
    with pytest.raises(ValueError, match=r"heat: found shape \(19, 4, 4\), expected \(3, height, width\)"):
        decode_layout(np.zeros((19, 4, 4)), np.zeros((2, 4, 4)), (32, 32), layout)
