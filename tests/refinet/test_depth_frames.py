"""Frames of poses and depth images; people of an impossible size."""

from pathlib import Path

import numpy as np
import pytest

from orplugins.io.poses2d import PoseFrames
from orplugins.refinet.body_size import BONES, body_scale, contradicted
from orplugins.refinet.depth_frames import depth_files, pair_depth
from orplugins.skeletons import COCO_17, ITOP_15
from orplugins.structures import Poses2D


def frames(*names, numbers=None):
    pose = np.ones((1, 17, 3))
    numbers = numbers or [None] * len(names)
    return PoseFrames("p.json", tuple(Poses2D(n, pose, COCO_17, k) for n, k in zip(names, numbers, strict=True)))


def paired(read, *files):
    found = pair_depth(read, [Path("/rec/cam1/depth") / file for file in files])
    return {frame.frame: path.name for frame, path in found.pairs}, found


@pytest.mark.parametrize(
    "names, numbers, files",
    [
        (["a", "b"], None, ["a.png", "b.png"]),
        (["day1/cam1/color/a.jpg", "day1/cam1/color/b.jpg"], None, ["a.png", "b.png"]),
        (["3", "12"], [3, 12], ["000003.png", "000012.png"]),
        (["take.v2_000000000003", "take.v2_000000000012"], [3, 12], ["3.png", "12.png"]),
        (["c_1700000000033333", "c_1700000000066666"], [1700000000033333, 1700000000066666],
         ["1700000000033.png", "1700000000067.png"]),
    ],
)  # fmt: skip
def test_frames_and_depth_images(names, numbers, files):
    assert list(paired(frames(*names, numbers=numbers), *files)[0].items()) == list(zip(names, files, strict=True))


def test_other_cameras_are_left_out_and_a_missing_image_is_a_failure():
    names = [f"rec/cam{c}/{k:06d}.png" for c in (1, 2, 3) for k in (0, 1)]
    pairs, found = paired(frames(*names), "000000.png")
    assert pairs == {"rec/cam1/000000.png": "000000.png"}
    assert list(found.missing) == ["000001"] and "000001.png: no such file" in found.missing["000001"]
    assert found.notes == ["p.json: 4 frames are of other cameras and were left out"]


def test_nothing_in_common_is_an_error(tmp_path):
    with pytest.raises(ValueError, match=r"p.json: none of its 2 frames \(a, b, ...\) belongs to one of the 1 depth"):
        paired(frames("a", "b"), "c.png")
    with pytest.raises(FileNotFoundError, match="no PNG file"):
        depth_files(tmp_path)


def person(scale=1.0, z=3.0):
    """A person of middle bone lengths, facing the camera."""
    points = np.zeros((15, 3))
    at = {"neck": (0, -0.5), "head": (0, -0.72), "torso": (0, -0.2), "left_hip": (0.1, 0), "right_hip": (-0.1, 0)}
    for side, sign in (("left", 1), ("right", -1)):
        at |= {
            f"{side}_shoulder": (0.19 * sign, -0.5),
            f"{side}_elbow": (0.19 * sign, -0.2),
            f"{side}_hand": (0.19 * sign, 0.05),
        }
        at |= {f"{side}_knee": (0.1 * sign, 0.42), f"{side}_foot": (0.1 * sign, 0.84)}
    for joint, place in at.items():
        points[ITOP_15.index(joint), :2] = place
    return points * scale + (0, 0, z)


@pytest.mark.parametrize("scale", [0.25, 1.0, 4.0])
def test_scale_of_people(scale):
    assert body_scale(person(scale)[None], np.ones((1, 15), bool)) == pytest.approx(scale, rel=1e-6)
    assert body_scale(person(scale)[None], np.zeros((1, 15), bool)) is None


def test_a_hand_on_the_wall_is_not_trusted():
    points = person()[None]
    hand = ITOP_15.index("left_hand")
    points[0, hand, 2] += 2
    valid = np.ones((1, 15), bool)
    assert np.flatnonzero(contradicted(points, valid)[0]).tolist() == [hand]


def test_middle_lengths_are_possible():
    assert all(middle < most for middle, most in BONES.values())
