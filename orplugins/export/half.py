"""float16 for a part of a graph: its convolutions, not what reckons with coordinates.

ONNX Runtime's converter takes whole graphs: between two operations that are to keep float32 it rounds all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import onnx

# Operations that are worth it, and those that lie between them.
_KINDS = frozenset(
    ("Conv", "ConvTranspose", "Gemm", "MatMul", "BatchNormalization", "Relu", "Clip", "Add", "Mul", "Sub", "Div", "Pad")
    + ("Concat", "Resize", "MaxPool", "AveragePool", "GlobalAveragePool", "Sigmoid", "Flatten", "Reshape", "Transpose")
)
_NO_HALF = {"Resize": (1, 2)}  # inputs that ONNX wants in float32
_LARGEST = 65504.0


def halve_part(model: onnx.ModelProto, heavy: tuple[str, ...]) -> None:
    """Change nodes to float16, in place, with casts where they meet others.

    Args:
        model: In float32.
        heavy: Parts of names of the nodes that change.

    Raises:
        ValueError: There is no such node.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    graph = model.graph
    _constants_as_initializers(graph)
    typed = onnx.shape_inference.infer_shapes(model).graph
    weights = {each.name: each for each in graph.initializer}
    kinds = {each.name: each.type.tensor_type.elem_type for each in (*typed.value_info, *graph.input, *graph.output)}
    kinds |= {name: each.data_type for name, each in weights.items()}
    ends = {each.name for each in graph.output}
    chosen = [
        node.op_type in _KINDS and any(part in node.name for part in heavy) and not ends & set(node.output)
        for node in graph.node
    ]
    if not any(chosen):
        raise ValueError(f"found no node whose name has one of {', '.join(heavy)}, expected some to change to float16")
    halved: set[str] = set()
    made: set[str] = set()
    nodes: list = []

    def cast(name: str, suffix: str, kind: int) -> str:
        if name + suffix not in made:
            made.add(name + suffix)
            nodes.append(helper.make_node("Cast", [name], [name + suffix], f"{name}{suffix}/Cast", to=kind))
        return name + suffix

    def half(name: str) -> str:
        if name in halved:
            return name
        if name not in weights:
            return cast(name, "/half", TensorProto.FLOAT16)
        if name + "/half" not in made:
            made.add(name + "/half")
            values = numpy_helper.to_array(weights[name]).clip(-_LARGEST, _LARGEST)
            graph.initializer.append(numpy_helper.from_array(values.astype(np.float16), name + "/half"))
        return name + "/half"

    for node, change in zip(graph.node, chosen, strict=True):
        for k, name in enumerate(node.input):
            if kinds.get(name) != TensorProto.FLOAT:
                continue
            if change and k not in _NO_HALF.get(node.op_type, ()):
                node.input[k] = half(name)
            elif name in halved:
                node.input[k] = cast(name, "/full", TensorProto.FLOAT)
        nodes.append(node)
        if change:
            halved |= {name for name in node.output if kinds.get(name) == TensorProto.FLOAT}
    used = {name for node in nodes for name in node.input}
    kept = [each for each in graph.initializer if each.name in used]
    for field, values in ((graph.node, nodes), (graph.initializer, kept)):
        copies = [type(each).FromString(each.SerializeToString()) for each in values]
        del field[:]
        field.extend(copies)
    del graph.value_info[:]


def _constants_as_initializers(graph: onnx.GraphProto) -> None:
    """Tensors of constant nodes as initializers, so that weights are all of one kind."""
    kept = []
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            graph.initializer.append(node.attribute[0].t)
            graph.initializer[-1].name = node.output[0]
        else:
            kept.append(node)
    copies = [type(node).FromString(node.SerializeToString()) for node in kept]
    del graph.node[:]
    graph.node.extend(copies)
