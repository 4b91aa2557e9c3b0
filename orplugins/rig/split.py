"""One file with the people of all cameras as a file a camera, the form that is triangulated."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from orplugins.io.atomic import write_json
from orplugins.rig.inputs import PAUSE, read_recording


def split_views(
    path: str | os.PathLike,
    out: Path,
    annotations: str | os.PathLike | None = None,
    folders: Sequence[str] = (),
    size: tuple[int, int] | None = None,
) -> list[Path]:
    """Write a COCO result list (image_id = frame number) for each camera, and a folder for each recording.

    Args:
        path: 2D poses of all cameras, each camera's images in a folder of their own.
        out: Folder; of several recordings (days) in the file each gets one below it.
        annotations: COCO file that names the images of result lists.
        folders: Parts of the images' paths that tell the cameras apart.
        size: (width, height) of the images, where no file says it.

    Returns:
        The files, recording by recording.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: See `orplugins.rig.inputs.read_recording`; a recording without anybody in a view.
    """
    read = read_recording([path], (), size, annotations, folders)
    every = np.unique(np.concatenate([np.array(sorted(view), dtype=np.int64) for view in read.people]))
    starts = [int(every[0]), *(int(n) for n in every[1:][np.diff(every) > PAUSE // 2])]
    files = []
    for k, start in enumerate(starts):
        end = starts[k + 1] if k + 1 < len(starts) else int(every[-1]) + 1
        folder = out / f"recording{k + 1}" if len(starts) > 1 else out
        for name, view in zip(read.names, read.people, strict=True):
            records = [_record(n - start, person) for n in sorted(view) if start <= n < end for person in view[n]]
            if not records:
                raise ValueError(f"{path}: nobody is in recording {k + 1} of {name}, expected people in every view")
            write_json(folder / f"{name}.json", records)
            files.append(folder / f"{name}.json")
    return files


def _record(number: int, person: np.ndarray) -> dict:
    score = person[person[:, 2] > 0, 2]
    return {
        "image_id": number,
        "category_id": 1,
        "keypoints": np.round(person, 3).ravel().tolist(),
        "score": round(float(score.mean()), 4) if len(score) else 0.0,
    }
