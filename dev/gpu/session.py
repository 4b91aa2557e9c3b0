"""Where the checks run: the device, its precisions, and which packages there are."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import torch
from torch import Tensor

from benchmarks.harness import machine
from dev.gpu.report import Skipped

HOSTS = ("mmpose", "detectron2")
PRECISIONS = ("fp32", "tf32", "bf16", "fp16")
_AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Session:
    """A run's settings.

    Attributes:
        device: "cpu" is a rehearsal.
        quick: Smallest sizes, few repetitions.
        hosts: Whether checks may import mmpose and detectron2.
    """

    device: torch.device
    quick: bool
    hosts: bool

    @property
    def cuda(self) -> bool:
        return self.device.type == "cuda"

    def require(self, packages: Iterable[str]) -> None:
        """Skip a check whose packages are not there, or not wanted."""
        for package in packages:
            if package in HOSTS and not self.hosts:
                raise Skipped("--no-hosts")
            if find_spec(package) is None:
                raise Skipped(f"no {package}")

    def require_cuda(self) -> None:
        """Skip a check that has no meaning on a CPU."""
        if not self.cuda:
            raise Skipped("no CUDA")

    def synchronise(self) -> None:
        """Wait for the device."""
        if self.cuda:
            torch.cuda.synchronize()

    @contextmanager
    def precision(self, name: str) -> Iterator[None]:
        """Strict single precision, or one of the others of `PRECISIONS`; TensorFloat-32 is off in all but its own."""
        if name in ("tf32", "fp16"):
            self.require_cuda()
        if name in ("tf32", "bf16") and self.cuda and torch.cuda.get_device_capability() < (8, 0):
            raise Skipped(f"the card has no {name}")
        backends = torch.backends.cuda.matmul, torch.backends.cudnn
        before = [backend.allow_tf32 for backend in backends]
        with ExitStack() as stack:
            if name in _AUTOCAST:
                stack.enter_context(torch.autocast(self.device.type, _AUTOCAST[name]))
            try:
                for backend in backends:
                    backend.allow_tf32 = name == "tf32"
                yield
            finally:
                for backend, value in zip(backends, before, strict=True):
                    backend.allow_tf32 = value


def leaves(output) -> list[Tensor]:
    """The tensors and arrays of nested tuples and lists, as tensors on the CPU, in order."""
    if isinstance(output, (tuple, list)):
        return [leaf for part in output for leaf in leaves(part)]
    if isinstance(output, np.ndarray):
        return [torch.from_numpy(output)]
    return [output.detach().cpu()]


def describe(session: Session) -> dict[str, str]:
    """The table's head: card, driver, versions."""
    device = "CPU (rehearsal)"
    if session.cuda:
        card = torch.cuda.get_device_properties(session.device)
        device = (
            f"{card.name}, {card.total_memory / 2**30:.0f} GiB, compute capability {card.major}.{card.minor}, "
            f"one of {torch.cuda.device_count()}"
        )
    versions = {"torch": torch.__version__, "CUDA": torch.version.cuda, "cuDNN": torch.backends.cudnn.version()}
    sizes = "quick" if session.quick else "full"
    return {
        "device": device,
        "driver": _driver(),
        **machine(),
        **{k: str(v) for k, v in versions.items()},
        "sizes": sizes,
    }


def _driver() -> str:
    program = shutil.which("nvidia-smi")
    if program is None:
        return "unknown (no nvidia-smi)"
    query = [program, "--query-gpu=driver_version", "--format=csv,noheader"]
    lines = subprocess.run(query, capture_output=True, text=True, timeout=30).stdout.split()
    return lines[0] if lines else "unknown (nvidia-smi says nothing)"
