"""What the parity tests of AdaptOR share: kinds of cases, configs, models with the cases' weights."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from pathlib import Path

import numpy as np
from cases import cases_with, fill_state_dict, generated, parity_cases

SYSTEM = "adaptor"
CONFIGS = Path(__file__).resolve().parents[2] / "configs/detectron2/adaptor"
NETWORK = "kmrcnn_R_50_FPN_3x_gn_amp_"
# Blocks of res3 and res4 -> layers of the ResNet.
DEPTHS = {(4, 6): 50, (4, 23): 101, (8, 36): 152}


def cases(*keys: str) -> list:
    """Parameters of the system's cases, see `cases_with`."""
    return cases_with(SYSTEM, *keys)


def depth_of(names) -> int:
    """Layers of the ResNet whose tensors these are."""
    blocks = tuple(
        len({found[1] for name in names if (found := re.match(rf"backbone\.bottom_up\.res{level}\.(\d+)\.", name))})
        for level in (3, 4)
    )
    return DEPTHS[blocks]


def options_of(text: str) -> list[str]:
    """Keys and values that a case's description of its config names; a key without a path is in its forerunner's."""
    found, path = [], ""
    for key, value in re.findall(r"\b([A-Z][A-Z0-9_.]*[A-Z0-9])[ =:]+([\w.]*\w)", text):
        path = key.rpartition(".")[0] if "." in key else path
        if "." in key or (path and value[0].isdigit()):
            found += [key if "." in key else f"{path}.{key}", value]
    return found


def config(folder: Path, text: str = "", *options):
    """The published config that a case describes; its depth is that of the folder's `model.json` unless it says one."""
    from detectron2.config import get_cfg

    from orplugins.hosts.detectron2.config import add_orplugins_config

    name = re.search(r"sup\d+", text)
    cfg = get_cfg()
    add_orplugins_config(cfg)
    cfg.merge_from_file(str(CONFIGS / f"{NETWORK}{name[0] if name else 'sup1'}.yaml"))
    said = options_of(text)
    depth = re.search(r"R[-_]?101|ResNet-?101", text)
    described = [data for _, path, data in parity_cases(SYSTEM) if path.parent == folder and "plain" in data]
    if "MODEL.RESNETS.DEPTH" not in said and (depth or described):
        cfg.MODEL.RESNETS.DEPTH = 101 if depth else depth_of(described[0]["plain"]["state_dict"])
    cfg.merge_from_list([*said, "MODEL.DEVICE", "cpu", *options])
    return cfg


SPLIT = ("MODEL.META_ARCHITECTURE", "GeneralizedRCNNSplitGN", "MODEL.USE_SPLIT_GROUP_NORM", True)


def model(cfg, filled: bool = True):
    """The registered model, with the weights that the answers hold for."""
    import torch
    from detectron2.modeling import build_model

    torch.manual_seed(0)
    built = build_model(cfg)
    if filled:
        state = built.state_dict().items()
        built.load_state_dict({name: torch.as_tensor(_filled(name, tuple(value.shape))) for name, value in state})
    return built


@lru_cache(maxsize=700)  # tens of millions of random numbers, the same for every test
def _filled(name: str, shape: tuple[int, ...]) -> np.ndarray:
    return np.asarray(fill_state_dict({name: shape})[name])


def normal(text: str, digest: str | None = None) -> np.ndarray:
    """The generated input that a case describes by its numpy call."""
    values = generated(text)
    if digest:
        assert hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest() == digest
    return values


def close(found, expected, rtol: float, atol: float, note: str = "") -> None:
    """Equal within a tolerance; `found` may be a tensor."""
    values = found.detach().numpy() if hasattr(found, "detach") else np.asarray(found)
    assert values.shape == np.shape(expected), note
    np.testing.assert_allclose(values, expected, rtol=rtol, atol=atol, err_msg=note)
