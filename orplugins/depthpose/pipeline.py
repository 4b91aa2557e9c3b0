"""DepthPose's jobs that need no host: the PAF decoders compared on generated scenes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from orplugins.depthpose.paf.compare import measure_decoder
from orplugins.depthpose.paf.decode import DECODERS
from orplugins.depthpose.paf.scenes import paf_scene
from orplugins.io.atomic import write_json

PEOPLE = (1, 2, 3, 5, 8, 12, 16, 20)


def compare_decoders(
    out: str | os.PathLike,
    people: Sequence[int] = PEOPLE,
    scenes: int = 20,
    noise: float = 0.02,
    seed: int = 0,
    on_row: Callable[[dict], None] | None = None,
) -> list[dict]:
    """Compare the PAF decoders on generated scenes whose people are known; write ``decoders.json``.

    Args:
        out: Folder for the file.
        people: Numbers of people in a scene.
        scenes: Scenes for each number.
        noise: Standard deviation of the heatmaps' noise; the fields get twice as much.
        seed: Of the scenes.
        on_row: Called with each row when it is done.

    Returns:
        A row for each number of people and decoder: ``people``, ``decode`` and what
        `orplugins.depthpose.paf.compare.measure_decoder` returns.

    Raises:
        ValueError: No scene, or a scene without people.
    """
    if scenes < 1 or min(people) < 1:
        raise ValueError("scenes and people must be at least 1")
    rows = []
    for count in people:
        rng = np.random.default_rng([seed, count])
        generated = [paf_scene(rng, count, noise=noise) for _ in range(scenes)]
        for name in DECODERS:
            rows.append({"people": count, "decode": name, **measure_decoder(name, generated)})
            if on_row:
                on_row(rows[-1])
    write_json(Path(out) / "decoders.json", {"scenes": scenes, "seed": seed, "noise": noise, "rows": rows}, indent=1)
    return rows
