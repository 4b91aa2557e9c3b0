"""Generated frames for training without a data set on disk: worker processes make them ahead."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np

from orplugins.synthetic.export.annotation_files import coco_file, image_id
from orplugins.synthetic.export.records import frame_record
from orplugins.synthetic.render.frames import check_options, render_frames
from orplugins.synthetic.variety import check_variety


def generate(
    frames: int,
    seed: int,
    *,
    size: tuple[int, int] = (128, 96),
    views: int = 3,
    people: tuple[int, int] = (1, 6),
    color: bool = False,
    noise: bool = True,
    fixed_cameras: bool = False,
    start: int = 0,
    workers: int = 0,
    variety: Sequence[str] = (),
    masks: bool = False,
) -> tuple[dict, dict[int, np.ndarray]]:
    """Generate frames and their truth.

    Args:
        frames: Number of frames.
        seed: Of the set; frames are those of `mvor_layout.write_dataset`.
        size: (width, height) of the images, see `frames.render_frames`.
        views: Number of cameras.
        people: (min, max) number of people in the room.
        color: Colour images instead of depth.
        noise: Add the sensors' errors.
        fixed_cameras: The cameras hang at one place for the whole set.
        start: Number of the first frame.
        workers: Processes; 0 renders in this one.
        variety: Parts of `orplugins.synthetic.variety.PARTS` that vary, see there.
        masks: People's masks in the COCO dict.

    Returns:
        coco: A COCO dict, see `annotation_files.coco_file`.
        pictures: By image id, depth (H, W) uint16 millimetres, or with `color` (H, W, 3) uint8 RGB.

    Raises:
        ValueError: An argument is out of its range.
    """
    if frames < 1 or seed < 0 or start < 0 or workers < 0:
        raise ValueError(
            f"generate: found frames={frames}, seed={seed}, start={start}, workers={workers}, "
            "expected frames >= 1 and the others >= 0"
        )
    check_options(size, views, people)
    make = partial(
        _moment,
        seed,
        (size[0], size[1]),
        views=views,
        people=tuple(people),
        color=color,
        noise=noise,
        fixed_cameras=fixed_cameras,
        variety=check_variety(variety, color),
        masks=masks,
    )
    numbers = range(start, start + frames)
    if workers:
        with ProcessPoolExecutor(workers) as pool:
            made = list(pool.map(make, numbers, chunksize=4))
    else:
        made = list(map(make, numbers))
    parameters = {"size": list(size), "views": views, "seed": seed, "fixed_cameras": fixed_cameras}
    pictures = {
        image_id(1, v + 1, number): picture
        for number, (_, group) in zip(numbers, made, strict=True)
        for v, picture in enumerate(group)
    }
    return coco_file([record for record, _ in made], parameters, "color" if color else "depth"), pictures


def _moment(
    seed: int, size: tuple[int, int], number: int, *, color: bool, masks: bool, **options
) -> tuple[dict, list[np.ndarray]]:
    scene, frames = render_frames(seed, number, size, color=color, **options)
    record = frame_record(1, number, scene, frames, "coco", masks=masks)
    return record, [frame.depth_mm if frame.color is None else frame.color for frame in frames]
