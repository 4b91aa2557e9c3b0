"""The shipped networks of several methods as detectors of `orplugins.privacy`, which itself knows none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from orplugins.device import choose_device
from orplugins.privacy.passes import SIDES, colour_finder, depth_finder
from orplugins.privacy.recordings import DEPTH
from orplugins.privacy.search import COLOUR, Detectors
from orplugins.resources import SHIPPED, shipped

_LEAST = 0.02  # score of a box that a network gives out at all


def shipped_detectors(device: str = "auto") -> dict[str, Callable[[], Detectors]]:
    """What loads the detectors of each kind of picture.

    Args:
        device: See `orplugins.device.choose_device`.

    Returns:
        By "colour" and "depth".
    """
    return {COLOUR: lambda: _colour(choose_device(device)), DEPTH: lambda: _depth(choose_device(device))}


def _colour(device: str) -> Detectors:
    """The student, for boxes and joints, and the detector of parts of people, for boxes."""
    from orplugins.adaptation.views import confidence
    from orplugins.orpose_color.pipeline import ColorSettings, load_predictor
    from orplugins.partial_body.detectron2.detector import PartialBodyDetector

    student = load_predictor(ColorSettings(device=device))
    # A side of 0: pictures are resized by the passes.
    parts = PartialBodyDetector(*shipped("partial-body-detector"), _LEAST, device, ("INPUT.MIN_SIZE_TEST", 0))

    def poses(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        found = student([picture])[0]
        joints = found.pred_keypoints.numpy().astype(np.float64)
        joints = np.concatenate([joints[..., :2], confidence(joints[..., 2:])], -1)
        return found.pred_boxes.tensor.numpy(), found.scores.numpy(), joints

    def boxes(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray, None]:
        found, scores, _ = parts([picture])[0]
        return found, scores, None

    names = tuple(SHIPPED[job][1] for job in ("orpose-color", "partial-body-detector"))
    return Detectors(colour_finder([poses, boxes]), 2 * 2 * len(SIDES), names)


def _depth(device: str) -> Detectors:
    from orplugins.depthpose.mmpose.adapt import DepthPeople

    return Detectors(depth_finder(DepthPeople(*shipped("depthpose"), device)), 2, (SHIPPED["depthpose"][1],))
