"""Which device a network runs on: what `--device` of every tool means."""

from __future__ import annotations

import argparse


def choose_device(name: str = "auto") -> str:
    """Return the name of a torch device that is there.

    Args:
        name: "auto" (CUDA where torch finds a GPU, else the CPU), "cpu", "cuda", "cuda:1" ...

    Returns:
        The device's name, such as "cuda".

    Raises:
        ValueError: Not the name of a device, or torch finds no such GPU.
    """
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ValueError(f"found device {name!r}, expected auto, cpu, cuda or cuda:N") from None
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= count:
            found = f"torch {torch.__version__} finds {count} GPU(s)" if count else "torch finds no GPU"
            raise ValueError(f"found device {name!r}, but {found}; expected {'a lower number' if count else 'cpu'}")
    return name


def add_device_option(parser: argparse._ActionsContainer) -> None:
    """Add ``--device`` with the default "auto"; the parsed value is what `choose_device` returns.

    Args:
        parser: The parser, or a group of it.
    """

    def device(name: str) -> str:
        try:
            return choose_device(name)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    parser.add_argument(
        "--device", type=device, default="auto", help="cpu, cuda, cuda:N or auto (default): a GPU where there is one"
    )
