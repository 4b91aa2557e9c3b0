"""Views of a picture: what the operations do, and what they leave alone."""

from __future__ import annotations

import random

import numpy as np
import pytest

from orplugins.adaptor import augment


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)


def seeded(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)


def test_every_operation_keeps_size_and_type_and_does_not_write_into_the_picture(picture):
    before = picture.copy()
    for name in augment.OPERATIONS:
        for magnitude in augment.MAGNITUDES:
            for sign in (-1, 1):
                found = augment.apply_operation(picture, name, magnitude, sign)
                assert found.shape == picture.shape and found.dtype == np.uint8
    np.testing.assert_array_equal(picture, before)


def test_inverting_twice_is_nothing_and_posterizing_to_eight_bits_too(picture):
    once = augment.apply_operation(picture, "Invert", 3)
    np.testing.assert_array_equal(once, 255 - picture)
    np.testing.assert_array_equal(augment.apply_operation(picture, "Posterize", 1), picture)


def test_enhancements_go_both_ways(picture):
    darker, brighter = (augment.apply_operation(picture, "Brightness", 9, sign) for sign in (-1, 1))
    assert darker.mean() < 0.2 * picture.mean() and brighter.mean() > picture.mean()


def test_pairs_are_all_pairs():
    found = {augment.policy(index) for index in range(len(augment.SINGLE) ** 2)}
    assert len(found) == 6561
    assert augment.policy(81 * 7 + 5) == (augment.SINGLE[7], augment.SINGLE[5])


def test_a_pair_changes_most_pictures_but_not_all_and_a_seed_repeats_it(picture):
    seeded(0)
    first = [augment.random_pair(picture) for _ in range(40)]
    seeded(0)
    again = [augment.random_pair(picture) for _ in range(40)]
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
    unchanged = sum(np.array_equal(each, picture) for each in first)
    assert 2 <= unchanged <= 25


def test_holes_are_grey_squares_that_end_at_the_border():
    black = np.zeros((300, 400, 3), dtype=np.uint8)
    for seed in range(10):
        seeded(seed)
        found = augment.cut_out(black)
        hole = (found == (125, 122, 113)).all(-1)
        assert hole.any() and (found[~hole] == 0).all() and hole.sum() <= 15 * 79**2
    assert (black == 0).all()


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (60, 80)])
def test_holes_in_pictures_of_any_size(size):
    for seed in range(5):
        seeded(seed)
        assert augment.cut_out(np.zeros((*size, 3), dtype=np.uint8)).shape == (*size, 3)


def test_low_resolution_keeps_size_and_takes_detail_away(picture):
    np.testing.assert_array_equal(augment.reduce_and_enlarge(picture, 1.0), picture)
    detail = [np.abs(np.diff(augment.reduce_and_enlarge(picture, f).astype(int), axis=1)).mean() for f in (1, 3, 9)]
    assert detail[0] > 2 * detail[1] > 4 * detail[2]
    assert augment.reduce_and_enlarge(picture, 1000).shape == picture.shape  # to one pixel


def test_factors_by_the_path():
    assert augment.factors_of_path("/data/mvor_dataset/a.png") == (1.0, 12.0)
    assert augment.factors_of_path("/data/TUM_OR/a.png") == (1.0, 12.0)
    assert augment.factors_of_path("/data/tum_or/coco/a.png") == (1.0, 4.0)
