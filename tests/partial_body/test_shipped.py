"""The networks that ship stand in where none is named."""

import pytest

from orplugins.partial_body.shipped import DETECTOR_LABELS, DETECTOR_SCORE, completed
from orplugins.resources import SHIPPED, resource


def test_nothing_named():
    found = completed({"config": None, "box_score": None})
    assert found["config"] == resource(SHIPPED["partial-body"][0]) and found["checkpoint"].suffix == ".safetensors"
    assert found["detector_weights"] == resource(SHIPPED["partial-body-detector"][1])
    assert (found["box_score"], found["labels"]) == (DETECTOR_SCORE, DETECTOR_LABELS)


def test_what_is_named_stays():
    given = {"config": "c.py", "checkpoint": "w.pth", "whole_image": True, "labels": None}
    assert completed(given) == {**given, "box_score": 0.8}
    assert completed({"box_score": 0.0, "labels": ["patient"]})["labels"] == ["patient"]
    assert completed({"box_score": 0.0})["box_score"] == 0.0
    assert completed({"detector_weights": "d.pth"})["detector_weights"] == "d.pth"


@pytest.mark.parametrize("half", [{"config": "c.py"}, {"checkpoint": "w.pth"}, {"detector_config": "d.yaml"}])
def test_half_a_network_is_refused(half):
    with pytest.raises(ValueError, match="or neither"):
        completed(half)
