"""Writing a network as an ONNX graph, and checking that the graph computes what the network does."""

from __future__ import annotations

import contextlib
import inspect
import io
import logging
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from orplugins.deploy.engines import open_engine
from orplugins.deploy.metadata import KEY, Metadata

if TYPE_CHECKING:
    import onnx

    from orplugins.export.plan import Plan

_OLD_OPSET = 17
# The largest difference of an output, as a share of the largest value or of 1.
TOLERANCE = 1e-4


def write_graph(plan: Plan, path: str, opset: int) -> None:
    """Write a network as an ONNX file, by torch's exporter on torch.export where this torch has it.

    Args:
        plan: The network.
        path: The file.
        opset: Of ONNX.

    Raises:
        ValueError: An opset that the network cannot be written in.
    """
    import torch

    if plan.traced or not has_dynamo():
        _write_trace(plan, path, opset)
        return

    module, args = plan.module.eval(), tuple(plan.examples.values())
    names: dict[str, Any] = {
        "input_names": list(plan.examples),
        "output_names": list(plan.outputs),
        "opset_version": opset,
    }
    with _quiet(), torch.no_grad():
        axes = {name for each in plan.dynamic.values() for name in each.values()}
        dims = {name: torch.export.Dim(name, min=plan.at_least.get(name, 0)) for name in axes}
        shapes = tuple(
            {axis: dims[dim] for axis, dim in plan.dynamic.get(name, {}).items()} or None for name in plan.examples
        )
        program = torch.onnx.export(module, args, **names, dynamo=True, dynamic_shapes=_shapes(module, shapes))
        assert program is not None  # only without dynamo
        program.save(path, external_data=False)


def has_dynamo() -> bool:
    """Whether this torch writes graphs by torch.export: from 2.5 on, with onnxscript."""
    import torch

    return "dynamic_shapes" in inspect.signature(torch.onnx.export).parameters


def _write_trace(plan: Plan, path: str, opset: int) -> None:
    """Write a network as an ONNX file by tracing it.

    torch.export does not take shapes that depend on what is in an image, such as the number of people.

    Args:
        plan: The network; `Plan.dynamic` names axes of outputs, too.
        path: The file.
        opset: Of ONNX.
    """
    import onnx
    import onnx.version_converter
    import torch

    if opset < 16:
        raise ValueError(f"opset: found {opset}, expected 16 or more: older ones have no RoiAlign of half pixels")
    settings: dict[str, Any] = {
        "input_names": list(plan.examples),
        "output_names": list(plan.outputs),
        "dynamic_axes": plan.dynamic,
    }
    if "dynamo" in inspect.signature(torch.onnx.export).parameters:
        settings["dynamo"] = False
    module, args = plan.module.eval(), tuple(plan.examples.values())
    with _quiet(), torch.no_grad():
        try:
            torch.onnx.export(module, args, path, opset_version=opset, **settings)
        except ValueError as error:
            if "opset" not in str(error):
                raise
            # torch before 2.4 writes none above 17.
            torch.onnx.export(module, args, path, opset_version=_OLD_OPSET, **settings)
            onnx.save(onnx.version_converter.convert_version(onnx.load(path), opset), path)


def _shapes(module, shapes: tuple) -> tuple:
    """Shapes as torch.export wants them: those of ``*inputs`` are one argument."""
    kinds = [each.kind for each in inspect.signature(module.forward).parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL not in kinds:
        return shapes
    first = kinds.index(inspect.Parameter.VAR_POSITIONAL)
    return (*shapes[:first], shapes[first:])


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's progress and its advice to developers; errors are raised."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "torch.export", "torch.fx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def finish(path: str, metadata: Metadata) -> None:
    """Put the metadata into a file, take out what says where it was made, and check it.

    Args:
        path: An ONNX file, changed in place.
        metadata: What it says of itself.

    Raises:
        onnx.checker.ValidationError: The graph breaks ONNX's rules.
    """
    import onnx

    model = onnx.load(path)
    strip(model)
    onnx.helper.set_model_props(model, {KEY: metadata.to_json()})
    model.producer_name, model.producer_version = "orplugins", metadata.source.version
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def strip(model: onnx.ModelProto) -> None:
    """Take out the exporter's notes: lines of source code and paths of the machine, larger than a small network."""

    def clean(graph: onnx.GraphProto) -> None:
        for group in (graph.node, graph.input, graph.output, graph.value_info, graph.initializer):
            for each in group:
                del each.metadata_props[:]
                each.doc_string = ""
        for node in graph.node:
            for attribute in node.attribute:
                if attribute.HasField("g"):
                    clean(attribute.g)
        del graph.metadata_props[:]
        graph.doc_string = ""

    clean(model.graph)
    for function in model.functions:
        for node in function.node:
            del node.metadata_props[:]
            node.doc_string = ""


def compare(plan: Plan, path: str, repeats: tuple[int, ...] = (1, 3)) -> dict[str, float]:
    """Largest differences of a file's outputs from the network's.

    Args:
        plan: The network.
        path: The ONNX file.
        repeats: Batches, made of the examples' first rows; where the first axis is not dynamic the examples are used.

    Returns:
        Output name -> the largest difference, as a share of the largest value or of 1.

    Raises:
        ValueError: One is above `TOLERANCE`.
    """
    import torch

    engine, worst = open_engine(path), dict.fromkeys(plan.outputs, 0.0)
    dynamic = all(0 in plan.dynamic.get(name, {}) for name in plan.examples)
    for count in repeats if dynamic else (1,):
        feeds = {name: torch.cat([value[:1]] * count) if dynamic else value for name, value in plan.examples.items()}
        with torch.no_grad():
            wanted = plan.module(*feeds.values())
        wanted = wanted if isinstance(wanted, (tuple, list)) else (wanted,)
        found = engine.run({name: value.numpy() for name, value in feeds.items()})
        for name, want in zip(plan.outputs, wanted, strict=True):
            want = want.detach().numpy()
            scale = max(1.0, float(np.abs(want).max(initial=0)))
            worst[name] = max(worst[name], float(np.abs(found[name] - want).max(initial=0)) / scale)
    bad = {name: value for name, value in worst.items() if not value <= TOLERANCE}
    if bad:
        text = ", ".join(f"{name} {value:.2g}" for name, value in bad.items())
        raise ValueError(f"{path}: the graph differs from the network: {text}, expected {TOLERANCE:g} at most")
    return worst
