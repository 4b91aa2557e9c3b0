"""Poses of people of whom a part may be out of view: records, the file of a whole job, and pictures."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from orplugins.core.joint_states import (
    OCCLUDED,
    OUT_OF_VIEW,
    SIDES,
    STATES,
    VISIBLE,
    facing,
    judge,
    near_border,
    truncated_sides,
)
from orplugins.core.skeletons import SKELETONS, Skeleton
from orplugins.io.atomic import write_json

# BGR: left blue, right orange, middle green.
_COLOURS = {"left": (255, 128, 0), "right": (0, 140, 255), "": (60, 200, 60)}
_BOX = (0, 0, 255)


def known_skeleton(joints: Sequence[str]) -> Skeleton | None:
    """The project's joint set of these names, if it has one."""
    return next((s for s in SKELETONS.values() if s.joints == tuple(joints)), None)


def person_records(
    boxes: np.ndarray, box_scores: np.ndarray, labels: Sequence[str], keypoints: np.ndarray, scores: np.ndarray,
    crops: np.ndarray, size: tuple[int, int], threshold: float, states: np.ndarray | None, joints: Sequence[str],
) -> list[dict]:
    """One record a person.

    ``keypoints`` are COCO's triples with v from the state (0 out of view, 1 occluded, 2 visible). Every joint keeps its
    place and score, whatever its state. ``truncated`` names the sides at which the frame cuts the box, ``near_border``
    the joints whose places the border of crop or frame makes uncertain, ``facing`` (joint sets with a back only) tells
    whether the front or the back of the trunk is seen. ``score`` is the box's times the mean of the visible joints'.

    Args:
        boxes, box_scores, labels: (N, 4) x1, y1, x2, y2; (N,); N.
        keypoints, scores, crops, states: See `orplugins.mmpose.topdown.Poses`.
        size: (width, height) of the frame.
        threshold: Least score of a visible joint, for networks that do not tell states.
        joints: K names.
    """
    if not len(boxes):
        return []
    found = judge(keypoints, scores, boxes, size, threshold, states)
    cut, border = truncated_sides(boxes, size), near_border(keypoints, crops, size)
    skeleton = known_skeleton(joints)
    front = facing(scores, skeleton) if skeleton else None
    records = []
    for n, box in enumerate(np.asarray(boxes, dtype=np.float64)):
        usable = found[n] == VISIBLE
        record = {
            "label": labels[n],
            "bbox": _rounded([*box[:2], *(box[2:] - box[:2])]),
            "bbox_score": round(float(box_scores[n]), 4),
            "score": round(float(box_scores[n] * (scores[n][usable].mean() if usable.any() else 0.0)), 4),
            "keypoints": _rounded(np.concatenate([keypoints[n], found[n][:, None]], axis=1).ravel()),
            "keypoint_scores": _rounded(scores[n], 4),
            "keypoint_states": [STATES[state] for state in found[n]],
            "num_keypoints": int((found[n] != OUT_OF_VIEW).sum()),
            "visible_fraction": round(float(usable.mean()), 4),
            "truncated": [side for side, is_cut in zip(SIDES, cut[n], strict=True) if is_cut],
            "near_border": [joints[k] for k in np.flatnonzero(border[n])],
        }
        if states is not None:
            record["state_probabilities"] = [_rounded(row, 4) for row in states[n]]
        if front is not None:
            record["facing"] = "front" if front[n] else "back"
        records.append(record)
    return records


def _rounded(values, digits: int = 2) -> list[float]:
    return [round(float(value), digits) for value in values]


def write_poses(path: str | os.PathLike, frames: Sequence[dict], joints: Sequence[str], links, info: dict) -> None:
    """Write a job's poses in COCO's form: ``info``, ``images``, ``annotations``, ``categories`` (with joint names).

    ``frames`` are in order, each with ``file_name``, ``width``, ``height`` and ``people``, of `person_records`.
    """
    labels = sorted({person["label"] for frame in frames for person in frame["people"]}) or ["person"]
    annotations: list[dict] = []
    for image_id, frame in enumerate(frames, start=1):
        for person in frame["people"]:
            rest = {key: value for key, value in person.items() if key != "label"}
            annotations.append({"id": len(annotations) + 1, "image_id": image_id,
                                "category_id": labels.index(person["label"]) + 1, "iscrowd": 0,
                                "area": round(person["bbox"][2] * person["bbox"][3], 2), **rest})
    skeleton = {"keypoints": list(joints), "skeleton": [[a + 1, b + 1] for a, b in links]}
    write_json(path, {
        "info": info,
        "images": [{"id": k, **{key: frame[key] for key in ("file_name", "width", "height")}}
                   for k, frame in enumerate(frames, start=1)],
        "annotations": annotations,
        "categories": [{"id": k, "name": name, **skeleton} for k, name in enumerate(labels, start=1)],
    })  # fmt: skip


def draw_people(image: np.ndarray, people: Sequence[dict], joints: Sequence[str], links) -> np.ndarray:
    """A copy of a picture with boxes and joints: full dots are visible, rings occluded, the rest is not drawn.

    Limbs are drawn where both ends are in view, thin where one is occluded. A side at which the frame cuts the box is
    drawn thick. Of a patient's front and back only the one that is seen is drawn.
    """
    import cv2

    out = image.copy()
    unit = max(1, round(max(image.shape[:2]) / 500))
    for person in people:
        x, y, w, h = person["bbox"]
        corners = [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]
        for side, (a, b) in zip(("top", "right", "bottom", "left"), ((0, 1), (1, 2), (2, 3), (3, 0)), strict=True):
            width = 3 * unit if side in person["truncated"] else unit
            cv2.line(out, _point(corners[a]), _point(corners[b]), _BOX, width)
        text = f"{person['label']} {100 * person['bbox_score']:.0f}%"
        cv2.putText(out, text, _point((x + 2, max(y - 3, 10))), cv2.FONT_HERSHEY_SIMPLEX, 0.4 * unit, _BOX, unit)
        points = np.array(person["keypoints"]).reshape(-1, 3)
        states = points[:, 2].astype(int).copy()
        if "facing" in person:
            hidden = ("chest", "stomach") if person["facing"] == "back" else ("back",)
            states[[joints.index(name) for name in hidden]] = OUT_OF_VIEW
        for a, b in links:
            if OUT_OF_VIEW not in (states[a], states[b]):
                width = unit if OCCLUDED in (states[a], states[b]) else 2 * unit
                cv2.line(out, _point(points[a]), _point(points[b]), _colour(joints[b]), width, cv2.LINE_AA)
        for name, point, state in zip(joints, points, states, strict=True):
            if state != OUT_OF_VIEW:
                full = -1 if state == VISIBLE else unit
                cv2.circle(out, _point(point), 3 * unit, _colour(name), full, cv2.LINE_AA)
    return out


def _point(point) -> tuple[int, int]:
    return int(round(float(point[0]))), int(round(float(point[1])))


def _colour(joint: str) -> tuple[int, int, int]:
    side = joint.partition("_")[0]
    return _COLOURS[side if side in _COLOURS else ""]
