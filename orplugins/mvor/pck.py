"""PCK@0.2 as MVOR's evaluation counts it (Srivastav et al. 2018, arXiv 1808.08180, and the script released with it).

Everything that decides a published number is kept, also where it is unusual: hidden joints count like visible ones, the
denominator never shrinks (so a perfect detector stays below 100), people are matched independently of one another,
boxes count pixels inclusively, and the matched detection is looked up by its score.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orplugins.mvor.camma import coco_to_camma

PCK_THRESHOLD = 0.2
MATCH_OVERLAP = 0.3
TIE_WIDTH = 1e-6
COLUMNS = ("Head", "Shoulder", "Hip", "Elbow", "Wrist")


@dataclass(frozen=True)
class PCKResult:
    """Result of `mvor_pck`.

    Attributes:
        joints: (10,) share of correct joints in CAMMA-10 order, 0..1.
        persons: Number of annotated people, the denominator.
        unmatched: How many of them no detection overlaps.
    """

    joints: np.ndarray
    persons: int
    unmatched: int

    @property
    def columns(self) -> dict[str, float]:
        """The published table's row in percent: Head (mean of head and neck), Shoulder, Hip, Elbow, Wrist, Average."""
        pairs = 100.0 * self.joints.reshape(5, 2).mean(axis=1)
        return {**dict(zip(COLUMNS, pairs.tolist(), strict=True)), "Average": float(pairs.mean())}


def mvor_pck(
    gt_image_ids: np.ndarray,
    gt_keypoints: np.ndarray,
    dt_image_ids: np.ndarray,
    dt_keypoints: np.ndarray,
    dt_scores: np.ndarray,
    threshold: float = PCK_THRESHOLD,
) -> PCKResult:
    """Percentage of correct keypoints.

    Args:
        gt_image_ids: (G,) int.
        gt_keypoints: (G, 10, 2 or more) annotated CAMMA-10 joints, x, y in pixels. x = y = 0 is missing; a person
            without any joint is left out.
        dt_image_ids: (D,) int. Detections in images without annotated people have no influence.
        dt_keypoints: (D, 17, 2 or 3) detected COCO-17 joints in pixels; x = y = 0 is missing. Their order matters where
            scores tie.
        dt_scores: (D,) scores of the people.
        threshold: Maximum distance of a correct joint, in units of the longer side of the box around the annotated
            joints.

    Returns:
        Shares of correct joints.

    Raises:
        ValueError: Shapes that do not fit, NaN or infinity, or no annotated person.
    """
    gt_xy = _coordinates(gt_keypoints, 10, gt_image_ids, "ground-truth")
    dt_xy = _coordinates(dt_keypoints, 17, dt_image_ids, "detected")
    dt_scores = np.asarray(dt_scores, dtype=np.float64)
    if dt_scores.shape != (len(dt_xy),) or not np.isfinite(dt_scores).all():
        raise ValueError(f"detection scores have shape {dt_scores.shape}, expected ({len(dt_xy)},) finite numbers")
    annotated = (gt_xy != 0).any(axis=(1, 2))
    gt_xy, gt_image_ids = gt_xy[annotated], np.asarray(gt_image_ids)[annotated]
    if not len(gt_xy):
        raise ValueError("no annotated person with joints: PCK is not defined")

    gt_present, gt_boxes = _present_and_boxes(gt_xy)
    _, dt_boxes = _present_and_boxes(dt_xy)
    dt_camma = coco_to_camma(dt_xy)
    sides = gt_boxes[:, 2:] - gt_boxes[:, :2] + 1
    scale = sides.max(axis=1)

    matches = _match(gt_image_ids, gt_boxes, sides.prod(axis=1), np.asarray(dt_image_ids), dt_boxes, dt_scores)
    matched = matches >= 0
    found = dt_camma[matches[matched]]
    distance = np.linalg.norm(found - gt_xy[matched], axis=-1)
    correct = (distance <= threshold * scale[matched, None]) & gt_present[matched] & (found != 0).any(axis=-1)
    return PCKResult(correct.sum(axis=0) / len(gt_xy), len(gt_xy), int((~matched).sum()))


def _coordinates(keypoints: np.ndarray, joints: int, image_ids: np.ndarray, name: str) -> np.ndarray:
    """(N, joints, 2) finite coordinates; an empty input of any shape is no person."""
    keypoints = np.asarray(keypoints, dtype=np.float64)
    if not keypoints.size:
        keypoints = np.zeros((0, joints, 2))
    if keypoints.ndim != 3 or keypoints.shape[1] != joints or keypoints.shape[2] < 2:
        raise ValueError(f"{name} keypoints have shape {keypoints.shape}, expected (N, {joints}, 2 or 3)")
    if len(image_ids) != len(keypoints):
        raise ValueError(f"{len(image_ids)} image ids for {len(keypoints)} {name} people")
    if not np.isfinite(keypoints[..., :2]).all():
        raise ValueError(f"{name} keypoints hold NaN or infinity, expected finite pixels")
    return keypoints[..., :2]


def _present_and_boxes(xy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which joints are there (N, J), and boxes x1, y1, x2, y2 around them (N, 4); an empty box overlaps nothing."""
    present = (xy != 0).any(axis=-1)
    low = np.where(present[..., None], xy, np.inf).min(axis=1)
    high = np.where(present[..., None], xy, -np.inf).max(axis=1)
    return present, np.concatenate([low, high], axis=1)


def _match(
    gt_images: np.ndarray,
    gt_boxes: np.ndarray,
    gt_areas: np.ndarray,
    dt_images: np.ndarray,
    dt_boxes: np.ndarray,
    dt_scores: np.ndarray,
) -> np.ndarray:
    """Index of the detection that each person is compared with, or -1 (G,)."""
    order = np.argsort(dt_images, kind="stable")  # stable: the order within an image decides ties
    starts = np.searchsorted(dt_images[order], gt_images, side="left")
    ends = np.searchsorted(dt_images[order], gt_images, side="right")
    matches = np.full(len(gt_images), -1)
    for person in range(len(gt_images)):
        candidates = order[starts[person] : ends[person]]
        low = np.maximum(dt_boxes[candidates, :2], gt_boxes[person, :2])
        high = np.minimum(dt_boxes[candidates, 2:], gt_boxes[person, 2:])
        overlap = np.maximum(high - low + 1, 0).prod(axis=1) / gt_areas[person]
        scores = dt_scores[candidates]
        overlapping = scores[overlap > MATCH_OVERLAP]
        if len(overlapping):
            # The script looks the best score up again in the whole image, so the first tie wins even without overlap.
            matches[person] = candidates[np.argmax(np.abs(scores - overlapping.max()) < TIE_WIDTH)]
    return matches
