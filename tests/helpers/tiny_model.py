"""A model file without a network: what a detector's runtime finds in a picture is read off its colours."""

import numpy as np

from orplugins.deploy.metadata import KEY, InputSpec, Metadata, Source


def write_tiny_detector(path, least_score=0.1):
    """One box a picture, whose score and width are the mean of its red channel; none in a black picture."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    def constant(name, values, dtype):
        return numpy_helper.from_array(np.array(values, dtype=dtype), name)

    nodes = [
        helper.make_node("ReduceMean", ["image", "rows"], ["mean"], keepdims=0),  # (1, 3)
        helper.make_node("Gather", ["mean", "zero"], ["red"], axis=1),  # (1,)
        helper.make_node("Div", ["red", "most"], ["scores"]),
        helper.make_node("Concat", ["origin", "red", "height"], ["flat"], axis=0),
        helper.make_node("Unsqueeze", ["flat", "first"], ["boxes"]),
        helper.make_node("Identity", ["class"], ["classes"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, "height", "width"])],
        [
            helper.make_tensor_value_info("boxes", TensorProto.FLOAT, [1, 4]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1]),
            helper.make_tensor_value_info("classes", TensorProto.INT64, [1]),
        ],
        [
            constant("rows", [2, 3], np.int64),
            constant("zero", 0, np.int64),
            constant("most", [255.0], np.float32),
            constant("origin", [0.0, 0.0], np.float32),
            constant("height", [4.0], np.float32),
            constant("first", [0], np.int64),
            constant("class", [1], np.int64),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    about = Metadata(
        "partial-body-detector",
        InputSpec("color", "uint8", channels="rgb", options={"sides": [32, 64]}),
        {"type": "boxes", "least_score": least_score, "least_in_graph": 0.0, "people": [True, True]},
        Source("none", "none", "0" * 64, "CC0-1.0", "0"),
        18,
        classes=("patient", "user"),
    )
    helper.set_model_props(model, {KEY: about.to_json()})
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


def write_red_video(path, frames=40, fps=10.0, size=(64, 48), start=0):
    """A video whose red grows from frame to frame: which frame it is can be read off its score."""
    from orplugins.io.video import write_video

    def pictures():
        for k in range(frames):
            picture = np.zeros((size[1], size[0], 3), np.uint8)
            picture[..., 2] = 40 + (start + 5 * k) % 200
            yield picture

    write_video(path, pictures(), fps)
    return path
