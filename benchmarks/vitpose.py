"""ViTPose: the backbone against timm's, people together against one by one, decoding, and ONNX Runtime.

"frame" rows are what a user runs: crops of a 640x480 picture, preprocessing, flip test, decoding, poses in the frame.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.harness import Comparison, compare

NAME = "vitpose"
PEOPLE = 8
# The big network takes seconds for eight people.
MOST_REPEATS = 5
CONFIGS = Path(__file__).resolve().parents[1] / "configs/mmpose/partial_body"
FRAMES = {"tiny network": "vitpose-t_people-states_128x96", "ViT-S": "vitpose-s_coco-17-states_256x192",
          "ViT-B": "vitpose-b_coco-17_256x192"}  # fmt: skip


def run(repeats: int) -> list[Comparison]:
    import numpy as np
    import torch
    from mmpose.codecs import UDPHeatmap
    from timm.models.vision_transformer import VisionTransformer

    from orplugins.partial_body.mmpose.codec import BatchedHeatmap
    from orplugins.partial_body.udp import decode
    from orplugins.partial_body.vit import ViT

    torch.manual_seed(0)
    few = min(repeats, MOST_REPEATS)
    ours = ViT("base", drop_path=0.0).eval()
    theirs = VisionTransformer(img_size=(256, 192), class_token=False, global_pool="", num_classes=0).eval()
    one, small = torch.randn(1, 3, 256, 192), torch.randn(PEOPLE, 3, 128, 96)
    tiny = ViT("tiny", (96, 128), depth=4).eval()
    maps = _maps(np.random.default_rng(0), np)
    codec, batched = (
        kind(input_size=(192, 256), heatmap_size=(48, 64), sigma=2) for kind in (UDPHeatmap, BatchedHeatmap)
    )
    all_maps = torch.from_numpy(maps)

    def no_grad(function):
        return torch.no_grad()(function)

    rows = [
        compare(
            "ViT-B, one person",
            ("timm", no_grad(lambda: theirs(one))),
            ("orplugins", no_grad(lambda: ours(one))),
            few,
            shapes={"input": "1x3x256x192"},
        ),
        compare(
            "tiny network, 8 people a frame",
            ("one by one", no_grad(lambda: [tiny(x[None]) for x in small])),
            ("one batch", no_grad(lambda: tiny(small))),
            repeats,
            shapes={"input": "8x3x128x96"},
        ),
        compare(
            "ViT-B, 8 people a frame",
            ("one by one", no_grad(lambda: [ours(one) for _ in range(PEOPLE)])),
            ("one batch", no_grad(lambda: ours(one.expand(PEOPLE, -1, -1, -1)))),
            min(few, 3),
            shapes={"input": "8x3x256x192"},
        ),
        compare(
            "decoding, 8 people",
            ("mmpose's UDPHeatmap", lambda: [codec.decode(m) for m in maps]),
            ("published", lambda: [decode(m) for m in maps]),
            repeats,
            shapes={"maps": "8x21x64x48"},
        ),
        compare(
            "decoding, 8 people",
            ("mmpose's UDPHeatmap", lambda: [codec.decode(m) for m in maps]),
            ("together", lambda: batched.batch_decode(all_maps)),
            repeats,
            shapes={"maps": "8x21x64x48"},
        ),
    ]
    rows += [_frame(name, config, min(few, 2) if name == "ViT-B" else few) for name, config in FRAMES.items()]
    session = _onnx_session(tiny, small)
    if session is None:
        print("vitpose: no ONNX Runtime comparison: install onnx and onnxruntime")
    else:
        feed = {"images": small.numpy()}
        rows.append(
            compare(
                "tiny network, 8 people, ONNX Runtime",
                ("eager", no_grad(lambda: tiny(small))),
                ("ONNX Runtime", lambda: session.run(None, feed)),
                repeats,
                shapes={"input": "8x3x128x96"},
            )
        )
    return rows


def _frame(name: str, config: str, repeats: int) -> Comparison:
    """A frame of eight people, from the picture and their boxes to poses in the frame."""
    import numpy as np
    import torch
    from mmengine.config import Config
    from mmengine.registry import init_default_scope
    from mmpose.registry import MODELS

    from orplugins.hosts.mmpose.topdown import TopdownRunner

    init_default_scope("mmpose")
    path, rng = CONFIGS / f"{config}.py", np.random.default_rng(0)
    picture = rng.integers(0, 255, (480, 640, 3), dtype=np.uint8)
    corners = rng.uniform((0, 0), (440, 200), (PEOPLE, 2))
    boxes = np.concatenate([corners, corners + rng.uniform((80, 150), (200, 280), (PEOPLE, 2))], axis=1)
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "random.pth"
        torch.save({"state_dict": MODELS.build(Config.fromfile(path).model).state_dict()}, weights)
        single, together = (TopdownRunner(path, weights, batch=batch) for batch in (1, PEOPLE))
    return compare(
        f"{name}, a frame of 8 people",
        ("one by one", lambda: single([picture], [boxes])),
        ("one batch", lambda: together([picture], [boxes])),
        repeats,
        shapes={"picture": "640x480"},
    )


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
