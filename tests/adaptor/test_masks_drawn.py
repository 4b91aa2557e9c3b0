"""Masks on an image."""

import numpy as np

from orplugins.viz.masks import tint_people


def test_only_masked_pixels_change_and_each_person_has_a_colour():
    image = np.full((10, 12, 3), 100, np.uint8)
    masks = np.zeros((2, 10, 12), dtype=bool)
    masks[0, 2:6, 2:6], masks[1, 4:8, 4:8] = True, True
    out = tint_people(image, masks)
    either = masks.any(0)
    assert (out[~either] == 100).all() and (out[either] != 100).any(-1).all()
    assert (out[5, 5] == out[7, 7]).all() and (out[2, 2] != out[7, 7]).any()
    assert (image == 100).all() and tint_people(image, np.zeros((0, 10, 12), dtype=bool)).shape == image.shape
