"""Smaller numbers in a graph: float16, and 8 bits calibrated on generated frames."""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

Feeds = dict[str, np.ndarray]
_PRODUCTS = ("Conv", "ConvTranspose", "MatMul", "Gemm")


def to_half(source: str, target: str, heavy: tuple[str, ...] = ()) -> None:
    """Weights and computation in float16; inputs and outputs stay float32.

    Args:
        source: An ONNX file in float32.
        target: The file to write.
        heavy: Parts of names of the nodes that change; empty: all.
    """
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    from orplugins.export.half import halve_part

    model = onnx.load(source)
    with _quiet():
        if heavy:
            halve_part(model, heavy)
        else:
            sorted_again = OnnxModel(convert_float_to_float16(model, keep_io_types=True))
            sorted_again.topological_sort()
            model = sorted_again.model
    onnx.save(model, target)


def _others(names: list[str], heavy: tuple[str, ...]) -> list[str]:
    """Names of the nodes that keep float32."""
    return [name for name in names if heavy and not any(part in name for part in heavy)]


def to_int8(source: str, target: str, feeds: Iterator[Feeds], heavy: tuple[str, ...] = (), leave_first: int = 0) -> int:
    """Convolutions and matrix products in 8 bits, by ONNX Runtime's static quantisation.

    Weights are signed with a scale for each channel, activations unsigned; their ranges are those of the feeds.

    Args:
        source: An ONNX file in float32.
        target: The file to write.
        feeds: Inputs that the network meets in use.
        heavy: Parts of names of the nodes that change; empty: all.
        leave_first: So many of the first convolutions and products stay.

    Returns:
        The number of quantised nodes.
    """
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):
        def get_next(self):
            return next(feeds, None)

    with tempfile.TemporaryDirectory() as folder, _quiet():
        prepared = str(Path(folder) / "prepared.onnx")
        quant_pre_process(source, prepared, skip_symbolic_shape=True)
        nodes = onnx.load(prepared).graph.node
        products = [node.name for node in nodes if node.op_type in _PRODUCTS]
        left = products[:leave_first] + _others([node.name for node in nodes], heavy)
        quantize_static(
            prepared,
            target,
            Reader(),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            nodes_to_exclude=left,
        )
    return len(set(products) - set(left))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the quantiser's advice to developers."""
    root, level = logging.getLogger(), logging.getLogger().level
    root.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        root.setLevel(level)
