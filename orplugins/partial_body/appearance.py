"""Pictures of a person as another camera would have taken them: colours, light, sharpness, noise, things in front."""

from __future__ import annotations

import numpy as np


def photograph(image: np.ndarray, rng: np.random.Generator, prob: float = 0.4) -> np.ndarray:
    """Change colours, light, sharpness, noise and compression at random.

    Args:
        image: (H, W, 3) uint8 BGR; not changed.
        rng: Source of all randomness.
        prob: Probability of each of the changes; of grey pictures a quarter of it.

    Returns:
        (H, W, 3) uint8 BGR.
    """
    import cv2

    height, width = image.shape[:2]
    if rng.random() < prob:
        hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV)
        table = np.arange(256)
        hue = ((table + rng.integers(-90, 90)) % 180).astype(np.uint8)
        saturation = np.clip(table * rng.uniform(0.3, 1.6), 0, 255).astype(np.uint8)
        hsv[..., 0], hsv[..., 1] = cv2.LUT(hsv[..., 0], hue), cv2.LUT(hsv[..., 1], saturation)
        image = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)
    if rng.random() < prob:
        # Exposure, contrast and white balance as one curve for each channel.
        tone = (np.arange(256) / 255) ** rng.uniform(0.5, 2.0)
        gain, offset = rng.uniform(0.6, 1.4) * rng.uniform(0.8, 1.2, 3), rng.uniform(-40, 40)
        curves = np.clip(255 * tone[:, None] * gain + offset, 0, 255).astype(np.uint8)
        image = cv2.LUT(image, np.ascontiguousarray(curves[:, None]))
    if rng.random() < prob / 4:
        image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    if rng.random() < prob / 2:
        shrink = rng.uniform(1.3, 3)
        small = cv2.resize(image, (int(width / shrink), int(height / shrink)), interpolation=cv2.INTER_AREA)
        image = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    elif rng.random() < prob / 2:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.5))
    if rng.random() < prob / 2:
        noise = rng.standard_normal(image.shape, dtype=np.float32) * rng.uniform(3, 15)
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    if rng.random() < prob / 2:
        code = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 85))])[1]
        image = cv2.imdecode(code, cv2.IMREAD_COLOR)
    return image


class Occluders:
    """Plain or patterned boxes, bars and ellipses in front of the person.

    Args:
        prob: Probability that there is any.
        most: Largest number.
    """

    def __init__(self, prob: float = 0.3, most: int = 3):
        self.prob, self.most = prob, most

    def __call__(
        self, image: np.ndarray, joints: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw things into a copy of the picture.

        Args:
            image: (H, W, 3) uint8.
            joints: (K, 2) in its pixels.
            rng: Source of all randomness.

        Returns:
            The picture, and of every joint (K,) whether a thing is in front of it.
        """
        if rng.random() >= self.prob:
            return image, np.zeros(len(joints), bool)
        height, width = image.shape[:2]
        mask = np.zeros((height, width), bool)
        image = image.copy()
        for _ in range(rng.integers(1, self.most + 1)):
            centre = rng.uniform((0, 0), (width, height))
            extent = rng.uniform(0.06, 0.35, 2) * width
            if rng.random() < 0.4:  # a bar, pole, cable or arm
                extent = np.array([rng.uniform(0.01, 0.06) * width, rng.uniform(0.5, 2) * height])
            inside = _shape((height, width), centre, extent, rng.uniform(0, np.pi), rng.random() < 0.3)
            image[inside] = _surface((height, width), rng)[inside]
            mask |= inside
        x, y = np.round(joints).astype(int).T
        within = (x >= 0) & (y >= 0) & (x < width) & (y < height)
        hidden = within.copy()
        hidden[within] = mask[y[within], x[within]]
        return image, hidden


def _shape(size: tuple[int, int], centre: np.ndarray, extent: np.ndarray, angle: float, round_: bool) -> np.ndarray:
    """(H, W) bool, the inside of a turned rectangle or ellipse."""
    rows, columns = np.ogrid[: size[0], : size[1]]
    x, y = columns - centre[0], rows - centre[1]
    cos, sin = np.cos(angle), np.sin(angle)
    # The thinnest bar still covers a pixel.
    across, along = np.maximum(extent, 1.5) / 2
    u, v = (cos * x + sin * y) / across, (cos * y - sin * x) / along
    return u**2 + v**2 <= 1 if round_ else np.maximum(np.abs(u), np.abs(v)) <= 1


def _surface(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """(H, W, 3) of one colour with coarse noise of another."""
    import cv2

    grain = rng.random((int(rng.integers(2, 12)), int(rng.integers(2, 12)), 1), dtype=np.float32)
    mix = cv2.resize(grain, size[::-1], interpolation=cv2.INTER_LINEAR)[..., None] * rng.uniform(0, 1)
    first, second = rng.uniform(0, 255, (2, 3))
    return (first * (1 - mix) + second * mix).astype(np.uint8)
