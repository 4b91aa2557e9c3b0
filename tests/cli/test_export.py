"""``orplugins export``: what it prints, and what it refuses in one line with an exit code."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")
pytest.importorskip("mmpose")
pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

from orplugins.cli.export import main  # noqa: E402
from orplugins.deploy import load  # noqa: E402
from orplugins.resources import resource  # noqa: E402

CONFIG = "configs/mmpose/depthpose/depthpose_tiny-64x48.py"
WEIGHTS = "demo/depthpose_tiny-64x48.safetensors"


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def test_a_file_and_what_it_cost(tmp_path, capsys):
    out = tmp_path / "sub" / "model.onnx"
    options = ["--int8", "--calibration", "6", "--licence", "CC0-1.0"]
    assert run(resource(CONFIG), resource(WEIGHTS), "--out", out, *options) == 0
    printed = capsys.readouterr().out
    for text in ("graph: opset 18", "calibrated on 6 generated frames", "fp32: AP", "int8: AP", f"{out}  0."):
        assert text in printed
    metadata = load(out).metadata
    assert metadata.precision == "int8" and metadata.opset == 18
    source = metadata.source
    assert (source.config, source.weights) == ("depthpose_tiny-64x48.py", "depthpose_tiny-64x48.safetensors")
    assert source.licence == "CC0-1.0" and len(source.sha256) == 64
    assert str(tmp_path).encode() not in out.read_bytes() and b"site-packages" not in out.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.py", WEIGHTS, "--out", "m.onnx"], "none.py: no such file"),
        ([CONFIG, "none.pth", "--out", "m.onnx"], "none.pth: no such file"),
        ([CONFIG, WEIGHTS, "--out", "m.pt"], "expected a file that ends in .onnx"),
        ([CONFIG, WEIGHTS, "--out", "m.onnx", "--half", "--int8"], "found both, expected one of them"),
        ([CONFIG, WEIGHTS, "--out", "m.onnx", "--opset", "99"], "opset: found 99"),
        ([CONFIG, WEIGHTS, "--out", "m.onnx", "--int8", "--calibration", "0"], "found 0 frames"),
        ([WEIGHTS, WEIGHTS, "--out", "m.onnx"], "expected a config of mmpose"),
        ([CONFIG, CONFIG, "--out", "m.onnx"], "depthpose_tiny-64x48.py"),
        ([CONFIG, "demo/vitpose-t_people-states.safetensors", "--out", "m.onnx"], "does not fit the DepthPose"),
    ],
)
def test_what_is_refused(arguments, message, tmp_path, monkeypatch, capsys):
    arguments = [str(resource(each)) if each.partition("/")[0] in ("configs", "demo") else each for each in arguments]
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("error: ") and message in printed
    assert not list(tmp_path.iterdir())
