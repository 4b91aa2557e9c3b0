"""The student asked several times about one picture: at several sizes, and about its mirror image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from orplugins.adaptation.fusion import Detections
from orplugins.adaptation.views import View, find_in_views, network_size

if TYPE_CHECKING:
    from orplugins.hosts.detectron2.predictor import Predictor

DIRECT: tuple[View, ...] = ((1.0, False),)
ALL: tuple[View, ...] = tuple((scale, mirrored) for scale in (1.0, 0.8, 1.25) for mirrored in (False, True))


def find_people(
    predict: Predictor,
    picture: np.ndarray,
    size: tuple[int, int] | None = None,
    views: Sequence[View] = DIRECT,
) -> list[Detections]:
    """People that each view of a picture shows, see `orplugins.adaptation.views.find_in_views`.

    Args:
        predict: See `orplugins.orpose_color.pipeline.load_predictor`.
        picture: (H, W, 3) uint8 BGR.
        size: (width, height) that the network sees at magnification 1; None as
            `orplugins.adaptation.views.network_size`.
        views: Magnification of each view, and whether it is of the mirror image.

    Returns:
        One answer a view.
    """
    return find_in_views(predict, picture, network_size(picture.shape[1::-1], size, predict.sides), views)
