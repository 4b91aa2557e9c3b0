"""ViTPose: the backbone against timm's, people together against one by one, decoding, and ONNX Runtime."""

from __future__ import annotations

from benchmarks.harness import Comparison, compare

NAME = "vitpose"
PEOPLE = 8
# The big network takes a second for eight people.
MOST_REPEATS = 5


def run(repeats: int) -> list[Comparison]:
    import numpy as np
    import torch
    from mmpose.codecs import UDPHeatmap
    from timm.models.vision_transformer import VisionTransformer

    from orplugins.core.udp import decode
    from orplugins.nn.vit import ViT

    torch.manual_seed(0)
    few = min(repeats, MOST_REPEATS)
    ours = ViT("base", drop_path=0.0).eval()
    theirs = VisionTransformer(img_size=(256, 192), class_token=False, global_pool="", num_classes=0).eval()
    one, small = torch.randn(1, 3, 256, 192), torch.randn(PEOPLE, 3, 128, 96)
    tiny = ViT("tiny", (96, 128), depth=4).eval()
    maps = _maps(np.random.default_rng(0), np)
    codec = UDPHeatmap(input_size=(192, 256), heatmap_size=(48, 64), sigma=2)

    def no_grad(function):
        return torch.no_grad()(function)

    rows = [
        compare("ViT-B, one person", ("timm", no_grad(lambda: theirs(one))), ("orplugins", no_grad(lambda: ours(one))),
                few, shapes={"input": "1x3x256x192"}),
        compare("tiny network, 8 people a frame", ("one by one", no_grad(lambda: [tiny(x[None]) for x in small])),
                ("one batch", no_grad(lambda: tiny(small))), repeats, shapes={"input": "8x3x128x96"}),
        compare("ViT-B, 8 people a frame", ("one by one", no_grad(lambda: [ours(one) for _ in range(PEOPLE)])),
                ("one batch", no_grad(lambda: ours(one.expand(PEOPLE, -1, -1, -1)))), min(few, 3),
                shapes={"input": "8x3x256x192"}),
        compare("decoding, 8 people", ("mmpose's UDPHeatmap", lambda: [codec.decode(m) for m in maps]),
                ("published", lambda: [decode(m) for m in maps]), repeats, shapes={"maps": "8x21x64x48"}),
    ]  # fmt: skip
    session = _onnx_session(tiny, small)
    if session is None:
        print("vitpose: no ONNX Runtime comparison: install onnx and onnxruntime")
    else:
        feed = {"images": small.numpy()}
        rows.append(compare("tiny network, 8 people, ONNX Runtime", ("eager", no_grad(lambda: tiny(small))),
                            ("ONNX Runtime", lambda: session.run(None, feed)), repeats, shapes={"input": "8x3x128x96"}))
    return rows


def _maps(rng, np):
    """(8, 21, 64, 48) clean peaks."""
    x, y = rng.uniform(2, 45, (PEOPLE, 21, 1, 1)), rng.uniform(2, 61, (PEOPLE, 21, 1, 1))
    columns, rows = np.arange(48), np.arange(64)[:, None]
    return np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8).astype(np.float32)


def _onnx_session(model, example):
    """The model in ONNX Runtime with as many threads as torch has; None where it is not installed."""
    import io

    import torch

    try:
        import onnx  # noqa: F401 - torch's exporter wants it
        import onnxruntime
    except ImportError:
        return None
    file = io.BytesIO()
    torch.onnx.export(model, (example,), file, input_names=["images"], output_names=["features"], opset_version=17)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    return onnxruntime.InferenceSession(file.getvalue(), options, providers=["CPUExecutionProvider"])
