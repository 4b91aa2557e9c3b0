"""Views of one picture merged into one answer."""

import numpy as np
import pytest

from orplugins.adaptation.fusion import fuse, iou

from .scenes import people


def test_iou_of_known_boxes():
    a = np.array([[0, 0, 2, 2], [5, 5, 5, 9]])
    b = np.array([[1, 0, 3, 2], [0, 0, 2, 2], [9, 9, 10, 10]])
    assert iou(a, b) == pytest.approx(np.array([[1 / 3, 1, 0], [0, 0, 0]]))
    assert iou(np.zeros((0, 4)), b).shape == (0, 3)


def test_who_is_in_every_view_keeps_the_mean_score():
    fused = fuse([people([0, 0, 10, 20, 0.9]), people([1, 0, 11, 20, 0.6])])
    assert len(fused) == 1 and fused.scores[0] == pytest.approx(0.75) and fused.support[0] == 1
    assert fused.boxes[0] == pytest.approx([0.4, 0, 10.4, 20])  # weighted 0.9 to 0.6
    assert fused.keypoints[0, 0] == pytest.approx([(5 * 0.81 + 6 * 0.36) / 1.17, 10, (0.9 * 0.9 + 0.6 * 0.6) / 1.5])


def test_who_is_in_one_view_falls_by_their_number():
    fused = fuse([people([0, 0, 10, 20, 0.9]), people([50, 0, 60, 20, 0.6]), people()])
    assert fused.scores == pytest.approx([0.3, 0.2]) and fused.support == pytest.approx([1 / 3, 1 / 3])


def test_two_people_of_one_view_stay_two():
    close = people([0, 0, 10, 20, 0.9], [2, 0, 12, 20, 0.8])
    assert len(fuse([close])) == 2 and len(fuse([close, close])) == 2


def test_nobody():
    assert len(fuse([people(), people()])) == 0 and fuse([people()]).keypoints.shape == (0, 17, 3)
