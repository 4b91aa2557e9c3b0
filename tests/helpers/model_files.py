"""Model files of a few nodes, made without a network."""

from __future__ import annotations

import numpy as np

from orplugins.deploy import InputSpec, Metadata, Source
from orplugins.deploy.metadata import KEY
from orplugins.skeletons import COCO_17

DEPTH = Metadata(
    "depthpose",
    InputSpec("depth", "mm", (16, 12), options={"z_max_mm": 5000, "filter": "area", "holes": "valid"}),
    {"type": "paf", "scale": 20, "decode": "fast", "settings": {}},
    Source("none", "none", "0" * 64, "CC0-1.0", "0"),
    17,
    skeleton=COCO_17,
)


def write_depth_model(path, metadata: Metadata | None = DEPTH, opset: int = 17, text: str | None = None):
    """Heatmaps and fields that are the depth times nothing: nobody, whatever is seen."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes, outputs = [], []
    for name, channels in (("heatmaps", 19), ("pafs", 38)):
        weight = numpy_helper.from_array(np.zeros((channels, 1, 1, 1), np.float32), f"{name}_weight")
        nodes.append((helper.make_node("Conv", ["depth", f"{name}_weight"], [name]), weight))
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", channels, 12, 16]))
    graph = helper.make_graph(
        [node for node, _ in nodes],
        "tiny",
        [helper.make_tensor_value_info("depth", TensorProto.FLOAT, ["batch", 1, 12, 16])],
        outputs,
        [weight for _, weight in nodes],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    text = metadata.to_json() if metadata is not None else text
    if text is not None:
        helper.set_model_props(model, {KEY: text})
    onnx.save(model, str(path))
    return path
