"""What the tests of the adaptation look at: detections, and a recording without a network."""

import numpy as np

from orplugins.adaptation.fusion import single_view


def people(*rows):
    """Detections of rows x1, y1, x2, y2, score; every joint in the box's middle, sure by the score."""
    rows = np.array(rows, dtype=float).reshape(-1, 5)
    middle = (rows[:, :2] + rows[:, 2:4]) / 2
    joints = np.repeat(np.column_stack([middle, rows[:, 4]])[:, None], 17, axis=1)
    return single_view(rows[:, :4], rows[:, 4], joints)


def recording(colour=True):
    """A dark square walks through the left half of 40 pictures; the right half never changes."""
    pictures = []
    for t in range(40):
        picture = np.full((40, 60, 3), 120, np.uint8)
        picture[10:30, 40:50] = 30
        if t < 20:
            picture[10:30, t : t + 8] = 20
        pictures.append(picture if colour else picture[..., 0])
    return pictures
