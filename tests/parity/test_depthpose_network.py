"""The published DepthPose network: published names and weights in, every map's statistics out."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from cases import case_arrays, fill_state_dict, params, parity_cases

torch = pytest.importorskip("torch")
pytest.importorskip("mmpose")

from mmengine.config import Config  # noqa: E402
from mmengine.registry import init_default_scope  # noqa: E402
from mmengine.runner import load_state_dict  # noqa: E402
from mmpose.registry import MODELS  # noqa: E402

SYSTEM = "depthpose"
CONFIG = Path(__file__).resolve().parents[2] / "configs/mmpose/depthpose/depthpose_mvor-64x48.py"
CASES = [
    (name, (path, data)) for name, path, data in parity_cases(SYSTEM) if "state_dict" in data and "statistics" in data
]


@pytest.fixture(scope="module", params=params(CASES, SYSTEM))
def network(request):
    """(statistics of the case, found maps by name, arrays of the case, tolerance in standard deviations)."""
    path, data = request.param
    arrays = case_arrays(path, data)
    init_default_scope("mmpose")
    model = MODELS.build(Config.fromfile(CONFIG).model).eval()
    filled = fill_state_dict(data["state_dict"])
    weights = {name: torch.as_tensor(np.asarray(value)) for name, value in filled.items()}
    assert sum(value.numel() for value in weights.values()) == data["parameters"]
    # The reconstruction that only training has is all that the published file may lack.
    keys = model.load_state_dict(dict(weights), strict=False)
    assert not keys.unexpected_keys and all(k.startswith("head.reconstruction.") for k in keys.missing_keys)
    load_state_dict(model, dict(weights), strict=False)

    trunk, stages = model.backbone.trunk, model.head.stages
    points = {f"x{2 ** (k + 1)}": step for k, step in enumerate(trunk.sr)}
    points |= {f"x{2 ** (k + 1)}_down": skip for k, skip in enumerate(trunk.skips)}
    points["features"] = trunk.extractor
    for k, (paf, heat) in enumerate(zip(stages.paf_stages, stages.heatmap_stages, strict=True), start=1):
        points |= {f"stage{k}_paf": paf, f"stage{k}_heat": heat}
    maps: dict[str, np.ndarray] = {}
    for name, module in points.items():
        module.register_forward_hook(lambda _, __, out, name=name: maps.update({name: out.numpy().copy()}))
    with torch.no_grad():
        outputs = model.head(model.extract_feat(torch.from_numpy(arrays["input"].astype(np.float32))))
    maps["pafs"], maps["heatmaps"] = outputs[-1].pafs.numpy(), outputs[-1].heatmaps.numpy()
    tolerance = float(re.search(r"below ([0-9.e+-]+) times", data["tolerance"])[1])
    return data["statistics"], maps, arrays, tolerance


def test_every_map_has_the_published_statistics(network):
    statistics, maps, _, tolerance = network
    for name, expected in statistics.items():
        found, limit = maps[name], tolerance * expected["std"]
        assert list(found.shape) == expected["shape"], name
        first = np.ascontiguousarray(found).ravel()[: len(expected["first16"])]
        np.testing.assert_allclose(first, expected["first16"], rtol=0, atol=limit, err_msg=name)
        assert abs(found.mean(dtype=np.float64) - expected["mean"]) < limit, name
        assert abs(found.std(dtype=np.float64) - expected["std"]) < limit, name
        assert abs(found.min() - expected["min"]) < limit and abs(found.max() - expected["max"]) < limit, name


def test_last_maps_are_the_published_ones(network):
    statistics, maps, arrays, tolerance = network
    last = max(name for name in statistics if name.endswith("_paf"))
    for name, map_name in (("pafs", last), ("heatmaps", last.replace("_paf", "_heat"))):
        limit = tolerance * statistics[map_name]["std"]
        np.testing.assert_allclose(maps[name], arrays[name], rtol=0, atol=limit)
