"""People of several cameras one frame and one pair at a time: what the batched way is tested and timed against."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.multiview.people import (
    MultiViewRules,
    People,
    _affinities,
    believed,
    hypotheses,
    pack,
    triangulate_people,
    usable_detections,
)
from orplugins.skeletons import COCO_17


def associate(
    cameras: Sequence[Camera], detections: list[list[np.ndarray]], rules: MultiViewRules | None = None
) -> list[list[tuple[tuple[int, int], ...]]]:
    """For every frame the people as sets of (view, index).

    Args:
        cameras: V calibrated cameras.
        detections: For every frame V arrays (N, 17, 3): x, y in pixels, score; score 0 where a joint is missing.
    """
    rules = rules or MultiViewRules()
    return [
        [tuple(names[m] for m in members) for members in pack(hypotheses(matrix, rules))]
        for matrix, names in _affinities(cameras, detections, rules)
    ]


def reconstruct(
    cameras: Sequence[Camera],
    detections: list[list[np.ndarray]],
    rules: MultiViewRules | None = None,
    one_view: bool = False,
) -> People:
    """From detections to people, see :func:`associate` and :func:`triangulate_people`.

    `orplugins.multiview.batch.reconstruct` gives the same people several times as fast; this one can be read.

    Args:
        one_view: Keep detections that found no partner as people without 3D joints (for a body prior to place).
    """
    rules = rules or MultiViewRules()
    usable = [[usable_detections(people, rules) for people in views] for views in detections]
    kept = [
        [p[k] for p, k in zip(views, chosen, strict=True)] for views, chosen in zip(detections, usable, strict=True)
    ]
    groups = associate(cameras, kept, rules)
    if one_view:
        for t, sets in enumerate(groups):
            taken = {member for members in sets for member in members}
            sets += [((v, i),) for v, people in enumerate(kept[t]) for i in range(len(people)) if (v, i) not in taken]
    rows = [(t, members) for t, sets in enumerate(groups) for members in sets]
    members = np.full((len(rows), len(cameras)), -1)
    keypoints = np.zeros((len(rows), len(cameras), COCO_17.num_joints, 3))
    for row, (t, detected) in enumerate(rows):
        for view, index in detected:
            members[row, view] = usable[t][view][index]
            keypoints[row, view] = kept[t][view][index]
    points, views, error = triangulate_people(cameras, keypoints, rules)
    enough = believed(points, members, rules, one_view)
    frame = np.array([t for t, _ in rows], dtype=np.int64)
    return People(frame[enough], members[enough], keypoints[enough], points[enough], views[enough], error[enough])
