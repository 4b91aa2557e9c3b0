"""What the parity tests of ORPose-Color share: kinds of cases, a model with the case's weights, targets."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from cases import ROOT, cases_with, fill_state_dict, generated

SYSTEM = "orpose_color"
CONFIGS = Path(__file__).resolve().parents[2] / "configs/detectron2/orpose_color"
PREFIX = "roi_heads.keypoint_head."


def cases(*keys: str) -> list:
    """Parameters of the system's cases, see `cases_with`."""
    return cases_with(SYSTEM, *keys)


def statistics_path() -> str:
    """The published joint statistics, which no case holds."""
    folder = Path(os.environ.get("ORPLUGINS_ORPOSE_COLOR") or ROOT.parent / "data/orpose_color")
    for path in (folder / "h36stats.json", ROOT / SYSTEM / "h36stats.json"):
        if path.is_file():
            return str(path)
    default = Path(__file__).resolve().parents[2].parent / "shared/data/orpose_color/h36stats.json"
    if default.is_file():
        return str(default)
    pytest.skip("no h36stats.json (set ORPLUGINS_ORPOSE_COLOR to the folder that holds it)")


def config(case: dict | None = None, **options):
    """The configuration that a case names (its `config`, its `base` file), with a test's own options."""
    from detectron2.config import get_cfg

    from orplugins.hosts.detectron2.config import add_keypoints3d_config

    cfg = get_cfg()
    add_keypoints3d_config(cfg)
    own = dict((case or {}).get("config") or (case or {}).get("meta", {}).get("config") or {})
    cfg.merge_from_file(str(CONFIGS / own.pop("base", "orpose_fixed_12x.yaml")))
    cfg.merge_from_list([x for pair in own.items() for x in pair])
    cfg.MODEL.DEVICE = "cpu"
    cfg.DATASETS.H36_STATS_PATH = statistics_path()
    cfg.merge_from_list([x for pair in options.items() for x in (pair[0].replace("__", "."), pair[1])])
    return cfg


def filled(module, prefix: str = "", factors: dict | None = None) -> dict:
    """The module's state dict with the weights that the answers hold for; `prefix` is where it lies in the model."""
    import torch

    shapes = tuple((prefix + name, tuple(value.shape)) for name, value in module.state_dict().items())
    return {
        name.removeprefix(prefix): torch.as_tensor(np.asarray(value)) * (factors or {}).get(name, 1)
        for name, value in _filled(shapes).items()
    }


@lru_cache(maxsize=1)  # millions of random numbers, the same for every test of the head
def _filled(shapes: tuple) -> dict:
    return fill_state_dict(dict(shapes))


def head(case: dict, size: tuple[int, ...], **options):
    """The registered head with the case's weights, in evaluation mode, for features of this size (C, H, W)."""
    from detectron2.layers import ShapeSpec

    from orplugins.orpose_color.detectron2.keypoint_head import ROI_KEYPOINTS3D_HEAD_REGISTRY

    cfg = config(case, **options)
    cls = ROI_KEYPOINTS3D_HEAD_REGISTRY.get(cfg.MODEL.ROI_KEYPOINTS3D_HEAD.NAME)
    module = cls(cfg, ShapeSpec(channels=size[0], height=size[1], width=size[2]))
    module.load_state_dict(filled(module, PREFIX))
    return module.eval()


def without_dropout(module):
    import torch

    for each in module.modules():
        if isinstance(each, torch.nn.Dropout):
            each.p = 0.0
    return module


def normal(meta: dict, key: str = "features") -> np.ndarray:
    """The generated input that a case describes by its numpy call."""
    values = generated(meta[key])
    check(values, meta.get("feature_sha256"))
    return values


def check(values: np.ndarray, digest: str | None) -> None:
    if digest:
        assert hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest() == digest
