"""Poses drawn on an image: in the colours of ORPose-Color's figures, or by the states of joints. Needs OpenCV."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orplugins.skeletons import CAMMA_10, COCO_17, H36M_17, OCCLUDED, OUT_OF_VIEW, VISIBLE

# BGR of the letters that limbs are coloured with.
COLOURS = {"r": (0, 0, 150), "g": (0, 150, 0), "b": (150, 0, 0), "c": (150, 150, 0), "m": (150, 0, 150),
           "y": (0, 150, 150), "w": (150, 150, 150)}  # fmt: skip
COCO_LETTERS = "mmggrmgrmgmgrmgmgmg"
STYLES = {"camma": (CAMMA_10.limbs, "yggggmmmmm"), "coco": (COCO_17.limbs, COCO_LETTERS),
          "h36": (H36M_17.limbs, "rrrrgggmmmgggmmm")}  # fmt: skip
SCORE = 0.05


def draw_pose(
    image: np.ndarray,
    keypoints: np.ndarray,
    style: str,
    box: np.ndarray | None = None,
    colour: tuple[int, int, int] | None = None,
) -> np.ndarray:
    """Draw a person into an image, in place.

    Args:
        image: (H, W, 3) uint8 BGR.
        keypoints: (J, 3) x, y, score. A limb is drawn where both scores are above 0.05 and no coordinate is 0.
        style: "camma", "coco" or "h36": which joints these are.
        box: x1, y1, x2, y2, if any.
        colour: BGR of all limbs and the box, instead of the style's.

    Returns:
        The image itself.

    Raises:
        ValueError: Another style.
    """
    import cv2

    if style not in STYLES:
        raise ValueError(f"style: found {style!r}, expected one of {', '.join(STYLES)}")
    limbs, letters = STYLES[style]
    points = np.asarray(keypoints)[:, :2].astype(int)
    for (start, end), letter in zip(limbs, letters, strict=True):
        ends = points[[start, end]]
        if (keypoints[[start, end], 2] > SCORE).all() and (ends != 0).all():
            a, b = (tuple(end) for end in ends.tolist())
            cv2.line(image, a, b, colour or COLOURS[letter], 2, cv2.LINE_AA)
            for joint in (a, b):
                cv2.circle(image, joint, 2, (0, 0, 0), 3, cv2.LINE_AA)
    if box is not None:
        x1, y1, x2, y2 = np.asarray(box).astype(int).tolist()
        cv2.rectangle(image, (x1, y1), (x2, y2), colour or (255, 255, 255), 1, cv2.LINE_AA)
    return image


# BGR: left blue, right orange, middle green.
_COLOURS = {"left": (255, 128, 0), "right": (0, 140, 255), "": (60, 200, 60)}
_BOX = (0, 0, 255)


def draw_people(image: np.ndarray, people: Sequence[dict], joints: Sequence[str], links) -> np.ndarray:
    """A copy of an image with boxes and joints: full dots are visible, rings occluded, the rest is not drawn.

    Limbs are drawn where both ends are in view, thin where one is occluded. A side at which the frame cuts the box is
    drawn thick. Of a patient's front and back only the one that is seen is drawn.

    Args:
        image: (H, W, 3) uint8 BGR.
        people: Records of a results file of partial bodies.
        joints: Joint names in order.
        links: Pairs of joint indices, the limbs.

    Returns:
        (H, W, 3) uint8 BGR.
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
