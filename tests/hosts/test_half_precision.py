"""Inference under bfloat16 autocast, whose tensors NumPy does not know: close to single precision, and no error."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmpose")

from mmengine.config import Config  # noqa: E402
from mmengine.registry import init_default_scope  # noqa: E402
from mmpose.registry import KEYPOINT_CODECS, MODELS  # noqa: E402

CONFIGS = Path(__file__).parents[2] / "configs/mmpose"


def build(config: str):
    init_default_scope("mmpose")
    torch.manual_seed(0)
    return MODELS.build(Config.fromfile(CONFIGS / config).model).eval()


def half():
    return torch.autocast("cpu", dtype=torch.bfloat16)


def test_paf_head():
    model = build("depthpose/depthpose_tiny-64x48.py")
    inputs = torch.rand(2, 1, 48, 64)
    with torch.no_grad(), half():
        maps = model.head(model.extract_feat(inputs))[-1]
        people = model.head.predict(model.extract_feat(inputs), [None, None])
    assert maps.pafs.dtype == torch.bfloat16 and len(people) == 2


def test_lifter():
    model = build("videopose3d/videopose3d_27-coco.py")
    clip = np.random.default_rng(0).uniform(50, 400, (30, 17, 2))
    expected = model.lift(clip, (640, 480))["pose"]
    with half():
        found = model.lift(clip, (640, 480))["pose"]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=0.05 * np.abs(expected).max())


def test_heatmap_codec():
    codec = KEYPOINT_CODECS.build(
        dict(type="orplugins.BatchedHeatmap", input_size=(96, 128), heatmap_size=(24, 32), sigma=2)
    )
    y, x = torch.meshgrid(torch.arange(32.0), torch.arange(24.0), indexing="ij")
    maps = torch.exp(-((x - 7.3) ** 2 + (y - 20.6) ** 2) / 8)[None, None]
    ((exact,), _), ((rough,), _) = codec.batch_decode(maps), codec.batch_decode(maps.bfloat16())
    np.testing.assert_allclose(rough, exact, atol=0.5)
