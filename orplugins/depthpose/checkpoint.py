"""Names of the published DepthPose checkpoints (``depthpose_80x60.pth``, ``depthpose_64x48.pth``) in our modules."""

from __future__ import annotations

import re
from collections.abc import Mapping

# stage<n>_conv<k> are the convolutions of super-resolution step n; a ReLU stands after each in our sequence.
_SR = re.compile(r"stage([123])_conv([1-4])$")
_SKIP = {"conv_x2_1": "skips.0.1", "conv_x4_1": "skips.1.1", "conv_x4_2": "skips.1.4"}
_STAGE = re.compile(r"model([1-4])_([12])\.(\d+)$")


def is_published(state_dict: Mapping) -> bool:
    """Whether a checkpoint's names are those of the release.

    Args:
        state_dict: Names to tensors, also with ``module.`` before them, as data-parallel training saves them.

    Returns:
        True if at least one name is a published one.
    """
    return any(key.removeprefix("module.").startswith(("model1_1.", "model0.")) for key in state_dict)


def _rename(name: str, trunk: str, stages: str) -> str | None:
    module, _, leaf = name.removeprefix("module.").rpartition(".")
    if match := _SR.match(module):
        return f"{trunk}sr.{int(match[1]) - 1}.{2 * (int(match[2]) - 1)}.{leaf}"
    if module in _SKIP:
        return f"{trunk}{_SKIP[module]}.{leaf}"
    if module.startswith("model0."):
        return f"{trunk}extractor.{module.removeprefix('model0.')}.{leaf}"
    if match := _STAGE.match(module):
        branch = "paf_stages" if match[2] == "1" else "heatmap_stages"
        return f"{stages}{branch}.{int(match[1]) - 1}.{match[3]}.{leaf}"
    return None


def convert_published(state_dict: Mapping, trunk: str = "trunk.", stages: str = "stages.") -> dict:
    """Rename a published state dict.

    Args:
        state_dict: Published names to tensors.
        trunk: Prefix of `orplugins.depthpose.network.DepthPoseTrunk` in the model that will load it.
        stages: Prefix of `orplugins.depthpose.network.PAFStages` in that model.

    Returns:
        Our names to the same tensors.

    Raises:
        ValueError: A name is not one of the release's; all such names are listed.
    """
    renamed = {name: _rename(name, trunk, stages) for name in state_dict}
    unknown = [name for name, new in renamed.items() if new is None]
    if unknown:
        raise ValueError(f"not a DepthPose checkpoint: unknown names {', '.join(sorted(unknown))}")
    return {new: state_dict[name] for name, new in renamed.items()}
