"""Heatmaps to points: the published decoding, and mmpose's own codec, through the registered classes."""

from __future__ import annotations

import numpy as np
import pytest
from cases import case_arrays, params, parity_cases

torch = pytest.importorskip("torch")
pytest.importorskip("mmpose")

from mmengine.registry import init_default_scope  # noqa: E402
from mmpose.models.utils.tta import flip_heatmaps  # noqa: E402
from mmpose.registry import KEYPOINT_CODECS, TRANSFORMS  # noqa: E402

import orplugins  # noqa: E402, F401
from orplugins.partial_body.udp import published_boxes  # noqa: E402

SYSTEM = "partial_body"
ROWS = [
    (f"{name}-{kind}", (path, data, kind))
    for name, path, data in parity_cases(SYSTEM)
    if "joint_kinds" in data
    for kind in data["cases"]
]


def flip_indices(pairs: list, joints: int) -> list[int]:
    indices = list(range(joints))
    for a, b in pairs:
        indices[a], indices[b] = b, a
    return indices


def boxes_to_input(boxes: np.ndarray, input_size, padding: float) -> tuple[np.ndarray, np.ndarray]:
    """Centres and sizes in pixels, by mmpose's own transforms."""
    init_default_scope("mmpose")
    results = {"bbox": published_boxes(boxes), "img": np.zeros((8, 8, 3), np.uint8)}
    results = TRANSFORMS.build(dict(type="GetBBoxCenterScale", padding=padding)).transform(results)
    affine = TRANSFORMS.build(dict(type="TopdownAffine", input_size=tuple(input_size), use_udp=True))
    return results["bbox_center"], affine._fix_aspect_ratio(results["bbox_scale"], input_size[0] / input_size[1])


@pytest.fixture(params=params(ROWS, SYSTEM))
def case(request):
    path, data, kind = request.param
    arrays = case_arrays(path, data)
    maps = arrays["heatmaps"]
    if "_flip_" in kind:
        pairs = data["flip_pairs_released" if "released" in kind else "flip_pairs_proper"]
        mirrored = flip_heatmaps(
            torch.from_numpy(arrays["heatmaps_flipped"].copy()),
            flip_mode="heatmap",
            flip_indices=flip_indices(pairs, maps.shape[1]),
            shift_heatmap=kind.endswith("_shift"),
        )
        maps = (maps + mirrored.numpy()) * 0.5
    return data, arrays, kind, maps


def in_frame(codec: dict, case) -> tuple[np.ndarray, np.ndarray]:
    data, arrays, _, maps = case
    size = tuple(data["image_size_wh"])
    codec = KEYPOINT_CODECS.build(
        {**codec, "input_size": size, "heatmap_size": tuple(data["heatmap_size_wh"]), "sigma": 2}
    )
    centres, scales = boxes_to_input(arrays["boxes_xyxy"], size, data["padding"])
    np.testing.assert_allclose(centres, arrays["center"], atol=1e-3)
    np.testing.assert_allclose(scales / data["pixel_std"], arrays["scale"], rtol=1e-5)
    decoded = [codec.decode(m) for m in maps]
    points = np.stack(
        [
            points[0] / size * scale + centre - scale / 2
            for (points, _), centre, scale in zip(decoded, centres, scales, strict=True)
        ]
    )
    return points, np.stack([scores[0] for _, scores in decoded])


def test_published_decoding(case):
    data, arrays, kind, _ = case
    how = kind.partition("_")[0]
    points, scores = in_frame(dict(type="orplugins.PublishedHeatmap", decoding=how), case)
    np.testing.assert_allclose(points, arrays[f"{kind}_xy"], atol=data["tolerance"]["own_port_of_the_0x_decoding_px"])
    np.testing.assert_allclose(scores, arrays[f"{kind}_score"][..., 0], atol=1e-6)


def test_stock_codec_is_told_apart(case):
    _, arrays, kind, _ = case
    if f"mmpose1_{kind}_xy" not in arrays:
        assert not kind.startswith("udp")  # the stock codec has no other decoding
        return
    points, _ = in_frame(dict(type="UDPHeatmap"), case)
    np.testing.assert_allclose(points, arrays[f"mmpose1_{kind}_xy"], atol=1e-3)
    assert np.abs(points - arrays[f"{kind}_xy"]).max() > 1  # near the border the two are not the same
