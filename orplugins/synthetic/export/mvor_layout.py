"""Write generated frames as a data set in MVOR's layout, with further annotation files.

```
OUT/day1/cam{1..3}/depth/000000.png     16-bit millimetres; in motion sets every clip is a day
OUT/day1/cam{1..3}/color/000000.png     8-bit RGB, where asked for
OUT/annotations/mvor.json               MVOR's schema (CAMMA-10, boxes, 3D poses, cameras)
OUT/annotations/coco17.json             COCO person keypoints, 3D, cameras, identities
OUT/annotations/coco17_color.json       the same with the names of the colour images, where there are any
OUT/annotations/h36m17.npz              Human3.6M's 17 joints, 2D and 3D, as plain arrays
OUT/annotations/data_*_h36m*.npz        motion sets: the files of `h36m_files`
OUT/parameters.json                     what the set was made with
```

The annotation files are written last: a set without them is not complete, and the same call goes on with it.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from orplugins.depth.png import load_depth, save_depth
from orplugins.io.atomic import atomic_write, write_first, write_json
from orplugins.io.json_fields import load_json
from orplugins.io.run_folder import run_folder
from orplugins.synthetic.export.annotation_files import coco_file, file_name, h36m_arrays, image_id, mvor_file
from orplugins.synthetic.export.h36m_files import write_h36m
from orplugins.synthetic.export.records import frame_record
from orplugins.synthetic.render.frames import check_options, render_scene
from orplugins.synthetic.scene.cameras import FULL_SIZE
from orplugins.synthetic.scene.motion import Clip
from orplugins.synthetic.scene.scene import make_scene
from orplugins.synthetic.variety import check_variety

__all__ = ["write_dataset", "file_name", "image_id"]

# Frames a worker renders before it notes their annotations: what an interrupted run loses at most.
_CHUNK = 20


def write_dataset(
    out: str | os.PathLike,
    frames: int,
    seed: int,
    start: int = 0,
    size: tuple[int, int] = FULL_SIZE,
    views: int = 1,
    people: tuple[int, int] = (1, 6),
    noise: bool = True,
    workers: int = 0,
    progress: Callable[[int, int], None] | None = None,
    *,
    color: bool = False,
    fixed_cameras: bool | None = None,
    motion: int = 0,
    hips: str = "coco",
    masks: bool = False,
    variety: Sequence[str] = (),
) -> dict[str, int]:
    """Render frames start .. start + frames - 1 of a seed; an interrupted run goes on where it stopped.

    Args:
        out: Folder, made if it is missing.
        frames: Number of frames.
        seed: Of the set; a frame depends on the seed and its number alone.
        start: Number of the first frame.
        size: (width, height) of the images.
        views: 1 to 3 cameras.
        people: (min, max) number of people in the room.
        noise: Add the sensor's errors.
        workers: Processes; 0 renders in this one.
        progress: Called with (frames done, frames in all).
        color: Write colour images too.
        fixed_cameras: The cameras hang at one place for the whole set, as in MVOR; otherwise elsewhere in each scene
            (or clip), for training, and the MVOR file then has no cameras and no 3D poses (the COCO file has them for
            each image). Default: fixed for several views.
        motion: Frames of a clip in which people move (25 per second); 0 makes every frame a scene of its own.
        hips: Joints of the MVOR file, see `annotate.annotate`.
        masks: Write the people's masks into the COCO file.
        variety: Parts of `orplugins.synthetic.variety.PARTS` that vary, see there; cameras then are new in each scene.

    Returns:
        Counts: images, people (annotations), poses3d, rendered (frames rendered by this call).

    Raises:
        ValueError: An argument is out of its range, or `out` holds a set made with other parameters.
        OSError: The folder cannot be written, or the disk is full: what is there stays, and the same call goes on with
            it.
    """
    if frames < 1 or start < 0 or start + frames > 10**7:
        raise ValueError(f"write_dataset: found frames={frames}, start={start}, expected frames >= 1 within 0 .. 10^7")
    if seed < 0 or motion < 0 or workers < 0:
        raise ValueError(f"write_dataset: found seed={seed}, motion={motion}, workers={workers}, expected 0 or more")
    check_options(size, views, people, hips)
    parts = check_variety(variety, color)
    if parts and (motion or fixed_cameras):
        raise ValueError(f"variety: found {', '.join(parts)} with motion or fixed cameras, expected single scenes")
    fixed = False if parts else views > 1 if fixed_cameras is None else bool(fixed_cameras)
    parameters: dict[str, Any] = {
        "frames": int(frames),
        "seed": int(seed),
        "start": int(start),
        "size": [int(n) for n in size],
        "views": int(views),
        "people": [int(n) for n in people],
        "noise": bool(noise),
        "color": bool(color),
        "fixed_cameras": fixed,
        "motion": int(motion),
        "hips": hips,
        "masks": bool(masks),
        **({"variety": list(parts)} if parts else {}),
    }
    # One run at a time: two with other settings must not both find the folder empty.
    with run_folder(out) as out:
        _claim(out, parameters)
        return _write(out, parameters, workers, progress)


def _write(out: Path, parameters: dict, workers: int, progress: Callable[[int, int], None] | None) -> dict[str, int]:
    """Render what is missing, then write the annotation files."""
    start, frames = parameters["start"], parameters["frames"]
    firsts = range(start, start + frames, _CHUNK)
    counts = [min(_CHUNK, start + frames - first) for first in firsts]
    work = partial(_chunk, out, parameters)
    done, rendered, records = 0, 0, []
    pool = ProcessPoolExecutor(workers, initializer=_follow, initargs=(os.getpid(),)) if workers else None
    try:
        for count, (new, part) in zip(counts, (pool.map if pool else map)(work, firsts, counts), strict=True):
            records += part
            done, rendered = done + count, rendered + new
            if progress is not None:
                progress(done, frames)
    finally:
        if pool is not None:
            pool.shutdown(cancel_futures=True)
    mvor = mvor_file(records, parameters)
    arrays: dict[str, Any] = h36m_arrays(records)
    with atomic_write(out / "annotations/h36m17.npz", mode="wb") as file:
        np.savez_compressed(file, **arrays)
    write_json(out / "annotations/coco17.json", coco_file(records, parameters))
    if parameters["color"]:
        write_json(out / "annotations/coco17_color.json", coco_file(records, parameters, "color"))
    if parameters["motion"] and parameters["fixed_cameras"]:
        write_h36m(out / "annotations", records, parameters)
    write_json(out / "annotations/mvor.json", mvor)
    return {
        "images": len(mvor["images"]),
        "people": len(mvor["annotations"]),
        "poses3d": len(mvor.get("annotations3D", ())),
        "rendered": rendered,
    }


def _follow(parent: int) -> None:
    """Let a worker end when its parent has ended, however that happened, and without a word at Ctrl-C."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _claim(out: Path, parameters: dict) -> None:
    """Note the parameters in the folder, or compare them with those noted there."""
    path = out / "parameters.json"
    if not write_first(path, parameters):
        try:
            found = load_json(path)
        except ValueError as error:
            raise ValueError(f"{path}: found no JSON ({error}), expected {parameters}") from None
        if found != parameters:
            advice = "choose another folder, or remove this one"
            raise ValueError(f"{path}: found {found!r}, expected {parameters}: {advice}")


def _place_in_clip(number: int, motion: int) -> tuple[int, int]:
    """Day (counted from 1) and number in the file name of a frame."""
    return (number // motion + 1, number % motion) if motion else (1, number)


def _chunk(out: Path, parameters: dict, first: int, count: int) -> tuple[int, list[dict]]:
    """Render a run of frames unless they are there; (frames rendered, their records)."""
    # The notes hold what the images do not: they make a second run cheap, and it needs no rendering to annotate.
    notes = out / "annotations/frames" / f"{first:06d}.json"
    kinds = ("depth", "color") if parameters["color"] else ("depth",)
    paths = [
        out / file_name(day, v + 1, n, kind)
        for day, n in (_place_in_clip(first + i, parameters["motion"]) for i in range(count))
        for v in range(parameters["views"])
        for kind in kinds
    ]
    if notes.exists() and all(_complete(path, parameters["size"]) for path in paths):
        known = _noted(notes, count, parameters)
        if known is not None:
            return 0, known
    options = {
        "people": tuple(parameters["people"]),
        "views": parameters["views"],
        "fixed_cameras": parameters["fixed_cameras"],
    }
    parts = tuple(parameters.get("variety", ()))
    records, clips = [], {}
    for number in range(first, first + count):
        day, moment = _place_in_clip(number, parameters["motion"])
        if parameters["motion"]:
            if day not in clips:
                clips = {day: Clip(parameters["seed"], day - 1, parameters["motion"], **options)}
            scene = clips[day].scene(moment)
        else:
            scene = make_scene(parameters["seed"], number, **options, variety=parts)
        frames = render_scene(
            scene,
            tuple(parameters["size"]),
            (parameters["seed"], number),
            color=parameters["color"],
            noise=parameters["noise"],
            hips=parameters["hips"],
            variety=parts,
        )
        for v, frame in enumerate(frames):
            save_depth(out / file_name(day, v + 1, moment), frame.depth_mm)
            if frame.color is not None:
                save_color(out / file_name(day, v + 1, moment, "color"), frame.color)
        records.append(frame_record(day, moment, scene, frames, parameters["hips"], parameters["masks"]))
    write_json(notes, records)
    return count, records


def _noted(notes: Path, count: int, parameters: dict) -> list[dict] | None:
    """The records of a run of frames, None if they are damaged: annotations are made of them to find that out."""
    try:
        records = load_json(notes)
        if len(records) != count:
            return None
        mvor_file(records, parameters)
        h36m_arrays(records)
        coco_file(records, parameters)
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError):
        return None
    return records


def save_color(path: Path, picture: np.ndarray) -> None:
    """Write a colour image as PNG, atomically.

    Args:
        path: The file.
        picture: (H, W, 3) uint8 RGB.
    """
    from PIL import Image

    with atomic_write(path, mode="wb") as file:
        Image.fromarray(picture).save(file, format="PNG", compress_level=3)


def _complete(path: Path, size: list[int]) -> bool:
    """Whether the image is there, whole and of this size. Images are written atomically: the header tells."""
    if not path.is_file():
        return False
    if path.parent.name == "color":
        return True
    try:
        load_depth(path, bits=16, size=(size[0], size[1]))
    except ValueError:  # damaged by something else: it is rendered again
        return False
    return True
