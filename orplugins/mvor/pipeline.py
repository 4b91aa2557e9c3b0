"""MVOR's jobs: detections evaluated with the data set's published protocols, each a file at a time."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orplugins.io.coco_results import (
    box_records,
    has_boxes,
    load_box_results,
    load_keypoint_results,
    load_mv3dreg,
)
from orplugins.io.cross_view import read_cross_view
from orplugins.mvor.annotations import MVORAnnotations
from orplugins.mvor.association import association_metrics, camera_pairs, counted_frames
from orplugins.mvor.mpjpe import mv3dreg_errors, view_support
from orplugins.mvor.pck import mvor_pck
from orplugins.mvor.person_ap import BOX_COLUMNS, KEYPOINT_BOX_COLUMNS, boxes_from_keypoints, person_ap
from orplugins.skeletons import CAMMA_10


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes:
        name: What was evaluated.
        columns: Value by title.
        digits: Decimals with which the published table prints the values.
        details: More about it, a line each.
    """

    name: str
    columns: dict[str, float]
    digits: int
    details: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evaluation:
    """What a protocol says of one file of detections.

    Attributes:
        rows: The published table's rows.
        numbers: All that was computed, as JSON holds it.
        notes: What the reader of the table should know, a line each.
        details: More about all rows, a line each.
    """

    rows: tuple[Row, ...]
    numbers: dict
    notes: tuple[str, ...] = ()
    details: tuple[str, ...] = ()


def rows_text(rows: Sequence[Row], header: tuple[str, ...] = (), verbose: bool = False) -> str:
    """Return the lines of a table, one a row, below a line of titles wherever these change.

    Args:
        rows: What is printed.
        header: Titles above the first row, if they are there already.
        verbose: Add each row's details.
    """
    lines = []
    for row in rows:
        if tuple(row.columns) != header:
            header = tuple(row.columns)
            lines.append(f"{'':<28}" + "".join(f"{column:>12}" for column in header))
        lines.append(f"{row.name:<28}" + "".join(f"{value:>12.{row.digits}f}" for value in row.columns.values()))
        lines += [f"  {line}" for line in row.details if verbose]
    return "\n".join(lines)


def evaluate_pck(truth: MVORAnnotations, path: str | os.PathLike) -> Evaluation:
    """Evaluate 2D poses by PCK@0.2 in percent.

    Args:
        truth: The annotations.
        path: COCO keypoint results.

    Raises:
        FileNotFoundError: No such file.
        ValueError: The file is damaged or holds no keypoints, or there is no person to compare with.
    """
    detections = load_keypoint_results(path)
    ignored = int((~np.isin(detections.image_ids, truth.image_ids)).sum())
    try:
        result = mvor_pck(*truth.keypoint_persons(), detections.image_ids, detections.keypoints, detections.scores)
    except ValueError as error:
        raise ValueError(f"{truth.path}, {path}: {error}") from None
    joints = dict(zip(CAMMA_10.joints, (100 * result.joints).tolist(), strict=True))
    counts = f"persons {result.persons}, without a match {result.unmatched}, field '{detections.field}'"
    details = (counts, *(f"{name:<15} {value:.4f}" for name, value in joints.items()))
    numbers = {
        "PCK@0.2": result.columns,
        "joints": joints,
        "persons": result.persons,
        "unmatched": result.unmatched,
        "ignored_detections": ignored,
    }
    note = f"warning: {path}: {ignored} detections are in images that {truth.path} does not have"
    return Evaluation((Row(Path(path).stem, result.columns, 1, details),), numbers, (note,) if ignored else ())


def evaluate_ap(truth: MVORAnnotations, path: str | os.PathLike, from_keypoints: bool = False) -> Evaluation:
    """Evaluate person boxes by COCO's AP and AR; of a file of keypoints, boxes are made.

    Args:
        truth: The annotations.
        path: COCO box results or keypoint results.
        from_keypoints: The file's boxes were made from keypoints: the table has AP50 and the recall at IoU 0.50.

    Raises:
        FileNotFoundError: No such file.
        ImportError: pycocotools is missing.
        ValueError: The file is damaged, or its categories are not the annotations'.
    """
    annotations = truth.box_persons()
    boxes_given = has_boxes(path)
    if boxes_given:
        records = load_box_results(path)
    else:
        poses = load_keypoint_results(path, sizes=(51, 30))
        category = annotations[0]["category_id"] if annotations else "1"
        records = box_records(poses.image_ids, boxes_from_keypoints(poses.keypoints), poses.scores, category)
    try:
        summary = person_ap(truth.image_ids, annotations, records)
    except ValueError as error:
        raise ValueError(f"{truth.path}, {path}: {error}") from None
    columns = KEYPOINT_BOX_COLUMNS if from_keypoints or not boxes_given else BOX_COLUMNS
    counts = f"images {len(truth.images)}, persons {len(annotations)}, detections {len(records)}"
    details = (counts, *(f"{name:<15} {value:.4f}" for name, value in summary.items()))
    row = Row(Path(path).stem, {name: summary[name] for name in columns}, 3, details)
    return Evaluation((row,), {"columns": list(columns), **summary})


def evaluate_3d(truth: MVORAnnotations | None, path: str | os.PathLike) -> Evaluation:
    """Evaluate 3D poses by their mean error in centimetres, by the number of supporting views.

    Args:
        truth: Not needed: the file holds its own ground truth.
        path: MV3DReg's MATLAB 5 file.

    Raises:
        FileNotFoundError: No such file.
        ValueError: Not such a file.
    """
    predicted, target, encoded = load_mv3dreg(path)
    support = view_support(encoded)
    table = mv3dreg_errors(predicted, target, support)
    rows = tuple(
        Row(
            f"{Path(path).stem}, {views} view{'s' if views > 1 else ''}",
            errors.columns,
            1,
            (f"persons {errors.persons}, " + ", ".join(f"{k} {v:.4f}" for k, v in errors.columns.items()),),
        )
        for views, errors in table.items()
    )
    numbers = {str(views): {"persons": errors.persons, "cm": errors.columns} for views, errors in table.items()}
    note = f"note: the ground truth is that in {path}; {truth and truth.path} is checked but not used"
    details = (f"persons without support, in no row: {int((support == 0).sum())}",)
    return Evaluation(rows, numbers, (note,) if truth is not None else (), details)


def evaluate_association(truth: MVORAnnotations, path: str | os.PathLike) -> Evaluation:
    """Evaluate who is who across cameras, of people with a pose and of all boxes, in all frames and in the test split.

    Args:
        truth: The annotations, with identities that are right across cameras (version 2 of the file).
        path: See `orplugins.io.cross_view.read_cross_view`.

    Raises:
        FileNotFoundError: No such file.
        ValueError: The file is damaged or holds no annotated person, or the annotations have no labelled people.
    """
    found = read_cross_view(path)
    if not np.isin(found.image_ids, truth.image_ids).any():
        raise ValueError(f"{path}: none of {len(found.image_ids)} entries is in an image of {truth.path}")
    rows, numbers = [], {}
    for kind, poses_only in (("poses", True), ("all boxes", False)):
        for split, test in (("all frames", False), ("test", True)):
            frames = counted_frames(truth, test)
            pairs = camera_pairs(truth, found, frames, poses_only)
            if not pairs:  # a small set has no labelled people in its last fifth
                continue
            table = association_metrics(pairs)
            forced = association_metrics(pairs, keep_only_pair=True)
            columns = {name: value for name, value in table.items() if not name[0].islower() or name in _PEOPLE}
            details = (
                f"{len(frames)} frames, {table['camera pairs']:.0f} pairs of cameras, "
                f"{table['people in both']:.0f} people in both of them",
                "where the only pair of two boxes is never dropped: "
                + ", ".join(f"{name} {forced[name]:.4f}" for name in (*_PEOPLE, "IPAA-100")),
            )
            rows.append(Row(f"{kind}, {split}", columns, 3, details))
            numbers[f"{kind}, {split}"] = {**table, "frames": len(frames), "only pair kept": forced}
    if not rows:
        raise ValueError(f"{truth.path}: no moment at which two cameras have labelled people")
    notes = [f"{path}:", "note: published figures of other methods on MVOR: not at hand, so they do not stand here"]
    return Evaluation(tuple(rows), numbers, tuple(notes))


_PEOPLE = ("precision", "recall", "accuracy")
