"""The job behind ``orplugins export``: write a network, check it, shrink it, measure what that costs."""

from __future__ import annotations

import importlib.util
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import orplugins
from orplugins.deploy import load
from orplugins.deploy.metadata import OPSETS, Source
from orplugins.export.graph import compare, finish, has_dynamo, write_graph
from orplugins.export.methods import plan_of
from orplugins.export.plan import Plan
from orplugins.export.shrink import to_half, to_int8
from orplugins.io.atomic import atomic_path
from orplugins.io.files import sha256_of
from orplugins.io.run_folder import require_writable

OPSET = 18
CALIBRATION = 60
Say = Callable[[str], None]


@dataclass(frozen=True)
class Exported:
    """What `export` wrote.

    Attributes:
        model: The ONNX file.
        openvino: The ``.xml`` of OpenVINO's form, where it was asked for.
        difference: Output name -> largest difference of the float32 graph from the network, see
            `orplugins.export.graph.compare`.
        scores: Precision -> figures on a generated set (`orplugins.export.plan.Plan.score`), of ``fp32`` and of the
            precision asked for; empty where that is fp32.
    """

    model: Path
    openvino: Path | None
    difference: dict[str, float]
    scores: dict[str, dict[str, float]] = field(default_factory=dict)


def export(
    config: str | os.PathLike,
    weights: str | os.PathLike,
    out: str | os.PathLike,
    half: bool = False,
    int8: bool = False,
    openvino: bool = False,
    opset: int = OPSET,
    licence: str = "unknown",
    calibration: int = CALIBRATION,
    score: bool = True,
    say: Say = lambda line: None,
    **options,
) -> Exported:
    """Write a network as a model file that says of itself all that running it takes.

    Args:
        config: mmpose's (.py), detectron2's (.yaml), or the joint statistics (.json) of ORPose-Color's lifter.
        weights: Of the network.
        out: The ``.onnx`` file to write.
        half: Weights and computation in float16; inputs and outputs stay float32.
        int8: Convolutions and products in 8 bits, calibrated on generated frames.
        openvino: Also write OpenVINO's form beside it, ``.xml`` and ``.bin``.
        opset: Of ONNX.
        licence: Of the weights, put into the metadata.
        calibration: Generated frames for int8.
        score: Measure on a generated set what `half` or `int8` costs.
        say: Called with a line for each step.
        **options: Those of the method's plan.

    Returns:
        What was written and measured.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A config of another network, weights that do not fit, both `half` and `int8`, another suffix, or a
            graph that differs from the network.
        ImportError: What the export needs is not installed.
    """
    config, weights, out = Path(config), Path(weights), Path(out)
    _check(out, half, int8, openvino, opset, calibration)
    plan = plan_of(str(config), str(weights), **options)
    source = Source(config.name, weights.name, sha256_of(weights), licence, orplugins.__version__)
    precision = "fp16" if half else "int8" if int8 else "fp32"
    metadata = plan.metadata(source, opset, "fp32")
    with tempfile.TemporaryDirectory() as folder, atomic_path(out) as target:
        full = Path(folder) / "fp32.onnx"
        write_graph(plan, str(full), opset)
        finish(str(full), metadata)
        difference = compare(plan, str(full))
        say(f"graph: opset {opset}, differs from the network by {max(difference.values()):.1g} at most")
        if precision == "fp32":
            target.write_bytes(full.read_bytes())
        else:
            if half:
                to_half(str(full), str(target), plan.heavy)
            else:
                count = to_int8(str(full), str(target), plan.feeds(calibration), plan.heavy, plan.unquantised_first)
                say(f"int8: {count} convolutions and products, calibrated on {calibration} generated frames")
            finish(str(target), replace(metadata, precision=precision))
        scores = _scores(plan, {"fp32": full, precision: target}, say) if score and precision != "fp32" else {}
        load(target)
    written = _openvino(out, half) if openvino else None
    return Exported(out, written, difference, scores)


def _check(out: Path, half: bool, int8: bool, openvino: bool, opset: int, calibration: int) -> None:
    if out.suffix != ".onnx":
        raise ValueError(f"{out}: expected a file that ends in .onnx")
    if opset not in OPSETS:
        raise ValueError(f"opset: found {opset}, expected {OPSETS[0]} to {OPSETS[-1]}")
    if half and int8:
        raise ValueError("half and int8: found both, expected one of them")
    if calibration < 1:
        raise ValueError(f"calibration: found {calibration} frames, expected at least 1")
    needed = ["onnx", "onnxruntime", *(["onnxscript"] if has_dynamo() else []), *(["openvino"] if openvino else [])]
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(f"{', '.join(missing)} not installed: pip install 'orplugins[export]'")
    require_writable(out.parent)


def _scores(plan: Plan, files: dict[str, Path], say: Say) -> dict[str, dict[str, float]]:
    found = {precision: plan.score(load(path)) for precision, path in files.items()}
    for precision, figures in found.items():
        if not figures:
            say(f"{precision}: not measured: no generated set has this network's joints")
        else:
            say(f"{precision}: " + "  ".join(f"{name} {value:.1f}" for name, value in figures.items()))
    return found


def _openvino(model: Path, half: bool) -> Path:
    """OpenVINO's form beside an ONNX file; the metadata goes with it."""
    import openvino

    path = model.with_suffix(".xml")
    openvino.save_model(openvino.convert_model(str(model)), str(path), compress_to_fp16=half)
    return path
