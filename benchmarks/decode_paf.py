"""Everything after the network: published decoding (enlarging and flip averaging included) against the fast one."""

from __future__ import annotations

from functools import partial

from benchmarks.harness import Comparison, compare

NAME = "decode_paf"
PEOPLE = (3, 8, 20)


def run(repeats: int) -> list[Comparison]:
    import numpy as np

    from orplugins.depthpose.paf import decode_fast, decode_published
    from orplugins.depthpose.paf.scenes import paf_scene

    comparisons = []
    for people in PEOPLE:
        scene = paf_scene(np.random.default_rng(people), people)
        maps = scene.heat, scene.paf, scene.scale, scene.flip_heat, scene.flip_paf
        height, width = scene.heat.shape[1:]
        shapes = {
            "maps": f"2 x (19 + 38) x {height} x {width}",
            "frame": f"{width * scene.scale}x{height * scene.scale}",
            "people": str(people),
        }
        comparisons.append(
            compare(
                f"decode_paf/{people}_people",
                ("published", partial(decode_published, *maps)),
                ("fast", partial(decode_fast, *maps)),
                repeats,
                shapes=shapes,
            )
        )
    return comparisons
