"""Files that say which people in the images of several cameras are the same.

Ours: ``{"annotations": [{id, image_id, bbox, person_id}], "pairs": [{"ids": [a, b], "score": s}]}``. Equal
``person_id`` in the images of one moment: one person; a pair's score says how sure that is, 0 to 1, and ``ids`` name
annotations. Read as well: a list of such annotations, and any annotation file that has a ``person_id`` (or
``track_id``) in each entry.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orplugins.io.atomic import write_json
from orplugins.io.json_fields import entries, field, integer, load_json, number, numbers


@dataclass(frozen=True)
class CrossView:
    """Boxes with identities.

    Attributes:
        path: The file.
        ids: (D,) of the annotations, -1 where the file gives none.
        image_ids: (D,) int64.
        boxes: (D, 4) x, y, width, height in pixels.
        persons: (D,) equal at one moment: one person; negative: nobody else's.
        pairs: (P, 2) rows; empty where the file has identities only.
        scores: (P,) 0 to 1.
    """

    path: str
    ids: np.ndarray
    image_ids: np.ndarray
    boxes: np.ndarray
    persons: np.ndarray
    pairs: np.ndarray
    scores: np.ndarray


def read_cross_view(path: str | os.PathLike) -> CrossView:
    """Read who is who across cameras.

    Args:
        path: JSON file, see the module.

    Returns:
        Boxes and pairs.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: One line with file, entry, field, found and expected.
    """
    name = str(Path(path))
    content = load_json(path)
    listed = isinstance(content, list)
    where = f"{name}: " + ("detections" if listed else "annotations")
    records = entries(content if listed else field(content, "annotations", name), where)
    rows = []
    for i, record in enumerate(records):
        here = f"{where}[{i}]"
        key = "track_id" if "track_id" in record and "person_id" not in record else "person_id"
        own = integer(record, "id", here) if "id" in record else -1
        box = numbers(record, "bbox", 4, here)
        if (box[2:] < 0).any():
            raise ValueError(f"{here}: 'bbox' is {record['bbox']}, expected x, y, width >= 0, height >= 0")
        rows.append((own, integer(record, "image_id", here), box, integer(record, key, here)))
    pairs, scores = [], []
    place = {row[0]: i for i, row in enumerate(rows) if row[0] >= 0}
    if not listed and "pairs" in content:
        if len(place) != len(rows):
            raise ValueError(f"{where}: {len(rows)} entries with {len(place)} different ids, expected an id each")
        for i, pair in enumerate(entries(content["pairs"], f"{name}: pairs")):
            here = f"{name}: pairs[{i}]"
            ends, score = numbers(pair, "ids", 2, here), number(pair, "score", here)
            if any(end not in place for end in ends):
                raise ValueError(f"{here}: 'ids' is {pair['ids']}, expected ids of annotations")
            if not 0 <= score <= 1:
                raise ValueError(f"{here}: 'score' is {score:g}, expected 0 to 1")
            pairs.append([place[int(end)] for end in ends])
            scores.append(score)
    return CrossView(
        name,
        np.array([row[0] for row in rows], dtype=np.int64),
        np.array([row[1] for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.float64).reshape(-1, 4),
        np.array([row[3] for row in rows], dtype=np.int64),
        np.array(pairs, dtype=np.int64).reshape(-1, 2),
        np.array(scores, dtype=np.float64),
    )


def write_cross_view(
    path: str | os.PathLike,
    annotations: Sequence[dict],
    persons: np.ndarray,
    pairs: Sequence[tuple[int, int, float]],
    info: dict,
) -> None:
    """Write who is who across cameras, whole or not at all.

    Args:
        path: The file.
        annotations: Records with id, image_id and bbox.
        persons: (D,) of the records.
        pairs: (row, row, score) of people in two cameras at one moment; pairs that are left out have a score of 0.
        info: How it was made.
    """
    kept = [
        {"id": record["id"], "image_id": record["image_id"], "bbox": record["bbox"], "person_id": int(person)}
        for record, person in zip(annotations, persons, strict=True)
    ]
    scored = [{"ids": [kept[a]["id"], kept[b]["id"]], "score": round(float(score), 6)} for a, b, score in pairs]
    write_json(path, {"info": info, "annotations": kept, "pairs": scored})
