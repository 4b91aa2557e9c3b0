"""Each network's forward pass on the device, in each precision, against the CPU's in single precision."""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterator

import torch

from dev.gpu.networks import NETWORKS, Network, built
from dev.gpu.report import Check, Outcome
from dev.gpu.session import PRECISIONS, Session, leaves

# Greatest difference of an output, in units of its largest magnitude. On a CPU bf16 comes to 0.02, RefiNet's to 0.13;
# fp16 and tf32 have eight times as many steps.
TOLERANCES = {"fp32": 1e-4, "tf32": 5e-2, "bf16": 2e-1, "fp16": 5e-2}
BATCH = 2


def checks(session: Session, hosts: bool) -> Iterator[Check]:
    for network in NETWORKS:
        if network.host != hosts or "forward" not in network.parts:
            continue
        reference = functools.cache(functools.partial(_on_cpu, session, network))
        for precision in PRECISIONS:
            run = functools.partial(_compare, session, network, precision, reference)
            yield Check("forward", "device against CPU", network.name, precision, run)


@torch.no_grad()
def _on_cpu(session: Session, network: Network) -> list[torch.Tensor]:
    with session.precision("fp32"):
        return leaves(built(network, session.quick)(*network.example(BATCH, session.quick)))


@torch.no_grad()
def _compare(session: Session, network: Network, precision: str, reference) -> Outcome:
    session.require(network.needs)
    with session.precision(precision):
        model = copy.deepcopy(built(network, session.quick)).to(session.device)
        found = leaves(model(*(x.to(session.device) for x in network.example(BATCH, session.quick))))
    difference = max(relative(a, b) for a, b in zip(reference(), found, strict=True))
    tolerance = TOLERANCES[precision]
    return Outcome(
        f"{difference:.1e}",
        f"<= {tolerance:.0e} of the largest",
        difference <= tolerance,
        {"difference": difference, "tolerance": tolerance},
    )


def relative(expected: torch.Tensor, found: torch.Tensor) -> float:
    """Greatest difference over the greatest expected magnitude.

    Raises:
        ValueError: Another shape, values that are not finite, or nothing but zeros expected.
    """
    expected, found = expected.double(), found.double()
    if expected.shape != found.shape:
        raise ValueError(f"found shape {tuple(found.shape)}, expected {tuple(expected.shape)}")
    if not (torch.isfinite(expected).all() and torch.isfinite(found).all()):
        raise ValueError("values that are not finite")
    largest = expected.abs().max()
    if largest == 0:
        raise ValueError("the expected output is all zeros: nothing is compared")
    return float((expected - found).abs().max() / largest)
