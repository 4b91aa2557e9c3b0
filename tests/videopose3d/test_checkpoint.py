"""Published VideoPose3D checkpoints: either of torch's formats, nothing executed, sizes read from shapes."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from orplugins.videopose3d.checkpoint import (  # noqa: E402
    convert_published,
    read_checkpoint,
    recover_options,
    to_published,
)


def published(channels=8, joints_in=17, joints_out=17, widths=(3, 5, 3)) -> dict:
    """State dict of a network of that size, published names."""
    state = {
        "expand_conv.weight": (channels, 2 * joints_in, widths[0]),
        "shrink.weight": (3 * joints_out, channels, 1),
        "shrink.bias": (3 * joints_out,),
    }
    norms = ["expand_bn"]
    for i, width in enumerate(widths[1:]):
        state[f"layers_conv.{2 * i}.weight"] = (channels, channels, width)
        state[f"layers_conv.{2 * i + 1}.weight"] = (channels, channels, 1)
        norms += [f"layers_bn.{2 * i}", f"layers_bn.{2 * i + 1}"]
    state |= {f"{n}.{leaf}": (channels,) for n in norms for leaf in ("weight", "bias", "running_mean", "running_var")}
    torch.manual_seed(0)
    return {name: torch.rand(shape) for name, shape in state.items()}


class Evil:
    def __reduce__(self):
        return exec, ("raise SystemExit('executed')",)


@pytest.mark.parametrize("legacy", [False, True])
def test_a_whole_checkpoint(tmp_path, legacy):
    state = {f"module.{name}": value for name, value in published().items()}
    checkpoint = {
        "epoch": 80,
        "lr": 1e-3,
        "random_state": np.random.RandomState(1234),
        "optimizer": {"a": [1]},
        "model_pos": state,
        "model_traj": published(joints_out=1),
        "random_state_semi": Evil(),
    }
    torch.save(checkpoint, tmp_path / "a.bin", _use_new_zipfile_serialization=not legacy)
    read = read_checkpoint(tmp_path / "a.bin")
    renamed = convert_published(read)
    assert torch.equal(renamed["backbone.tcn_blocks.1.conv1.0.conv.weight"], state["module.layers_conv.2.weight"])
    assert renamed["traj_head.conv.bias"].shape == (3,)
    back = to_published(renamed)
    assert set(back) == {"model_pos", "model_traj"} and set(back["model_pos"]) == set(published())
    options = recover_options(read["model_pos"])
    assert (options.channels, options.joints_in, options.joints_out, options.filter_widths) == (8, 17, 17, (3, 5, 3))


def test_refusals(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_checkpoint(tmp_path / "none.bin")
    (tmp_path / "text.bin").write_text("no checkpoint")
    with pytest.raises(ValueError, match="text.bin"):
        read_checkpoint(tmp_path / "text.bin")
    torch.save({"weights": 1}, tmp_path / "other.bin")
    with pytest.raises(ValueError, match="expected 'model_pos'"):
        read_checkpoint(tmp_path / "other.bin")
    with pytest.raises(ValueError, match="dense filters"):
        recover_options(published(widths=(3, 19, 3)))
    extra = published() | {"attention.weight": torch.zeros(1)}
    with pytest.raises(ValueError, match="unknown names attention.weight"):
        convert_published(extra)
    odd = published()
    odd["expand_conv.weight"] = torch.zeros(8, 51, 3)  # three numbers a joint: the older release
    with pytest.raises(ValueError, match="2 a joint"):
        recover_options(odd)
