"""Two processes: a sum over both, and a data-parallel step whose gradient is that of one process with both batches."""

from __future__ import annotations

import copy
import functools
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from dev.gpu.forward import relative
from dev.gpu.networks import NETWORKS, built
from dev.gpu.report import Check, Outcome, Skipped
from dev.gpu.session import Session
from orplugins.orpose_color.losses import mean_over_processes

WORLD = 2
TIMEOUT_S = 120
TOLERANCE = 1e-5
NETWORK = next(network for network in NETWORKS if network.name == "DepthPose tiny")  # no batch norm: halves add up


def checks(session: Session, hosts: bool) -> Iterator[Check]:
    if hosts:
        return
    backend = "nccl" if session.cuda else "gloo"
    results = functools.cache(functools.partial(_two_processes, session, backend))
    for name, network, run in (
        ("all_reduce", "", _sum),
        ("mean over processes", "", _mean),
        ("gradient of a step", NETWORK.name, _step),
    ):
        yield Check("distributed", name, network, backend, functools.partial(run, session, results))


def _two_processes(session: Session, backend: str) -> dict:
    """What the first of two processes found."""
    if session.cuda and torch.cuda.device_count() < WORLD:
        raise Skipped(f"{torch.cuda.device_count()} GPU")
    with tempfile.TemporaryDirectory() as folder:
        context = mp.start_processes(_worker, (backend, session.quick, folder), WORLD, join=False, start_method="spawn")
        end = time.monotonic() + TIMEOUT_S
        try:
            while not context.join(timeout=1):
                if time.monotonic() > end:
                    raise TimeoutError(f"two processes with {backend} were not done after {TIMEOUT_S} s")
        finally:
            for process in context.processes:
                if process.is_alive():
                    process.kill()
        return torch.load(Path(folder) / "found.pt", weights_only=True)


def _worker(rank: int, backend: str, quick: bool, folder: str) -> None:
    """One of the two processes; the first writes what it found."""
    torch.set_num_threads(1)
    device = torch.device("cuda", rank) if backend == "nccl" else torch.device("cpu")
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group(backend, init_method=f"file://{folder}/store", rank=rank, world_size=WORLD)
    total = torch.full((3,), rank + 1.0, device=device)
    dist.all_reduce(total)
    mean = mean_over_processes(torch.tensor([3.0, 4.0 * rank], device=device))
    model = built(NETWORK, quick).to(device).train()
    images = NETWORK.example(2 * WORLD, quick)[0].chunk(WORLD)[rank].to(device)
    parallel = DistributedDataParallel(model, device_ids=[device] if device.type == "cuda" else None)
    with Session(device, quick, hosts=False).precision("fp32"):
        found = gradient(parallel, images)
    if rank == 0:
        torch.save({"total": total.cpu(), "mean": mean.cpu(), "gradient": found}, Path(folder) / "found.pt")
    dist.barrier()
    dist.destroy_process_group()


def gradient(model: nn.Module, images: Tensor) -> Tensor:
    """The gradient of the mean square of all maps, on the CPU."""
    sum((maps**2).mean() for stage in model(images) for maps in stage).backward()
    return torch.cat([parameter.grad.flatten() for parameter in model.parameters()]).cpu()


def _sum(session: Session, results) -> Outcome:
    found = results()["total"].tolist()
    return Outcome(f"{found[0]:g}", "1 + 2 = 3", found == [3.0] * 3)


def _mean(session: Session, results) -> Outcome:
    found = results()["mean"].tolist()
    return Outcome(str(found), "[3.0, 2.0]", found == [3.0, 2.0])


def _step(session: Session, results) -> Outcome:
    found = results()["gradient"]
    model = copy.deepcopy(built(NETWORK, session.quick)).to(session.device).train()
    with session.precision("fp32"):
        expected = gradient(model, NETWORK.example(2 * WORLD, session.quick)[0].to(session.device))
    difference = relative(expected, found)
    return Outcome(
        f"{difference:.1e}",
        f"<= {TOLERANCE:.0e} of one process's largest",
        difference <= TOLERANCE,
        {"difference": difference, "tolerance": TOLERANCE},
    )
