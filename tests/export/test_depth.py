"""Depth networks as model files: the people of the host's network, by either engine, at several sizes and batches."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmpose")
pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

from mmcv.transforms import Compose  # noqa: E402
from mmengine.dataset import pseudo_collate  # noqa: E402
from mmpose.apis import init_model  # noqa: E402

import orplugins  # noqa: E402, F401
from orplugins.deploy import load  # noqa: E402
from orplugins.export import export  # noqa: E402
from orplugins.export.graph import compare  # noqa: E402
from orplugins.export.methods import plan_of  # noqa: E402
from orplugins.resources import resource  # noqa: E402
from orplugins.skeletons import COCO_17  # noqa: E402
from orplugins.synthetic.export.in_memory import generate  # noqa: E402

NETWORKS = {
    "small": ("depthpose_small-64x48", "depthpose_small-64x48"),
    "rtpose": ("rtpose_tiny-320x240", "rtpose_tiny-320x240"),
}


@pytest.fixture(scope="module")
def images() -> list[np.ndarray]:
    """Of two sizes, with people; and one without."""
    found = [
        picture
        for size, seed in (((160, 120), 5), ((320, 240), 6))
        for picture in generate(1, seed, size=size, views=2, people=(2, 4))[1].values()
    ]
    return [*found, np.full((120, 160), 2500, np.uint16)]


@pytest.fixture(scope="module", params=NETWORKS)
def network(request, tmp_path_factory):
    config, weights = NETWORKS[request.param]
    config, weights = (
        str(resource(path)) for path in (f"configs/mmpose/depthpose/{config}.py", f"demo/{weights}.safetensors")
    )
    done = export(config, weights, tmp_path_factory.mktemp("depth") / "model.onnx", openvino=has_openvino())
    assert max(done.difference.values()) < 1e-4
    return config, weights, done


def has_openvino() -> bool:
    import importlib.util

    return importlib.util.find_spec("openvino") is not None


def hosts_people(config, weights, images):
    model = init_model(config, weights, device="cpu")
    pipeline = Compose(model.cfg.test_dataloader.dataset.pipeline)
    samples = [pipeline({"img": image, **model.dataset_meta}) for image in images]
    with torch.no_grad():
        return [model.test_step(pseudo_collate([sample]))[0].pred_instances for sample in samples]


def test_people_are_the_hosts(network, images):
    config, weights, done = network
    wanted = hosts_people(config, weights, images)
    files = [(done.model, "onnxruntime")]
    if done.openvino:
        files += [(done.model, "openvino"), (done.openvino, "openvino")]
    for path, engine in files:
        pose = load(path, engine=engine)
        for batch in (pose.batch(images), [pose(image) for image in images]):
            for found, host, image in zip(batch, wanted, images, strict=True):
                assert len(found) == len(host.keypoints) and found.size == image.shape[1::-1]
                missing = host.keypoint_scores <= 0
                assert np.array_equal(np.isnan(found.keypoints[..., 0]), missing)
                np.testing.assert_allclose(found.filled()[..., :2], host.keypoints, atol=0.05)
                np.testing.assert_allclose(found.filled()[..., 2], host.keypoint_scores, atol=1e-4)
                np.testing.assert_allclose(found.scores, host.bbox_scores, rtol=1e-3)
    assert sum(map(len, batch)) >= 4 and len(batch[-1]) == 0
    assert pose.skeleton is COCO_17 and pose.kind == "depth"


def test_no_image_and_threads(network):
    assert load(network[2].model, threads=2).batch([]) == []


def test_mirrored_averaging_is_the_hosts(images, tmp_path):
    config, weights = (str(resource(path)) for path in (
        "configs/mmpose/depthpose/depthpose_tiny-64x48.py", "demo/depthpose_tiny-64x48.safetensors"))  # fmt: skip
    changed = tmp_path / "flip.py"
    changed.write_text(f"_base_ = [{config!r}]\nmodel = dict(test_cfg=dict(flip_test=True))\n")
    done = export(changed, weights, tmp_path / "model.onnx")
    for found, host in zip(load(done.model).batch(images), hosts_people(str(changed), weights, images), strict=True):
        np.testing.assert_allclose(found.filled()[..., :2], host.keypoints, atol=0.05)


@pytest.mark.parametrize("option", ["half", "int8"])
def test_smaller_numbers_find_the_people_too(network, images, option, tmp_path):
    config, weights, done = network
    small = export(config, weights, tmp_path / "model.onnx", **{option: True}, calibration=12, score=False)
    assert small.model.stat().st_size < (0.6 if option == "half" else 0.4) * done.model.stat().st_size
    pose, full = load(small.model), load(done.model)
    assert pose.metadata.precision == {"half": "fp16", "int8": "int8"}[option]
    for image in images[:2]:
        near, far = pose.maps(pose.prepare(image)[None, None]), full.maps(full.prepare(image)[None, None])
        for mine, wanted in zip(near, far, strict=True):
            assert np.abs(mine - wanted).mean() < (1e-3 if option == "half" else 0.02)
    assert abs(len(pose(images[0])) - len(full(images[0]))) <= 1


@pytest.mark.slow
def test_the_published_network_of_eight_bit_images(tmp_path):
    """Random weights: 39 million parameters, 64x48 images of 8 bits, results in 640x480, the published decoder."""
    from safetensors.torch import save_file

    config = str(resource("configs/mmpose/depthpose/depthpose_mvor-64x48.py"))
    torch.manual_seed(0)
    state = {key: value.contiguous() for key, value in init_model(config, None, device="cpu").state_dict().items()}
    save_file(state, str(tmp_path / "weights.safetensors"))
    plan = plan_of(config, str(tmp_path / "weights.safetensors"))
    done = export(config, tmp_path / "weights.safetensors", tmp_path / "model.onnx")
    assert max(compare(plan, str(done.model), (1, 3)).values()) < 1e-4
    pose = load(done.model)
    assert pose.metadata.input.unit == "8-bit" and pose.metadata.codec["decode"] == "published"
    image = np.random.default_rng(0).integers(1, 255, (48, 64)).astype(np.uint8)
    assert pose(image).size == (640, 480)
    with pytest.raises(ValueError, match="found 80x60 pixels, expected 64x48"):
        pose(np.zeros((60, 80), np.uint8))
    with pytest.raises(ValueError, match="found uint16"):
        pose(np.zeros((48, 64), np.uint16))
