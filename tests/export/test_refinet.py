"""RefiNet as a model file: the chain and its modules alone refine as they do in torch."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmpose")
pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

from mmengine.config import Config  # noqa: E402
from mmengine.registry import init_default_scope  # noqa: E402
from mmpose.registry import MODELS  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

import orplugins  # noqa: E402, F401
from orplugins.deploy import load  # noqa: E402
from orplugins.export import export  # noqa: E402
from orplugins.export.methods import plan_of  # noqa: E402
from orplugins.geometry.cameras import Camera  # noqa: E402
from orplugins.refinet.deploy import trimmed  # noqa: E402
from orplugins.refinet.mmpose.load import load_refine_chain  # noqa: E402
from orplugins.refinet.refiner import Refiner3D  # noqa: E402
from orplugins.resources import resource  # noqa: E402
from orplugins.skeletons import COCO_17, ITOP_15  # noqa: E402
from orplugins.structures import People  # noqa: E402
from orplugins.synthetic.export.in_memory import generate  # noqa: E402

ENGINES = ["onnxruntime", *(["openvino"] if importlib.util.find_spec("openvino") else [])]
FOLDER = "configs/mmpose/refinet/"


@pytest.fixture(scope="module")
def frames():
    """Depth images of two sizes, their people and cameras; one frame without people."""
    found = []
    for size, seed in (((160, 120), 3), ((320, 240), 4)):
        coco, images = generate(1, seed, size=size, views=2, people=(1, 3))
        for image in coco["images"]:
            own = [person for person in coco["annotations"] if person["image_id"] == image["id"]]
            joints = np.array([person["keypoints"] for person in own], dtype=float).reshape(-1, 17, 3)
            joints[..., 2] = np.minimum(joints[..., 2], 1)
            joints[joints[..., 2] == 0] = np.nan
            camera = Camera(*image["camera"]["intrinsics"], size=size)
            found.append((images[image["id"]], People(image["file_name"], joints, COCO_17, size=size), camera))
    depth, _, camera = found[0]
    return [*found, (depth, People("nobody", np.zeros((0, 17, 3)), COCO_17), camera)]


def check(path, chain, frames):
    for engine in ENGINES:
        refine = load(path, engine=engine)
        for depth, people, camera in frames:
            wanted = Refiner3D(chain, camera)(depth, people.filled(), COCO_17)
            found = refine(people, depth, camera)
            assert np.array_equal(np.isnan(found.points[..., 0]), ~wanted.valid)
            np.testing.assert_allclose(np.nan_to_num(found.points), wanted.points, atol=1e-4)  # metres
            np.testing.assert_allclose(found.filled()[..., :2], wanted.pixels, atol=0.05)
            np.testing.assert_allclose(found.confidence, wanted.confidence, atol=1e-3)
            assert found.skeleton is found.points_skeleton is ITOP_15 and found.points_about == "camera"
            assert found.frame == people.frame


def test_the_shipped_chain(frames, tmp_path):
    config, weights = (
        str(resource(path)) for path in (f"{FOLDER}refinet-lift-bc_or.py", "demo/refinet_or-bc.safetensors")
    )
    done = export(config, weights, tmp_path / "model.onnx")
    assert max(done.difference.values()) < 1e-4
    check(done.model, load_refine_chain(config, weights), frames)
    figures = plan_of(config, weights).score(load(done.model))
    assert figures["error mm"] < 0.8 * figures["unrefined mm"]
    with pytest.raises(ValueError, match="found 160x120, expected 320x240"):
        load(done.model)(frames[0][1], frames[0][0], frames[2][2])


@pytest.mark.parametrize("name", ["refinet_or", "refinet-a_or", "refinet-b_or", "refinet-c_or"])
def test_all_modules_and_each_alone(name, frames, tmp_path):
    """With random weights whose batch norms have seen some data."""
    config = str(resource(f"{FOLDER}{name}.py"))
    init_default_scope("mmpose")
    torch.manual_seed(2)
    model = MODELS.build(Config.fromfile(config).model)
    for module in model.modules():
        if isinstance(module, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)):
            torch.nn.init.uniform_(module.running_mean, -0.1, 0.1)
            torch.nn.init.uniform_(module.running_var, 0.8, 1.2)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, str(tmp_path / "weights.safetensors"))
    done = export(config, tmp_path / "weights.safetensors", tmp_path / "model.onnx")
    check(done.model, plan_of(config, str(tmp_path / "weights.safetensors")).chain, frames[1:3])
    assert load(done.model).metadata.codec["networks"] == (
        ["a", "b", "c"] if name == "refinet_or" else [name[len("refinet-")]]
    )


def test_padding_rows_are_left_out():
    clouds = np.zeros((2, 3, 11, 3), np.float32)
    clouds[0, 1, :4], clouds[0, 1, -1] = 1.0, 4
    short = trimmed(clouds)
    assert short.shape == (2, 3, 6, 3) and (short[0, 1, -1] == 4).all() and (short[0, 1, 4] == 0).all()
    clouds[1, 2, :10], clouds[1, 2, -1] = 1.0, 10
    assert trimmed(clouds).shape == clouds.shape
