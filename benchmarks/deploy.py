"""Model files against the hosts: torch's eager mode against ONNX Runtime and OpenVINO, float32 and 8 bits.

"network" rows are one run of the network on prepared inputs; "frame" rows are what a user runs, from an image to
people, against the host's own way. The networks are exported first, which takes a minute each; a folder in DEPLOY_FILES
keeps the files for the next run, and DEPLOY_NETWORKS names some of NETWORKS, with commas between. With one thread the
times are the processor's, which other programs on the machine hardly change; with more they are the wall clock's.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.harness import Comparison, compare

NAME = "deploy"
ROOT = Path(__file__).resolve().parents[1]
NETWORKS = {
    "DepthPose small": ("configs/mmpose/depthpose/depthpose_small-64x48.py", "demo/depthpose_small-64x48.safetensors"),
    "RTPose tiny": ("configs/mmpose/depthpose/rtpose_tiny-320x240.py", "demo/rtpose_tiny-320x240.safetensors"),
    "top-down lite0": (
        "configs/mmpose/partial_body/lite0_people-states_192x144.py",
        "demo/lite0_people-states.safetensors",
    ),
    "ViT tiny": (
        "configs/mmpose/partial_body/vitpose-t_people-states_128x96.py",
        "demo/vitpose-t_people-states.safetensors",
    ),
    "RefiNet B and C": ("configs/mmpose/refinet/refinet-lift-bc_or.py", "demo/refinet_or-bc.safetensors"),
    "VideoPose3D 27": ("configs/mmpose/videopose3d/videopose3d_27-coco.py", "demo/videopose3d_27.safetensors"),
    "student lite0": ("configs/detectron2/orpose_color/orpose_lite0.yaml", "demo/orpose_lite0.safetensors"),
    "detector lite0": ("configs/detectron2/partial_body/faster_rcnn_lite0.yaml", "demo/faster_rcnn_lite0.safetensors"),
}
CALIBRATION = 24
PEOPLE = 4  # in top-down networks' pictures, and in RefiNet's
WARMUP = 3


def run(repeats: int) -> list[Comparison]:
    rows, names = [], os.environ.get("DEPLOY_NETWORKS")
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(os.environ.get("DEPLOY_FILES", folder))
        for name in names.split(",") if names else NETWORKS:
            config, weights = (str(ROOT / file) for file in NETWORKS[name])
            rows += _compared(name, config, weights, kept, repeats)
    return rows


def _compared(name: str, config: str, weights: str, folder: Path, repeats: int) -> list[Comparison]:
    import torch

    from orplugins.deploy import load
    from orplugins.export import export
    from orplugins.export.methods import plan_of

    threads, plan = int(os.environ.get("OMP_NUM_THREADS", "1")), plan_of(config, weights)
    torch.set_num_threads(threads)
    feeds = next(plan.feeds(1))
    tensors, module = [torch.from_numpy(value) for value in feeds.values()], plan.module
    eager = torch.no_grad()(lambda: module(*tensors))
    frame, hosts, what = _frame(name, config, weights)
    size = ", ".join("x".join(map(str, value.shape)) for value in feeds.values())
    clock = time.process_time if threads == 1 else time.perf_counter
    rows = []
    for precision in ("fp32", "int8"):
        path = folder / f"{name} {precision}.onnx"
        if not path.exists():
            export(config, weights, path, int8=precision == "int8", calibration=CALIBRATION, score=False)
        for engine in ("onnxruntime", "openvino"):
            model = load(path, threads, engine)
            sides = (f"{engine} {precision}", lambda model=model: model.engine.run(feeds))
            rows.append(
                compare(f"{name}, network", ("torch eager", eager), sides, repeats, WARMUP, {"input": size}, clock)
            )
            if frame is not None:
                sides = (f"{engine} {precision}", lambda model=model: frame(model))
                rows.append(compare(f"{name}, frame", ("host", hosts), sides, repeats, WARMUP, {"frame": what}, clock))
    return rows


def _frame(name: str, config: str, weights: str) -> tuple[Callable | None, Callable | None, str]:
    """What a model does with a frame, what the host does with it, and the frame in words."""
    if name.startswith(("DepthPose", "RTPose")):
        return _depth_frame(config, weights)
    if name.startswith(("top-down", "ViT")):
        return _box_frame(config, weights)
    if name.startswith("student"):
        return _student_frame(config, weights)
    return None, None, ""


def _depth_frame(config: str, weights: str):
    import torch
    from mmcv.transforms import Compose
    from mmengine.dataset import pseudo_collate
    from mmpose.apis import init_model

    from orplugins.synthetic.export.in_memory import generate

    image = next(iter(generate(1, 5, size=(320, 240), views=1, people=(4, 4))[1].values()))
    model = init_model(config, weights, device="cpu")
    pipeline = Compose(model.cfg.test_dataloader.dataset.pipeline)

    @torch.no_grad()
    def host():
        return model.test_step(pseudo_collate([pipeline({"img": image, **model.dataset_meta})]))

    return (lambda pose: pose(image)), host, "320x240 depth, up to 4 people"


def _box_frame(config: str, weights: str):
    import numpy as np

    from orplugins.hosts.mmpose.topdown import TopdownRunner
    from orplugins.synthetic.export.in_memory import generate

    image = next(iter(generate(1, 5, size=(320, 240), views=1, people=(4, 4), color=True)[1].values()))
    boxes = np.array([[20.0 + 60 * k, 30, 90 + 60 * k, 200] for k in range(PEOPLE)])
    runner = TopdownRunner(config, weights)
    return (
        (lambda pose: pose(image, boxes=boxes)),
        (lambda: runner([image], [boxes])),
        f"320x240 colour, {PEOPLE} boxes, mirrored averaging",
    )


def _student_frame(config: str, weights: str):
    import numpy as np

    from orplugins.orpose_color.pipeline import ColorSettings, load_predictor, network_size, resize
    from orplugins.synthetic.export.in_memory import generate

    image = next(iter(generate(1, 5, size=(320, 240), views=1, people=(4, 4), color=True)[1].values()))
    image = np.ascontiguousarray(image[..., ::-1])
    predict = load_predictor(ColorSettings(config, weights, device="cpu"))
    seen = network_size(image.shape[1::-1], None, predict.sides)
    return (
        (lambda pose: pose(image)),
        (lambda: predict([resize(image, seen)])),
        f"320x240 colour, up to 4 people, seen at {seen[0]}x{seen[1]}",
    )
