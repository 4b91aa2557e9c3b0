"""Items a second and peak memory of each network, and of the stock network that does the same work."""

from __future__ import annotations

import copy
import functools
import statistics
import time
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import nn

from dev.gpu.networks import NETWORKS, Network, built, settled
from dev.gpu.report import Check, Outcome, Skipped
from dev.gpu.session import Session

BATCHES, QUICK_BATCHES = (1, 32), (1, 2)
REPEATS, QUICK_REPEATS = 30, 2
LIMIT_S = 2.0  # of one measurement: slow networks are repeated less often


def checks(session: Session, hosts: bool) -> Iterator[Check]:
    precisions = ("fp32", "bf16") if session.cuda else ("fp32",)
    for network in NETWORKS:
        if network.host != hosts or "throughput" not in network.parts:
            continue
        for precision in precisions:
            for batch in QUICK_BATCHES if session.quick else BATCHES:
                run = functools.partial(_measure, session, network, precision, batch)
                yield Check("throughput", "items a second, memory", network.name, f"{precision}, batch {batch}", run)


def in_turns(session: Session, runs: Sequence[Callable[[], object]]) -> list[float]:
    """Median seconds of each; they take turns, so that the device's ups and downs hit all alike. The first turn does
    not count."""
    seconds: list[list[float]] = [[] for _ in runs]
    began = time.perf_counter()
    for turn in range(1 + (QUICK_REPEATS if session.quick else REPEATS)):
        for run, found in zip(runs, seconds, strict=True):
            session.synchronise()
            start = time.perf_counter()
            run()
            session.synchronise()
            if turn:
                found.append(time.perf_counter() - start)
        if turn and time.perf_counter() - began > LIMIT_S:
            break
    return [statistics.median(found) for found in seconds]


@torch.no_grad()
def _measure(session: Session, network: Network, precision: str, batch: int) -> Outcome:
    session.require(network.needs)
    inputs = [x.to(session.device) for x in network.example(batch, session.quick)]
    with session.precision(precision):
        sides = [_resident(session, copy.deepcopy(built(network, session.quick)), inputs)]
        name = "none"
        if network.twin is not None:
            try:
                session.require(network.twin.needs)
                twin = copy.deepcopy(settled(network.twin.build, network.example, session.quick))
                sides.append(_resident(session, twin, inputs))
                name = network.twin.name
            except Skipped as reason:
                name = str(reason)
        seconds = in_turns(session, [side[0] for side in sides])
    values, numbers = [], {}
    for prefix, took, (_, peak) in zip(("", "twin_"), seconds, sides, strict=False):
        numbers[f"{prefix}items_per_s"] = batch / took
        values.append(f"{batch / took:.4g}/s")
        if peak is not None:
            numbers[f"{prefix}peak_mib"] = peak
            values[-1] += f", {peak:.0f} MiB"
    return Outcome(values[0], f"{name}: {values[1]}" if values[1:] else name, numbers=numbers)


def _resident(session: Session, model: nn.Module, inputs: list[torch.Tensor]) -> tuple[Callable, float | None]:
    """A pass of the model on the device, and the MiB that weights and one pass take there at most."""
    if not session.cuda:
        return (lambda: model(*inputs)), None
    before = torch.cuda.memory_allocated()
    model.to(session.device)
    model(*inputs)  # what libraries keep for good is allocated now
    torch.cuda.reset_peak_memory_stats()
    model(*inputs)
    return (lambda: model(*inputs)), (torch.cuda.max_memory_allocated() - before) / 2**20
