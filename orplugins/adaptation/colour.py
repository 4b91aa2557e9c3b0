"""What adapting a network to colour pictures shares, whatever the method."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from orplugins.adaptation.agreement import RULES
from orplugins.adaptation.views import View
from orplugins.io.images import read_image

# (magnification, mirrored): the user's answer, what it is compared with, and what else a teacher is asked for.
VIEWS: tuple[View, ...] = ((1.0, False), (0.75, True), (1.25, False), (1.0, True))


class ColourFrames:
    """The part of a `orplugins.adaptation.method.Method` that reads, shows and asks about colour frames.

    Attributes:
        config: The network's config, a file.
        size: (width, height) at which the network sees the frames; None as long as it is not known.
    """

    holes, rules = False, RULES
    config: str
    size: tuple[int, int] | None

    def read(self, path: Path) -> np.ndarray:
        """A frame, (H, W, 3) uint8 BGR."""
        return read_image(path)

    def grey(self, picture: np.ndarray) -> np.ndarray:
        """The frame itself."""
        return picture

    show = grey

    def views(self) -> int:
        """All of them."""
        return len(VIEWS)

    def command(self, weights: Path, options: Sequence[str] = ()) -> str:
        """The command that finds people with the adapted weights.

        Args:
            weights: The file.
            options: Further ones.
        """
        assert self.size is not None
        command = ["python", "tools/infer_color.py", "FRAMES", "--config", self.config, "--weights", str(weights)]
        return shlex.join([*command, "--size", f"{self.size[0]}x{self.size[1]}", "--out", "OUT", *options])
