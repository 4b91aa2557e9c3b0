"""Poses of people of whom a part may be out of view: records, and the file of a whole job."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from orplugins.io.atomic import write_json
from orplugins.partial_body.joint_states import SIDES, facing, judge, near_border, truncated_sides
from orplugins.skeletons import OUT_OF_VIEW, SKELETONS, STATES, VISIBLE, Skeleton


def known_skeleton(joints: Sequence[str]) -> Skeleton | None:
    """The project's joint set of these names.

    Args:
        joints: Joint names in order.

    Returns:
        The joint set, or None.
    """
    return next((s for s in SKELETONS.values() if s.joints == tuple(joints)), None)


def person_records(
    boxes: np.ndarray,
    box_scores: np.ndarray,
    labels: Sequence[str],
    keypoints: np.ndarray,
    scores: np.ndarray,
    crops: np.ndarray,
    size: tuple[int, int],
    threshold: float,
    states: np.ndarray | None,
    joints: Sequence[str],
) -> list[dict]:
    """One record per person.

    ``keypoints`` are COCO's triples with v from the state (0 out of view, 1 occluded, 2 visible). Every joint keeps its
    place and score, whatever its state. ``truncated`` names the sides at which the frame cuts the box, ``near_border``
    the joints whose places the border of crop or frame makes uncertain, ``facing`` (joint sets with a back only) tells
    whether the front or the back of the trunk is seen. ``score`` is the box's times the mean of the visible joints'.

    Args:
        boxes: (N, 4) x1, y1, x2, y2 in frame pixels.
        box_scores: (N,).
        labels: N class names.
        keypoints: (N, K, 2) in frame pixels, see `orplugins.hosts.mmpose.topdown.Poses`.
        scores: (N, K).
        crops: (N, 4) x1, y1, x2, y2 of what the network saw.
        size: (width, height) of the frame.
        threshold: Minimum score of a visible joint, for networks that do not tell states.
        states: (N, K, 3) probabilities of the states, or None.
        joints: K names.

    Returns:
        N records.
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

    Args:
        path: JSON file.
        frames: In order, each with ``file_name``, ``width``, ``height`` and ``people``, of `person_records`; frames of
            videos also with ``time``, seconds since the first.
        joints: K names.
        links: Pairs of joint indices, the limbs.
        info: What the poses were made with.
    """
    labels = sorted({person["label"] for frame in frames for person in frame["people"]}) or ["person"]
    annotations: list[dict] = []
    for image_id, frame in enumerate(frames, start=1):
        for person in frame["people"]:
            rest = {key: value for key, value in person.items() if key != "label"}
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": labels.index(person["label"]) + 1,
                    "iscrowd": 0,
                    "area": round(person["bbox"][2] * person["bbox"][3], 2),
                    **rest,
                }
            )
    skeleton = {"keypoints": list(joints), "skeleton": [[a + 1, b + 1] for a, b in links]}
    write_json(
        path,
        {
            "info": info,
            "images": [
                {"id": k, **{key: frame[key] for key in ("file_name", "width", "height", "time") if key in frame}}
                for k, frame in enumerate(frames, start=1)
            ],
            "annotations": annotations,
            "categories": [{"id": k, "name": name, **skeleton} for k, name in enumerate(labels, start=1)],
        },
    )
