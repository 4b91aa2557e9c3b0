"""What a span's people are written to: Parquet, a row a frame, and COCO's form."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from orplugins.archive.manifest import read_manifest
from orplugins.io.atomic import atomic_path, write_json
from orplugins.skeletons import Skeleton
from orplugins.structures import People

if TYPE_CHECKING:
    import pyarrow

PARQUET, COCO = "frames", "coco"  # folders
# Numbers of images and annotations stay unique over all spans, and below 2^53.
_IMAGES, _ANNOTATIONS = 10**6, 10**8


@dataclass(frozen=True)
class FrameRecord:
    """A frame and who is in it.

    Attributes:
        source: The recording's name.
        number: Of a video's frame, from 0 on; None for a picture.
        time: Seconds since a video's first frame; None for a picture.
        people: With the frame's name and size.
    """

    source: str
    number: int | None
    time: float | None
    people: People


def write_parquet(path: str | os.PathLike, frames: Sequence[FrameRecord], about: dict) -> None:
    """Write frames, a row each, in one step.

    Args:
        path: The file.
        frames: In order; those without people, too.
        about: What the file says of itself: values of JSON, kept as ``orplugins`` in the schema's metadata.
    """
    import pyarrow
    import pyarrow.parquet

    schema = _schema().with_metadata({"orplugins": json.dumps(about)})
    table = pyarrow.Table.from_pylist([_row(frame) for frame in frames], schema)
    with atomic_path(path) as temporary:
        pyarrow.parquet.write_table(table, temporary, compression="zstd")


def _schema() -> pyarrow.Schema:
    import pyarrow as pa

    person = pa.struct(
        [
            ("score", pa.float64()),
            ("label", pa.string()),
            ("box", pa.list_(pa.float32())),
            ("keypoints", pa.list_(pa.float32())),
            ("points", pa.list_(pa.float32())),
        ]
    )
    return pa.schema(
        [
            ("frame", pa.string()),
            ("source", pa.string()),
            ("number", pa.int64()),
            ("time", pa.float64()),
            ("width", pa.int32()),
            ("height", pa.int32()),
            ("people", pa.list_(person)),
        ]
    )


def _row(frame: FrameRecord) -> dict:
    people = frame.people
    width, height = people.size or (None, None)
    return {
        "frame": people.frame,
        "source": frame.source,
        "number": frame.number,
        "time": frame.time,
        "width": width,
        "height": height,
        "people": [_person(people, k) for k in range(len(people))],
    }


def _person(people: People, k: int) -> dict:
    def flat(values: np.ndarray | None) -> list | None:
        return None if values is None or not values[k].size else values[k].astype(np.float32).ravel().tolist()

    assert people.scores is not None  # the constructor fills them in
    return {
        "score": float(people.scores[k]),
        "label": None if people.labels is None else people.labels[k],
        "box": flat(people.boxes),
        "keypoints": flat(people.keypoints),
        "points": flat(people.points),
    }


def write_coco(
    path: str | os.PathLike, frames: Sequence[FrameRecord], number: int, skeleton: Skeleton, points: Skeleton | None
) -> None:
    """Write frames in COCO's form, in one step.

    Args:
        path: The file.
        frames: In order.
        number: Of the span, below 90 million: ids are unique over all files of a run.
        skeleton: The joints; without joints people have boxes only.
        points: Of 3D joints, written as ``points_3d`` in metres.

    Raises:
        ValueError: More than a million frames.
    """
    if len(frames) > _IMAGES:
        raise ValueError(f"{path}: found {len(frames)} frames in a span, expected {_IMAGES} at most: make it shorter")
    images: list[dict] = []
    annotations: list[dict] = []
    labels = sorted({label for frame in frames for label in frame.people.labels or ()})
    for frame in frames:
        width, height = frame.people.size or (None, None)
        image = {"id": number * _IMAGES + len(images) + 1, "file_name": frame.people.frame}
        size, time = {"width": width, "height": height}, {} if frame.time is None else {"time": frame.time}
        images.append({**image, **size, **time})
        for k in range(len(frame.people)):
            record = {"id": number * _ANNOTATIONS + len(annotations) + 1, "image_id": image["id"], "iscrowd": 0}
            annotations.append({**record, **_annotation(frame.people, k, labels)})
    about = {"keypoints": list(skeleton.joints), "skeleton": [[a + 1, b + 1] for a, b in skeleton.limbs]}
    joints = {**(about if skeleton.joints else {}), **({} if points is None else {"points_3d": list(points.joints)})}
    categories = [{"id": k, "name": name, **joints} for k, name in enumerate(labels or ["person"], start=1)]
    write_json(path, {"images": images, "annotations": annotations, "categories": categories})


def _annotation(people: People, k: int, labels: list[str]) -> dict:
    assert people.scores is not None
    out: dict = {"category_id": 1 if people.labels is None else 1 + labels.index(people.labels[k])}
    out["score"] = round(float(people.scores[k]), 6)
    if people.boxes is not None:
        x1, y1, x2, y2 = people.boxes[k]
        out |= {"bbox": np.round([x1, y1, x2 - x1, y2 - y1], 3).tolist(), "area": round((x2 - x1) * (y2 - y1), 3)}
    if people.skeleton.joints:
        joints = np.nan_to_num(people.keypoints[k])
        out |= {"keypoints": np.round(joints, 4).ravel().tolist(), "num_keypoints": int((joints[:, 2] > 0).sum())}
    if people.points is not None:
        out["points_3d"] = np.round(np.nan_to_num(people.points[k]), 5).ravel().tolist()
    return out


def remove_others(out: str | os.PathLike, numbers: set[int]) -> None:
    """Remove files of spans that the manifest does not list: a run that was killed wrote them last.

    Args:
        out: The run's folder, where nobody is writing.
        numbers: Of the spans that it lists.
    """
    for folder, suffix in ((PARQUET, ".parquet"), (COCO, ".json")):
        for path in (Path(out) / folder).glob(f"*{suffix}"):
            if path.stem.isdecimal() and int(path.stem) not in numbers:
                path.unlink()


def read_frames(out: str | os.PathLike) -> pyarrow.Table:
    """All frames of a run, of the spans that its manifest lists.

    Args:
        out: The run's folder.

    Returns:
        A table in the order of the spans; see ``docs/deploy_batch.md`` for its columns.

    Raises:
        FileNotFoundError: No manifest, or a file that it lists is missing.
        ValueError: The manifest is damaged.
    """
    import pyarrow
    import pyarrow.parquet

    done = sorted(read_manifest(Path(out)).values(), key=lambda each: each["number"])
    paths = [Path(out) / PARQUET / f"{each['number']:06d}.parquet" for each in done]
    tables = [pyarrow.parquet.read_table(path, schema=_schema()) for path in paths]
    return pyarrow.concat_tables(tables) if tables else _schema().empty_table()
