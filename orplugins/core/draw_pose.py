"""Poses drawn on a picture in the colours of ORPose-Color's published pictures. Needs OpenCV."""

from __future__ import annotations

import numpy as np

from orplugins.core.skeletons import CAMMA_10, COCO_17, H36M_17

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
    """Draw a person into a picture, in place.

    Args:
        image: (H, W, 3) uint8 BGR.
        keypoints: (J, 3) x, y, score. A limb is drawn where both scores are above 0.05 and no coordinate is 0.
        style: "camma", "coco" or "h36": which joints these are.
        box: x1, y1, x2, y2, if any.
        colour: BGR of all limbs and the box, instead of the style's.
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
