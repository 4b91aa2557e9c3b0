"""Heatmaps and part affinity fields of made-up people, with the truth: what a decoder can be measured on.

People stand at random places, upright or leaning, whole or cut at the hips, with joints hidden at random, behind others
or beyond the border. Their maps are the training targets with what networks add: weaker and uneven answers, and noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orplugins.depthpose.paf.layout import HEAT_FLIP, PAF_FLIP, PAF_FLIP_SIGNS
from orplugins.depthpose.paf.targets import encode_paf_targets
from orplugins.skeletons import COCO_17

# A standing person seen from the front, in body heights from the neck, x to the viewer's right.
_UPRIGHT = {
    "nose": (0.0, -0.09), "left_eye": (0.02, -0.11), "right_eye": (-0.02, -0.11), "left_ear": (0.045, -0.10),
    "right_ear": (-0.045, -0.10), "left_shoulder": (0.12, 0.0), "right_shoulder": (-0.12, 0.0),
    "left_hip": (0.08, 0.30), "right_hip": (-0.08, 0.30), "left_knee": (0.09, 0.54), "right_knee": (-0.09, 0.54),
    "left_ankle": (0.09, 0.78), "right_ankle": (-0.09, 0.78),
}  # fmt: skip
_ARM = 0.17, 0.15  # upper and lower arm
_LOWER_BODY = [COCO_17.index(f"{side}_{part}") for side in ("left", "right") for part in ("knee", "ankle")]


@dataclass(frozen=True)
class PafScene:
    """People and what a network would return for them.

    Attributes:
        keypoints: (N, 17, 3) x, y in frame pixels (pixel centres at whole numbers) and v: 2 drawn, 0 hidden.
        scale: Frame pixels per map cell.
        heat, paf: (19, h, w), (38, h, w) float32 maps of the image.
        flip_heat, flip_paf: Maps of the mirrored image, not mirrored back.
    """

    keypoints: np.ndarray
    scale: int
    heat: np.ndarray
    paf: np.ndarray
    flip_heat: np.ndarray
    flip_paf: np.ndarray


def _person(rng: np.random.Generator, frame_size: tuple[int, int], height: float) -> np.ndarray:
    joints = np.zeros((COCO_17.num_joints, 3))
    narrow = rng.uniform(0.35, 1.0)  # how far turned away from the front
    facing = rng.choice([-1.0, 1.0], p=[0.4, 0.6])
    for name, (x, y) in _UPRIGHT.items():
        joints[COCO_17.index(name), :2] = facing * x * narrow, y
    for side, sign in (("left", 1.0), ("right", -1.0)):
        point = joints[COCO_17.index(f"{side}_shoulder"), :2]
        angle = sign * facing * rng.uniform(-0.3, 1.2)
        for part, length in zip(("elbow", "wrist"), _ARM, strict=True):
            point = point + length * rng.uniform(0.6, 1.0) * np.array([np.sin(angle), np.cos(angle)])
            joints[COCO_17.index(f"{side}_{part}"), :2] = point
            angle += rng.uniform(-1.8, 1.8)
    joints[:, :2] += rng.normal(0.0, 0.008, (COCO_17.num_joints, 2))
    lean = rng.normal(0.0, 0.2)
    turn = np.array([[np.cos(lean), -np.sin(lean)], [np.sin(lean), np.cos(lean)]])
    width, frame_height = frame_size
    place = rng.uniform((0.03 * width, 0.12 * frame_height), (0.97 * width, 0.6 * frame_height))
    joints[:, :2] = joints[:, :2] @ turn.T * height + place
    joints[:, 2] = 2
    joints[rng.random(COCO_17.num_joints) < 0.08, 2] = 0
    if rng.random() < 0.5:
        joints[_LOWER_BODY, 2] = 0
    return joints


def random_people(rng: np.random.Generator, count: int, frame_size: tuple[int, int] = (640, 480)) -> np.ndarray:
    """Keypoints of random people; joints behind a nearer person's trunk are hidden half of the time.

    The more people, the smaller they are. Everyone keeps at least four joints inside the frame.

    Args:
        rng: Source of all randomness.
        count: Number of people.
        frame_size: (width, height) in pixels.

    Returns:
        (count, 17, 3) x, y in frame pixels and v.
    """
    tallest = frame_size[1] * np.clip(2.2 / np.sqrt(count), 0.55, 1.1)
    people: list[np.ndarray] = []
    while len(people) < count:
        joints = _person(rng, frame_size, rng.uniform(0.55, 1.0) * tallest)
        trunk = [COCO_17.index(f"{side}_{part}") for side in ("left", "right") for part in ("shoulder", "hip")]
        for nearer in people:
            low, high = nearer[trunk, :2].min(axis=0), nearer[trunk, :2].max(axis=0)
            behind = np.all((joints[:, :2] > low) & (joints[:, :2] < high), axis=1)
            joints[behind & (rng.random(len(joints)) < 0.5), 2] = 0
        joints[np.any((joints[:, :2] < 0) | (joints[:, :2] >= frame_size), axis=1), 2] = 0
        if (joints[:, 2] > 0).sum() >= 4:
            people.append(joints)
    return np.array(people).reshape(-1, COCO_17.num_joints, 3)


def _uneven(rng: np.random.Generator, channels: int, height: int, width: int, low: float) -> np.ndarray:
    """Smooth factors in [low, 1], one field a channel."""
    coarse = rng.uniform(low, 1.0, (channels, 4, 5))

    def weights(cells: int, knots: int) -> np.ndarray:
        return np.maximum(1 - np.abs(np.linspace(0, knots - 1, cells)[:, None] - np.arange(knots)), 0)

    return weights(height, 4) @ coarse @ weights(width, 5).T


def _noise(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Unit noise with a little correlation between neighbouring cells, as convolutions leave it."""
    noise = rng.standard_normal(shape)
    noise = noise + 0.5 * (np.roll(noise, 1, axis=1) + np.roll(noise, 1, axis=2))
    return noise / np.sqrt(1.5)


def paf_scene(
    rng: np.random.Generator,
    people: int | np.ndarray,
    map_size: tuple[int, int] = (64, 48),
    scale: int = 10,
    noise: float = 0.02,
    weakest: float = 0.45,
) -> PafScene:
    """A scene and its maps.

    Args:
        rng: Source of all randomness.
        people: How many, or their (N, 17, 3) keypoints in the frame of map_size * scale pixels.
        map_size: (width, height) in cells.
        scale: Frame pixels per map cell.
        noise: Standard deviation added to heatmaps; the fields get twice as much.
        weakest: Answers are multiplied by smooth random factors from this to 1.

    Returns:
        People and maps.
    """
    width, height = map_size
    frame = width * scale, height * scale
    keypoints = random_people(rng, int(people), frame) if np.ndim(people) == 0 else np.asarray(people, dtype=np.float64)
    # sigma of 0.875 cells and a half-width of one cell, at any scale.
    heat, paf = encode_paf_targets(keypoints, frame, scale, sigma=0.875 * scale, round_neck=False)
    heat = heat * _uneven(rng, len(heat), height, width, weakest)
    paf = paf * np.repeat(_uneven(rng, len(paf) // 2, height, width, weakest), 2, axis=0)

    def noisy(maps: np.ndarray, sigma: float) -> np.ndarray:
        return (maps + sigma * _noise(rng, maps.shape)).astype(np.float32)

    mirrored = heat[HEAT_FLIP, :, ::-1], paf[PAF_FLIP, :, ::-1] * PAF_FLIP_SIGNS[:, None, None]
    images = [image for h, p in ((heat, paf), mirrored) for image in (noisy(h, noise), noisy(p, 2 * noise))]
    return PafScene(keypoints, scale, *images)
