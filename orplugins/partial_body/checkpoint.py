"""Names of ViT checkpoints (mmpose 0.x ViTPose, mmpose 1.x, timm, MAE) in `orplugins.partial_body.vit.ViT`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from orplugins.partial_body.vit import resample_positions

# Pieces of a name after ``blocks.<i>.`` (0.x, timm, MAE) and their names after ``layers.<i>.``.
_BLOCK = re.compile(r"blocks\.(\d+)\.(norm1|norm2|attn\.qkv|attn\.proj|mlp\.fc1|mlp\.fc2)\.(weight|bias)$")
_BLOCK_PARTS = {
    "norm1": "ln1",
    "norm2": "ln2",
    "attn.qkv": "attn.qkv",
    "attn.proj": "attn.proj",
    "mlp.fc1": "ffn.layers.0.0",
    "mlp.fc2": "ffn.layers.1",
}
_OTHER = {
    "patch_embed.proj.weight": "patch_embed.projection.weight",
    "patch_embed.proj.bias": "patch_embed.projection.bias",
    "last_norm.weight": "ln1.weight",
    "last_norm.bias": "ln1.bias",
    "norm.weight": "ln1.weight",
    "norm.bias": "ln1.bias",
}
# What timm and MAE files hold besides the trunk: classification, distillation and reconstruction.
_NOT_TRUNK = ("cls_token", "dist_token", "mask_token", "head.", "head_dist.", "fc_norm.", "decoder_", "decoder.")
_CONTAINERS = ("state_dict", "model", "module")


def unwrap(state_dict: Mapping) -> dict[str, Tensor]:
    """The tensors of a checkpoint, out of ``state_dict``, ``model`` or ``module``, without the prefix ``module.``.

    Args:
        state_dict: Content of a file.

    Returns:
        Names to tensors.
    """
    while True:
        inner = [state_dict[key] for key in _CONTAINERS if isinstance(state_dict.get(key), Mapping)]
        if not inner:
            return {key.removeprefix("module."): value for key, value in state_dict.items()}
        state_dict = inner[0]


def convert_vit(
    state_dict: Mapping[str, Tensor],
    grid: tuple[int, int],
    file_grid: tuple[int, int] | None = None,
) -> dict[str, Tensor]:
    """A backbone's tensors under the names of `orplugins.partial_body.vit.ViT`, positions for its grid.

    Args:
        state_dict: Bare names of any of the families. A mmpose 1.x dictionary comes back with the same tensors.
        grid: (rows, columns) of the model's positions.
        file_grid: (rows, columns) of the file's positions; found by `find_grid` if None.

    Returns:
        New dictionary; no tensor is changed. Names that are no trunk's are kept, for the loader to report.

    Raises:
        ValueError: ViTPose+ expert layers, or positions of a grid that cannot be told.
    """
    experts = sorted(key for key in state_dict if ".experts." in key)
    if experts:
        raise ValueError(
            f"a ViTPose+ checkpoint with expert layers ({experts[0]} and {len(experts) - 1} more): "
            "expected one of ViTPose. Split it into single experts first"
        )
    foreign = any(key.startswith("blocks.") for key in state_dict)
    converted = {}
    for key, value in state_dict.items():
        match = _BLOCK.match(key)
        if match:
            converted[f"layers.{match[1]}.{_BLOCK_PARTS[match[2]]}.{match[3]}"] = value
        elif not (foreign and key.startswith(_NOT_TRUNK)):
            converted[_OTHER.get(key, key) if foreign else key] = value
    if "pos_embed" in converted:
        # Only 0.x ViTPose adds its row 0 to every token; in all others it belongs to a class token.
        row0 = "added" if any(key.startswith("last_norm.") for key in state_dict) else "class token"
        converted["pos_embed"] = convert_positions(converted["pos_embed"], grid, row0, file_grid)
    return converted


def convert_positions(
    positions: Tensor, grid: tuple[int, int], row0: str = "class token", file_grid: tuple[int, int] | None = None
) -> Tensor:
    """Positions of a file, for a model's grid.

    Args:
        positions: (1, N or N + 1 or N + 2, width), N = rows * columns of the file's grid.
        grid: (rows, columns) of the model's positions.
        row0: What a row before the grid means: ``"added"`` to every token, or a ``"class token"``, dropped with a
            distillation token that may follow it.
        file_grid: (rows, columns) of the file's positions; found by `find_grid` if None.

    Returns:
        (1, rows * columns, width).

    Raises:
        ValueError: The number of rows fits no grid.
    """
    rows = positions.shape[1]
    old = file_grid or find_grid(rows, grid)
    extra = rows - old[0] * old[1]
    if extra not in (0, 1, 2):
        raise ValueError(f"pos_embed has {rows} rows, expected {old[0]} x {old[1]} and at most 2 more")
    if extra == 1 and row0 == "added":
        positions = positions[:, 1:] + positions[:, :1]
    elif extra:
        positions = positions[:, extra:]
    return positions if old == tuple(grid) else resample_positions(positions, old, grid)


def find_grid(rows: int, grid: tuple[int, int]) -> tuple[int, int]:
    """Grid of a file's positions.

    The model's own grid, else upright 4:3 (ViTPose: 192 is 16 x 12, 432 is 24 x 18), else a square, each with none, one
    or two rows before it.

    Args:
        rows: Number of positions in the file.
        grid: (rows, columns) of the model's positions.

    Returns:
        (rows, columns).

    Raises:
        ValueError: The number of rows fits no grid.
    """
    for extra in (0, 1, 2):
        if rows - extra == grid[0] * grid[1]:
            return grid[0], grid[1]
    for extra in (0, 1, 2):
        side = round(((rows - extra) / 12) ** 0.5)
        if side and 12 * side * side == rows - extra:
            return 4 * side, 3 * side
    for extra in (0, 1, 2):
        side = round((rows - extra) ** 0.5)
        if side and side * side == rows - extra:
            return side, side
    raise ValueError(
        f"pos_embed has {rows} rows: neither {grid[0]} x {grid[1]}, nor upright 4:3, nor a square. "
        "Say the file's grid with checkpoint_grid=(rows, columns)"
    )
