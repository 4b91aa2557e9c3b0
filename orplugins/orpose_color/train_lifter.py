"""Training of a lifting network on pairs of 2D rows and 3D targets, on its own, and its file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from orplugins.io.weights import listed, misfits, read_weights, tensors_of
from orplugins.orpose_color.lifting import PoseStatistics, mirror_rows, mirror_targets
from orplugins.orpose_color.network import LiftingNetwork

_PREFIXES = ("nw2Dto3D_hard.", "nw2Dto3D_soft.")


def fit_lifter(
    keypoints: np.ndarray,
    poses: np.ndarray,
    statistics: PoseStatistics,
    *,
    image_width: float,
    width: int = 1024,
    dropout: float = 0.5,
    epochs: int = 40,
    batch: int = 64,
    rate: float = 1e-3,
    noise: float = 2.0,
    seed: int = 0,
    device: str = "cpu",
    progress: Callable[[int, float], None] | None = None,
) -> LiftingNetwork:
    """Train a lifting network by smooth L1 with mirrored copies and noise on the joints.

    Args:
        keypoints: (N, 17, 2 or more) COCO joints, pixels.
        poses: (N, 17, 3) H36M-17 joints, millimetres.
        statistics: What to normalise with.
        image_width: Pixels; mirroring needs it.
        width: Features of every hidden layer.
        dropout: Rate after every hidden layer.
        epochs: Passes over the pairs.
        batch: Pairs per step.
        rate: Learning rate at the start.
        noise: Standard deviation of the joints' noise, pixels: a detector is not exact.
        seed: Of weights, order and noise.
        device: Such as "cpu" or "cuda:0".
        progress: Called with the epoch and its mean loss.

    Returns:
        The trained network in evaluation mode.
    """
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    rows, targets = statistics.normalise_row(keypoints), statistics.normalise_pose(poses)
    rows = np.concatenate([rows, mirror_rows(rows, statistics, image_width)])
    targets = np.concatenate([targets, mirror_targets(targets, statistics)])
    x, y = (torch.tensor(values, dtype=torch.float32, device=device) for values in (rows, targets))
    scale = torch.tensor(noise / statistics.row[1], dtype=torch.float32, device=device)
    network = LiftingNetwork(width, dropout=dropout).to(device).train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    batch = min(batch, len(x))
    for epoch in range(epochs):
        total = 0.0
        order = torch.randperm(len(x), generator=generator)
        steps = len(x) // batch  # a last batch of one row would leave batch norm without a variance
        for k in range(steps):
            part = order[k * batch : (k + 1) * batch]
            noisy = x[part] + scale * torch.randn(len(part), x.shape[1], generator=generator).to(device)
            loss = functional.smooth_l1_loss(network(noisy), y[part])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.item()
        schedule.step()
        if progress:
            progress(epoch, total / steps)
    return network.eval()


def load_lifter(path: str | Path) -> LiftingNetwork:
    """Read a lifting network from a file.

    Args:
        path: Its own state dict, or a student's checkpoint (of which the hard branch is taken).

    Returns:
        The network in evaluation mode.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Truncated, code in it, or no lifting network.
    """
    state = tensors_of(read_weights(path), path, ("model", "state_dict"))
    for prefix in _PREFIXES:
        inner = {name.partition(prefix)[2]: value for name, value in state.items() if prefix in name}
        if inner:
            state = inner
            break
    if "w1.weight" not in state or "w2.weight" not in state:
        raise ValueError(
            f"checkpoint {path}: has no lifting network, expected w1.weight ... w2.bias, also below "
            f"{' or '.join(_PREFIXES)}"
        )
    blocks = len({name.split(".")[1] for name in state if name.startswith("linear_stages.")})
    width = state["w1.weight"].shape[0] if state["w1.weight"].dim() else 0
    with torch.device("meta"):  # nothing is allocated before the file's tensors are known to be there
        lines = misfits(state, LiftingNetwork(width, blocks).state_dict()) if width else ["w1.weight: is empty"]
    if lines:
        raise ValueError(f"checkpoint {path}: does not fit the lifting network:{listed(lines)}")
    network = LiftingNetwork(width, blocks)
    network.load_state_dict(state, strict=False)  # but for batch counters
    return network.eval()
