"""How often a forward pass or a decoder makes the host wait for the device."""

from __future__ import annotations

import copy
import functools
import warnings
from collections.abc import Callable, Iterator

import torch

from dev.gpu.decoders import DECODERS, Decoder, to_device
from dev.gpu.networks import NETWORKS, Network, built
from dev.gpu.report import Check, Outcome
from dev.gpu.session import Session

WARNING = "called a synchronizing CUDA operation"


def checks(session: Session, hosts: bool) -> Iterator[Check]:
    for network in NETWORKS:
        if network.host == hosts and "syncs" in network.parts:
            run = functools.partial(_network, session, network)
            yield Check("syncs", "host synchronisations", network.name, "forward", run)
    for decoder in DECODERS:
        if decoder.host == hosts:
            run = functools.partial(_decoder, session, decoder)
            yield Check("syncs", "host synchronisations", decoder.name, "decoder", run)


def count_synchronisations(run: Callable[[], object]) -> int:
    """Synchronisations that torch warns of while ``run`` runs; it runs once before, as first calls load libraries."""
    run()
    torch.cuda.synchronize()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            run()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    return sum(WARNING in str(warning.message) for warning in caught)


@torch.no_grad()
def _network(session: Session, network: Network) -> Outcome:
    session.require(network.needs)
    session.require_cuda()
    model = copy.deepcopy(built(network, session.quick)).to(session.device)
    inputs = [x.to(session.device) for x in network.example(2, session.quick)]
    return _outcome(count_synchronisations(lambda: model(*inputs)), network.syncs)


@torch.no_grad()
def _decoder(session: Session, decoder: Decoder) -> Outcome:
    session.require(decoder.needs)
    session.require_cuda()
    decode, inputs = decoder.prepare()
    inputs = [to_device(x, session) for x in inputs]
    return _outcome(count_synchronisations(lambda: decode(*inputs)), None)


def _outcome(count: int, most: int | None) -> Outcome:
    reference = "counted" if most is None else f"<= {most}"
    return Outcome(str(count), reference, most is None or count <= most, {"synchronisations": count})
