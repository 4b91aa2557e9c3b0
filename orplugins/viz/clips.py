"""Images of generated rooms: truth and detections on colour, beside the depth that a network sees."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from orplugins.io.atomic import atomic_path
from orplugins.skeletons import COCO_17
from orplugins.viz.colours import depth_colours, person_colour

PANEL = (320, 240)
MIN_JOINT = 0.05  # a joint with a lower score is not drawn


def draw_truth(
    color: np.ndarray, ids: Iterable[int], boxes: Iterable[Sequence[float]], keypoints: Iterable[np.ndarray]
) -> np.ndarray:
    """Return a colour image with true limbs (thick: both ends seen) and boxes.

    Args:
        color: (H, W, 3) uint8 RGB.
        ids: Of M people: a colour each.
        boxes: M times x, y, width, height of what is seen.
        keypoints: M times (17, 3) COCO-17: x, y and 2 seen, 1 hidden, 0 missing.
    """
    from PIL import Image, ImageDraw

    image = Image.fromarray(color)
    pen = ImageDraw.Draw(image)
    for number, (x, y, w, h), joints in zip(ids, boxes, keypoints, strict=True):
        pen.rectangle([x, y, x + w - 1, y + h - 1], outline=person_colour(number))
        for a, b in COCO_17.limbs:
            if joints[a, 2] and joints[b, 2]:
                seen = joints[a, 2] == 2 and joints[b, 2] == 2
                pen.line(
                    [*joints[a, :2], *joints[b, :2]],
                    width=3 if seen else 1,
                    fill=person_colour(number, 1.0 if seen else 0.6),
                )
    return np.asarray(image)


def draw_detections(
    color: np.ndarray, poses: Sequence[np.ndarray], truth: Sequence[np.ndarray] = (), size: tuple[int, int] = PANEL
) -> np.ndarray:
    """Return a colour image of another size with lines for limbs and, of true people, white dots for seen joints.

    Args:
        color: (H, W, 3) uint8 RGB.
        poses: (17, 3) COCO-17 each, pixels of `color` and score.
        truth: (17, 3) each; the last column is 2 where a joint is seen.
        size: (width, height) of what is returned.
    """
    from PIL import Image, ImageDraw

    scale = size[0] / color.shape[1]
    image = Image.fromarray(color).resize(size)
    pen = ImageDraw.Draw(image)
    for k, pose in enumerate(poses):
        for a, b in COCO_17.limbs:
            if pose[a, 2] > MIN_JOINT and pose[b, 2] > MIN_JOINT:
                pen.line([*(pose[a, :2] * scale), *(pose[b, :2] * scale)], fill=person_colour(k), width=3)
    for pose in truth:
        for x, y, v in pose:
            if v == 2:
                pen.ellipse([x * scale - 2, y * scale - 2, x * scale + 2, y * scale + 2], fill=(255, 255, 255))
    return np.asarray(image)


def depth_panel(depth_mm: np.ndarray, size: tuple[int, int] = PANEL) -> np.ndarray:
    """Return depth (H, W) as colours, every pixel a block, in a (width, height) image."""
    from PIL import Image

    return np.asarray(Image.fromarray(depth_colours(depth_mm)).resize(size, Image.Resampling.NEAREST))


def save_clip(path: Path, frames: Iterable[np.ndarray], duration_ms: int) -> None:
    """Write frames (H, W, 3) as a GIF with one palette, else their colours flicker."""
    from PIL import Image

    images = [Image.fromarray(frame) for frame in frames]
    palette = images[len(images) // 2].quantize(128)
    images = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    with atomic_path(path) as temporary:
        images[0].save(temporary, save_all=True, append_images=images[1:], duration=duration_ms, loop=0)


def save_sheet(path: Path, sheet: np.ndarray) -> None:
    """Write an image (H, W, 3) as PNG of 128 colours: a third of the size, and the eye sees no difference."""
    from PIL import Image

    from orplugins.io.atomic import atomic_write

    with atomic_write(path, mode="wb") as file:
        Image.fromarray(sheet).quantize(128).save(file, format="PNG", optimize=True)
