"""From the host to the device: pinned memory and ``non_blocking`` against plain copies."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import torch

from dev.gpu.report import Check, Outcome
from dev.gpu.session import Session
from dev.gpu.throughput import in_turns

# Batches as loaders hand them over: (name, shape, type).
BATCHES = (
    ("1 depth image of 64x48", (1, 1, 48, 64), torch.float32),
    ("32 crops of 256x192", (32, 3, 256, 192), torch.float32),
    ("32 pictures of 640x480", (32, 3, 480, 640), torch.uint8),
)


def checks(session: Session, hosts: bool) -> Iterator[Check]:
    if hosts:
        return
    for name, shape, dtype in BATCHES:
        run = functools.partial(_compare, session, shape, dtype)
        yield Check("transfers", "pinned, non_blocking", name, str(dtype).removeprefix("torch."), run)


def _compare(session: Session, shape: tuple[int, ...], dtype: torch.dtype) -> Outcome:
    session.require_cuda()
    plain = torch.randint(0, 255, shape, generator=torch.Generator().manual_seed(0)).to(dtype)
    pinned = plain.pin_memory()
    if not torch.equal(pinned.to(session.device, non_blocking=True).cpu(), plain):
        raise ValueError("a pinned copy differs from what was sent")
    ways = (lambda: plain.to(session.device), lambda: pinned.to(session.device, non_blocking=True))
    seconds = in_turns(session, ways)
    rates = [plain.nbytes / s / 1e9 for s in seconds]
    return Outcome(
        f"{rates[1]:.2f} GB/s",
        f"plain: {rates[0]:.2f} GB/s",
        numbers={"pinned_gb_per_s": rates[1], "plain_gb_per_s": rates[0]},
    )
