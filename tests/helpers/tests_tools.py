"""Running the scripts of tools/ and dev/ inside the test process."""

import importlib.util
from pathlib import Path

FOLDERS = [Path(__file__).resolve().parents[2] / name for name in ("tools", "dev")]


def run_tool(name: str, *arguments: str, code: int = 0) -> None:
    """Call ``main`` of a tool and check what it returns."""
    path = next(folder / f"{name}.py" for folder in FOLDERS if (folder / f"{name}.py").is_file())
    spec = importlib.util.spec_from_file_location(f"tool_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.main(list(arguments)) == code


def save_published_lifter(path: Path) -> None:
    """Write a tiny lifting network (27 frames, 8 channels) with random weights in the published checkpoints' form."""
    import numpy as np
    import torch

    shapes = {"expand_conv.weight": (8, 34, 3), "shrink.weight": (51, 8, 1), "shrink.bias": (51,)}
    for i in range(2):
        shapes |= {f"layers_conv.{2 * i}.weight": (8, 8, 3), f"layers_conv.{2 * i + 1}.weight": (8, 8, 1)}
    norms = ["expand_bn", *(f"layers_bn.{k}" for k in range(4))]
    shapes |= {f"{n}.{leaf}": (8,) for n in norms for leaf in ("weight", "bias", "running_mean", "running_var")}
    torch.manual_seed(0)
    state = {name: torch.rand(shape) * 0.2 for name, shape in shapes.items()}
    torch.save({"model_pos": state, "random_state": np.random.RandomState(0)}, path)
