"""Colour cameras of every kind and state: exposure, white balance, tone, blur, noise, resolution, interlacing, JPEG.

Positions stay: no effect moves anything by more than a pixel or two of the picture.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_KEY = 0.42  # mean radiance of a well exposed picture


@dataclass(frozen=True)
class Lens:
    """A camera's state.

    Attributes:
        metering: 0 a fixed exposure, 1 one that makes every picture equally bright.
        gain: Over (above 1) or under exposure.
        balance: (3,) gains of red, green, blue.
        adapted: 0 leaves the light's colour, 1 makes every picture grey on average.
        vignette: How much darker the corners are, 0..1.
        shoulder: Whether highlights are compressed, or cut.
        gamma: Of the tone curve.
        contrast: 1 leaves it.
        stretched: 1 makes the darkest things black and the brightest white, 0 leaves them.
        saturation: 1 leaves it, 0 is grey.
        haze: Added to black, 0..1.
        defocus: Standard deviation of the blur, pixels of a picture 320 wide.
        motion: (2,) blur by motion, pixels of a picture 320 wide.
        read_noise, shot_noise: Standard deviations at white.
        colour_noise: Of coarse spots of colour.
        reduced: The picture was taken with so many times fewer pixels a side.
        enlarged: 0 by repetition, 1 linearly, 2 cubically.
        comb: Pixels by which every other line lags.
        sharpening: Strength of the halos.
        quality: Of the JPEG, 0 for none.
    """

    metering: float = 0.0
    gain: float = 1.0
    balance: tuple[float, float, float] = (1.0, 1.0, 1.0)
    adapted: float = 0.0
    vignette: float = 0.0
    shoulder: bool = True
    gamma: float = 0.8
    contrast: float = 1.0
    stretched: float = 0.0
    saturation: float = 1.0
    haze: float = 0.0
    defocus: float = 0.0
    motion: tuple[float, float] = (0.0, 0.0)
    read_noise: float = 0.0
    shot_noise: float = 0.0
    colour_noise: float = 0.0
    reduced: float = 1.0
    enlarged: int = 1
    comb: int = 0
    sharpening: float = 0.0
    quality: int = 0


def any_lens(rng: np.random.Generator) -> Lens:
    """A random camera.

    Args:
        rng: Source of all randomness.

    Returns:
        Its state; every second one has no noise worth mentioning, most are sharp and not reduced.
    """

    def sometimes(share: float, value):
        return value if rng.random() < share else type(value)(0)

    tint, noisy = rng.normal(0, 0.10), sometimes(0.5, rng.uniform(0.2, 1.0) ** 2)
    angle, length = rng.uniform(0, 2 * np.pi), sometimes(0.15, rng.uniform(1, 6))
    return Lens(
        metering=rng.uniform(0.55, 1.0),
        gain=float(np.exp(rng.normal(0, 0.22) if rng.random() < 0.87 else rng.uniform(-1.3, 1.0))),
        balance=(float(np.exp(tint)), float(np.exp(rng.normal(0, 0.04))), float(np.exp(-tint + rng.normal(0, 0.05)))),
        adapted=rng.uniform(0.0, 0.75),
        vignette=sometimes(0.3, rng.uniform(0.1, 0.8)),
        shoulder=rng.random() < 0.7,
        gamma=rng.uniform(0.6, 1.05),
        contrast=float(np.exp(rng.normal(0.15, 0.2))),
        stretched=rng.uniform(0.3, 1.0) if rng.random() < 0.65 else 0.0,
        saturation=rng.uniform(0, 0.15) if rng.random() < 0.05 else rng.uniform(0.4, 1.6),
        haze=sometimes(0.09, rng.uniform(0.02, 0.22)),
        defocus=rng.uniform(0.2, 0.6) if rng.random() < 0.87 else rng.uniform(0.7, 2.5),
        motion=(float(length * np.cos(angle)), float(length * np.sin(angle))),
        read_noise=0.05 * noisy * rng.random(),
        shot_noise=0.07 * noisy * rng.random(),
        colour_noise=sometimes(0.3, 0.06 * noisy),
        reduced=float(np.exp(rng.uniform(0, np.log(7)))) if rng.random() < 0.22 else 1.0,
        enlarged=int(rng.integers(3)),
        comb=sometimes(0.05, int(rng.integers(1, 4))),
        sharpening=sometimes(0.3, rng.uniform(0.2, 1.5)),
        quality=sometimes(0.5, int(rng.integers(20, 96))),
    )


def develop(radiance: np.ndarray, lens: Lens, rng: np.random.Generator | None) -> np.ndarray:
    """What a camera stores.

    Args:
        radiance: (H, W, 3) float32, about 0..1, more for lamps.
        lens: The camera.
        rng: Source of the noise, or None: no noise.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    height, width = radiance.shape[:2]
    scale = width / 320
    picture = _blurred(np.maximum(radiance, 0), lens.defocus * scale, np.array(lens.motion) * scale)
    means = np.maximum(picture.mean((0, 1)), 1e-3)
    mean = float(means @ _LUMA)
    balance = np.array(lens.balance, np.float32) * (mean / means) ** np.float32(lens.adapted)
    picture = picture * (balance * np.float32(lens.gain * (_KEY / mean) ** lens.metering))
    if lens.vignette:
        y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
        picture = picture * (1 - np.float32(lens.vignette / 2) * (x * x + y * y))[..., None]
    if rng is not None:
        picture = _noisy(picture, lens, rng)
    picture = 1 - np.exp(np.float32(-1.45) * picture) if lens.shoulder else np.minimum(picture, 1)
    picture = np.maximum(picture, 0) ** np.float32(lens.gamma)
    grey = (picture @ _LUMA)[..., None]
    picture = grey + np.float32(lens.saturation) * (picture - grey)
    if lens.stretched:
        low, high = np.percentile(grey[::2, ::2], (1, 99)).astype(np.float32)
        wide = np.maximum(high - low, np.float32(0.25))
        picture = picture + np.float32(lens.stretched) * ((picture - low) / wide - picture)
    picture = (picture - np.float32(0.45)) * np.float32(lens.contrast) + np.float32(0.45)
    picture = np.float32(lens.haze) + (1 - np.float32(lens.haze)) * picture
    if lens.comb:
        picture[1::2] = np.roll(picture[1::2], round(lens.comb * scale), axis=1)
    return _stored(picture, lens)


def _noisy(picture: np.ndarray, lens: Lens, rng: np.random.Generator) -> np.ndarray:
    spread = np.float32(lens.read_noise) + np.float32(lens.shot_noise) * np.sqrt(np.maximum(picture, 0))
    if lens.read_noise or lens.shot_noise:
        picture = picture + spread * rng.standard_normal(picture.shape, dtype=np.float32)
    if lens.colour_noise:
        height, width = picture.shape[:2]
        coarse = rng.standard_normal((height // 4 + 1, width // 4 + 1, 3), dtype=np.float32)
        spots = coarse.repeat(4, 0).repeat(4, 1)[:height, :width]
        picture = picture + np.float32(lens.colour_noise) * (spots - spots.mean(2, keepdims=True))
    return picture


def _stored(picture: np.ndarray, lens: Lens) -> np.ndarray:
    """Eight bits, through fewer pixels, halos and JPEG where the camera has them."""
    from PIL import Image

    height, width = picture.shape[:2]
    image = Image.fromarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8))
    if lens.reduced > 1:
        small = max(8, round(width / lens.reduced)), max(8, round(height / lens.reduced))
        image = image.resize(small, Image.Resampling.BOX)
    if lens.sharpening:
        values = np.asarray(image).astype(np.float32)
        values = values + np.float32(lens.sharpening) * (values - _blurred(values, 1.2, np.zeros(2)))
        image = Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))
    if lens.reduced > 1:
        how = (Image.Resampling.NEAREST, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC)[lens.enlarged]
        image = image.resize((width, height), how)
    if lens.quality:
        file = io.BytesIO()
        image.save(file, format="JPEG", quality=lens.quality)
        image = Image.open(file).convert("RGB")
    return np.array(image)


def _blurred(picture: np.ndarray, sigma: float, motion: np.ndarray) -> np.ndarray:
    """Gaussian blur, then a mean along a way."""
    if sigma > 0.25:
        reach = int(np.ceil(2 * sigma))
        taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
        taps = (taps / taps.sum()).astype(np.float32)
        for axis in (0, 1):
            side = [(0, 0)] * 3
            side[axis] = (reach, reach)
            padded = np.pad(picture, side, mode="edge")
            n = picture.shape[axis]
            picture = np.zeros_like(picture)
            for k, tap in enumerate(taps):
                picture += tap * (padded[k : k + n] if axis == 0 else padded[:, k : k + n])
    length = float(np.hypot(*motion))
    if length >= 1:
        steps = int(np.ceil(length)) + 1
        ways = np.rint(np.linspace(-0.5, 0.5, steps)[:, None] * motion).astype(int)
        far = int(np.abs(ways).max())
        padded = np.pad(picture, ((far, far), (far, far), (0, 0)), mode="edge")
        height, width = picture.shape[:2]
        parts = [padded[far + y : far + y + height, far + x : far + x + width] for x, y in ways]
        picture = np.sum(parts, axis=0) * np.float32(1 / steps)
    return picture
