"""Joints are found by name."""

import pytest

from orplugins.finetune.joints import places_of
from orplugins.skeletons import CAMMA_10, COCO_17


def test_other_order_other_writing():
    names = ["Right Wrist", "left-shoulder", "nose"]
    places, others = places_of(names, COCO_17.joints, "a.json")
    found = {joint: place for joint, place in zip(COCO_17.joints, places, strict=True) if place is not None}
    assert found == {"right_wrist": 0, "left_shoulder": 1, "nose": 2} and others == []


def test_joints_that_the_network_lacks_are_listed():
    places, others = places_of(CAMMA_10.joints, COCO_17.joints, "a.json")
    assert others == ["head", "neck"] and sum(place is not None for place in places) == 8


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["nose", "left_sholder"], "a.json: 'left_sholder' is no known joint .perhaps left_shoulder., expected"),
        (["nose", "Nose"], "a.json: nose occur twice"),
        (["head", "neck"], "a.json: found head, neck, expected some of the network's: nose"),
        ([3, "nose"], "a.json: 3 is no known joint"),
    ],
)
def test_wrong_names(names, message):
    with pytest.raises(ValueError, match=message):
        places_of(names, COCO_17.joints, "a.json")
