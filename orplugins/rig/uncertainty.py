"""How sure the cameras are: from the Jacobian at the optimum, with what people of one moment have in common.

The covariance is the sandwich of the inverse Hessian about the sum of squares of the gradients that independent
stretches of the recording contribute (Huber 1967; White 1980): errors of one person, and of neighbouring frames, belong
together and are not averaged away. The scale of the world is held: it has an uncertainty of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orplugins.rig.bundle import CLOCK, FOCAL, PLACE, SIZE, TURN, Cameras, Linear, reduce

_ENOUGH = 10  # stretches of a recording


@dataclass(frozen=True, eq=False)
class CameraSpread:
    """One standard deviation of what is known of V cameras, in the first fixed camera's world.

    Attributes:
        turn: (V,) degrees, the length of the rotation vector's.
        place: (V,) metres, the length of the place's.
        zoom: (V,) of the focal length, as a share.
        offset: (V,) frames.
        covariance: (9 V, 9 V).
    """

    turn: np.ndarray
    place: np.ndarray
    zoom: np.ndarray
    offset: np.ndarray
    covariance: np.ndarray


def spread_of_cameras(
    cameras: Cameras, linear: Linear, free: np.ndarray, blocks: np.ndarray, hold_scale: bool = True
) -> CameraSpread:
    """Uncertainties of the cameras.

    Args:
        cameras: V cameras at the optimum.
        linear: The problem there.
        free: (V, 9) unknowns that were changed.
        blocks: (P,) independent stretch of the recording that each person belongs to.
        hold_scale: The distances of cameras as a whole are taken to be known.

    Returns:
        The spread; infinity where the data say nothing.
    """
    schur, slopes, _ = reduce(linear)
    chosen = free.ravel()
    hessian, gradients = schur[np.ix_(chosen, chosen)], slopes[:, chosen]
    names = np.unique(blocks)
    summed = np.stack([gradients[blocks == name].sum(0) for name in names])
    if hold_scale:
        # Of growth, the step that moves all places away from the fixed camera: it is taken out of the problem.
        growth = np.zeros((len(cameras.place), SIZE))
        fixed = ~free[:, PLACE.start]
        growth[:, PLACE] = cameras.place - cameras.place[fixed if fixed.any() else slice(None)].mean(0)
        along = growth.ravel()[chosen]
        along /= max(float(np.linalg.norm(along)), 1e-12)
        basis = np.linalg.svd(along[None])[2][1:].T
    else:
        basis = np.eye(int(chosen.sum()))
    hessian, summed = basis.T @ hessian @ basis, summed @ basis
    # Unknowns have units of their own: the condition is judged after each is brought to its own scale.
    size = np.sqrt(np.maximum(np.diag(hessian), 1e-12))
    values, vectors = np.linalg.eigh(hessian / np.outer(size, size))
    inverse = (vectors / np.maximum(values, 1e-10)) @ vectors.T / np.outer(size, size)
    many = len(names)
    meat = summed.T @ summed * (many / max(many - 1, 1))
    sandwich = inverse @ meat @ inverse
    # Few stretches say little about their own spread: the plain inverse is added.
    covariance = basis @ (sandwich if many >= _ENOUGH else sandwich + inverse) @ basis.T
    whole = np.zeros((len(chosen), len(chosen)))
    whole[np.ix_(chosen, chosen)] = covariance
    variance = np.maximum(np.diag(whole), 0.0).reshape(-1, SIZE)
    return CameraSpread(
        np.degrees(np.sqrt(variance[:, TURN].sum(1))),
        np.sqrt(variance[:, PLACE].sum(1)),
        np.sqrt(variance[:, FOCAL]),
        np.sqrt(variance[:, CLOCK]),
        whole,
    )


def stretches(frame: np.ndarray, video: bool, most: int = 40) -> np.ndarray:
    """Number of the independent stretch that each frame belongs to.

    Args:
        frame: (P,) frame numbers.
        video: Neighbouring frames resemble each other; otherwise each frame is its own.
        most: Stretches of a video.
    """
    _, place = np.unique(frame, return_inverse=True)
    count = int(place.max(initial=0)) + 1
    return place * min(most, count) // count if video else place


def turn_degrees(one: np.ndarray, two: np.ndarray) -> float:
    """Angle between two rotations (3, 3)."""
    return float(np.degrees(np.arccos(np.clip((np.trace(one @ two.T) - 1) / 2, -1, 1))))
