"""mmcv's operators through torchvision equal the compiled ones, and stand aside for them."""

import importlib.util
import os
import subprocess
import sys
import zipfile
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("torchvision")

from .conftest import REPOSITORY, run  # noqa: E402

FOLDER = REPOSITORY / "orplugins/hosts/mmcv_ops"
ROI_ALIGN = {"aligned_height": 5, "aligned_width": 3, "spatial_scale": 0.25, "pool_mode": 1}


def load(name: str, path: Path):
    """Import a module from a file under a name of its own."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def ours():
    return load("torchvision_ops._ext", FOLDER / "_ext.py")


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """mmcv's compiled module: the installed one, or that of a wheel in a folder of PIP_FIND_LINKS."""
    suffix = EXTENSION_SUFFIXES[0]
    spec = importlib.util.find_spec("mmcv._ext") if importlib.util.find_spec("mmcv") else None
    if spec and spec.origin.endswith(suffix):
        return load("compiled._ext", Path(spec.origin))
    for folder in os.environ.get("PIP_FIND_LINKS", "").split():
        for wheel in sorted(Path(folder).glob("mmcv-2.1.0-*.whl")):
            with zipfile.ZipFile(wheel) as archive:
                if f"mmcv/_ext{suffix}" in archive.namelist():
                    path = archive.extract(f"mmcv/_ext{suffix}", tmp_path_factory.mktemp("compiled"))
                    return load("compiled._ext", Path(path))
    pytest.skip("no compiled mmcv for this Python: neither installed nor as a wheel in PIP_FIND_LINKS")


def random_boxes(seed: int, count: int) -> tuple:
    """Boxes (N, 4) of which many overlap, and scores (N,) without ties."""
    generator = torch.Generator().manual_seed(seed)
    corners = torch.rand(count, 2, generator=generator) * 60
    sides = 4 + torch.rand(count, 2, generator=generator) * 40
    return torch.cat([corners, corners + sides], 1), torch.randperm(count, generator=generator) / count


def random_rois(seed: int, count: int) -> torch.Tensor:
    """Regions (N, 5) of two pictures, some partly outside."""
    boxes, _ = random_boxes(seed, count)
    index = torch.randint(0, 2, (count, 1), generator=torch.Generator().manual_seed(seed)).float()
    return torch.cat([index, boxes * 1.5 - 10], 1)


def slow_nms(boxes: np.ndarray, scores: np.ndarray, threshold: float, offset: int) -> list[int]:
    kept: list[int] = []
    for k in np.argsort(-scores):
        x1, y1, x2, y2 = boxes[k]
        area = (x2 - x1 + offset) * (y2 - y1 + offset)
        for j in kept:
            a1, b1, a2, b2 = boxes[j]
            width, height = min(x2, a2) - max(x1, a1) + offset, min(y2, b2) - max(y1, b1) + offset
            shared = max(width, 0) * max(height, 0)
            if shared / (area + (a2 - a1 + offset) * (b2 - b1 + offset) - shared) > threshold:
                break
        else:
            kept.append(int(k))
    return kept


@pytest.mark.parametrize("offset", [0, 1])
@pytest.mark.parametrize("seed", range(5))
def test_nms_keeps_what_its_definition_keeps(ours, seed, offset):
    boxes, scores = random_boxes(seed, 80)
    kept = ours.nms(boxes, scores, iou_threshold=0.4, offset=offset)
    assert kept.dtype == torch.int64 and 5 < len(kept) < 75
    assert kept.tolist() == slow_nms(boxes.double().numpy(), scores.numpy(), 0.4, offset)


@pytest.mark.parametrize("offset", [0, 1])
@pytest.mark.parametrize("seed", range(20))
def test_nms_equals_the_compiled_one(ours, compiled, seed, offset):
    boxes, scores = random_boxes(seed, 300)
    arguments = {"iou_threshold": 0.1 + 0.04 * seed, "offset": offset}
    assert torch.equal(ours.nms(boxes, scores, **arguments), compiled.nms(boxes, scores, **arguments))


def roi_align(module, features, rois, sampling_ratio: int, aligned: bool):
    """Regions (N, C, 5, 3) and the gradient of a weighted sum of them."""
    options = {**ROI_ALIGN, "sampling_ratio": sampling_ratio, "aligned": aligned}
    output = features.new_zeros(len(rois), features.shape[1], 5, 3)
    nothing = features.new_zeros(0)
    module.roi_align_forward(features, rois, output, nothing, nothing, **options)
    weights = torch.linspace(-1, 2, output.numel()).reshape(output.shape)
    gradient = torch.zeros_like(features)
    module.roi_align_backward(weights, rois, nothing, nothing, gradient, **options)
    return output, gradient


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("sampling_ratio", [0, 2])
def test_roi_align_equals_the_compiled_one(ours, compiled, sampling_ratio, aligned):
    features = torch.randn(2, 4, 20, 24, generator=torch.Generator().manual_seed(3))
    rois = random_rois(4, 40)
    output, gradient = roi_align(ours, features, rois, sampling_ratio, aligned)
    expected, expected_gradient = roi_align(compiled, features, rois, sampling_ratio, aligned)
    assert torch.equal(output, expected) and output.abs().max() > 1
    torch.testing.assert_close(gradient, expected_gradient, rtol=1e-4, atol=1e-5)


def test_average_of_a_region_in_a_ramp(ours):
    """A bin's average of a linear ramp is the ramp's value at its centre, which ``aligned`` moves by half a cell."""
    ramp = torch.arange(32.0).expand(1, 1, 32, 32)
    rois = torch.tensor([[0.0, 16, 16, 64, 56]])  # cells 4 to 16 across
    for aligned, shift in ((False, 0.0), (True, -0.5)):
        output, _ = roi_align(ours, ramp, rois, 2, aligned)
        assert output[0, 0, 0].tolist() == pytest.approx([4 + 2 + shift, 4 + 6 + shift, 4 + 10 + shift])


def test_gradients_of_mmcv_s_roi_align():
    ops = pytest.importorskip("mmcv.ops")
    features = torch.randn(2, 2, 8, 9, dtype=torch.float64, requires_grad=True)
    rois = (random_rois(5, 4) / 3).double()
    assert torch.autograd.gradcheck(lambda x: ops.roi_align(x, rois, (2, 3), 0.5, 2, "avg", True), (features,))


def test_maximum_pooling_and_other_operators_are_refused_by_name(ours):
    with pytest.raises(NotImplementedError, match="roi_align with pool_mode='max'"):
        ours.roi_align_forward(*[torch.zeros(1)] * 5, **{**ROI_ALIGN, "pool_mode": 0}, sampling_ratio=0, aligned=True)
    with pytest.raises(NotImplementedError, match="operator softnms is not there"):
        ours.softnms(1, 2, three=3)
    assert not hasattr(ours, "__path__")


@pytest.mark.slow
@pytest.mark.parametrize("first", ["mmpose.apis", "detectron2.modeling", "orplugins"])
def test_operators_are_there_whatever_is_imported_first(python, first):
    """They are a module of mmcv's, not a hook of ours, which would come too late."""
    for host in ("mmpose", "detectron2"):
        pytest.importorskip(host)
    code = f"""
import importlib
for name in ({first!r}, "mmpose.apis", "detectron2.modeling", "orplugins", "mmdet.models"):
    importlib.import_module(name)
import torch
from mmcv.ops import batched_nms, nms
boxes = torch.tensor([[0, 0, 9, 9], [0, 0, 9, 8], [20, 20, 30, 30]]).float()
print(nms(boxes, torch.tensor([0.5, 0.9, 0.7]), 0.5)[1].tolist())
"""
    assert python(code).splitlines()[-1] == "[1, 2]"


def test_environment_report_names_torchvision():
    pytest.importorskip("mmpose")
    from mmcv import _ext
    from mmcv.utils import collect_env

    if not _ext.__file__.endswith(".py"):
        pytest.skip("mmcv is compiled here")
    assert collect_env()["MMCV Compiler"].startswith("none (operators of torchvision")


@pytest.mark.slow
@pytest.mark.parametrize("config", ["faster_rcnn/faster-rcnn_r50_fpn_1x_coco", "rtmdet/rtmdet_tiny_8xb32-300e_coco"])
def test_mmdet_s_detectors_train_and_detect(config):
    """Forward and backward of detectors that need both operators (RTMDet: only NMS), with random weights."""
    pytest.importorskip("mmdet")
    from mmdet.registry import MODELS
    from mmdet.structures import DetDataSample
    from mmengine.hub import get_config
    from mmengine.registry import init_default_scope
    from mmengine.structures import InstanceData

    init_default_scope("mmdet")
    settings = get_config(f"mmdet::{config}.py").model
    settings.backbone.init_cfg = None
    if settings.type == "FasterRCNN":
        settings.backbone.depth, settings.neck.in_channels = 18, [64, 128, 256, 512]
        settings.backbone.pop("frozen_stages")
    torch.manual_seed(0)
    model = MODELS.build(settings)
    model.init_weights()
    sample = DetDataSample(
        metainfo={
            "img_shape": (96, 128),
            "pad_shape": (96, 128),
            "ori_shape": (96, 128),
            "batch_input_shape": (96, 128),
            "scale_factor": (1.0, 1.0),
            "img_id": 0,
        }
    )
    boxes = torch.tensor([[10.0, 12, 70, 80], [60, 5, 120, 90]])
    sample.gt_instances = InstanceData(bboxes=boxes, labels=torch.tensor([0, 1]))
    images = torch.randn(1, 3, 96, 128)
    losses = model.train().loss(images, [sample])
    total = sum(value if torch.is_tensor(value) else sum(value) for key, value in losses.items() if "loss" in key)
    total.backward()
    assert torch.isfinite(total) and total > 0
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in model.backbone.parameters())
    model.test_cfg.get("rcnn", model.test_cfg)["score_thr"] = 0.0
    with torch.no_grad():  # still in training mode: without batch statistics random weights give empty boxes
        (found,) = model.predict(images, [sample.clone()])
    assert len(found.pred_instances) > 0 and torch.isfinite(found.pred_instances.bboxes).all()


@pytest.mark.slow
def test_distribution_is_one_file_that_pip_removes(tmp_path):
    """Installed next to an mmcv it adds ``mmcv/_ext.py`` and nothing else, and pip takes just that away again."""
    pytest.importorskip("hatchling")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    run(*pip, "wheel", "--no-deps", "--no-index", "--no-build-isolation", "-w", tmp_path, FOLDER, cwd=tmp_path)
    (wheel,) = tmp_path.glob("mmcv_torchvision_ops-*-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert [name for name in archive.namelist() if ".dist-info/" not in name] == ["mmcv/_ext.py"]
    interpreter = tmp_path / "venv/bin/python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    (package,) = (path / "mmcv" for path in (tmp_path / "venv/lib").glob("python*/site-packages"))
    package.mkdir()
    (package / "__init__.py").write_text("__version__ = '2.1.0'\n")
    (package / f"_ext{EXTENSION_SUFFIXES[0]}").write_bytes(b"")
    there = (*pip, "--python", interpreter)
    run(*there, "install", "--no-deps", "--no-index", wheel, cwd=tmp_path)
    found = run(interpreter, "-c", "import importlib.util as u; print(u.find_spec('mmcv._ext').origin)", cwd=tmp_path)
    assert found.strip().endswith(EXTENSION_SUFFIXES[0]), "a compiled module goes first"
    run(*there, "uninstall", "--yes", "mmcv-torchvision-ops", cwd=tmp_path)
    assert sorted(path.name for path in package.iterdir() if path.is_file()) == [
        "__init__.py",
        f"_ext{EXTENSION_SUFFIXES[0]}",
    ]
