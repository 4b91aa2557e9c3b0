"""What a model file says of itself: written and read again, and refused in one line where it does not fit."""

from __future__ import annotations

import json

import pytest

from orplugins.deploy import InputSpec, Metadata, Source
from orplugins.deploy.metadata import parse_metadata
from orplugins.skeletons import COCO_17, Skeleton

SOURCE = Source("config.py", "weights.safetensors", "0" * 64, "CC0-1.0", "0.1.0")
OWN = Skeleton("own", ("left_a", "right_a", "b"), ((0, 2), (1, 2)))


def metadata(**changes) -> Metadata:
    spec = InputSpec("color", "uint8", (144, 192), None, "rgb", (1.0, 2.0, 3.0), (4.0, 5.0, 6.0), {"padding": 1.25})
    values = {"method": "partial-body", "input": spec, "codec": {"type": "heatmap"}, "source": SOURCE, "opset": 18}
    return Metadata(**{**values, "skeleton": COCO_17, **changes})


@pytest.mark.parametrize("skeleton", [COCO_17, OWN, None])
def test_it_is_read_as_it_was_written(skeleton):
    written = metadata(skeleton=skeleton, points_skeleton=skeleton, classes=("patient", "user"))
    read = parse_metadata(written.to_json(), "model.onnx")
    assert read == written
    if skeleton is COCO_17:
        assert read.skeleton is COCO_17  # with its sigmas


def test_flip_pairs_are_there_for_others():
    assert json.loads(metadata(skeleton=OWN).to_json())["skeleton"]["flip_pairs"] == [[0, 1]]


def changed(**changes) -> str:
    return json.dumps({**json.loads(metadata().to_json()), **changes})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no metadata of orplugins"),
        ("", "no metadata of orplugins"),
        ("{", "not JSON"),
        ("[]", "found format None, expected 1"),
        (changed(format=2), "found format 2, expected 1: export it again"),
        (changed(precision="int3"), "precision: found 'int3'"),
        (changed(surprise=1), "unknown field surprise"),
        (changed(input=3), "input: found int, expected an object"),
        (changed(input={"kind": "sound", "unit": "dB"}), "input.kind: found 'sound'"),
        (changed(input={"kind": "depth", "unit": "mm", "size": [0, 3]}), r"input.size: found \[0, 3\]"),
        (changed(source={}), "source: no field config, weights, sha256"),
        (changed(skeleton={"name": "own", "joints": ["a"], "limbs": [[0, 1]]}), "a limb ends at a joint"),
        (changed(skeleton={"name": "own"}), "no field 'joints'"),
    ],
)
def test_what_is_refused(text, message):
    with pytest.raises(ValueError, match=message) as error:
        parse_metadata(text, "model.onnx")
    assert str(error.value).startswith("model.onnx: ") and "\n" not in str(error.value)


def test_a_field_that_is_missing():
    record = json.loads(metadata().to_json())
    del record["input"]
    with pytest.raises(ValueError, match="metadata: no field input"):
        parse_metadata(json.dumps(record), "model.onnx")
