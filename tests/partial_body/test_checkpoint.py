"""ViT checkpoints of every family: positions, names, and what is refused."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")

from orplugins.partial_body.checkpoint import convert_positions, convert_vit, find_grid, unwrap  # noqa: E402
from orplugins.partial_body.vit import ViT, resample_positions  # noqa: E402


@pytest.mark.parametrize(
    ("rows", "model", "expected"),
    [
        (192, (16, 12), (16, 12)),
        (193, (16, 12), (16, 12)),
        (432, (16, 12), (24, 18)),
        (193, (24, 18), (16, 12)),
        (197, (16, 12), (14, 14)),
        (198, (16, 12), (14, 14)),
        (196, (24, 18), (14, 14)),
        (60, (6, 10), (6, 10)),
        (577, (16, 12), (24, 24)),
        (48, (16, 12), (8, 6)),
    ],
)
def test_grids(rows, model, expected):
    assert find_grid(rows, model) == expected


def test_a_grid_that_cannot_be_told_is_asked_for():
    with pytest.raises(ValueError, match="151 rows.*checkpoint_grid"):
        find_grid(151, (16, 12))
    positions = torch.randn(1, 150, 8)
    assert convert_positions(positions, (16, 12), file_grid=(10, 15)).shape == (1, 192, 8)
    with pytest.raises(ValueError, match="150 rows, expected 16 x 12"):
        convert_positions(positions, (16, 12), file_grid=(16, 12))


def test_row_zero_is_added_in_0x_files_only():
    positions = torch.randn(1, 193, 8)
    added = convert_positions(positions, (16, 12), "added")
    assert torch.equal(added, positions[:, 1:] + positions[:, :1])
    assert torch.equal(convert_positions(positions, (16, 12)), positions[:, 1:])
    state = {"pos_embed": positions, "last_norm.weight": torch.ones(8), "blocks.0.norm1.weight": torch.ones(8)}
    assert torch.equal(convert_vit(state, (16, 12))["pos_embed"], added)
    new = {"pos_embed": positions, "ln1.weight": torch.ones(8), "layers.0.ln1.weight": torch.ones(8)}
    assert torch.equal(convert_vit(new, (16, 12))["pos_embed"], positions[:, 1:])


def test_resampled_positions_keep_a_smooth_field():
    rows, columns = torch.meshgrid(torch.linspace(0, 1, 16), torch.linspace(0, 1, 12), indexing="ij")
    field = torch.stack([rows, columns], -1).reshape(1, 192, 2)
    bigger = resample_positions(field, (16, 12), (24, 18)).reshape(24, 18, 2)
    # Rows become rows, columns columns, and a slope stays that slope (torch's bicubic kernel bends it a little).
    steps = bigger[3:-3, 3:-3].diff(dim=0)
    assert torch.allclose(steps[..., 0], torch.full((17, 12), 16 / 24 / 15), atol=8e-3)
    assert steps[..., 1].abs().max() < 1e-6
    back = resample_positions(bigger.reshape(1, -1, 2), (24, 18), (16, 12))
    assert (back - field).abs().max() < 0.03


def test_other_input_sizes_run():
    torch.manual_seed(0)
    model = ViT("tiny", (96, 128), depth=2).eval()
    with torch.no_grad():
        assert model(torch.randn(1, 3, 128, 96)).shape == (1, 192, 8, 6)
        assert model(torch.randn(2, 3, 96, 160)).shape == (2, 192, 6, 10)
        with pytest.raises(ValueError, match="100x128 pixels, expected multiples of 16"):
            model(torch.randn(1, 3, 128, 100))
    with pytest.raises(ValueError, match="arch is 'giant'"):
        ViT("giant")


def test_experts_are_refused():
    with pytest.raises(ValueError, match=r"ViTPose\+.*blocks.0.mlp.experts.0.weight and 0 more"):
        convert_vit({"blocks.0.mlp.experts.0.weight": torch.zeros(1)}, (16, 12))


def test_unwrap():
    inner = {"module.a": 1, "b": 2}
    assert unwrap({"state_dict": inner, "meta": {}}) == {"a": 1, "b": 2} == unwrap({"model": {"module": inner}})
