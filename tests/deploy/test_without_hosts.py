"""The runtime in a process that may import neither torch nor a host, nor OpenCV, SciPy or onnx."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmpose")
pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

from orplugins.deploy import load, load_chain  # noqa: E402
from orplugins.export import export  # noqa: E402
from orplugins.geometry.cameras import Camera  # noqa: E402
from orplugins.resources import resource  # noqa: E402
from orplugins.skeletons import ITOP_15  # noqa: E402
from orplugins.synthetic.export.in_memory import generate  # noqa: E402

ROOT = Path(__file__).parents[2]
FILES = {
    "depth": ("configs/mmpose/depthpose/depthpose_small-64x48.py", "demo/depthpose_small-64x48.safetensors"),
    "boxes": (
        "configs/mmpose/partial_body/lite0_people-states_192x144.py",
        "demo/lite0_people-states.safetensors",
    ),
    "refine": ("configs/mmpose/refinet/refinet-lift-bc_or.py", "demo/refinet_or-bc.safetensors"),
    "clips": ("configs/mmpose/videopose3d/videopose3d_27-coco.py", "demo/videopose3d_27.safetensors"),
}
# What a host-free process runs: the hook comes first, so that nothing can be imported behind its back.
SCRIPT = """
import sys

FORBIDDEN = {"torch", "torchvision", "mmpose", "mmengine", "mmcv", "mmdet", "detectron2", "fvcore", "cv2", "timm",
             "scipy", "onnx", "matplotlib", "pycocotools", "PIL"}
if "openvino" in sys.argv[2]:
    FORBIDDEN.add("onnxruntime")


class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in FORBIDDEN:
            raise ImportError(f"{name} may not be imported")


sys.meta_path.insert(0, Refuse())

import numpy as np

from orplugins.deploy import load, load_chain
from orplugins.geometry.cameras import Camera

folder, engine = sys.argv[1:]
data = np.load(f"{folder}/input.npz")
camera = Camera(*data["camera"].tolist(), size=(160, 120))
chain = load_chain([f"{folder}/depth.onnx", f"{folder}/refine.onnx"], engine=engine, camera=camera)
found = chain(data["depth"])
boxed = load(f"{folder}/boxes.onnx", engine=engine)(data["color"], boxes=data["boxes"])
lifted = load(f"{folder}/clips.onnx", engine=engine)(data["clip"], (640, 480))
assert not FORBIDDEN & {name.partition(".")[0] for name in sys.modules}, "a module came in another way"
np.savez(f"{folder}/found-{engine}.npz", points=found.points, pixels=found.keypoints, boxed=boxed.keypoints,
         states=boxed.states, lifted=lifted["pose"])
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    for name, (config, weights) in FILES.items():
        export(resource(config), resource(weights), folder / f"{name}.onnx")
    coco, depth = generate(1, 21, size=(160, 120), views=1, people=(2, 3))
    color = next(iter(generate(1, 21, size=(160, 120), views=1, people=(2, 3), color=True)[1].values()))
    people = [person["bbox"] for person in coco["annotations"]]
    np.savez(
        folder / "input.npz",
        depth=next(iter(depth.values())),
        color=np.ascontiguousarray(color[..., ::-1]),
        boxes=np.array([[x, y, x + w, y + h] for x, y, w, h in people]),
        camera=coco["images"][0]["camera"]["intrinsics"],
        clip=np.random.default_rng(0).uniform(100, 300, (30, 17, 2)),
    )
    return folder


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_nothing_heavy_is_imported(folder, engine):
    pytest.importorskip(engine)
    script = folder / "host_free.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, str(script), str(folder), engine],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    data, found = np.load(folder / "input.npz"), np.load(folder / f"found-{engine}.npz")
    camera = Camera(*data["camera"].tolist(), size=(160, 120))
    here = load_chain([folder / "depth.onnx", folder / "refine.onnx"], camera=camera)(data["depth"])
    assert len(here) >= 1 and here.skeleton is ITOP_15
    np.testing.assert_allclose(found["points"], here.points, atol=1e-4)
    np.testing.assert_allclose(found["pixels"], here.keypoints, atol=0.05)
    boxed = load(folder / "boxes.onnx")(data["color"], boxes=data["boxes"])
    np.testing.assert_allclose(found["boxed"], boxed.keypoints, atol=0.05)
    np.testing.assert_allclose(found["states"], boxed.states, atol=1e-3)
    assert found["lifted"].shape == (30, 17, 3)


def test_a_chain_without_people(folder):
    chain = load_chain(
        [folder / "depth.onnx", folder / "refine.onnx"], camera=Camera(140, 140, 79.5, 59.5, size=(160, 120))
    )
    people = chain(np.full((120, 160), 2500, np.uint16), "empty")
    assert len(people) == 0 and people.points.shape == (0, 15, 3) and people.frame == "empty"
    with pytest.raises(ValueError, match="and their camera"):
        load_chain([folder / "depth.onnx", folder / "refine.onnx"])
    with pytest.raises(ValueError, match="takes keypoints"):
        load_chain([folder / "refine.onnx"])
