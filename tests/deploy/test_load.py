"""Opening model files: what is none is refused in one line, whatever the engine."""

from __future__ import annotations

import importlib.util
from dataclasses import replace

import numpy as np
import pytest
from model_files import DEPTH, write_depth_model

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from orplugins.deploy import load, load_chain  # noqa: E402
from orplugins.deploy.engines import open_engine  # noqa: E402

ENGINES = [
    "onnxruntime",
    pytest.param(
        "openvino",
        marks=pytest.mark.skipif(not importlib.util.find_spec("openvino"), reason="openvino is not installed"),
    ),
]


def refused(path, message, engine="onnxruntime"):
    with pytest.raises(ValueError, match=message) as error:
        load(path, engine=engine)
    assert str(path) in str(error.value) and "\n" not in str(error.value) and len(str(error.value)) < 500


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_no_model_file(engine, tmp_path):
    path = tmp_path / "model.onnx"
    for content in (b"", b"\x89PNG\r\n\x1a\n" + bytes(40), b"PK\x03\x04" + bytes(100)):
        path.write_bytes(content)
        refused(path, "does not take it|no metadata", engine)
    whole = write_depth_model(path).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    refused(path, "does not take it", engine)
    write_depth_model(path, metadata=None)
    refused(path, "no metadata of orplugins in it", engine)
    write_depth_model(path, metadata=None, text='{"format": 9}')
    refused(path, "found format 9, expected 1", engine)
    write_depth_model(path, replace(DEPTH, method="dance"))
    refused(path, "found method 'dance'", engine)
    write_depth_model(path, replace(DEPTH, codec={"type": "rows"}))
    refused(path, "expected codec 'paf'", engine)
    write_depth_model(path, replace(DEPTH, opset=99), opset=17)
    refused(path, "opset: found 99, expected 13 to 23", engine)
    if engine == "onnxruntime":  # OpenVINO reads what it knows of it
        write_depth_model(path, opset=99)
        refused(path, "does not take it", engine)


def test_arguments(tmp_path):
    path = write_depth_model(tmp_path / "model.onnx")
    with pytest.raises(FileNotFoundError, match="no such file"):
        load(tmp_path / "other.onnx")
    with pytest.raises(ValueError, match="engine: found 'tensorrt'"):
        load(path, engine="tensorrt")
    with pytest.raises(ValueError, match="threads: found 0"):
        load(path, threads=0)
    (tmp_path / "model.xml").write_text("<net/>")
    with pytest.raises(ValueError, match="OpenVINO's form"):
        load(tmp_path / "model.xml")


@pytest.mark.parametrize("engine", ENGINES)
def test_images_of_another_kind_or_size(engine, tmp_path):
    pose = load(write_depth_model(tmp_path / "model.onnx"), engine=engine)
    room = np.full((30, 40), 2500, np.uint16)
    people = pose(room, "frame 1")
    assert len(people) == 0 and people.frame == "frame 1" and people.size == (40, 30)
    assert [each.size for each in pose.batch([room, room[:20]])] == [(40, 30), (40, 20)]
    for image, message in (
        (room.astype(np.float32), "found float32"),
        (room.astype(np.uint8), "found uint8"),
        (np.zeros((30, 40, 3), np.uint16), r"found uint16 \(30, 40, 3\), expected uint16 \(H, W\)"),
        (np.zeros((0, 40), np.uint16), "found uint16"),
        (np.full((30, 40), 2, np.uint16), "the median distance is 0.002 m"),
    ):
        with pytest.raises(ValueError, match=message):
            pose(image)
    with pytest.raises(ValueError, match="found 1 names for 2 images"):
        pose.batch([room, room], ["one"])
    fixed = replace(DEPTH, input=replace(DEPTH.input, frame=(640, 480)))
    pose = load(write_depth_model(tmp_path / "fixed.onnx", fixed), engine=engine)
    with pytest.raises(ValueError, match="found 40x30 pixels, expected 640x480 as the model's metadata says"):
        pose(room)


def test_an_engine_that_is_not_installed(monkeypatch, tmp_path):
    import sys

    path = write_depth_model(tmp_path / "model.onnx")
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(ImportError, match="pip install openvino"):
        open_engine(path, "openvino")


def test_chains_that_do_not_fit(tmp_path):
    path = write_depth_model(tmp_path / "model.onnx")
    assert load_chain([path]).metadata.method == "depthpose"
    with pytest.raises(ValueError, match="depthpose cannot follow"):
        load_chain([path, path])
    with pytest.raises(ValueError, match="found none"):
        load_chain([])
