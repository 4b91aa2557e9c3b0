"""Lifting sequences of 2D joints to 3D with a temporal convolution network (VideoPose3D: Pavllo et al. 2019).

The network is any function from screen units (B, T, K, 2) to metres (B, T - R + 1, J, 3), R its receptive field; which
frame an output belongs to is decided here. Output k has seen frames k .. k + R - 1: it is the pose of the middle one
(symmetric) or of the last one (causal).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from orplugins.geometry.timeseries import resample
from orplugins.skeletons import Skeleton
from orplugins.videopose3d.screen import CX, P1, to_screen

Network = Callable[[np.ndarray], np.ndarray]
TRAINING_HZ = 50.0  # Human3.6M's frame rate, at which the published networks were trained


def receptive_field(filter_widths: Sequence[int]) -> int:
    """Frames that one output has seen.

    Args:
        filter_widths: Of the convolutions.

    Returns:
        R.
    """
    return int(np.prod(filter_widths))


def padding(field: int, causal: bool) -> tuple[int, int]:
    """Frames to repeat before and after a clip so that every frame gets an output.

    Args:
        field: R.
        causal: Outputs belong to the last frame of their window.

    Returns:
        (before, after).
    """
    return (field - 1, 0) if causal else ((field - 1) // 2, (field - 1) // 2)


def window(clip: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Part of a clip; frames outside repeat the edge.

    Args:
        clip: (F, ...).
        start: First frame.
        stop: Frame after the last one.

    Returns:
        (stop - start, ...).
    """
    return clip[np.clip(np.arange(start, stop), 0, len(clip) - 1)]


def chunk_bounds(frames: int, chunk: int) -> Iterator[tuple[int, int]]:
    """Bounds of the ceil(F / c) chunks of a clip, overhanging evenly at both ends.

    Args:
        frames: F.
        chunk: c; 0: one chunk.

    Yields:
        (start, stop).
    """
    if chunk == 0:
        yield 0, frames
        return
    count = -(-frames // chunk)
    offset = (count * chunk - frames) // 2
    for k in range(count):
        yield k * chunk - offset, (k + 1) * chunk - offset


def input_bounds(start: int, stop: int, field: int, causal: bool) -> tuple[int, int]:
    """Frames of 2D input that outputs need.

    Args:
        start: First output frame.
        stop: Frame after the last one.
        field: R.
        causal: Outputs belong to the last frame of their window.

    Returns:
        (start, stop) of the input.
    """
    before, after = padding(field, causal)
    return start - before, stop + after


def output_frames(inputs: np.ndarray, count: int, causal: bool) -> np.ndarray:
    """The frames of an input window that the outputs belong to.

    Args:
        inputs: (L, ...).
        count: Number of outputs.
        causal: They belong to the last frames, not to the middle ones.

    Returns:
        (count, ...).
    """
    start = len(inputs) - count if causal else (len(inputs) - count) // 2
    return inputs[start : start + count]


def mirror(points: np.ndarray, skeleton: Skeleton | None) -> np.ndarray:
    """Mirror image of points about x = 0.

    Args:
        points: (..., J, D).
        skeleton: Their joint set, left and right joints of which are exchanged; None: no joint is.

    Returns:
        (..., J, D).
    """
    out = points * np.array([-1.0, *(1.0,) * (points.shape[-1] - 1)], dtype=points.dtype)
    return out if skeleton is None else out[..., list(skeleton.flip_indices), :]


def mirror_intrinsics(intrinsics: np.ndarray) -> np.ndarray:
    """Intrinsics of the mirrored camera: cx and p1 change sign.

    Args:
        intrinsics: (..., 9) in screen units.

    Returns:
        (..., 9).
    """
    out = np.array(intrinsics)
    out[..., [CX, P1]] *= -1
    return out


def lift_normalised(
    network: Network,
    keypoints: np.ndarray,
    field: int,
    causal: bool = False,
    flip: tuple[Skeleton, Skeleton | None] | None = None,
) -> np.ndarray:
    """Dense pass over a whole clip, one output for every frame.

    Args:
        network: See the module.
        keypoints: (F, K, 2) screen units.
        field: Receptive field of the network.
        causal: Whether the network is causal.
        flip: Joint sets of input and output for averaging with the mirrored clip; None: no averaging. The output's is
            None for a trajectory, whose one joint has no sides.

    Returns:
        (F, J, 3) metres.
    """
    before, after = padding(field, causal)
    clip = window(np.asarray(keypoints, dtype=np.float32), -before, len(keypoints) + after)
    if flip is None:
        return network(clip[None])[0]
    plain, mirrored = network(np.stack([clip, mirror(clip, flip[0])]))
    return (plain + mirror(mirrored, flip[1])) / 2


def lift_sequence(
    network: Network,
    keypoints: np.ndarray,
    size: tuple[int, int],
    field: int,
    causal: bool = False,
    flip: tuple[Skeleton, Skeleton | None] | None = None,
    fps: float | None = None,
    resample_hz: float | None = None,
) -> np.ndarray:
    """`lift_normalised` from pixels.

    With ``resample_hz`` the 2D is brought from ``fps`` to that rate, lifted and brought back: a network trained at 50
    Hz sees 243 frames as 4.9 s, at 30 frames per second they are 8.1 s.

    Args:
        network: See the module.
        keypoints: (F, K, 2) pixels, without gaps.
        size: (width, height) of the video.
        field: Receptive field of the network.
        causal: Whether the network is causal.
        flip: See `lift_normalised`.
        fps: Frames per second of the video.
        resample_hz: Rate at which the network sees it; None: as it is.

    Returns:
        (F, J, 3) metres.

    Raises:
        ValueError: NaN or infinity, or ``resample_hz`` without ``fps``.
    """
    keypoints = np.asarray(keypoints, dtype=np.float32)
    if not np.isfinite(keypoints).all():
        raise ValueError("lifting: the 2D joints hold NaN or infinity; fill gaps before lifting and keep their mask")
    normalised = to_screen(keypoints, size)
    if resample_hz is None or len(keypoints) < 2:
        return lift_normalised(network, normalised, field, causal, flip)
    if not fps:
        raise ValueError("lifting: resample_hz needs the frame rate of the video")
    times = np.arange(len(keypoints)) / fps
    dense = np.arange(0, times[-1] + 1e-9, 1 / resample_hz)
    lifted = lift_normalised(network, resample(normalised, times, dense).astype(np.float32), field, causal, flip)
    inside = np.minimum(times, dense[-1])
    return resample(lifted, dense, inside).astype(np.float32)


class StreamingLifter:
    """Causal lifting one frame at a time; equals the causal dense pass over the frames so far.

    Args:
        network: See the module; it gets windows of exactly R frames, which a strided network computes cheaply.
        field: R.
        size: (width, height) of the video; None: `push` takes screen units.
        flip: As in `lift_normalised`.
    """

    def __init__(self, network: Network, field: int, size: tuple[int, int] | None = None, flip=None):
        self.network, self.field, self.size, self.flip = network, field, size, flip
        self._frames: np.ndarray | None = None

    def push(self, keypoints: np.ndarray) -> np.ndarray:
        """Lift the newest frame.

        Args:
            keypoints: (K, 2) pixels, or screen units.

        Returns:
            (J, 3) metres.
        """
        frame = np.asarray(keypoints, dtype=np.float32)
        frame = frame if self.size is None else to_screen(frame, self.size)
        if self._frames is None:
            self._frames = np.repeat(frame[None], self.field, 0)
        else:
            self._frames = np.concatenate([self._frames[1:], frame[None]])
        if self.flip is None:
            return self.network(self._frames[None])[0, 0]
        plain, mirrored = self.network(np.stack([self._frames, mirror(self._frames, self.flip[0])]))[:, 0]
        return (plain + mirror(mirrored, self.flip[1])) / 2

    def reset(self) -> None:
        """Forget the clip."""
        self._frames = None
