"""What a fine-tuning is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orplugins.resources import SHIPPED, resource


@dataclass(frozen=True)
class FinetuneSettings:
    """A fine-tuning, as a command line gives it.

    Attributes:
        annotations: COCO file of the labelled pictures.
        images: Folder that its ``file_name`` are relative to.
        out: Folder of the results.
        config: The network's config; None: the shipped one's.
        weights: Weights to start from; None: the shipped ones.
        held_out: Share of the labelled pictures that is not trained on but scored, or another file of them.
        test: A further file, scored before and after, which decides nothing.
        iterations: Training steps; None: the method's default.
        lr: Learning rate; None: the method's share of the config's, a tenth or less.
        batch: Pictures (or people) a step; None: the config's, at most as many as there are.
        seed: Of the split, of augmentation and of the order of pictures.
        device: See `orplugins.device.choose_device`.
        size: (width, height) at which a colour network sees pictures; None: as it sees them when it is used.
        unit_mm: Millimetres a count of depth images.
    """

    annotations: Path
    images: Path
    out: Path
    config: str | None = None
    weights: str | None = None
    held_out: float | Path = 0.2
    test: Path | None = None
    iterations: int | None = None
    lr: float | None = None
    batch: int | None = None
    seed: int = 0
    device: str = "auto"
    size: tuple[int, int] | None = None
    unit_mm: float = 1.0

    def __post_init__(self):
        if isinstance(self.held_out, float) and not 0 < self.held_out < 1:
            raise ValueError(f"held-out share: found {self.held_out:g}, expected more than 0 and less than 1")
        for name, value in (("iterations", self.iterations), ("batch", self.batch)):
            if value is not None and value < 1:
                raise ValueError(f"{name}: found {value}, expected 1 or more")
        for name, number in (("learning rate", self.lr), ("depth unit", self.unit_mm)):
            if number is not None and not 0 < number < float("inf"):
                raise ValueError(f"{name}: found {number}, expected more than 0")
        if self.seed < 0:
            raise ValueError(f"seed: found {self.seed}, expected 0 or more")


def start(method: str, config: str | None, weights: str | None) -> tuple[str, str]:
    """The network to start from.

    Args:
        method: Key of `orplugins.resources.SHIPPED`.
        config: The config asked for, or None.
        weights: The weights asked for, or None.

    Returns:
        Config and weights: those asked for, or the shipped ones.

    Raises:
        FileNotFoundError: One of the files is missing.
        ValueError: A config without weights: the shipped ones belong to another network.
    """
    if config and not weights:
        raise ValueError(f"{config}: is given without weights, expected those that belong to it (--weights)")
    found = [given or _shown(resource(ours)) for given, ours in zip((config, weights), SHIPPED[method], strict=True)]
    for path in found:
        if not Path(path).is_file():
            raise FileNotFoundError(f"{path}: no such file, expected the network's config and weights")
    return found[0], found[1]


def _shown(path: Path) -> str:
    """A path as somebody in the current folder would write it."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
