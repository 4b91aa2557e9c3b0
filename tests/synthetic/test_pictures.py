"""Textures, lights and cameras of colour pictures: what they change, and what they leave as it is."""

import numpy as np
import pytest

from orplugins.synthetic.render.frames import render_frames

SIZE = (96, 72)
ALL_BUT = ("cameras", "poses", "rooms", "sensors", "clothes")


def render(index, variety, **options):
    options = {"views": 1, "people": (1, 4), "color": True, "fixed_cameras": False, **options}
    return render_frames(4, index, SIZE, variety=variety, **options)[1]


@pytest.mark.parametrize("part", ["textures", "pictures"])
def test_pictures_vary_while_depth_and_labels_stay(part):
    differences = []
    for index in range(4):
        plain, (varied,), (again,) = (render(index, parts) for parts in (ALL_BUT, (*ALL_BUT, part), (*ALL_BUT, part)))
        np.testing.assert_array_equal(varied.color, again.color)
        np.testing.assert_array_equal(varied.depth_mm, plain[0].depth_mm)
        np.testing.assert_array_equal(varied.instances, plain[0].instances)
        np.testing.assert_array_equal(varied.view.keypoints["coco_17"], plain[0].view.keypoints["coco_17"])
        differences.append(np.abs(varied.color.astype(int) - plain[0].color).mean())
    assert min(differences) > 2


def test_depth_alone_does_without_pictures():
    (with_color,), (without,) = (render(2, ("all",), color=color) for color in (True, False))
    assert without.color is None
    np.testing.assert_array_equal(with_color.depth_mm, without.depth_mm)
