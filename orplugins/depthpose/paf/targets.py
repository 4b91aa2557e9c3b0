"""Training targets for heatmap and PAF networks, as the RTPose training code makes them."""

from __future__ import annotations

import numpy as np

from orplugins.depthpose.paf.heatmaps import gaussian_heatmaps
from orplugins.depthpose.paf.layout import COCO_FROM_OPENPOSE, NUM_JOINTS, NUM_LIMBS, PAF_LIMBS, PAF_LIMBS_EYE
from orplugins.skeletons import COCO_17, OPENPOSE_18

_SHOULDERS = COCO_17.index("left_shoulder"), COCO_17.index("right_shoulder")
_NECK = OPENPOSE_18.index("neck")


def coco_to_openpose18(keypoints: np.ndarray, round_neck: bool = True) -> np.ndarray:
    """COCO-17 keypoints with a neck between the shoulders, in OpenPose-18 order.

    The neck's visibility is 2 if both shoulders have 2, otherwise the product of theirs.

    Args:
        keypoints: (..., 17, 3) x, y, v.
        round_neck: Round the neck to whole pixels, half to even, as the published training code does; False keeps the
            mean.

    Returns:
        (..., 18, 3) float64.

    Raises:
        ValueError: Another shape.
    """
    keypoints = np.asarray(keypoints, dtype=np.float64)
    if keypoints.shape[-2:] != (COCO_17.num_joints, 3):
        raise ValueError(f"keypoints: found shape {keypoints.shape}, expected (..., {COCO_17.num_joints}, 3)")
    left, right = keypoints[..., _SHOULDERS[0], :], keypoints[..., _SHOULDERS[1], :]
    neck = (left + right) / 2
    if round_neck:
        neck = np.rint(neck)
    neck[..., 2] = np.where((left[..., 2] == 2) & (right[..., 2] == 2), 2, left[..., 2] * right[..., 2])
    joints = np.empty(keypoints.shape[:-2] + (NUM_JOINTS, 3))
    joints[..., COCO_FROM_OPENPOSE, :] = keypoints
    joints[..., _NECK, :] = neck
    return joints


def _limb_fields(
    joints: np.ndarray,
    visible: np.ndarray,
    limbs: tuple[tuple[int, int], ...],
    grid_size: tuple[int, int],
    half_width: float,
) -> np.ndarray:
    """(38, h, w) mean unit vectors of the limbs; joints (N, 18, 2) in cells, visible (N, 18)."""
    width, height = grid_size
    source, destination = np.array(limbs).T
    drawn = visible[:, source] & visible[:, destination]
    person, limb = np.nonzero(drawn)
    start, end = joints[person, source[limb]], joints[person, destination[limb]]
    length = np.linalg.norm(end - start, axis=1)
    keep = length > 0
    start, end, limb, length = start[keep], end[keep], limb[keep], length[keep]
    unit = (end - start) / length[:, None]
    # A box around the limb, one cell wider than its end points; the upper end is excluded.
    low = np.maximum(np.rint(np.minimum(start, end) - 1), 0).astype(np.int64)
    high = np.minimum(np.rint(np.maximum(start, end) + 1), (width, height)).astype(np.int64)
    size = np.maximum(high - low, 0)
    cells = size.prod(axis=1)
    # All cells of all boxes in one flat list.
    owner = np.repeat(np.arange(len(limb)), cells)
    position = np.arange(len(owner)) - np.repeat(np.cumsum(cells) - cells, cells)
    y, x = np.divmod(position, size[owner, 0])
    x, y = x + low[owner, 0], y + low[owner, 1]
    offset = (x - start[owner, 0]) * unit[owner, 1] - (y - start[owner, 1]) * unit[owner, 0]
    inside = np.abs(offset) < half_width
    owner, x, y = owner[inside], x[inside], y[inside]
    flat = (limb[owner] * height + y) * width + x
    shape = NUM_LIMBS, height, width
    fields = np.zeros((NUM_LIMBS, 2, height, width), dtype=np.float32)
    count = np.maximum(np.bincount(flat, minlength=NUM_LIMBS * height * width), 1)
    for axis in (0, 1):
        total = np.bincount(flat, weights=unit[owner, axis], minlength=NUM_LIMBS * height * width)
        fields[:, axis] = (total / count).reshape(shape)
    return fields.reshape(2 * NUM_LIMBS, height, width)


def encode_paf_targets(
    keypoints: np.ndarray,
    frame_size: tuple[int, int],
    stride: float,
    sigma: float = 7.0,
    half_width: float = 1.0,
    ear_limbs: str = "ear",
    round_neck: bool = True,
    combine: str = "sum",
) -> tuple[np.ndarray, np.ndarray]:
    """Heatmap and PAF targets of one image (Cao et al. 2017, equations 6 to 9).

    Joints outside the frame or with v = 0 are not drawn. The fields' end points lie at joint / stride, without the
    half-cell shift that the heatmaps have: (stride - 1) / (2 stride) cells apart, as in the training code that this
    reproduces.

    Args:
        keypoints: (N, 17, 3) COCO x, y, v in frame pixels.
        frame_size: (width, height) of the frame in pixels.
        stride: Frame pixels per grid cell; the grid has frame / stride cells.
        sigma: Of the Gaussians, in frame pixels.
        half_width: Of the limbs, in cells.
        ear_limbs: 'ear' draws the shoulder-ear limbs to the ears, where decoders read them; 'eye' to the eyes, as the
            published training code does.
        round_neck: See `coco_to_openpose18`.
        combine: See `orplugins.depthpose.paf.heatmaps.gaussian_heatmaps`.

    Returns:
        heat (19, h, w), the last channel 1 - maximum of the others; paf (38, h, w). float32.

    Raises:
        ValueError: Another shape, a visible joint that is not finite, or another ``ear_limbs``.
    """
    limbs = {"ear": PAF_LIMBS, "eye": PAF_LIMBS_EYE}
    if ear_limbs not in limbs:
        raise ValueError(f"ear_limbs: found {ear_limbs!r}, expected 'ear' or 'eye'")
    keypoints = np.asarray(keypoints, dtype=np.float64)
    if keypoints.size == 0:
        keypoints = keypoints.reshape(-1, COCO_17.num_joints, 3)
    if keypoints.ndim != 3:
        raise ValueError(f"keypoints: found shape {keypoints.shape}, expected (N, {COCO_17.num_joints}, 3)")
    joints = coco_to_openpose18(keypoints, round_neck)
    width, height = frame_size
    grid_size = int(width // stride), int(height // stride)
    visible = joints[..., 2] > 0.5
    if not np.isfinite(joints[visible]).all():
        raise ValueError("keypoints: found a visible joint that is not finite, expected finite x, y")
    visible &= np.all((joints[..., :2] >= 0) & (joints[..., :2] < (width, height)), axis=-1)
    heat = np.empty((NUM_JOINTS + 1, grid_size[1], grid_size[0]), dtype=np.float32)
    heat[:NUM_JOINTS] = gaussian_heatmaps(joints[..., :2], visible, grid_size, stride, sigma, combine=combine)
    heat[NUM_JOINTS] = np.maximum(1 - heat[:NUM_JOINTS].max(axis=0), 0)
    return heat, _limb_fields(joints[..., :2] / stride, visible, limbs[ear_limbs], grid_size, half_width)
