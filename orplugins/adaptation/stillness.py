"""What never changes in a recording by a camera that stands still: equipment that is mistaken for people."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

_LONG_SIDE = 96  # pixels at which pictures are compared
_MOST_FRAMES = 200  # that every frame is compared with
_NOISE_FRAMES = 100
_LEAST_CHANGE = 14.0  # of 255: light and compression change less
_INNER = 0.15  # of a box's sides is left out at each border


class Stillness:
    """How much of a recording a place looks the same as in one of its frames.

    Args:
        pictures: Of the frames in order, each (H, W) or (H, W, C), values 0 to 255; depth scaled to that, 0 a hole.
        size: (width, height) of all of them.
        holes: 0 is a hole: it is like everything.
    """

    def __init__(self, pictures: Iterable[np.ndarray], size: tuple[int, int], holes: bool = False):
        self.step, self.holes = max(1, -(-max(size) // _LONG_SIDE)), holes
        self.frames = np.stack([_as_small(picture, self.step) for picture in pictures])
        # What most pixels change from frame to frame at most times is the noise of this camera.
        steps = np.abs(np.diff(self.frames[:_NOISE_FRAMES].astype(np.int16), axis=0))
        noise = float(np.percentile(np.median(steps, axis=0), 90)) if len(steps) else 0.0
        self.limit = max(_LEAST_CHANGE, 3 * noise)
        self.others = np.unique(np.linspace(0, len(self.frames) - 1, min(len(self.frames), _MOST_FRAMES)).astype(int))

    def share(self, frame: int, box: np.ndarray, most_changed: float = 0.2) -> float:
        """Share of the recording in which a place looks as in a frame.

        Args:
            frame: The frame.
            box: (4,) x1, y1, x2, y2 in pixels of the pictures.
            most_changed: A place looks the same if at most this share of its pixels differs.

        Returns:
            In (0, 1]: near 1 for what never moves and is never hidden, small for a passer-by.
        """
        x1, y1, x2, y2 = np.asarray(box, dtype=np.float64) / self.step
        dx, dy = _INNER * (x2 - x1), _INNER * (y2 - y1)
        rows = _span(y1 + dy, y2 - dy, self.frames.shape[1])
        columns = _span(x1 + dx, x2 - dx, self.frames.shape[2])
        here = self.frames[frame, rows, columns].astype(np.int16)
        there = self.frames[self.others, rows, columns].astype(np.int16)
        differs = np.abs(there - here).max(-1) > self.limit
        if self.holes:
            differs &= (there > 0).all(-1) & (here > 0).all(-1)
        return float((differs.mean((1, 2)) <= most_changed).mean())

    def moving(self) -> float:
        """Share of pixels that change between half of all pairs of distant frames: large for a moving camera.

        Returns:
            In [0, 1].
        """
        half = len(self.others) // 2
        first, second = self.others[:half], self.others[half : 2 * half]
        if not half:
            return 0.0
        pairs = np.abs(self.frames[first].astype(np.int16) - self.frames[second]).max(-1) > self.limit
        return float((pairs.mean(0) > 0.5).mean())


def _as_small(picture: np.ndarray, step: int) -> np.ndarray:
    """(h, w, C) uint8: every block of step x step pixels is its mean; of a picture with a rest, the rest is cut off."""
    picture = picture[..., None] if picture.ndim == 2 else picture
    height, width = (max(side // step, 1) for side in picture.shape[:2])
    if step == 1:
        return picture.astype(np.uint8)
    blocks = picture[: height * step, : width * step].reshape(height, step, width, step, -1)
    return blocks.mean((1, 3)).astype(np.uint8)


def _span(low: float, high: float, length: int) -> slice:
    start = int(np.clip(np.floor(low), 0, length - 1))
    return slice(start, int(np.clip(np.ceil(high), start + 1, length)))
