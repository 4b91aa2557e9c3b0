"""MPJPE of monocular 3D poses on MVOR, as ORPose-Color's evaluation counts it (Srivastav et al., MICCAI 2020).

Root-relative CAMMA-10 joints in millimetres, without alignment. People are matched to detections by OKS of their COCO
joints: each takes the most similar detection of its image, with no threshold, and two may take the same one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orplugins.skeletons import CAMMA_10, COCO_17

_LEFT_HIP, _RIGHT_HIP = CAMMA_10.index("left_hip"), CAMMA_10.index("right_hip")
PROTOCOLS = ("published", "visible")


@dataclass(frozen=True)
class ImageErrors:
    """People of one image.

    Attributes:
        matches: (G,) index of each person's detection; -1 where the image has no detection.
        errors: (G, 10) millimetres, 0 for a hidden joint.
        visible: (G, 10) bool.
        predicted, target: (G, 10, 3) root-relative millimetres, zeros where hidden.
        pelvis: (G, 3) the true root in the camera's axes, millimetres.
    """

    matches: np.ndarray
    errors: np.ndarray
    visible: np.ndarray
    predicted: np.ndarray
    target: np.ndarray
    pelvis: np.ndarray


def keypoint_similarity(truth: np.ndarray, boxes: np.ndarray, found: np.ndarray) -> np.ndarray:
    """OKS of people (G) and detections (D), as COCO's evaluation computes it, with the box's area for the person's.

    Args:
        truth: (G, 17, 3) x, y, v. A person without a labelled joint is compared by the distance outside its box,
            doubled about its centre by its own width and height.
        boxes: (G, 4) x1, y1, x2, y2 of the people.
        found: (D, 17, 2 or more).

    Returns:
        (G, D) in [0, 1].
    """
    variance = (2 * np.array(COCO_17.sigmas)) ** 2
    truth, boxes, found = (np.asarray(values, dtype=np.float64) for values in (truth, boxes, found))
    size = boxes[:, 2:] - boxes[:, :2]
    labelled = truth[..., 2] > 0
    difference = found[None, :, :, :2] - truth[:, None, :, :2]
    low, high = boxes[:, :2] - size, boxes[:, :2] + 2 * size
    outside = np.maximum(0, low[:, None, None] - found[None, :, :, :2])
    outside += np.maximum(0, found[None, :, :, :2] - high[:, None, None])
    some = np.any(labelled, axis=1)
    distance = np.where(some[:, None, None, None], difference, outside)
    area = size.prod(axis=1)[:, None, None] + np.spacing(1)
    similarity = np.exp(-(distance**2).sum(axis=-1) / variance / area / 2)
    counted = np.where(some[:, None], labelled, True)
    return (similarity * counted[:, None]).sum(axis=2) / counted.sum(axis=1)[:, None]


def image_errors(
    truth: np.ndarray, boxes: np.ndarray, poses: np.ndarray, found: np.ndarray, predicted: np.ndarray
) -> ImageErrors:
    """Joint errors of the people of one image.

    Args:
        truth: (G, 17, 3) COCO joints x, y, v.
        boxes: (G, 4) x1, y1, x2, y2.
        poses: (G, 10, 4) CAMMA-10 in metres in the camera's axes, visible flag. The root is the middle of the hips,
            seen or not.
        found: (D, 17, 2 or more) detected COCO joints.
        predicted: (D, 10, 3) their CAMMA-10 joints relative to the root, millimetres.

    Returns:
        Matches and errors.
    """
    poses = np.asarray(poses, dtype=np.float64) * (1000, 1000, 1000, 1)
    visible = poses[..., 3] > 0
    pelvis = (poses[:, _LEFT_HIP, :3] + poses[:, _RIGHT_HIP, :3]) / 2
    target = (poses[..., :3] - pelvis[:, None]) * visible[..., None]
    if len(found) and len(truth):
        matches = keypoint_similarity(truth, boxes, found).argmax(axis=1)
        predicted = np.asarray(predicted, dtype=np.float64)[matches] * visible[..., None]
    else:
        matches, predicted = np.full(len(truth), -1), np.zeros_like(target)
    errors = np.linalg.norm(predicted - target, axis=-1)
    return ImageErrors(matches, np.where(matches[:, None] >= 0, errors, 0.0), visible, predicted, target, pelvis)


def summarise(images: list[ImageErrors], protocol: str = "published") -> dict[str, float]:
    """Means over the matched people of all images, in millimetres.

    Args:
        images: What `image_errors` gave.
        protocol: "published" divides each joint's sum by the number of matched people, so hidden joints, which add
            nothing, make the means too small. "visible" divides by how often the joint was visible.

    Returns:
        The ten joints; `Shoulder`, `Hip`, `Elbow`, `Wrist`; `Selected`, their mean; `All`; and the counts `persons`
        (matched) and `missed` (their image has no detection at all). NaN where nobody was matched.

    Raises:
        ValueError: Another protocol.
    """
    if protocol not in PROTOCOLS:
        raise ValueError(f"protocol: found {protocol!r}, expected one of {PROTOCOLS}")
    matched = [each.matches >= 0 for each in images]
    pairs = list(zip(images, matched, strict=True))
    errors = np.concatenate([np.zeros((0, 10)), *(each.errors[keep] for each, keep in pairs)])
    visible = np.concatenate([np.zeros((0, 10), bool), *(each.visible[keep] for each, keep in pairs)])
    count = np.full(10, len(errors)) if protocol == "published" else visible.sum(axis=0)
    with np.errstate(invalid="ignore"):  # nobody counted: the mean is not defined
        mean = errors.sum(axis=0) / count
    parts = dict(zip(("Shoulder", "Hip", "Elbow", "Wrist"), mean[2:].reshape(4, 2).mean(axis=1).tolist(), strict=True))
    return {
        **dict(zip(CAMMA_10.joints, mean.tolist(), strict=True)),
        **parts,
        "Selected": float(mean[2:].mean()),
        "All": float(mean.mean()),
        "persons": len(errors),
        "missed": int(sum((~keep).sum() for keep in matched)),
    }
