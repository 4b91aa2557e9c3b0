"""Top-down networks as model files: the joints and states that the host finds in the same boxes."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmpose")
pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

from mmpose.apis import init_model  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

import orplugins  # noqa: E402, F401
from orplugins.deploy import load  # noqa: E402
from orplugins.export import export  # noqa: E402
from orplugins.hosts.mmpose.topdown import TopdownRunner, read_test_config  # noqa: E402
from orplugins.resources import resource  # noqa: E402
from orplugins.synthetic.export.in_memory import generate  # noqa: E402

ENGINES = ["onnxruntime", *(["openvino"] if importlib.util.find_spec("openvino") else [])]
FOLDER = "configs/mmpose/partial_body/"
SHIPPED = {
    "lite0": ("lite0_people-states_192x144", "demo/lite0_people-states.safetensors"),
    "vit": ("vitpose-t_people-states_128x96", "demo/vitpose-t_people-states.safetensors"),
}


@pytest.fixture(scope="module")
def pictures():
    """Pictures of two sizes, BGR, and boxes: several people, one, none, and boxes that reach out of the picture."""
    images, boxes = [], []
    for size, seed in (((160, 120), 9), ((320, 240), 10)):
        coco, found = generate(1, seed, size=size, views=2, people=(2, 4), color=True)
        for key, image in found.items():
            images.append(np.ascontiguousarray(image[..., ::-1]))
            people = [person["bbox"] for person in coco["annotations"] if person["image_id"] == key]
            boxes.append(np.array([[x, y, x + w, y + h] for x, y, w, h in people]).reshape(-1, 4))
    boxes[1] = np.zeros((0, 4))
    boxes[2] = np.array([[-30.0, -20.5, 90.25, 260.0]])
    return images, boxes


def check(path, config, weights, pictures):
    images, boxes = pictures
    host = TopdownRunner(config, weights)
    wanted = host(images, boxes)
    for engine in ENGINES:
        pose = load(path, engine=engine)
        found = pose.batch(images, boxes=boxes)
        one = [pose(image, boxes=box) for image, box in zip(images, boxes, strict=True)]
        for people, alone, truth, box in zip(found, one, wanted, boxes, strict=True):
            assert len(people) == len(alone) == len(box)
            there = truth.scores > 0  # of a map without a positive value the host gives the place (-1, -1)
            np.testing.assert_allclose(people.keypoints[there][:, :2], truth.keypoints[there], atol=0.05)
            np.testing.assert_allclose(people.keypoints[there][:, 2], truth.scores[there], atol=1e-4)
            assert np.isnan(people.keypoints[~there]).all()
            np.testing.assert_allclose(alone.keypoints, people.keypoints, atol=1e-3)
            np.testing.assert_array_equal(people.boxes, box)
            if truth.states is not None:
                np.testing.assert_allclose(people.states, truth.states, atol=1e-4)
    assert pose.skeleton.joints == tuple(host.joints)
    return pose


@pytest.mark.parametrize("name", SHIPPED)
def test_joints_are_the_hosts(name, pictures, tmp_path):
    config, weights = (str(resource(path)) for path in (f"{FOLDER}{SHIPPED[name][0]}.py", SHIPPED[name][1]))
    done = export(config, weights, tmp_path / "model.onnx")
    assert max(done.difference.values()) < 1e-4
    pose = check(done.model, config, weights, pictures)
    assert pose.kind == "color" and pose.flip_test
    whole = pose(pictures[0][0])  # no box: the picture is one
    assert whole.boxes.tolist() == [[0, 0, 160, 120]]
    assert load(done.model).batch([]) == []
    with pytest.raises(ValueError, match="found uint16"):
        pose(np.zeros((120, 160), np.uint16))
    with pytest.raises(ValueError, match="without width"):
        pose(pictures[0][0], boxes=np.array([[5, 5, 5, 9.0]]))


def test_published_decoding_and_boxes(pictures, tmp_path):
    """The heads of the published network, 21 joints, on a small trunk with random weights."""
    config = tmp_path / "small.py"
    config.write_text(
        f"_base_ = [{str(resource(f'{FOLDER}vitpose-b_patient-21_256x192_published.py'))!r}]\n"
        "model = dict(backbone=dict(arch='tiny', depth=2), head=dict(in_channels=192, deconv_out_channels=(8, 8)))\n"
    )
    torch.manual_seed(1)
    model = init_model(read_test_config(config), None, device="cpu")
    torch.nn.init.normal_(model.head.final_layer.weight, std=0.3)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, str(tmp_path / "weights.safetensors"))
    done = export(config, tmp_path / "weights.safetensors", tmp_path / "model.onnx")
    pose = check(done.model, str(config), str(tmp_path / "weights.safetensors"), pictures)
    assert pose.metadata.codec["how"] == "udp" and pose.metadata.input.options["inclusive"]
    assert len(pose.skeleton.joints) == 21 and pose.metadata.skeleton.limbs
