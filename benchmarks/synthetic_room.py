"""The synthetic operating room: milliseconds a frame of three views, NumPy against embree, one process against two."""

from __future__ import annotations

from itertools import count

from benchmarks.harness import Comparison, compare

NAME = "synthetic_room"
# A frame takes tenths of a second, a pool's start about one.
MOST_REPEATS, FRAMES = 6, 12
CASES = (("depth for 64x48", (128, 96), False), ("depth and colour", (320, 240), True))


def run(repeats: int) -> list[Comparison]:
    from orplugins.synthetic.export.in_memory import generate
    from orplugins.synthetic.render.frames import render_frames
    from orplugins.synthetic.render.raster import has_embree

    def frame(size, color: bool, backend: str):
        # Each side renders the same frames in the same order: scenes differ in cost.
        numbers = count()
        return lambda: render_frames(1, next(numbers), size, color=color, backend=backend, fixed_cameras=False)

    rows, repeats = [], min(repeats, MOST_REPEATS)
    for title, size, color in CASES:
        shapes = {"pictures": f"3x{size[0]}x{size[1]}"}
        if has_embree():
            rows.append(
                compare(
                    f"{title}, a frame",
                    ("numpy", frame(size, color, "numpy")),
                    ("embree", frame(size, color, "embree")),
                    repeats,
                    shapes=shapes,
                )
            )
        else:
            print(f"{title}: embree is not installed (pip install embreex), NumPy alone is timed")
            rows.append(
                compare(
                    f"{title}, a frame",
                    ("exact depth only", frame(size, False, "numpy")),
                    ("as asked", frame(size, color, "numpy")),
                    repeats,
                    shapes=shapes,
                )
            )
    rows.append(
        compare(
            f"{FRAMES} frames of depth for 64x48",
            ("one process", lambda: generate(FRAMES, 1, size=(128, 96))),
            ("two processes", lambda: generate(FRAMES, 1, size=(128, 96), workers=2)),
            min(repeats, 3),
            shapes={"pictures": "3x128x96"},
        )
    )
    return rows
